// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The header of a safetensors file.
struct SafetensorsHeader: Sendable {
  /// The bytes before the header, which state its length.
  static let lengthBytes = 8
  /// The longest header that is accepted, as by the format's own library.
  static let limit = 100_000_000
  /// The key that holds texts instead of a tensor.
  static let metadataKey = "__metadata__"

  /// The texts under `__metadata__`.
  var metadata: [String: String]
  /// The tensors, in the order of their bytes.
  var tensors: [Record]
  /// What is left out of what the header says.
  var notes: [String] = []

  /// What the header says of a tensor.
  struct Record: Sendable {
    /// The name.
    var name: String
    /// The type of the elements, as the file calls it.
    var typeName: String
    /// The type of the elements; nothing if it is one that can't be read.
    var elementType: ElementType?
    /// The dimensions.
    var shape: Shape
    /// Where its bytes are, counted from the header's end.
    var range: Range<Int>
  }

  /// The length that a file's first eight bytes state.
  static func length(from start: [UInt8]) -> UInt64 {
    (0..<lengthBytes).reduce(0) { $0 | UInt64(start[$1]) << UInt64(8 * $1) }
  }

  /// Whether the first byte that is no white space of JSON is an opening brace.
  static func startsObject(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
  }
}

// MARK: - Parsing

extension SafetensorsHeader {
  /// The header of its JSON, checked against the number of bytes behind it.
  /// - Throws: ``SafetensorsError``.
  init(parsing bytes: [UInt8], dataBytes: Int, file: String) throws(SafetensorsError) {
    let members: [JSONMember]
    do {
      members = try JSONValue.members(parsing: bytes)
    } catch {
      throw .header(file: file, reason: "\(error)")
    }
    metadata = [:]
    tensors = []
    for member in members {
      if member.key.utf8.elementsEqual(SafetensorsHeader.metadataKey.utf8) {
        try readTexts(member, of: bytes, file: file)
      } else {
        tensors.append(try Record(name: member.key, value: member.value, file: file))
      }
    }
    // Tensors without elements share their place with others: the name then decides.
    tensors.sort {
      ($0.range.lowerBound, $0.range.upperBound) != ($1.range.lowerBound, $1.range.upperBound)
        ? ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    var end = 0
    for tensor in tensors {
      guard tensor.range.lowerBound == end else {
        throw .tensor(
          file: file, tensor: tensor.name,
          reason: tensor.range.lowerBound < end
            ? "its bytes overlap those before it"
            : "\(tensor.range.lowerBound - end) bytes before it belong to no tensor")
      }
      end = tensor.range.upperBound
    }
    guard end == dataBytes else {
      throw .header(
        file: file, reason: "the tensors take \(end) bytes, but \(dataBytes) follow the header")
    }
  }

  /// Takes the texts of `__metadata__`, which may be null.
  private mutating func readTexts(
    _ member: JSONMember, of bytes: [UInt8], file: String
  ) throws(SafetensorsError) {
    guard member.value.object != nil else {
      throw .header(file: file, reason: "\(member.key) is not an object")
    }
    let text = Array(bytes[member.range])
    guard text.first == UInt8(ascii: "{") else { return }
    let members: [JSONMember]
    do {
      members = try JSONValue.members(parsing: text)
    } catch {
      throw .header(file: file, reason: "of \(member.key), \(error)")
    }
    for member in members {
      guard let text = member.value.string else {
        throw .header(
          file: file,
          reason: "\(SafetensorsHeader.metadataKey) has a ‘\(member.key)’ that is not a text")
      }
      if metadata.updateValue(text, forKey: member.key) != nil {
        notes.append(
          "of the metadata's ‘\(member.key.asOneLine)’, which stands there in two spellings, "
            + "the last is kept")
      }
    }
  }
}

extension SafetensorsHeader.Record {
  /// The bits of an element, of the types that are known but can't be read.
  private static let foreignBits = [
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
  ]

  fileprivate init(name: String, value: JSONValue, file: String) throws(SafetensorsError) {
    func error(_ reason: String) -> SafetensorsError {
      .tensor(file: file, tensor: name, reason: reason)
    }
    func sizes(_ value: JSONValue?) -> [Int]? {
      guard let values = value?.array else { return nil }
      let sizes = values.compactMap(\.integer).filter { $0 >= 0 }
      return sizes.count == values.count ? sizes : nil
    }
    // Fields of other names say nothing here; the format's own library reads over them too.
    guard let object = value.object, value != .object([:]) else {
      throw error("it is not an object with dtype, shape and data_offsets")
    }
    guard let type = object["dtype"]?.string else { throw error("dtype is not a text") }
    guard (1...32).contains(type.utf8.count) else { throw error("dtype is no type's name") }
    let elementType = ElementType(safetensorsName: type)
    guard let dimensions = sizes(object["shape"]) else { throw error("shape is no list of sizes") }
    guard let offsets = sizes(object["data_offsets"]), offsets.count == 2,
      offsets[0] <= offsets[1]
    else { throw error("data_offsets are not two ascending positions") }
    do {
      shape = try Shape(checking: dimensions)
    } catch {
      throw .tensor(file: file, tensor: name, reason: "\(error)")
    }
    // What a type that is not known takes can't be checked.
    if let bits = elementType.map({ $0.width * 8 }) ?? Self.foreignBits[type] {
      let (needed, isTooLarge) = shape.count.multipliedReportingOverflow(by: bits)
      guard !isTooLarge, (needed + 7) / 8 == offsets[1] - offsets[0] else {
        throw error(
          "it has \(offsets[1] - offsets[0]) bytes, but \(shape) of \(type) needs "
            + "\(isTooLarge ? "far more" : "\((needed + 7) / 8)")")
      }
    }
    self.name = name
    typeName = type
    self.elementType = elementType
    range = offsets[0]..<offsets[1]
  }
}

// MARK: - Writing

extension SafetensorsHeader {
  /// The header with its length in front, padded with spaces so that the data start at a multiple
  /// of eight bytes.
  var bytes: [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let texts = JSONValue.object(metadata.mapValues(JSONValue.string))
      members.append("\(JSONValue.quoted(SafetensorsHeader.metadataKey)):\(texts.compactText)")
    }
    members += tensors.map { tensor in
      let sizes = tensor.shape.dimensions.map(String.init).joined(separator: ",")
      return """
        \(JSONValue.quoted(tensor.name)):{"dtype":"\(tensor.typeName)",\
        "shape":[\(sizes)],"data_offsets":[\(tensor.range.lowerBound),\(tensor.range.upperBound)]}
        """
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }
}

// MARK: - Element types

extension ElementType {
  /// The type's name in safetensors files.
  var safetensorsName: String { rawValue.uppercased() }

  /// The type of a name in safetensors files.
  init?(safetensorsName name: String) {
    guard let type = ElementType.allCases.first(where: { $0.safetensorsName == name }) else {
      return nil
    }
    self = type
  }
}
