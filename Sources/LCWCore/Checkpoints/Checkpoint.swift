// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics
import Synchronization

/// What a file of weights holds: a kind, metadata, and named tensors that are read one at a time.
public protocol CheckpointSource: Sendable {
  /// What the tensors are.
  var kind: CheckpointKind { get }
  /// What is said of them.
  var metadata: [String: JSONValue] { get }
  /// The tensors, in the order of the file.
  var entries: [TensorEntry] { get }
  /// The tensors whose elements are of a type that can't be read.
  var unreadable: [UnreadableTensor] { get }
  /// What a person should know of the file beside that, a line each: what was left out of what it
  /// holds, and what it can't be checked for.
  var notes: [String] { get }
  /// Whether all elements have a checksum in the file, which reading them compares; nothing if the
  /// format does not say.
  var hasChecksums: Bool? { get }
  /// What the file itself calls the tensors whose entries have names of lcw's, by these.
  var originalNames: [String: String] { get }

  /// The tensor of an entry.
  /// - Throws: ``CheckpointError/missingTensor(_:nearest:)``, or an error of the format if the
  ///   file is damaged.
  func tensor(named name: String) throws -> StoredTensor

  /// The bytes of a range of a tensor's elements, row by row, without the others being read; nothing
  /// if the source gives whole tensors only. ``TensorBlocks`` asks for them.
  /// - Parameter elements: A range within the tensor; an empty one tells whether ranges are given.
  /// - Throws: As ``tensor(named:)``.
  func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]?
}

extension CheckpointSource {
  /// None.
  public var unreadable: [UnreadableTensor] { [] }

  /// None.
  public var notes: [String] { [] }

  /// Entries have the file's names.
  public var originalNames: [String: String] { [:] }

  /// The format does not say.
  public var hasChecksums: Bool? { nil }

  /// Whole tensors only.
  public func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? { nil }

  /// A tensor in single precision, to compute with.
  /// - Throws: ``CheckpointError/passedThrough(tensor:type:)`` for a type that is only kept, and what
  ///   ``tensor(named:)`` throws.
  public func floats(named name: String) throws -> Tensor {
    let tensor = try tensor(named: name)
    guard !tensor.elementType.isPassedThrough else {
      throw CheckpointError.passedThrough(tensor: name, type: tensor.elementType)
    }
    return tensor.floats
  }

  /// Refuses to go on without tensors that can't be read.
  /// - Throws: What reading the first of them throws, which says why and what to do.
  public func requireReadable() throws {
    if let first = unreadable.first { _ = try tensor(named: first.name) }
  }
}

/// A tensor that a file holds in a type that can't be read: it can be listed and left out, and is
/// an error where it is asked for.
public struct UnreadableTensor: Sendable, Hashable {
  /// The name.
  public let name: String
  /// The elements' type, as the file calls it.
  public let type: String
  /// The dimensions.
  public let shape: Shape
  /// The bytes it takes in the file.
  public let storedBytes: Int

  /// A description.
  public init(name: String, type: String, shape: Shape, storedBytes: Int) {
    self.name = name
    self.type = type
    self.shape = shape
    self.storedBytes = storedBytes
  }
}

/// A tensor's description: what is known without reading it.
public struct TensorEntry: Sendable, Hashable {
  /// The name.
  public let name: String
  /// The type of the elements.
  public let elementType: ElementType
  /// The dimensions.
  public let shape: Shape
  /// The bytes it takes in the file.
  public let storedBytes: Int

  /// A description.
  public init(name: String, elementType: ElementType, shape: Shape, storedBytes: Int) {
    self.name = name
    self.elementType = elementType
    self.shape = shape
    self.storedBytes = storedBytes
  }

  /// The bytes of the elements themselves.
  public var rawBytes: Int { shape.count * elementType.width }
}

