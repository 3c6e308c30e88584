// SPDX-License-Identifier: Apache-2.0

/// The classes of a data set: which label stands for which.
///
/// Labels that are the numbers from 0 to K − 1 are the classes. All others, words or numbers such as 1 to
/// K, are names: whole numbers in their order, words in the order of their bytes.
public struct ClassList: Sendable, Hashable {
  /// The names in the order of the classes; nothing where labels are the classes' numbers.
  public let names: [String]?
  /// The number of classes.
  public let count: Int
  private let classOfLabel: [[UInt8]: Int32]
  private let areNumbers: Bool

  /// The classes 0 to `count` − 1, whose labels are these numbers.
  public init(count: Int) {
    names = nil
    self.count = count
    areNumbers = true
    classOfLabel = [:]
  }

  /// Classes by their names, which are in order and differ.
  public init(names: [String], areNumbers: Bool = false) {
    self.names = names
    self.areNumbers = areNumbers
    count = names.count
    classOfLabel = Dictionary(
      zip(names.map { Array($0.utf8) }, (0..<Int32(names.count)))
    ) { first, _ in first }
  }

  /// The class that a label stands for, if it stands for one.
  public func classNumber(of label: [UInt8]) -> Int32? {
    let canonical = areNumbers ? WholeNumber(label).map { Array("\($0.value)".utf8) } : label
    guard let canonical else { return nil }
    if names != nil { return classOfLabel[canonical] }
    guard let number = WholeNumber(label)?.value, (0..<count).contains(number) else { return nil }
    return Int32(number)
  }

  /// The names for a message, without the middle of a long list.
  public var text: String {
    guard let names else { return "0 to \(count - 1)" }
    let shown = names.count > 12 ? names.prefix(10) + ["…", names[names.count - 1]] : names[...]
    return shown.map(\.asOneLine).joined(separator: ", ")
  }
}

/// A whole number that a text means: `3`, `03`, `+3`, `3.0`, `3e0`.
struct WholeNumber {
  let value: Int

  init?(_ text: [UInt8]) {
    let isPlain =
      !text.isEmpty && text.count <= 15 && text.allSatisfy { (48...57).contains($0) }
    if isPlain {
      value = text.reduce(0) { $0 * 10 + Int($1 - 48) }
    } else if let number = LabelCollector.number(text), abs(number) <= 0x1p53,
      number == number.rounded()
    {
      value = Int(number)
    } else {
      return nil
    }
  }
}
