// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A checkpoint seen through a selection, other names, and another element type.
///
/// Tensors are read from the source one at a time when they are asked for, so that a checkpoint
/// larger than memory can be converted.
public struct CheckpointView: CheckpointSource {
  /// What the tensors are.
  public let kind: CheckpointKind
  /// What is said of them.
  public let metadata: [String: JSONValue]
  /// The tensors' descriptions; of converted ones the stored size is that of the raw elements.
  public let entries: [TensorEntry]
  /// The tensors whose elements are of a type that can't be read.
  public let unreadable: [UnreadableTensor]
  /// What is to be known of the source.
  public var notes: [String] { source.notes }
  /// Whether the source's elements have checksums.
  public var hasChecksums: Bool? { source.hasChecksums }
  private let source: any CheckpointSource
  /// The tensors' names in the source, by the bytes of those here.
  private let originals: [[UInt8]: String]
  private let elementType: ElementType?
  private let overflow: @Sendable (_ tensor: String, _ elements: Int) -> Void

  /// A view of a source.
  ///
  /// - Parameters:
  ///   - source: What is seen.
  ///   - patterns: The names to keep, as globs (`*` any characters, `?` one); all if empty.
  ///   - renames: Replacements of names or of what they start with up to a dot or slash, the
  ///     first that fits.
  ///   - elementType: What floating-point tensors become; as they are if none.
  ///   - overflow: Told of each tensor, when it is read, in which finite elements became infinite,
  ///     as the type is too narrow for them, and how many.
  /// - Throws: ``CheckpointError/selection(_:)`` if a pattern or a rename fits nothing, or two
  ///   tensors would get one name.
  public init(
    of source: any CheckpointSource, selecting patterns: [String] = [],
    renaming renames: [(old: String, new: String)] = [], elementType: ElementType? = nil,
    overflow: @escaping @Sendable (_ tensor: String, _ elements: Int) -> Void = { _, _ in }
  ) throws {
    let allNames = source.entries.map(\.name) + source.unreadable.map(\.name)
    // By the bytes of a name; by Unicode's equivalence only where that finds nothing.
    let globs = patterns.map { pattern in
      let exact = Glob(pattern)
      return allNames.contains(where: exact.matches) ? exact : Glob(pattern, isExact: false)
    }
    func isSelected(_ name: String) -> Bool {
      globs.isEmpty || globs.contains { $0.matches(name) }
    }
    let selected = source.entries.filter { isSelected($0.name) }
    let refused = source.unreadable.filter { isSelected($0.name) }
    let selectedNames = selected.map(\.name) + refused.map(\.name)
    if let useless = zip(patterns, globs).first(where: { _, glob in
      !selectedNames.contains(where: glob.matches)
    }) {
      throw CheckpointError.selection("no tensor's name matches ‘\(useless.0)’")
    }
    let rules = try renames.map { old, new in
      for isExact in [true, false] {
        let rule = Renaming(old: old, new: new, isExact: isExact)
        if selectedNames.contains(where: { rule.applied(to: $0) != nil }) { return rule }
      }
      throw CheckpointError.selection("no selected tensor's name is or starts with ‘\(old)’")
    }
    func name(_ name: String) -> String {
      rules.lazy.compactMap { $0.applied(to: name) }.first ?? name
    }
    if let elementType,
      let kept = selected.first(where: {
        $0.elementType.isPassedThrough && !$0.elementType.isInteger
      })
    {
      throw CheckpointError.selection(
        "‘\(kept.name)’ has elements of type \(kept.elementType.rawValue), which are kept as they are "
          + "and don't become \(elementType.rawValue); convert it without another type, or leave it "
          + "out of the selection")
    }
    var seen: Set<[UInt8]> = []
    if let twice = selectedNames.map(name).first(where: { !seen.insert(Array($0.utf8)).inserted }) {
      throw CheckpointError.selection("two tensors would be called ‘\(twice)’")
    }
    // What is left of a network or a path, or goes by other names, is not what its kind and its
    // metadata say it is.
    let isWhole = patterns.isEmpty && renames.isEmpty
    self.init(
      of: source, kind: isWhole ? source.kind : .checkpoint,
      metadata: isWhole ? source.metadata : source.metadata.filter { !$0.key.describesNetwork },
      tensors: selected.map { ($0, name($0.name)) },
      unreadable: refused.map { ($0, name($0.name)) }, elementType: elementType, overflow: overflow)
  }