/// What a checkpoint's tensors are. Kinds that this version does not know can still be inspected.
public struct CheckpointKind: RawRepresentable, Sendable, Hashable {
  /// The name in files.
  public let rawValue: String

  /// A kind by its name.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// A network's weights.
  public static let checkpoint = CheckpointKind(rawValue: "checkpoint")
  /// A path between two networks.
  public static let path = CheckpointKind(rawValue: "path")
  /// A learned connection that applies to any pair.
  public static let connectionModel = CheckpointKind(rawValue: "connection-model")
  /// Several networks that share a backbone.
  public static let ensemble = CheckpointKind(rawValue: "ensemble")
}

/// A tensor with its name.
public struct NamedTensor: Sendable, Hashable {
  /// The name. Names are told apart by their bytes, not by Unicode's equivalence.
  public var name: String
  /// The values.
  public var tensor: StoredTensor

  /// A tensor with its name.
  public init(_ name: String, _ tensor: StoredTensor) {
    self.name = name
    self.tensor = tensor
  }

  /// Whether the names have the same bytes and the tensors are the same.
  public static func == (a: NamedTensor, b: NamedTensor) -> Bool {
    a.name.utf8.elementsEqual(b.name.utf8) && a.tensor == b.tensor
  }

  /// Hashes the name's bytes and the tensor.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(Array(name.utf8))
    hasher.combine(tensor)
  }
}

/// A checkpoint in memory.
public struct Checkpoint: CheckpointSource, Hashable {
  /// What the tensors are.
  public var kind: CheckpointKind
  /// What is said of them.
  public var metadata: [String: JSONValue]
  /// The tensors.
  public var tensors: [NamedTensor] {
    didSet { index = NameIndex() }
  }

  /// Where each name is, made when it is first wanted.
  private var index = NameIndex()

  /// A checkpoint from its parts.
  public init(
    kind: CheckpointKind = .checkpoint, metadata: [String: JSONValue] = [:],
    tensors: [NamedTensor] = []
  ) {
    self.kind = kind
    self.metadata = metadata
    self.tensors = tensors
  }

  /// All of a source, read into memory.
  /// - Throws: What reading a tensor throws.
  public init(reading source: any CheckpointSource) throws {
    try source.requireReadable()
    self.init(kind: source.kind, metadata: source.metadata)
    tensors = try source.entries.map {
      NamedTensor($0.name, try source.tensor(named: $0.name))
    }
  }

  /// The tensors' descriptions, in their order.
  public var entries: [TensorEntry] {
    tensors.map {
      TensorEntry(
        name: $0.name, elementType: $0.tensor.elementType, shape: $0.tensor.shape,
        storedBytes: $0.tensor.bytes.count)
    }
  }

  /// The tensor of a name.
  /// - Throws: ``CheckpointError/missingTensor(_:nearest:)``.
  public func tensor(named name: String) throws -> StoredTensor {
    guard let place = index.place(of: name, among: tensors) else {
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: tensors.map(\.name)))
    }
    return tensors[place].tensor
  }

  /// Whether kinds, metadata and tensors are the same.
  public static func == (a: Checkpoint, b: Checkpoint) -> Bool {
    a.kind == b.kind && a.metadata == b.metadata && a.tensors == b.tensors
  }

  /// Hashes kind, metadata and tensors.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(metadata)
    hasher.combine(tensors)
  }
}

/// The places of names by their bytes. Copies of a checkpoint share it until one of them changes.
private final class NameIndex: Sendable {
  private let places = Mutex<[[UInt8]: Int]?>(nil)

  func place(of name: String, among tensors: [NamedTensor]) -> Int? {
    places.withLock { places in
      let known =
        places
        ?? Dictionary(tensors.indices.map { (Array(tensors[$0].name.utf8), $0) }) { first, _ in
          first
        }
      places = known
      return known[Array(name.utf8)]
    }
  }
}

