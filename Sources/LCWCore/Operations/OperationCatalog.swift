// SPDX-License-Identifier: Apache-2.0

/// The operations that a program has, by name.
public struct OperationCatalog: Sendable {
  private let types: [String: any NetworkOperation.Type]

  /// A catalog of types; of two with one name the first counts.
  public init(_ types: [any NetworkOperation.Type] = []) {
    self.types = Dictionary(types.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The names, sorted.
  public var names: [String] { types.keys.sorted() }

  /// What nodes of an operation are called, where that is not its name; nothing for an unknown one.
  func nodeName(ofOperation name: String) -> String? {
    types[name].flatMap { $0.nodeName == name ? nil : $0.nodeName }
  }

  /// The operation that words mean, its name first.
  /// - Throws: ``OperationProblem`` that says what was expected.
  public func operation(_ words: [String]) throws(OperationProblem) -> any NetworkOperation {
    guard let type = words.first.flatMap({ types[$0] }) else {
      let list = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "nothing")
      throw OperationProblem(list)
    }
    var rest = OperationWords(Array(words.dropFirst()))
    let operation: any NetworkOperation = try type.init(words: &rest)
    if let left = rest.next() { throw OperationProblem("nothing where ‘\(left)’ stands") }
    return operation
  }
}
