// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFiles

/// One field of a message: its number and what stands behind the tag.
struct WireField {
  /// What a field holds. Of bytes and messages it is where they lie.
  enum Content {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(Range<Int>)
  }

  /// The field's number.
  let number: Int
  /// What it holds.
  let content: Content
  /// Where the content lies.
  let range: Range<Int>
}

/// Reads the fields of a message of protocol buffers, one after the other, from a range of a file.
///
/// A length is believed only if what it counts lies within the message. Nothing is built that the file
/// does not hold: a field of bytes is a range. See https://protobuf.dev/programming-guides/encoding/.
struct WireReader {
  private let window: FileWindow
  private var position: Int
  private let end: Int

  /// The fields of a whole file.
  init(_ window: FileWindow) {
    self.init(window, in: 0..<window.file.size)
  }

  /// The fields of a message in a file.
  init(_ window: FileWindow, in range: Range<Int>) {
    self.window = window
    position = range.lowerBound
    end = range.upperBound
  }

  /// The file's path.
  var path: String { window.file.path }

  /// The next field; nothing at the message's end.
  /// - Throws: ``ONNXError/damaged(file:_:)`` and `FileError`.
  mutating func next() throws -> WireField? {
    guard position < end else { return nil }
    let tag = try varint()
    guard let number = Int(exactly: tag >> 3), (1..<1 << 29).contains(number) else {
      throw damaged(.tag)
    }
    let start = position
    let content: WireField.Content
    switch tag & 7 {
    case 0: content = .varint(try varint())
    case 1: content = .fixed64(try fixed(8))
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else { throw damaged(.length(length)) }
      let range = position..<position + Int(length)
      position = range.upperBound
      return WireField(number: number, content: .bytes(range), range: range)
    case 5: content = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
    default: throw damaged(.tag)
    }
    return WireField(number: number, content: content, range: start..<position)
  }

  /// A number of seven bits a byte, the lowest first.
  mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard position < end else { throw damaged(.ends) }
      let byte = try window.byte(at: position)
      position += 1
      // Of the tenth byte a number of 64 bits has room for one bit.
      guard shift < 63 || byte <= 1 else { throw damaged(.number) }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw damaged(.number)
  }

  private mutating func fixed(_ count: Int) throws -> UInt64 {
    guard end - position >= count else { throw damaged(.ends) }
    var value: UInt64 = 0
    for index in 0..<count {
      value |= UInt64(try window.byte(at: position + index)) << UInt64(8 * index)
    }
    position += count
    return value
  }

  /// Whether all fields were read.
  var isAtEnd: Bool { position >= end }

  private func damaged(_ damage: ONNXError.Damage) -> ONNXError {
    .damaged(file: path, damage)
  }

  // MARK: What fields hold

  /// The reader of a message that is a field.
  func message(_ field: WireField) throws -> WireReader {
    guard case .bytes(let range) = field.content else { throw damaged(.type(field: field.number)) }
    return WireReader(window, in: range)
  }

  /// Where the bytes of a field lie.
  func range(_ field: WireField) throws -> Range<Int> {
    guard case .bytes(let range) = field.content else { throw damaged(.type(field: field.number)) }
    return range
  }

  /// A field's text.
  func text(_ field: WireField) throws -> String {
    let range = try range(field)
    guard range.count <= ONNXLimits.textBytes else { throw damaged(.longText(range.count)) }
    guard let text = String(validating: try window.bytes(in: range), as: UTF8.self),
      text.isStreamSafe
    else { throw damaged(.text) }
    return text
  }

  /// A field's integer.
  func integer(_ field: WireField) throws -> Int {
    guard case .varint(let bits) = field.content else { throw damaged(.type(field: field.number)) }
    return Int(Int64(bitPattern: bits))
  }

  /// A field's number in single precision.
  func float(_ field: WireField) throws -> Float {
    guard case .fixed32(let bits) = field.content else { throw damaged(.type(field: field.number)) }
    return Float(bitPattern: bits)
  }

  /// Adds the integers of a repeated field, of which this is one, or all behind each other.
  func addIntegers(_ field: WireField, to list: inout [Int]) throws {
    switch field.content {
    case .varint(let bits): list.append(Int(Int64(bitPattern: bits)))
    case .bytes(let range):
      var packed = WireReader(window, in: range)
      while !packed.isAtEnd {
        list.append(Int(Int64(bitPattern: try packed.varint())))
        guard list.count <= ONNXLimits.listCount else { throw damaged(.longList) }
      }
    default: throw damaged(.type(field: field.number))
    }
    guard list.count <= ONNXLimits.listCount else { throw damaged(.longList) }
  }

  /// Adds the numbers of a repeated field, of which this is one, or all behind each other.
  func addFloats(_ field: WireField, to list: inout [Float]) throws {
    switch field.content {
    case .fixed32(let bits): list.append(Float(bitPattern: bits))
    case .bytes(let range):
      guard range.count % 4 == 0 else { throw damaged(.length(UInt64(range.count))) }
      guard list.count + range.count / 4 <= ONNXLimits.listCount else { throw damaged(.longList) }
      let bytes = try window.bytes(in: range)
      for start in stride(from: 0, to: bytes.count, by: 4) {
        list.append(
          Float(
            bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }))
      }
    default: throw damaged(.type(field: field.number))
    }
    guard list.count <= ONNXLimits.listCount else { throw damaged(.longList) }
  }
}
