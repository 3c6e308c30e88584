// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// What an array's file says of it before the elements.
struct NumPyHeader: Sendable, Equatable {
  /// The bytes an `.npy` starts with.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// What the names of a zip's entries end in.
  static let nameEnding = ".npy"
  /// The most bytes the text of a header may have. NumPy's own have some hundred.
  static let textLimit = 1 << 16
  /// The most dimensions, as in NumPy.
  static let rankLimit = 64

  /// What the elements are.
  enum Elements: Sendable, Equatable {
    /// Numbers that can be read, perhaps stored big-endian.
    case numbers(ElementType, isBigEndian: Bool)
    /// Something else, by NumPy's name, and what to do about it.
    case foreign(String, hint: String?)
  }

  /// What the elements are.
  var elements: Elements
  /// Whether the first dimension's neighbours are next to each other.
  var isFortranOrder = false
  /// The dimensions.
  var shape: Shape
  /// The bytes in front of the elements.
  var length = 0

  /// The header of an array of numbers.
  init(elementType: ElementType, shape: Shape) {
    elements = .numbers(elementType, isBigEndian: false)
    self.shape = shape
  }

  /// The bytes of the elements, which the parser makes sure can be counted; nothing if that is not
  /// known.
  var dataBytes: Int? {
    if case .numbers(let type, _) = elements { shape.count * type.width } else { nil }
  }
}

// MARK: - Parsing

extension NumPyHeader {
  /// How many bytes of a file hold the header, as far as its first ones tell.
  static func bytesNeeded(_ start: [UInt8]) -> Int {
    guard start.count >= 12 else { return 12 }
    let prefix = prefixLength(version: start[6])
    return min(prefix + textLength(start, prefix: prefix), prefix + textLimit)
  }

  /// The header of a file's first bytes.
  /// - Throws: ``NumPyError``.
  init(parsing start: [UInt8], file: String, array: String) throws(NumPyError) {
    func error(_ reason: String) -> NumPyError {
      .array(file: file, array: array, reason: reason)
    }
    guard start.starts(with: Self.magic), start.count >= 10 else {
      throw error("it does not start as an array of NumPy does")
    }
    guard (1...3).contains(start[6]), start[7] == 0 else {
      throw error("the version \(start[6]).\(start[7]) is not known; 1.0, 2.0 and 3.0 are")
    }
    let prefix = Self.prefixLength(version: start[6])
    guard start.count >= prefix else { throw error("it ends in the header") }
    let textLength = Self.textLength(start, prefix: prefix)
    guard textLength <= Self.textLimit else {
      throw error("its header has more than \(Self.textLimit) bytes")
    }
    guard start.count >= prefix + textLength else { throw error("it ends in the header") }
    length = prefix + textLength
    var members: [String: PythonLiteral]
    do {
      var parser = PythonLiteralParser(Array(start[prefix..<length]))
      members = try parser.dictionary()
    } catch {
      throw .array(file: file, array: array, reason: error.reason)
    }
    guard case .sizes(let sizes) = members.removeValue(forKey: "shape") else {
      throw error("its header has no shape that is a tuple of sizes")
    }
    guard case .truth(let isFortranOrder) = members.removeValue(forKey: "fortran_order") else {
      throw error("its header has no fortran_order that is True or False")
    }
    switch members.removeValue(forKey: "descr") {
    case .text(let text):
      if let (type, isBigEndian) = ElementType.numPyType(text) {
        elements = .numbers(type, isBigEndian: isBigEndian)
      } else {
        elements = .foreign(text, hint: Self.hint(for: text))
      }
    case .list(let text):
      elements = .foreign(text, hint: "save each field as an array of its own")
    default: throw error("its header has no descr that is a text")
    }
    if let unknown = members.keys.min() { throw error("its header has an unknown ‘\(unknown)’") }
    guard sizes.count <= Self.rankLimit else {
      throw error("it has \(sizes.count) dimensions, of which \(Self.rankLimit) are accepted")
    }
    guard let shape = try? Shape(checking: sizes),
      !shape.count.multipliedReportingOverflow(by: elements.width).overflow
    else { throw error("its shape \(sizes) is too large") }
    self.isFortranOrder = isFortranOrder
    self.shape = shape
  }

  /// The bytes before the text: the magic, the version, and the text's length in 2 or 4 bytes.
  private static func prefixLength(version: UInt8) -> Int { version == 1 ? 10 : 12 }

