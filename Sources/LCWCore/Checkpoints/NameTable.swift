// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// What other programs call the modules of an architecture: rules that turn their names into its own.
///
/// A table is text, so that names are data:
///
/// ```
/// # torchvision's, with a first convolution for small images
/// [torchvision]
/// layer*.*.downsample = layer*.*.shortcut
/// fc = linear
/// ```
///
/// A line in brackets begins a section, which is one program's names. A rule has parts of a name, with dots
/// between, on both sides; a star stands for a number, the first on the right for the first on the left, and
/// so on. Of a tensor's name the first run of whole parts that is as the left side is replaced. The rules of
/// a section are applied one after the other, each to what those before it have made. `#` begins a
/// comment.
public struct NameTable: Sendable, Hashable {
  /// One program's names.
  public struct Section: Sendable, Hashable {
    /// Whose names they are.
    public let title: String
    fileprivate var rules: [Rule]

    /// A tensor's name once all rules have been applied.
    public func renamed(_ name: String) -> String {
      var parts = Array(name.utf8).split(
        separator: UInt8(ascii: "."), omittingEmptySubsequences: false
      ).map(Array.init)
      for rule in rules { rule.apply(to: &parts) }
      return String(decoding: Array(parts.joined(separator: [UInt8(ascii: ".")])), as: UTF8.self)
    }
  }

  /// The sections, in the order of the text.
  public let sections: [Section]

  /// No other program's names.
  public init() { sections = [] }

  /// The most bytes, sections, and rules of a section.
  private static let (mostBytes, mostSections, mostRules) = (1 << 16, 32, 128)

  /// A table from its text.
  /// - Throws: ``NameTableError`` with the line.
  public init(_ text: String) throws(NameTableError) {
    guard text.utf8.count <= Self.mostBytes else {
      throw NameTableError(line: 1, expected: "at most \(Self.mostBytes) bytes")
    }
    var sections: [Section] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let content = line.prefix { $0 != "#" }.trimmingSpaces
      if content.isEmpty { continue }
      let error = { (expected: String) in NameTableError(line: index + 1, expected: expected) }
      if content.hasPrefix("["), content.hasSuffix("]"), content.count > 2 {
        sections.append(Section(title: String(content.dropFirst().dropLast()), rules: []))
        guard sections.count <= Self.mostSections else {
          throw error("at most \(Self.mostSections) sections")
        }
        continue
      }
      guard !sections.isEmpty else { throw error("a section such as [torchvision] first") }
      guard let rule = Rule(content) else {
        throw error(
          "a rule such as ‘layer*.downsample = layer*.shortcut’, with as many stars on both sides")
      }
      sections[sections.count - 1].rules.append(rule)
      guard sections[sections.count - 1].rules.count <= Self.mostRules else {
        throw error("at most \(Self.mostRules) rules in a section")
      }
    }
    self.sections = sections
  }

  /// The first section under whose names all of a network's parameters have a tensor, and nothing is left.
  func binding(
    of entries: [TensorEntry], to network: Network, areTransposed: Bool
  ) -> CheckpointBinding? {
    for section in sections {
      let renamed = entries.map { $0.renamed(section.renamed($0.name)) }
      // Where two tensors get one name, these are not the program's names.
      guard Set(renamed.map { Array($0.name.utf8) }).count == entries.count,
        let binding = try? CheckpointBinding(
          asNamed: renamed, to: network, areTransposed: areTransposed), binding.rule == .name
      else { continue }
      let originals = Dictionary(
        zip(renamed, entries).map { (Array($0.name.utf8), $1.name) }
      ) { first, _ in first }
      let names = binding.names.compactMap { originals[Array($0.utf8)] }
      guard names.count == binding.names.count else { continue }
      return CheckpointBinding(rule: .name, names: names, program: section.title)
    }
    return nil
  }
}

/// What is wrong with a table of names.
public struct NameTableError: DescribedError, Hashable {
  /// The line, counted from 1.
  public let line: Int
  /// What should be there.
  public let expected: String

  /// Part of a program, so that its author has to see to it.
  public var category: ErrorCategory { .failure }

  /// One line.
  public var description: String { "line \(line) of a table of names: expected \(expected)" }
}

/// Parts of a name, and what stands for them.
private struct Rule: Sendable, Hashable {
  /// A part as texts with a number between each and the next.
  private typealias Pattern = [[UInt8]]

  private let old: [Pattern]
  private let new: [Pattern]

  init?(_ text: Substring) {
    let sides = text.split(separator: "=", omittingEmptySubsequences: false).map(\.trimmingSpaces)
    guard sides.count == 2 else { return nil }
    (old, new) = (Self.patterns(sides[0]), Self.patterns(sides[1]))
    let patterns = old + new
    let hasEmpty = patterns.contains { $0.joined().isEmpty && $0.count < 2 }
    // Two stars side by side, or a star and a digit, could be told apart in several ways.
    let isAmbiguous = old.contains { pattern in
      pattern.dropFirst().enumerated().contains { index, text in
        (text.isEmpty && index < pattern.count - 2) || text.first.map(Self.isDigit) == true
      }
    }
    guard !hasEmpty, !isAmbiguous, Self.stars(old) == Self.stars(new) else { return nil }
  }

  private static func patterns(_ side: Substring) -> [Pattern] {
    side.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map {
      $0.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }
  }

  private static func stars(_ side: [Pattern]) -> Int { side.reduce(0) { $0 + $1.count - 1 } }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Replaces the first run of parts that fits.
  func apply(to parts: inout [[UInt8]]) {
    guard parts.count >= old.count else { return }
    for start in 0...parts.count - old.count {
      guard let numbers = numbers(in: parts[start..<start + old.count]) else { continue }
      var left = numbers[...]
      let replacement = new.map { pattern in
        pattern.dropFirst().reduce(into: pattern[0]) { part, text in
          part += (left.popFirst() ?? []) + text
        }
      }
      parts.replaceSubrange(start..<start + old.count, with: replacement)
      return
    }
  }

  /// The numbers where the pattern has stars; nothing if the parts do not fit.
  private func numbers(in parts: ArraySlice<[UInt8]>) -> [[UInt8]]? {
    var numbers: [[UInt8]] = []
    for (part, pattern) in zip(parts, old) {
      guard part.starts(with: pattern[0]) else { return nil }
      var rest = part.dropFirst(pattern[0].count)
      for text in pattern.dropFirst() {
        let digits = rest.prefix(while: Self.isDigit)
        rest = rest.dropFirst(digits.count)
        guard !digits.isEmpty, rest.starts(with: text) else { return nil }
        rest = rest.dropFirst(text.count)
        numbers.append(Array(digits))
      }
      guard rest.isEmpty else { return nil }
    }
    return numbers
  }
}

extension TensorEntry {
  /// The description under another name.
  fileprivate func renamed(_ name: String) -> TensorEntry {
    TensorEntry(name: name, elementType: elementType, shape: shape, storedBytes: storedBytes)
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
