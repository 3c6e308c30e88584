// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// self ← self + other: how the gradients of a value with several readers add up.
  public mutating func add(_ other: Tensor, workers: Workers = .serial) {
    update(with: other, workers) { lcw_add($0, $1, $2.count) }
  }

  /// The sum of tensors of one shape, clipped at zero if `clipping` is set.
  ///
  /// The gradient of each summand is that of the sum, behind the clipping if there is one.
  public static func sum(
    of summands: [Tensor], clipping: Bool = false, workers: Workers = .serial
  ) -> Tensor {
    guard let first = summands.first else { preconditionFailure("there is nothing to add") }
    precondition(
      summands.allSatisfy { $0.shape == first.shape },
      "\(summands.map(\.shape)) differ and can't be added")
    guard summands.count > 1 else {
      var result = first
      if clipping { result.relu(workers: workers) }
      return result
    }
    var result = Tensor(unspecified: first.shape)
    let second = summands[1]
    first.withBase { a in
      result.update(with: second, workers) { y, b, range in
        let a = a + range.lowerBound
        if clipping && summands.count == 2 {
          lcw_add_relu(y, a, b, range.count)
        } else {
          lcw_add_both(y, a, b, range.count)
        }
      }
    }
    for summand in summands.dropFirst(2) { result.add(summand, workers: workers) }
    if clipping && summands.count > 2 { result.relu(workers: workers) }
    return result
  }

  /// self ← factor · self, as a scalar parameter multiplies a block. The gradient before it is the one
  /// behind it times the factor, and that of the factor is ``dot(_:workers:)`` of the gradient behind it
  /// and the input.
  public mutating func multiply(by factor: Float, workers: Workers = .serial) {
    update(workers) { y, range in
      withUnsafePointer(to: factor) { lcw_scale_planes(y, y, $0, 1, range.count) }
    }
  }

  /// Σ self · other over all elements, in double precision; the sum does not depend on the workers.
  public func dot(_ other: Tensor, workers: Workers = .serial) -> Double {
    precondition(shape == other.shape, "\(shape) and \(other.shape) differ")
    let piece = elementGrain
    let pieces = (count + piece - 1) / piece
    var sums = [Double](repeating: 0, count: pieces)
    withBase { x in
      other.withBase { y in
        sums.withUnsafeMutableBufferPointer { sums in
          workers.forEachUnchecked(pieces) {
            let first = $0 * piece
            sums[$0] = lcw_dot(x + first, y + first, min(piece, count - first))
          }
        }
      }
    }
    return sums.reduce(0, +)
  }
}

// MARK: - Products with a number for each channel of each sample

extension Tensor {
  /// self · factor, element by element or with a factor for each channel of each sample, as squeeze and
  /// excitation has it.
  ///
  /// - Parameters:
  ///   - factor: Of the same shape; or `[n, channels]`, with or without sizes of 1 behind, for a block
  ///     `[n, channels, …]`.
  ///   - workers: The threads.
  public func multiplied(by factor: Tensor, workers: Workers = .serial) -> Tensor {
    var result = Tensor(unspecified: shape)
    let planes = self.planes(of: factor)
    guard planes.positions > 1 else {
      result = self.reshaped(shape)
      result.multiply(by: factor, workers: workers)
      return result
    }
    let grain = max(1, elementGrain / planes.positions)
    withBase { x in
      factor.withBase { factor in
        result.withMutableBase { y in
          workers.forEachRange(of: planes.count, grain: grain) {
            let first = $0.lowerBound * planes.positions
            lcw_scale_planes(
              y + first, x + first, factor + $0.lowerBound, $0.count, planes.positions)
          }
        }
      }
    }
    return result
  }

  /// The gradients of both factors of ``multiplied(by:workers:)``.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the product.
  ///   - factor: The other factor.
  ///   - workers: The threads.
  /// - Returns: The gradient of this tensor, and that of the factor in the factor's shape.
  public func multipliedBackward(
    _ gradient: Tensor, factor: Tensor, workers: Workers = .serial
  ) -> (block: Tensor, factor: Tensor) {
    precondition(shape == gradient.shape, "\(gradient.shape) is no gradient of \(shape)")
    let block = gradient.multiplied(by: factor, workers: workers)
    let planes = self.planes(of: factor)
    guard planes.positions > 1 else {
      return (block, gradient.multiplied(by: self, workers: workers).reshaped(factor.shape))
    }
    var sums = Tensor(unspecified: factor.shape)
    let grain = max(1, elementGrain / planes.positions)
    withBase { x in
      gradient.withBase { g in
        sums.withMutableBase { sums in
          workers.forEachRange(of: planes.count, grain: grain) {
            let first = $0.lowerBound * planes.positions
            lcw_plane_products(
              sums + $0.lowerBound, g + first, x + first, $0.count, planes.positions)
          }
        }
      }
    }
    return (block, sums)
  }

  /// The planes that have one factor each, and their values.
  private func planes(of factor: Tensor) -> (count: Int, positions: Int) {
    if factor.shape == shape { return (count, 1) }
    let (sizes, own) = (shape.dimensions, factor.shape.dimensions)
    precondition(
      own.count >= 2 && own.count <= sizes.count && own[..<2] == sizes[..<2]
        && own[2...].allSatisfy { $0 == 1 },
      "\(factor.shape) has no number for each channel of each sample of \(shape)")
    return (factor.count, sizes[2...].reduce(1, *))
  }
}
