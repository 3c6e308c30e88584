// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// What the archive's first entry says of all others.
struct Manifest: Sendable {
  /// The value of the field `format`.
  static let format = "lcw"
  /// The version of the format that is read and written; a reader refuses any other.
  static let version = 1
  /// The newest minor version that is known. A later one may have fields that are not known here,
  /// which change nothing in what is known, and other dtypes, which are refused by their names.
  static let newestMinor = 1
  /// The bytes of a tensor that the writer transforms and compresses at a time.
  static let writtenChunk = 512 << 10
  /// The raw bytes at which the writer closes a segment.
  static let segmentTarget = 1 << 20

  /// What the tensors are.
  var kind: CheckpointKind
  /// The bytes of a tensor that are transformed and compressed at a time.
  var chunk: Int
  /// What is said of the tensors.
  var metadata: [String: JSONValue]
  /// The tensors, ascending by the bytes of their names.
  var tensors: [TensorRecord]
  /// The stored bytes of each segment.
  var segments: [Int]

  /// The minor version that is written: the first that has all the tensors' types, so that every
  /// reader that knows these reads the archive.
  var minor: Int { tensors.map(\.elementType.minor).max() ?? 0 }
}

extension ElementType {
  /// The minor version of the format that brought the type.
  var minor: Int { isPassedThrough ? 1 : 0 }
}

/// What the manifest says of a tensor.
struct TensorRecord: Sendable {
  /// The name.
  var name: String
  /// The type of the elements.
  var elementType: ElementType
  /// The dimensions.
  var shape: Shape
  /// What happened to the bytes before they were compressed.
  var transform: Transform
  /// The index of the segment that holds the frames.
  var segment: Int
  /// Where in the segment they start.
  var offset: Int
  /// How many bytes they take.
  var stored: Int
  /// The SHA-256 of the elements' bytes, in hexadecimal.
  var digest: String?

  /// The bytes of the elements.
  var rawBytes: Int { shape.count * elementType.width }
}

// The rules that the reader and the writer share. Each gives the reason why a value breaks it.
extension Manifest {
  /// Why a text can't be a kind.
  static func problem(withKind kind: String) -> String? {
    let isName = kind.utf8.allSatisfy {
      (97...122).contains($0) || (48...57).contains($0) || $0 == 45
    }
    return isName && (1...64).contains(kind.utf8.count)
      ? nil : "a kind has 1 to 64 lower-case letters, digits and hyphens"
  }

  /// Why a text can't be a tensor's name.
  static func problem(withName name: String, limits: Limits) -> String? {
    if name.isEmpty { return "the name is empty" }
    if name.utf8.count > limits.nameBytes {
      return "the name has \(name.utf8.count) bytes, more than \(limits.nameBytes)"
    }
    guard name.isStreamSafe else { return "the name has more than 30 combining marks in a row" }
    let hasControl = name.unicodeScalars.contains {
      $0.properties.generalCategory == .control
    }
    return hasControl ? "the name has a control character" : nil
  }

  /// Why an object can't be the metadata.
  static func problem(withMetadata metadata: [String: JSONValue], limits: Limits) -> String? {
    var members = 0
    if let problem = problem(with: .object(metadata), depth: 2, members: &members, limits) {
      return problem
    }
    if members > limits.metadataMembers {
      return "there are \(members) members, more than \(limits.metadataMembers)"
    }
    let size = JSONValue.object(metadata).compactText.utf8.count
    return size <= limits.metadataBytes
      ? nil : "they take \(size) bytes, more than \(limits.metadataBytes)"
  }

  private static func problem(
    with value: JSONValue, depth: Int, members: inout Int, _ limits: Limits
  ) -> String? {
    switch value {
    case .bool: return nil
    case .string(let text):
      return text.isStreamSafe ? nil : "a text has more than 30 combining marks in a row"
    case .integer(let integer):
      return integer.magnitude <= UInt(limits.integer)
        ? nil : "the integer \(integer) is beyond ±(2⁵³ − 1); write it as a text"
    case .number(let number):
      return number.isFinite ? nil : "JSON has no number \(number); write it as a text"
    case .array(let values):
      if depth > limits.jsonDepth { return "they nest too deep" }
      for value in values {
        if let problem = problem(with: value, depth: depth + 1, members: &members, limits) {
          return problem
        }
      }
    case .object(let object):
      if depth > limits.jsonDepth { return "they nest too deep" }
      members += object.count
      for (key, value) in object.sorted(by: { $0.key < $1.key }) {
        guard key.isStreamSafe else { return "a key has more than 30 combining marks in a row" }
        if let problem = problem(with: value, depth: depth + 1, members: &members, limits) {
          return problem
        }
      }
    }
    return nil
  }

  /// Whether a name stands before another: by their bytes.
  static func ascends(_ name: String, _ next: String) -> Bool {
    name.utf8.lexicographicallyPrecedes(next.utf8)
  }
}
