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
  private let source: any CheckpointSource
  private let originals: [String]
  private let elementType: ElementType?

  /// A view of a source.
  ///
  /// - Parameters:
  ///   - source: What is seen.
  ///   - patterns: The names to keep, as globs (`*` any characters, `?` one); all if empty.
  ///   - renames: Replacements of names or of what they start with up to a dot or slash, the
  ///     first that fits.
  ///   - elementType: What floating-point tensors become; as they are if none.
  /// - Throws: ``CheckpointError/selection(_:)`` if a pattern or a rename fits nothing, or two
  ///   tensors would get one name.
  public init(
    of source: any CheckpointSource, selecting patterns: [String] = [],
    renaming renames: [(old: String, new: String)] = [], elementType: ElementType? = nil
  ) throws {
    let selected = source.entries.filter { entry in
      patterns.isEmpty || patterns.contains { Glob($0).matches(entry.name) }
    }
    if let useless = patterns.first(where: { pattern in
      !source.entries.contains { Glob(pattern).matches($0.name) }
    }) {
      throw CheckpointError.selection("no tensor's name fits ‘\(useless)’")
    }
    if let useless = renames.first(where: { rename in
      !selected.contains { CheckpointView.renamed($0.name, by: [rename]) != nil }
    }) {
      throw CheckpointError.selection("no selected tensor is called ‘\(useless.old)’ or starts so")
    }
    let names = selected.map { CheckpointView.renamed($0.name, by: renames) ?? $0.name }
    var seen: Set<[UInt8]> = []
    if let twice = names.first(where: { !seen.insert(Array($0.utf8)).inserted }) {
      throw CheckpointError.selection("two tensors would be called ‘\(twice)’")
    }
    kind = source.kind
    // What is left of a network, or goes by other names, is not what its metadata say it is.
    let isWhole = patterns.isEmpty && renames.isEmpty
    metadata = isWhole ? source.metadata : source.metadata.filter { !$0.key.describesNetwork }
    entries = zip(selected, names).map { entry, name in
      let type =
        entry.elementType.isFloatingPoint ? elementType ?? entry.elementType : entry.elementType
      return TensorEntry(
        name: name, elementType: type, shape: entry.shape,
        storedBytes: type == entry.elementType
          ? entry.storedBytes : entry.shape.count * type.width)
    }
    originals = selected.map(\.name)
    self.source = source
    self.elementType = elementType
  }

  /// The tensor of a name in this view.
  /// - Throws: ``CheckpointError/missingTensor(_:nearest:)``, and what the source throws.
  public func tensor(named name: String) throws -> StoredTensor {
    guard let index = entries.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    let tensor = try source.tensor(named: originals[index])
    return elementType.map(tensor.converted) ?? tensor
  }

  private static func renamed(_ name: String, by renames: [(old: String, new: String)]) -> String? {
    for (old, new) in renames {
      if name == old { return new }
      guard name.hasPrefix(old), !old.isEmpty else { continue }
      let rest = name.dropFirst(old.count)
      let endsPart =
        old.hasSuffix(".") || old.hasSuffix("/") || rest.first == "." || rest.first == "/"
      if endsPart { return new + rest }
    }
    return nil
  }
}

extension String {
  /// Whether a field of the metadata says what network the tensors make up, or how they move.
  fileprivate var describesNetwork: Bool {
    ["architecture", "classes", "input", "motions", "network", "stages"].contains(self)
  }
}

/// A pattern of names: `*` stands for any characters, `?` for one.
struct Glob {
  private let pattern: [Character]

  init(_ pattern: String) {
    self.pattern = Array(pattern)
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
      } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
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
