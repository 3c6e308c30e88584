// SPDX-License-Identifier: Apache-2.0

/// How far the elements of two tensors of one shape are apart.
///
/// Integers are compared as integers and floating-point numbers in double precision, so that
/// nothing is rounded before it is compared. Complex numbers are compared part by part.
public struct TensorDistance: Sendable, Hashable {
  /// The elements.
  public let count: Int
  /// The elements that are not the same: of one type by their bits, so that 0 and −0 differ; of two
  /// types by their values, where a NaN is the same as a NaN.
  public let differing: Int
  /// The largest absolute difference, of complex numbers that of a part; infinite where one of two
  /// elements is not finite and the other is another value.
  public let largest: Double
  /// The Euclidean norm of the differences over that of the first; infinite where one of two
  /// elements is not finite and the other is another value, or where the first is all zeros and the
  /// second is not.
  public let relative: Double

  /// The elements that are compared at a time.
  public static let block = 1 << 18

  /// The distance of two tensors.
  /// - Precondition: They have the same shape, and both or neither is complex.
  public init(_ a: StoredTensor, _ b: StoredTensor) {
    precondition(a.shape == b.shape, "only tensors of one shape have a distance")
    self.init(
      count: a.shape.count, a.elementType, b.elementType, first: { a.bytes(ofElements: $0) },
      second: { b.bytes(ofElements: $0) })
  }

  /// The distance of two rows of elements that are given a block at a time, at most ``block``
  /// elements in one; each block may be asked for twice.
  ///
  /// - Parameters:
  ///   - count: The elements of each.
  ///   - a: The type of the first's elements.
  ///   - b: The type of the second's elements. Both or neither is complex.
  ///   - first: The bytes of a range of the first's elements.
  ///   - second: The bytes of a range of the second's elements.
  /// - Throws: What these throw.
  public init<Failure: Error>(
    count: Int, _ a: ElementType, _ b: ElementType,
    first: (Range<Int>) throws(Failure) -> [UInt8], second: (Range<Int>) throws(Failure) -> [UInt8]
  ) throws(Failure) {
    precondition((a == .complex64) == (b == .complex64), "complex and real numbers are compared")
    var scan = Scan(a, b)
    for start in stride(from: 0, to: count, by: Self.block) {
      let range = start..<min(start + Self.block, count)
      scan.add(try first(range), try second(range))
    }
    if scan.needsNorms {
      for start in stride(from: 0, to: count, by: Self.block) {
        let range = start..<min(start + Self.block, count)
        scan.addNorms(of: try first(range), try second(range))
      }
    }
    self.count = count
    differing = a == b ? scan.differing : scan.unequal
    (largest, relative) = (scan.largest, scan.relative)
  }
}

/// What is known of two rows of elements after some blocks of them.
private struct Scan {
  private let a: ElementType
  private let b: ElementType
  private let isExact: Bool

  private(set) var differing = 0
  private(set) var unequal = 0
  private var widest = 0.0
  private var magnitude = 0.0
  private var isApart = false
  private var squares = 0.0
  private var norm = 0.0

  init(_ a: ElementType, _ b: ElementType) {
    (self.a, self.b) = (a, b)
    isExact = Scan.isWhole(a) && Scan.isWhole(b)
  }

  private static func isWhole(_ type: ElementType) -> Bool { type.isInteger || type == .bool }

  /// Whether the sums of squares take another pass, for which the largest numbers have to be known.
  var needsNorms: Bool { !isExact && !isApart && widest > 0 }

  var largest: Double { isApart ? .infinity : widest }

  var relative: Double {
    if isApart { return .infinity }
    if isExact { return squares == 0 ? 0 : (squares / norm).squareRoot() }
    return widest > 0 ? (squares / norm).squareRoot() * (step / scale) : 0
  }

  // Powers of two, by which numbers are divided so that their squares neither overflow nor vanish.
  private var scale: Double { magnitude.binade }
  private var step: Double { widest.isFinite ? widest.binade : scale }

