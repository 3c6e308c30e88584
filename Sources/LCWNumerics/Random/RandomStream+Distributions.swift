// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension RandomStream {
  /// A number uniform on [0, 1) with 24 random bits.
  public mutating func uniform() -> Float { Float(nextWord() >> 8) * 0x1p-24 }

  /// A number uniform on [0, 1) with 53 random bits.
  public mutating func uniformDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// An integer uniform on `0..<bound`, without bias (Lemire 2019).
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0 && bound <= 1 << 32, "a bound is from 1 to 2³²")
    let range = UInt64(bound)
    var product = UInt64(nextWord()) * range
    if product & 0xFFFF_FFFF < range {
      let threshold = ((1 << 32) - range) % range
      while product & 0xFFFF_FFFF < threshold { product = UInt64(nextWord()) * range }
    }
    return Int(product >> 32)
  }

  /// The integers of `0..<count` in random order (Fisher and Yates).
  public mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(index, integer(below: index + 1))
    }
    return order
  }

  /// Values uniform on [−bound, bound).
  public mutating func uniform(_ shape: Shape, bound: Float) -> Tensor {
    Tensor(
      trusted: (0..<shape.count).map { _ in (2 * uniform() - 1) * bound }, shape: shape)
  }

  /// Independent normal values of mean zero (Box and Muller).
  public mutating func normal(_ shape: Shape, deviation: Float = 1) -> Tensor {
    var values: [Float] = []
    values.reserveCapacity(shape.count + 1)
    while values.count < shape.count {
      // 1 − u lies in (0, 1], so that the logarithm is finite.
      let radius = (-2 * log(1 - uniformDouble())).squareRoot()
      let angle = 2 * Double.pi * uniformDouble()
      values.append(deviation * Float(radius * cos(angle)))
      values.append(deviation * Float(radius * sin(angle)))
    }
    if values.count > shape.count { values.removeLast() }
    return Tensor(trusted: values, shape: shape)
  }
}
