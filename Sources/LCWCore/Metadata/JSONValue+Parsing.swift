// SPDX-License-Identifier: Apache-2.0

/// What a JSON text may hold at most.
public struct JSONLimits: Sendable, Hashable {
  /// How deep lists and objects may nest.
  public var depth: Int
  /// The values in all.
  public var values: Int

  /// Limits.
  public init(depth: Int = 64, values: Int = 1 << 22) {
    self.depth = depth
    self.values = values
  }
}

/// Where and why a text is not the JSON that is accepted.
public struct JSONError: DescribedError, Hashable {
  /// The offset of the byte at fault.
  public let offset: Int
  /// The line it stands in, counted from 1.
  public let line: Int
  /// The place in the line, in characters (Unicode scalars), counted from 1.
  public let column: Int
  /// What is wrong, without a full stop.
  public let reason: String

  /// What is wrong at a byte of a text.
  init(_ reason: String, at offset: Int, of bytes: [UInt8]) {
    self.offset = offset
    self.reason = reason
    let before = bytes[..<min(offset, bytes.count)]
    line = 1 + before.count { $0 == UInt8(ascii: "\n") }
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    // Bytes that continue a character count for none.
    column = 1 + before[start...].count { $0 & 0xC0 != 0x80 }
  }

  /// Wrong data.
  public var category: ErrorCategory { .data }
  /// The reason and the place.
  public var description: String {
    "\(reason) at line \(line), column \(column) (at byte \(offset) of the JSON)".asOneLine
  }
}

extension JSONValue {
  /// Parses UTF-8 JSON strictly (RFC 8259, and duplicate keys are an error; so are null, a byte
  /// order mark, lone surrogates, numbers that overflow, more than 30 combining marks in a row, and
  /// whatever follows the value but space).
  /// - Throws: ``JSONError``.
  public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    var parser = JSONParser(bytes: bytes, limits: limits)
    self = try parser.document()
  }

  /// Parses an object as other programs write it, whose rules are laxer: keys are told apart by their
  /// bytes, also where Unicode holds them equivalent; `null` is read as an empty object, so that it
  /// is nothing where something is needed; an integer beyond 64 bits becomes a number; and in objects
  /// within this one, the last of keys that Unicode holds equivalent stays. A key that is repeated
  /// is an error all the same.
  /// - Returns: The members in their order.
  /// - Throws: ``JSONError``.
  public static func members(
    parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()
  ) throws(JSONError) -> [JSONMember] {
    var parser = JSONParser(bytes: bytes, limits: limits, isLax: true)
    return try parser.outerMembers()
  }
}

/// A member of an object.
public struct JSONMember: Sendable, Hashable {
  /// The key, told apart from others by its bytes.
  public let key: String
  /// The value.
  public let value: JSONValue
  /// Where the value stands in the text.
  public let range: Range<Int>
}

