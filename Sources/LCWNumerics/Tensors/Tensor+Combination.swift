// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// The linear combination Σⱼ cⱼ · Bⱼ of tensors that have the shape, or broadcast to it.
  ///
  /// A basis broadcasts if it has the shape's rank and each of its sizes is the shape's or 1, so
  /// that the mean of a matrix's rows `[1, d]` or columns `[n, 1]` need not be repeated. Terms
  /// with a zero coefficient are left out, so that a combination with coefficients (1, 0) is the
  /// first tensor to the bit even where the second is not finite.
  ///
  /// - Parameters:
  ///   - bases: The tensors Bⱼ.
  ///   - coefficients: As many numbers cⱼ.
  ///   - shape: The result's shape.
  public static func combination(
    _ bases: [Tensor], coefficients: [Double], shape: Shape
  ) -> Tensor {
    precondition(bases.count == coefficients.count, "a combination needs a coefficient per basis")
    let terms = zip(bases, coefficients).filter { $0.1 != 0 }
    if terms.count == 1, terms[0].1 == 1, terms[0].0.shape == shape { return terms[0].0 }
    var result = Tensor(zeros: shape)
    let plain = terms.filter { $0.0.shape == shape }
    if !plain.isEmpty {
      result.assignCombination(plain.map { ($0.0, Float($0.1)) })
    }
    for (basis, coefficient) in terms where basis.shape != shape {
      result.addBroadcasting(basis, scaled: Float(coefficient))
    }
    return result
  }

  private mutating func assignCombination(_ terms: [(Tensor, Float)]) {
    let count = self.count
    elements.withUnsafeMutableBufferPointer { out in
      guard let out = out.baseAddress else { return }
      withPointers(to: terms.map(\.0)) { pointers in
        lcw_combine(out, pointers, terms.map(\.1), terms.count, 0, nil, count, 0)
      }
    }
  }

  /// Adds `scale` times a tensor whose sizes are this one's or 1.
  mutating func addBroadcasting(_ other: Tensor, scaled scale: Float) {
    precondition(
      other.shape.rank == shape.rank
        && zip(other.shape.dimensions, shape.dimensions).allSatisfy { $0 == $1 || $0 == 1 },
      "\(other.shape) does not broadcast to \(shape)")
    let axesInnermostFirst = (0..<shape.rank).reversed()
    var strides = [Int](repeating: 0, count: shape.rank)
    var stride = 1
    for axis in axesInnermostFirst {
      strides[axis] = other.shape[axis] == 1 ? 0 : stride
      stride *= other.shape[axis]
    }
    var index = [Int](repeating: 0, count: shape.rank)
    var source = 0
    for target in 0..<count {
      elements[target] += scale * other.elements[source]
      for axis in axesInnermostFirst {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < shape[axis] { break }
        source -= strides[axis] * shape[axis]
        index[axis] = 0
      }
    }
  }
}

/// Calls `body` with the addresses of the tensors' elements, which stay valid during the call.
func withPointers<Result>(
  to tensors: [Tensor], _ body: (UnsafePointer<UnsafePointer<Float>>) -> Result
) -> Result {
  func descend(_ index: Int, _ pointers: [UnsafePointer<Float>]) -> Result {
    guard index < tensors.count else {
      return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else {
          preconditionFailure("a combination needs at least one basis")
        }
        return body(base)
      }
    }
    return tensors[index].elements.withUnsafeBufferPointer { elements in
      guard let base = elements.baseAddress else { return descend(index + 1, pointers) }
      return descend(index + 1, pointers + [base])
    }
  }
  return descend(0, [])
}
