// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// What an array's file says of it before the elements.
struct NumPyHeader: Sendable, Equatable {
  /// The bytes an `.npy` starts with.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// What the names of a zip's entries end in.
  static let nameEnding = ".npy"
  /// The name of the array in a zip's entry, which may be empty; nothing if the entry is no array.
  static func arrayName(ofEntry name: String) -> String? {
    let name = Array(name.utf8)
    guard name.suffix(nameEnding.utf8.count).elementsEqual(nameEnding.utf8) else { return nil }
    return String(decoding: name.dropLast(nameEnding.utf8.count), as: UTF8.self)
  }
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

  /// Whether the elements stand row by row.
  var isRowMajor: Bool { !isFortranOrder || StridedLayout(columnMajor: shape).isRowMajor }

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
    if type.hasSuffix("O") || type == "object" { return "it holds pickled objects of Python" }
    if ["V1", "float8_e4m3fn", "float8_e5m2"].contains(where: type.hasSuffix) {
      return "it may be a type of 8 bits that NumPy can't name; convert it by astype(numpy.float32)"
    }
    if type.contains(",") || type.hasPrefix("(") {
      return "its elements have several parts; save each as an array of its own"
    }
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
    if isBigEndian { reverseBytes(of: &bytes, elementType) }
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

/// Reverses the bytes of each element, of a complex number those of each part.
func reverseBytes(of bytes: inout [UInt8], _ type: ElementType) {
  let width = type == .complex64 ? type.width / 2 : type.width
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
  /// The type's name in NumPy's files; bfloat16 and floating-point numbers of 8 bits have none.
  var numPyDescription: String? { Self.numPyDescriptions[self] }

  private static let numPyDescriptions: [ElementType: String] = [
    .float64: "<f8", .float32: "<f4", .float16: "<f2", .int64: "<i8", .int32: "<i4",
    .int16: "<i2", .int8: "|i1", .uint8: "|u1", .uint16: "<u2", .uint32: "<u4", .uint64: "<u8",
    .bool: "|b1", .complex64: "<c8",
  ]

  /// The type of a name that `numpy.dtype` takes on Linux, and whether its numbers are big-endian:
  /// `<f4`, `=f4`, `f4`, `f`, `>d`, `float32`, `double`.
  static func numPyType(_ name: String) -> (ElementType, isBigEndian: Bool)? {
    if let type = numPyWords[name] { return (type, false) }
    let order = name.first.flatMap { "<>=|".contains($0) ? $0 : nil }
    guard let type = numPyCodes[order == nil ? name : String(name.dropFirst())] else { return nil }
    return (type, order == ">" && type.width > 1)
  }

  /// What may stand behind the order of the bytes: a letter with the bytes of an element, or one of
  /// C's types, of which `long` has 64 bits.
  private static let numPyCodes: [String: ElementType] = [
    "f8": .float64, "d": .float64, "f4": .float32, "f": .float32, "f2": .float16, "e": .float16,
    "i8": .int64, "l": .int64, "q": .int64, "n": .int64, "p": .int64, "i4": .int32, "i": .int32,
    "i2": .int16, "h": .int16, "i1": .int8, "b": .int8, "u8": .uint64, "L": .uint64, "Q": .uint64,
    "N": .uint64, "P": .uint64, "u4": .uint32, "I": .uint32, "u2": .uint16, "H": .uint16,
    "u1": .uint8, "B": .uint8, "b1": .bool, "?": .bool, "c8": .complex64, "F": .complex64,
  ]

  /// What stands alone.
  private static let numPyWords: [String: ElementType] = [
    "float64": .float64, "double": .float64, "float": .float64, "float_": .float64,
    "float32": .float32, "single": .float32, "float16": .float16, "half": .float16,
    "int64": .int64, "int": .int64, "int_": .int64, "long": .int64, "longlong": .int64,
    "intp": .int64, "int32": .int32, "intc": .int32, "int16": .int16, "short": .int16,
    "int8": .int8, "byte": .int8, "uint64": .uint64, "uint": .uint64, "ulong": .uint64,
    "ulonglong": .uint64, "uintp": .uint64, "uint32": .uint32, "uintc": .uint32,
    "uint16": .uint16, "ushort": .uint16, "uint8": .uint8, "ubyte": .uint8, "bool": .bool,
    "bool_": .bool, "bool8": .bool, "complex64": .complex64, "csingle": .complex64,
  ]
}