/// What can be wrong with a checkpoint whatever its format.
public enum CheckpointError: DescribedError, Hashable {
  /// There is no tensor of the name.
  case missingTensor(String, nearest: String?)
  /// The metadata lack a field, or it is of another type.
  case metadata(field: String, expected: String)
  /// A field of the metadata says what can't be.
  case recorded(field: String, problem: String)
  /// A field of the metadata names a file in a plugin's option.
  case namesFile(field: String, option: String, file: String)
  /// The metadata ask for more than the stored tensors can bear out.
  case beyondStored(what: String, found: Double, limit: Double, stored: Int)
  /// The checkpoint is of another kind than is needed.
  case kind(expected: String, found: String)
  /// The tensors do not fit the parameters of an architecture.
  case binding(reason: String, parameters: [String], tensors: [String])
  /// A selection or a renaming fits nothing, or makes two names one.
  case selection(String)
  /// The format can't hold what should be written.
  case cannotWrite(format: String, reason: String)
  /// No format recognises the file.
  case unknownFormat(file: String, known: [String])
  /// The file is no checkpoint, but something else.
  case otherContent(file: String, ForeignContent)
  /// A tensor is of a type that is kept as it is, and not computed with.
  case passedThrough(tensor: String, type: ElementType)
  /// A checkpoint of several files is not complete, or its index not accepted.
  case shards(index: String, reason: String)

  /// Wrong data, or wrong usage where the caller chose the format.
  public var category: ErrorCategory {
    switch self {
    case .cannotWrite, .selection: .usage
    case .missingTensor, .metadata, .recorded, .namesFile, .beyondStored, .kind, .binding,
      .unknownFormat, .otherContent, .passedThrough, .shards:
      .data
    }
  }

  /// Where a file is of another kind, what makes one of the kind.
  public var remedy: Remedy? {
    switch self {
    case .kind("checkpoint", "path"): .takePoint
    case .kind("path", "checkpoint"): .makePath
    case .binding: .findArchitecture
    default: nil
    }
  }

  /// One line; where tensors do not fit, with both lists.
  public var description: String { message.asOneLine }

  private var message: String {
    switch self {
    case .missingTensor(let name, let nearest):
      "there is no tensor ‘\(name)’" + (nearest.map { "; did you mean ‘\($0)’?" } ?? "")
    case .metadata(let field, let expected):
      "the metadata's field ‘\(field)’ is missing or not \(expected)"
    case .recorded(let field, let problem):
      "the metadata's field ‘\(field)’ can't be used: \(problem.asOneLine)"
    case .namesFile(let field, let option, let file):
      "the metadata's field ‘\(field)’ names a file, \(option)=\(file.asOneLine), and files that "
        + "metadata name are not opened"
    case .beyondStored(let what, let found, let limit, let stored):
      "the metadata ask for \(Int(min(found, 9e18))) \(what), but \(stored) stored bytes can stand "
        + "for \(Int(min(limit, 9e18))) at most"
    case .kind(let expected, let found):
      "expected a \(expected), but the file holds a \(found)"
    case .binding(let reason, let parameters, let tensors):
      "the tensors do not fit the architecture: \(reason); parameters: "
        + parameters.joined(separator: ", ") + "; tensors: " + tensors.joined(separator: ", ")
    case .selection(let reason): reason
    case .cannotWrite(let format, let reason):
      "can't write \(format): \(reason)"
    case .unknownFormat(let file, let known):
      "\(file) is in no known format (\(known.joined(separator: ", ")))"
    case .otherContent(let file, let content):
      "\(file) \(content.what); \(content.advice)"
    case .passedThrough(let tensor, let type):
      "the tensor ‘\(tensor)’ has elements of type \(type.rawValue), which are kept and compared as "
        + "they are, not computed with; \(type.adviceForWeights)"
    case .shards(let index, let reason):
      "\(index) names the files of a checkpoint that can't be read: \(reason)"
    }
  }
}