private struct JSONParser {
  let bytes: [UInt8]
  let limits: JSONLimits
  /// Whether the rules of ``JSONValue/members(parsing:limits:)`` hold.
  var isLax = false
  var index = 0
  var values = 0

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    if index < bytes.count { throw error("there is extra text after the value") }
    return value
  }

  /// The members of the object that the whole text is.
  mutating func outerMembers() throws(JSONError) -> [JSONMember] {
    skipSpace()
    guard next == UInt8(ascii: "{") else { throw error("expected an object") }
    index += 1
    var members: [JSONMember] = []
    var keys: Set<[UInt8]> = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      index += 1
    } else {
      repeat {
        skipSpace()
        let (key, start) = try key()
        guard keys.insert(Array(key.utf8)).inserted else {
          index = start
          throw error("the key \(JSONValue.quoted(key)) is repeated")
        }
        skipSpace()
        let first = index
        let value = try value(depth: 1)
        members.append(JSONMember(key: key, value: value, range: first..<index))
        skipSpace()
      } while try !endsObject()
    }
    skipSpace()
    if index < bytes.count { throw error("there is extra text after the value") }
    return members
  }

  /// A key and the colon behind it, and where the key starts.
  private mutating func key() throws(JSONError) -> (String, Int) {
    guard next == UInt8(ascii: "\"") else { throw error("expected a key") }
    let start = index
    let key = try string()
    skipSpace()
    try expect(UInt8(ascii: ":"), "a colon")
    return (key, start)
  }

  /// Whether the brace follows that ends an object; else a comma must.
  private mutating func endsObject() throws(JSONError) -> Bool {
    if next == UInt8(ascii: "}") {
      index += 1
      return true
    }
    try expect(UInt8(ascii: ","), "a comma or a closing brace")
    return false
  }

  private func error(_ reason: String) -> JSONError { JSONError(reason, at: index, of: bytes) }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      index += 1
    }
  }

  private mutating func expect(_ byte: UInt8, _ what: String) throws(JSONError) {
    guard next == byte else { throw error("expected \(what)") }
    index += 1
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    skipSpace()
    values += 1
    if values > limits.values { throw error("there are more than \(limits.values) values") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n") where isLax: return try literal("null", .object([:]))
    case UInt8(ascii: "n"): throw error("null is not accepted")
    case nil: throw error("the text ends where a value should be")
    default: return try number()
    }
  }

  private mutating func literal(_ text: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[index...].starts(with: text.utf8) else { throw error("expected a value") }
    index += text.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    if depth > limits.depth { throw error("nested deeper than \(limits.depth)") }
    index += 1
    var members: [String: JSONValue] = [:]
    var exactKeys: Set<[UInt8]> = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      index += 1
      return .object(members)
    }
    while true {
      skipSpace()
      let (key, start) = try key()
      let value = try value(depth: depth)
      // Swift compares strings by canonical equivalence; keys that differ in bytes differ here,
      // so those that Swift takes for one are refused like plain duplicates.
      let isNew = members.updateValue(value, forKey: key) == nil
      guard isLax ? exactKeys.insert(Array(key.utf8)).inserted : isNew else {
        index = start
        throw error("the key \(JSONValue.quoted(key)) is repeated")
      }
      skipSpace()
      if try endsObject() { return .object(members) }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    if depth > limits.depth { throw error("nested deeper than \(limits.depth)") }
    index += 1
    var elements: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      index += 1
      return .array(elements)
    }
    while true {
      elements.append(try value(depth: depth))
      skipSpace()
      if next == UInt8(ascii: "]") {
        index += 1
        return .array(elements)
      }
      try expect(UInt8(ascii: ","), "a comma or a closing bracket")
    }
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = index
    var isInteger = true
    if next == UInt8(ascii: "-") { index += 1 }
    guard let first = next, isDigit(first) else { throw error("expected a value") }
    skipDigits()
    if first == UInt8(ascii: "0"), bytes[index - 1] != first || digits(from: start) > 1 {
      throw error("a number starts with a zero")
    }
    if next == UInt8(ascii: ".") {
      isInteger = false
      index += 1
      guard let digit = next, isDigit(digit) else { throw error("expected a digit") }
      skipDigits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      index += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
      guard let digit = next, isDigit(digit) else { throw error("expected a digit") }
      skipDigits()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isInteger {
      if let value = Int(text) { return .integer(value) }
      guard isLax else { throw error("the integer \(text) is too large") }
    }
    guard let value = Double(text), value.isFinite else {
      throw error("the number \(text) is too large")
    }
    return .number(value)
  }

  private func digits(from start: Int) -> Int {
    index - start - (bytes[start] == UInt8(ascii: "-") ? 1 : 0)
  }

  private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private mutating func skipDigits() {
    while let byte = next, isDigit(byte) { index += 1 }
  }

  private mutating func string() throws(JSONError) -> String {
    index += 1
    var utf8: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: utf8, as: UTF8.self) else {
          throw error("a string is not valid UTF-8")
        }
        guard text.isStreamSafe else {
          throw error("more than 30 combining marks follow each other")
        }
        index += 1
        return text
      case UInt8(ascii: "\\"):
        index += 1
        utf8 += Array(String(try escape()).utf8)
      case 0..<0x20: throw error("a control character stands in a string")
      default:
        utf8.append(byte)
        index += 1
      }
    }
    throw error("a string does not end")
  }

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    guard let byte = next else { throw error("a string does not end") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let high = try hexWord()
      if let scalar = Unicode.Scalar(high) { return scalar }
      guard high < 0xDC00, bytes[index...].starts(with: "\\u".utf8) else {
        throw error("a surrogate stands alone")
      }
      index += 2
      let low = try hexWord()
      guard (0xDC00..<0xE000).contains(low),
        let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
      else { throw error("a surrogate stands alone") }
      return scalar
    default: throw error("an unknown escape")
    }
  }

  private mutating func hexWord() throws(JSONError) -> UInt32 {
    guard index + 4 <= bytes.count else { throw error("a string does not end") }
    var word: UInt32 = 0
    for byte in bytes[index..<index + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("expected four hexadecimal digits")
      }
      word = word << 4 | UInt32(digit)
    }
    index += 4
    return word
  }
}
