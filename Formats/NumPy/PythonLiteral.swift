// SPDX-License-Identifier: Apache-2.0

/// The Python literals that the header of an array consists of.
enum PythonLiteral: Equatable {
  case text(String)
  case truth(Bool)
  case sizes([Int])
  /// A list, which only the types of records are; its text.
  case list(String)
}

/// Reads a dictionary of Python literals as NumPy writes it.
struct PythonLiteralParser {
  /// What is wrong, and at which byte.
  struct Problem: Error {
    var reason: String
  }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The members of the dictionary, which all of the text must be but for white space behind it.
  mutating func dictionary() throws(Problem) -> [String: PythonLiteral] {
    var members: [String: PythonLiteral] = [:]
    try expect("{")
    while !take("}") {
      let key = try text()
      try expect(":")
      guard members.updateValue(try value(), forKey: key) == nil else {
        throw problem("‘\(key)’ is repeated")
      }
      guard take(",") else {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard position == bytes.count else { throw problem("something follows the dictionary") }
    return members
  }

  private mutating func value() throws(Problem) -> PythonLiteral {
    skipSpace()
    switch bytes.dropFirst(position).first {
    case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "u"): return .text(try text())
    case UInt8(ascii: "("): return .sizes(try tuple())
    case UInt8(ascii: "["): return .list(list())
    case UInt8(ascii: "T"), UInt8(ascii: "F"):
      if takeWord("True") { return .truth(true) }
      if takeWord("False") { return .truth(false) }
      throw problem("there is no literal")
    default: throw problem("there is no text, truth value or tuple")
    }
  }

  /// A text without escapes: no field that is understood needs one.
  private mutating func text() throws(Problem) -> String {
    skipSpace()
    // Python 2 says of a text that it is one of Unicode.
    if bytes.dropFirst(position).first == UInt8(ascii: "u") { position += 1 }
    guard let quote = bytes.dropFirst(position).first,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else { throw problem("there is no text") }
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != quote {
      guard bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\\") else {
        throw problem("a text has an escape or a control character")
      }
      position += 1
    }
    guard position < bytes.count else { throw problem("a text does not end") }
    guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
      throw problem("a text is not UTF-8")
    }
    position += 1
    return text
  }

  /// `()`, `(3,)`, `(3, 4)`; one without a comma would be a number in Python.
  private mutating func tuple() throws(Problem) -> [Int] {
    var sizes: [Int] = []
    var hasComma = false
    try expect("(")
    while !take(")") {
      sizes.append(try size())
      guard take(",") else {
        try expect(")")
        break
      }
      hasComma = true
    }
    guard sizes.count != 1 || hasComma else { throw problem("a tuple of one lacks its comma") }
    return sizes
  }

  private mutating func size() throws(Problem) -> Int {
    skipSpace()
    let digits = bytes.dropFirst(position).prefix { 0x30...0x39 ~= $0 }
    guard let first = digits.first, digits.count == 1 || first != 0x30 else {
      throw problem("there is no size")
    }
    var value = 0
    for digit in digits {
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = tens.addingReportingOverflow(Int(digit - 0x30))
      guard !isTooLarge, !overflow else { throw problem("a size is too large") }
      value = sum
    }
    position += digits.count
    // Python 2 marks long integers.
    if bytes.dropFirst(position).first == UInt8(ascii: "L") { position += 1 }
    return value
  }

  /// A list up to the bracket that ends it, unread.
  private mutating func list() -> String {
    let start = position
    var depth = 0
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "[") { depth += 1 }
      if bytes[position] == UInt8(ascii: "]") { depth -= 1 }
      position += 1
      if depth == 0 { break }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x0A, 0x09, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
    position += 1
    return true
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Problem) {
    guard take(character) else { throw problem("there is no ‘\(character)’") }
  }

  private func problem(_ reason: String) -> Problem {
    Problem(reason: "at byte \(position) of the header, \(reason)")
  }
}
