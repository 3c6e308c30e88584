// SPDX-License-Identifier: Apache-2.0

/// An input of the fuzzer as a row of choices: each byte decides something, and where there is none
/// left, it is the first choice.
struct Choices {
  private var bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  mutating func byte() -> Int { bytes.popFirst().map(Int.init) ?? 0 }

  /// A number from 0 to just under `bound`, at most 65,536.
  mutating func below(_ bound: Int) -> Int {
    (bound > 256 ? byte() << 8 | byte() : byte()) % bound
  }

  /// Yes, once in so many times; never where no bytes are left.
  mutating func once(in count: Int) -> Bool { below(count) == 1 }

  mutating func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }

  /// A size: mostly a small one, sometimes one at an edge.
  mutating func size(_ small: ClosedRange<Int> = 1...12) -> Int {
    once(in: 8) ? one(of: Self.edges) : small.lowerBound + below(small.count)
  }

  /// A number as a text, which need not be one.
  mutating func number() -> String {
    switch below(6) {
    case 0, 1: "\(1 + below(12))"
    case 2: "\(one(of: Self.edges))"
    case 3: one(of: Self.texts)
    case 4: "\(below(1000))"
    default: "0.\(below(100))"
    }
  }

  /// A text of a few bytes of the input.
  mutating func text() -> String {
    let count = below(12)
    return String(decoding: (0..<count).map { _ in UInt8(byte()) }, as: UTF8.self)
  }

  static let edges = [
    0, 1, 2, 3, 7, 8, 64, 100, 1000, 4096, 8193, 65_535, 65_537, 10_000_000, 1_000_000_000,
    2_147_483_646, 2_147_483_647, 2_147_483_648, 4_294_967_296, 1 << 42, 1 << 52, (1 << 53) - 1,
    -1, -2, -2_147_483_648, 1 - (1 << 53), 9_000_000_000_000_000,
  ]

  private static let texts = [
    "-0", "1e3", "1e308", "1e-320", "nan", "inf", "-inf", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "4611686018427387904", "0x10", "01", "", "+1",
    "1_000", "١",
  ]
}
