// SPDX-License-Identifier: Apache-2.0

/// Takes the parts of a pickle's instructions from its bytes.
struct PickleReader {
  private let bytes: [UInt8]
  private(set) var position: Int

  init(_ bytes: [UInt8], from start: Int) {
    self.bytes = bytes
    position = min(max(start, 0), bytes.count)
  }

  /// The bytes that are left.
  var remaining: Int { bytes.count - position }

  mutating func byte() throws(PickleError) -> UInt8 {
    guard position < bytes.count else { throw .truncated }
    defer { position += 1 }
    return bytes[position]
  }

  /// Some bytes; the count, which the pickle states, is compared with what is left first.
  mutating func slice(_ count: UInt64) throws(PickleError) -> ArraySlice<UInt8> {
    guard count <= UInt64(remaining) else { throw .truncated }
    defer { position += Int(count) }
    return bytes[position..<position + Int(count)]
  }

  /// An unsigned number of up to eight bytes, least significant first.
  mutating func word(_ width: Int) throws(PickleError) -> UInt64 {
    try slice(UInt64(width)).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number of IEEE double precision, most significant byte first.
  mutating func double() throws(PickleError) -> Double {
    Double(bitPattern: try word(8).byteSwapped)
  }

  /// A length in so many bytes, and as many bytes of UTF-8. Python's lone surrogates are refused.
  mutating func text(lengthBytes: Int) throws(PickleError) -> String {
    let start = position
    let slice = try slice(try word(lengthBytes))
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw .malformed(position: start, reason: "a text is not UTF-8")
    }
    return text
  }

  /// A text up to the end of a line.
  mutating func line() throws(PickleError) -> String {
    let start = position
    guard let end = bytes[position...].firstIndex(of: 0x0A) else { throw .truncated }
    guard let text = String(validating: bytes[start..<end], as: UTF8.self) else {
      throw .malformed(position: start, reason: "a name is not UTF-8")
    }
    position = end + 1
    return text
  }

  /// A two's complement of so many bytes.
  mutating func integer(_ count: UInt64) throws(PickleError) -> PickleValue {
    let slice = try slice(count)
    let isNegative = (slice.last ?? 0) >= 0x80
    let sign: UInt8 = isNegative ? 0xFF : 0
    // Bytes that only repeat the sign say nothing.
    var digits = slice
    while digits.count > 8, digits.last == sign { digits = digits.dropLast() }
    let isWide = digits.count > 8 || digits.count == 8 && ((digits.last ?? 0) >= 0x80) != isNegative
    if isWide { return .long(Array(slice)) }
    let word = digits.reversed().reduce(isNegative ? UInt64.max : 0) { $0 << 8 | UInt64($1) }
    return .integer(Int(Int64(bitPattern: word)))
  }
}
