// SPDX-License-Identifier: Apache-2.0

/// How far the elements of two tensors of one shape are apart.
///
/// Integers are compared as integers and floating-point numbers in double precision, so that
/// nothing is rounded before it is compared.
public struct TensorDistance: Sendable, Hashable {
  /// The elements.
  public let count: Int
  /// The elements that are not the same: of one type by their bits, so that 0 and −0 differ; of two
  /// types by their values, where a NaN is the same as a NaN.
  public let differing: Int
  /// The largest absolute difference; infinite where one of two elements is not finite and the
  /// other is another value.
  public let largest: Double
  /// The Euclidean norm of the differences over that of the first; infinite where one of two
  /// elements is not finite and the other is another value, or where the first is all zeros and the
  /// second is not.
  public let relative: Double

  /// The distance of two tensors.
  /// - Precondition: They have the same shape.
  public init(_ a: StoredTensor, _ b: StoredTensor) {
    precondition(a.shape == b.shape, "only tensors of one shape have a distance")
    let parts: Parts
    switch (a.elementType.isFloatingPoint, b.elementType.isFloatingPoint) {
    case (false, false): parts = Parts(a.integers, b.integers)
    case (true, true): parts = Parts(a.doubles, b.doubles)
    // Only an integer of 64 bits may not be the double it becomes; then it is no other double.
    case (false, true): parts = Parts(a.doubles, b.doubles, isInexact: a.inexactDoubles)
    case (true, false): parts = Parts(a.doubles, b.doubles, isInexact: b.inexactDoubles)
    }
    count = a.shape.count
    differing = a.elementType == b.elementType ? a.differingElements(from: b) : parts.unequal
    largest = parts.largest
    relative = parts.relative
  }

  private struct Parts {
    var unequal = 0
    var largest = 0.0
    var relative = 0.0

    init(_ a: [Double], _ b: [Double], isInexact: [Bool] = []) {
      var magnitude = 0.0
      var isApart = false
      for index in a.indices {
        let (x, y) = (a[index], b[index])
        let isSame = x == y || x.isNaN && y.isNaN
        if !isSame || !isInexact.isEmpty && isInexact[index] { unequal += 1 }
        guard x.isFinite, y.isFinite else {
          if !isSame { isApart = true }
          continue
        }
        magnitude = max(magnitude, abs(x), abs(y))
        largest = max(largest, abs(x - y))
      }
      if isApart {
        (largest, relative) = (.infinity, .infinity)
        return
      }
      guard largest > 0 else { return }
      // Scaled by powers of two, so that the squares neither overflow nor vanish.
      let scale = magnitude.binade
      let step = largest.isFinite ? largest.binade : scale
      var (squares, norm) = (0.0, 0.0)
      for (x, y) in zip(a, b) where x.isFinite && y.isFinite {
        let difference = largest.isFinite ? (x - y) / step : x / step - y / step
        squares += difference * difference
        norm += (x / scale) * (x / scale)
      }
      relative = (squares / norm).squareRoot() * (step / scale)
    }

    init(_ a: [Int64], _ b: [Int64]) {
      var (squares, norm) = (0.0, 0.0)
      for (x, y) in zip(a, b) {
        if x != y { unequal += 1 }
        let difference = Double(UInt64(bitPattern: max(x, y) &- min(x, y)))
        largest = max(largest, difference)
        squares += difference * difference
        norm += Double(x) * Double(x)
      }
      relative = squares == 0 ? 0 : (squares / norm).squareRoot()
    }
  }
}

extension StoredTensor {
  /// The elements whose bits differ from another tensor's of the same type and shape.
  fileprivate func differingElements(from other: StoredTensor) -> Int {
    let width = elementType.width
    guard bytes != other.bytes else { return 0 }
    return (0..<shape.count).count { index in
      let range = index * width..<(index + 1) * width
      return range.contains { bytes[$0] != other.bytes[$0] }
    }
  }

  /// Which integers are not the doubles they become; empty if all are.
  fileprivate var inexactDoubles: [Bool] {
    elementType == .int64 ? integers.map { Int64(exactly: Double($0)) != $0 } : []
  }
}