  private static func textLength(_ start: [UInt8], prefix: Int) -> Int {
    start[8..<prefix].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private static func hint(for type: String) -> String? {
    if type.hasSuffix("V2") || type == "bfloat16" {
      return "it may be bfloat16, which NumPy can't name; convert it by astype(numpy.float32)"
    }
    if type.hasSuffix("O") { return "it holds pickled objects of Python" }
    return nil
  }
}

// MARK: - Elements

extension NumPyHeader {
  /// The tensor of the elements' bytes, of which there must be ``dataBytes``.
  /// - Throws: ``NumPyError/unsupportedType(file:array:type:hint:)`` if they are no numbers.
  func tensor(_ bytes: [UInt8], file: String, array: String) throws -> StoredTensor {
    let (elementType, isBigEndian) = try numbers(file: file, array: array)
    var bytes = bytes
    if isFortranOrder {
      bytes = StridedLayout(columnMajor: shape).gathered(from: bytes, width: elementType.width)
    }
    if isBigEndian { reverseBytes(of: &bytes, width: elementType.width) }
    return try StoredTensor(elementType: elementType, shape: shape, bytes: bytes)
  }
}

extension NumPyHeader {
  /// The elements' type, and whether they are stored big-endian.
  /// - Throws: ``NumPyError/unsupportedType(file:array:type:hint:)`` if they are no numbers.
  func numbers(
    file: String, array: String
  ) throws(NumPyError) -> (type: ElementType, isBigEndian: Bool) {
    switch elements {
    case .numbers(let type, let isBigEndian): return (type, isBigEndian)
    case .foreign(let type, let hint):
      throw .unsupportedType(file: file, array: array, type: "‘\(type)’", hint: hint)
    }
  }
}

extension NumPyHeader.Elements {
  /// The bytes of an element; 1 where that is not known.
  fileprivate var width: Int {
    if case .numbers(let type, _) = self { type.width } else { 1 }
  }
}

/// Reverses the bytes of each element.
private func reverseBytes(of bytes: inout [UInt8], width: Int) {
  bytes.withUnsafeMutableBytes { buffer in
    func swap<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type) {
      for start in stride(from: 0, to: buffer.count, by: width) {
        let word = buffer.loadUnaligned(fromByteOffset: start, as: Word.self)
        buffer.storeBytes(of: word.byteSwapped, toByteOffset: start, as: Word.self)
      }
    }
    switch width {
    case 2: swap(UInt16.self)
    case 4: swap(UInt32.self)
    case 8: swap(UInt64.self)
    default: break
    }
  }
}

// MARK: - Writing

extension NumPyHeader {
  /// The header in version 1.0, padded so that the elements start at a multiple of 64 bytes.
  /// Nothing if the type has no name in NumPy or there are too many dimensions.
  var bytes: [UInt8]? {
    guard case .numbers(let elementType, _) = elements,
      let type = elementType.numPyDescription, shape.rank <= Self.rankLimit
    else { return nil }
    let sizes = shape.dimensions.map(String.init).joined(separator: ", ")
    let tuple = shape.rank == 1 ? "(\(sizes),)" : "(\(sizes))"
    var text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': \(tuple), }".utf8)
    let prefix = Self.prefixLength(version: 1)
    text += [UInt8](repeating: 0x20, count: 63 - (prefix + text.count) % 64) + [0x0A]
    let length = UInt16(text.count)
    return Self.magic + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)] + text
  }
}

// MARK: - Element types

extension ElementType {
  /// The type's name in NumPy's files; bfloat16 has none.
  var numPyDescription: String? {
    switch self {
    case .float64: "<f8"
    case .float32: "<f4"
    case .float16: "<f2"
    case .bfloat16: nil
    case .int64: "<i8"
    case .int32: "<i4"
    case .int16: "<i2"
    case .int8: "|i1"
    case .uint8: "|u1"
    case .bool: "|b1"
    }
  }

  /// The type of a name in NumPy's files, and whether its numbers are big-endian.
  static func numPyType(_ name: String) -> (ElementType, isBigEndian: Bool)? {
    for type in allCases {
      if name == type.numPyDescription { return (type, false) }
      if type.width > 1, let own = type.numPyDescription, name == ">" + own.dropFirst() {
        return (type, true)
      }
    }
    return nil
  }
}