  /// A view of the tensors that are a network's parameters, under the parameters' names.
  ///
  /// - Parameters:
  ///   - source: What is seen.
  ///   - binding: Which of its tensors are the parameters.
  ///   - network: The network.
  ///   - metadata: What is said of it.
  /// - Throws: ``CheckpointError/missingTensor(_:nearest:)`` if the binding is not one of the
  ///   source.
  public init(
    of source: any CheckpointSource, binding: CheckpointBinding, to network: Network,
    metadata: [String: JSONValue]
  ) throws {
    let known = Dictionary(source.entries.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    let tensors = try zip(binding.names, network.parameters).map { name, parameter in
      guard let entry = known[Array(name.utf8)] else {
        throw CheckpointError.missingTensor(name, nearest: nil)
      }
      return (entry, parameter.name)
    }
    self.init(
      of: source, kind: .checkpoint, metadata: metadata, tensors: tensors, unreadable: [],
      elementType: nil, overflow: { _, _ in })
  }

  private init(
    of source: any CheckpointSource, kind: CheckpointKind, metadata: [String: JSONValue],
    tensors: [(entry: TensorEntry, name: String)],
    unreadable: [(tensor: UnreadableTensor, name: String)], elementType: ElementType?,
    overflow: @escaping @Sendable (String, Int) -> Void
  ) {
    self.kind = kind
    self.metadata = metadata
    entries = tensors.map { entry, name in
      let type =
        entry.elementType.isFloatingPoint ? elementType ?? entry.elementType : entry.elementType
      return TensorEntry(
        name: name, elementType: type, shape: entry.shape,
        storedBytes: type == entry.elementType
          ? entry.storedBytes : entry.shape.count * type.width)
    }
    self.unreadable = unreadable.map { tensor, name in
      UnreadableTensor(
        name: name, type: tensor.type, shape: tensor.shape, storedBytes: tensor.storedBytes)
    }
    originals = Dictionary(
      tensors.map { (Array($0.name.utf8), $0.entry.name) }
        + unreadable.map { (Array($0.name.utf8), $0.tensor.name) }
    ) { first, _ in first }
    self.source = source
    self.elementType = elementType
    self.overflow = overflow
  }

  /// The tensor of a name in this view.
  /// - Throws: ``CheckpointError/missingTensor(_:nearest:)``, and what the source throws.
  public func tensor(named name: String) throws -> StoredTensor {
    guard let original = originals[Array(name.utf8)] else {
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    let tensor = try source.tensor(named: original)
    guard let elementType else { return tensor }
    let converted = tensor.converted(to: elementType)
    if converted.elementType != tensor.elementType {
      let infinities = converted.infinities - tensor.infinities
      if infinities > 0 { overflow(name, infinities) }
    }
    return converted
  }

  /// The bytes of a range of a tensor's elements, where the source gives them and they stay as they
  /// are.
  /// - Throws: As ``tensor(named:)``.
  public func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? {
    guard elementType == nil, let original = originals[Array(name.utf8)] else { return nil }
    return try source.elementBytes(of: original, in: elements)
  }
}

/// Another name for a tensor, or for what names start with up to a dot or slash.
private struct Renaming {
  var old: String
  var new: String
  /// Whether names are compared by their bytes, or else by Unicode's equivalence.
  var isExact: Bool

  /// The new name of a tensor; nothing if the old one does not fit its.
  func applied(to name: String) -> String? {
    let isWhole = isExact ? name.utf8.elementsEqual(old.utf8) : name == old
    if isWhole { return new }
    let isPrefix = isExact ? name.utf8.starts(with: old.utf8) : name.hasPrefix(old)
    guard isPrefix, !old.isEmpty else { return nil }
    let rest =
      isExact
      ? String(decoding: name.utf8.dropFirst(old.utf8.count), as: UTF8.self)
      : String(name.dropFirst(old.count))
    let endsPart =
      old.hasSuffix(".") || old.hasSuffix("/") || rest.utf8.first == UInt8(ascii: ".")
      || rest.utf8.first == UInt8(ascii: "/")
    return endsPart ? new + rest : nil
  }
}

extension String {
  /// Whether a field of the metadata says what network the tensors make up, or how they move.
  fileprivate var describesNetwork: Bool {
    ["architecture", "classes", "input", "method", "motions", "network", "stages"].contains(self)
  }
}

/// A pattern of names: `*` stands for any characters, `?` for one.
struct Glob {
  private let pattern: [Character]
  /// Whether characters are compared by their bytes, or else by Unicode's equivalence.
  private let isExact: Bool

  init(_ pattern: String, isExact: Bool = true) {
    self.pattern = Array(pattern)
    self.isExact = isExact
  }

  private func areSame(_ a: Character, _ b: Character) -> Bool {
    isExact ? a.utf8.elementsEqual(b.utf8) : a == b
  }

  func matches(_ text: String) -> Bool {
    let text = Array(text)
    var (p, t) = (0, 0)
    // Where to go on after the last star, and how far the star had reached.
    var retry: (pattern: Int, text: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == "*" {
        retry = (p + 1, t)
        p += 1
      } else if p < pattern.count, pattern[p] == "?" || areSame(pattern[p], text[t]) {
        p += 1
        t += 1
      } else if let last = retry {
        retry = (last.pattern, last.text + 1)
        (p, t) = (last.pattern, last.text + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}