  mutating func add(_ first: [UInt8], _ second: [UInt8]) {
    if a == b, first != second {
      let width = a.width
      differing += (0..<first.count / width).count { index in
        let range = index * width..<(index + 1) * width
        return range.contains { first[$0] != second[$0] }
      }
    }
    switch (isExact, a == .uint64 || b == .uint64) {
    case (true, false): add(Scan.integers(first, a), Scan.integers(second, b))
    case (true, true): add(Scan.wideIntegers(first, a), Scan.wideIntegers(second, b))
    case (false, _): addReal(first, second)
    }
  }

  private mutating func add(_ first: [Int64], _ second: [Int64]) {
    for (x, y) in zip(first, second) {
      if x != y { unequal += 1 }
      addExact(Double(UInt64(bitPattern: max(x, y) &- min(x, y))), Double(x))
    }
  }

  private mutating func add(_ first: [Int128], _ second: [Int128]) {
    for (x, y) in zip(first, second) {
      if x != y { unequal += 1 }
      addExact(Double(max(x, y) - min(x, y)), Double(x))
    }
  }

  private mutating func addExact(_ difference: Double, _ value: Double) {
    widest = max(widest, difference)
    squares += difference * difference
    norm += value * value
  }

  private mutating func addReal(_ first: [UInt8], _ second: [UInt8]) {
    let (x, y) = (Scan.doubles(first, a), Scan.doubles(second, b))
    // Only an integer of 64 bits may not be the double it becomes; then it is no other double.
    let inexact = Scan.inexactDoubles(first, a) ?? Scan.inexactDoubles(second, b)
    for index in x.indices {
      let (x, y) = (x[index], y[index])
      let isSame = x == y || x.isNaN && y.isNaN
      if !isSame || inexact?[index] == true { unequal += 1 }
      guard x.isFinite, y.isFinite else {
        if !isSame { isApart = true }
        continue
      }
      magnitude = max(magnitude, abs(x), abs(y))
      widest = max(widest, abs(x - y))
    }
  }

  mutating func addNorms(of first: [UInt8], _ second: [UInt8]) {
    let (scale, step) = (scale, step)
    for (x, y) in zip(Scan.doubles(first, a), Scan.doubles(second, b))
    where x.isFinite && y.isFinite {
      let difference = widest.isFinite ? (x - y) / step : x / step - y / step
      squares += difference * difference
      norm += (x / scale) * (x / scale)
    }
  }

  // MARK: Numbers of bytes

  private static func doubles(_ bytes: [UInt8], _ type: ElementType) -> [Double] {
    type == .complex64
      ? StoredTensor(elements: bytes, .float32).doubles
      : StoredTensor(elements: bytes, type).doubles
  }

  private static func integers(_ bytes: [UInt8], _ type: ElementType) -> [Int64] {
    StoredTensor(elements: bytes, type).integers
  }

  private static func wideIntegers(_ bytes: [UInt8], _ type: ElementType) -> [Int128] {
    type == .uint64
      ? StoredTensor(elements: bytes, type).words(UInt64.self).map { Int128($0) }
      : integers(bytes, type).map { Int128($0) }
  }

  /// Which integers are not the doubles they become; nothing of types where all are.
  private static func inexactDoubles(_ bytes: [UInt8], _ type: ElementType) -> [Bool]? {
    switch type {
    case .int64: integers(bytes, type).map { Int64(exactly: Double($0)) != $0 }
    case .uint64:
      StoredTensor(elements: bytes, type).words(UInt64.self)
        .map { UInt64(exactly: Double($0)) != $0 }
    default: nil
    }
  }
}

extension StoredTensor {
  /// The bytes of a range of elements.
  func bytes(ofElements range: Range<Int>) -> [UInt8] {
    let part = range.lowerBound * elementType.width..<range.upperBound * elementType.width
    return part == bytes.indices ? bytes : Array(bytes[part])
  }

  /// A row of elements whose bytes are as many as some elements need.
  init(elements bytes: [UInt8], _ type: ElementType) {
    self.init(trusted: bytes, type, [bytes.count / type.width])
  }
}
