// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A network as it is written, read and checked word by word.
///
/// Each line, or part between semicolons, is an operation and its words. In front of it may stand a name,
/// `start = conv 16 3x3`; behind it what it reads, `add from start relu2`, where it is not just what the
/// line before it computes. `input` is the sample. The last line's value is the network's output.
/// `classes` in the place of a number is the number of classes. What follows a `#` on its line is left
/// out.
///
/// ```
/// conv 16 3x3 pad 1 no-bias; batchnorm; start = relu
/// conv 16 3x3 pad 1 no-bias; batchnorm; relu
/// conv 16 3x3 pad 1 no-bias; last = batchnorm
/// add from last start; relu; flatten; dense classes
/// ```
///
/// A node without a name is called like its operation, with a number: `relu2` is the second `relu`. As JSON
/// the same is an object of `nodes`:
///
/// ```
/// {"nodes": [
///   {"operation": "conv 16 3x3 pad 1 no-bias"}, {"operation": "batchnorm"},
///   {"operation": "relu", "name": "start"}, {"operation": "conv 16 3x3 pad 1 no-bias"},
///   {"operation": "add", "from": ["conv2", "start"]}, …]}
/// ```
public struct NetworkText: Sendable {
  /// The lines in the same words, with one semicolon and space between them.
  public let text: String
  private let content: NetworkLines

  /// What the sample is called.
  public static let sampleName = "input"
  static let classesWord = "classes"
  static let fromWord = "from"

  /// Reads a text.
  /// - Throws: ``NetworkTextError`` that shows the line and says what was expected.
  public init(_ source: String, operations: OperationCatalog) throws(NetworkTextError) {
    var reader = NetworkLines(operations: operations)
    for (number, line) in source.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline
    )
    .enumerated() {
      // Scalars, since a mark behind a space or a semicolon makes another character of it.
      for part in line.unicodeScalars.prefix(while: { $0 != "#" }).split(separator: ";") {
        let words = part.split(whereSeparator: \.properties.isWhitespace).map { String($0) }
        guard !words.isEmpty else { continue }
        try reader.read(words, at: .line(number + 1))
      }
    }
    try self.init(reader, source: source)
  }

  /// Reads JSON: an object with a list `nodes` of objects, of which each has a text `operation` and may
  /// have a `name` and a list `from` of names.
  /// - Throws: ``NetworkTextError`` that shows the node and says what was expected.
  public init(json: JSONValue, operations: OperationCatalog) throws(NetworkTextError) {
    guard let members = json.object, Set(members.keys) == ["nodes"],
      let nodes = members["nodes"]?.array
    else {
      throw NetworkTextError(
        place: nil, text: json.compactText,
        expected: #"an object with a list of nodes, {"nodes": […]}, and nothing else"#)
    }
    var reader = NetworkLines(operations: operations)
    for (index, node) in nodes.enumerated() { try reader.read(node, at: .node(index + 1)) }
    try self.init(reader, source: json.compactText)
  }

  private init(_ content: NetworkLines, source: String) throws(NetworkTextError) {
    guard !content.lines.isEmpty else {
      throw NetworkTextError(place: nil, text: source, expected: "at least one layer")
    }
    self.content = content
    text = content.lines.map(\.text).joined(separator: "; ")
  }

  /// The network for samples of a shape and a number of classes.
  /// - Throws: ``NetworkError`` as ``Network/init(inputShape:nodes:)``, ``NetworkTextError`` for a number of
  ///   classes that an operation can't have where it is named.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    let nodes = try content.lines.map { line in
      Network.NodeDescription(
        try layer(line, classes: classes), name: line.name, reading: line.inputs)
    }
    do throws(NetworkError) {
      return try Network(inputShape: inputShape, nodes: nodes)
    } catch {
      throw placed(error)
    }
  }

  /// An error of a node with the line that it stands in, where there are several.
  private func placed(_ error: NetworkError) -> NetworkError {
    guard case .layer(let index, let description, let problem) = error,
      content.lines.indices.contains(index), case .line = content.lines[index].place,
      content.lines.first?.place != content.lines.last?.place
    else { return error }
    return .layer(
      index: index, description: "\(description), \(content.lines[index].place)", problem: problem)
  }

  private func layer(
    _ line: NetworkLines.Line, classes: Int
  ) throws(NetworkTextError) -> Layer {
    do throws(OperationProblem) {
      return Layer(try content.operations.operation(line.words(classes: classes)))
    } catch {
      throw NetworkTextError(
        place: line.place, text: line.text,
        expected: "\(error.sentence), which \(classes) classes are not")
    }
  }
}

extension NetworkLines {
  /// Reads the words of a line.
  fileprivate mutating func read(
    _ words: [String], at place: NetworkTextError.Place
  ) throws(NetworkTextError) {
    var words = words[...]
    var name: String?
    if words.count >= 2, words[1].utf8.elementsEqual("=".utf8) {
      name = words[0]
      words.removeFirst(2)
    }
    let from = words.firstIndex { $0.utf8.elementsEqual(NetworkText.fromWord.utf8) }
    try read(
      name: name, words: Array(words[..<(from ?? words.endIndex)]),
      from: from.map { Array(words[($0 + 1)...]) }, at: place)
  }

  /// Reads a node of JSON.
  fileprivate mutating func read(
    _ node: JSONValue, at place: NetworkTextError.Place
  ) throws(NetworkTextError) {
    guard let members = node.object, let operation = members["operation"]?.string else {
      throw NetworkTextError(
        place: place, text: node.compactText, expected: "an object with a text ‘operation’")
    }
    if let key = members.keys.sorted().first(where: { !Self.keys.contains($0) }) {
      throw NetworkTextError(
        place: place, text: node.compactText,
        expected: "nothing but operation, name and from, and not ‘\(key)’")
    }
    let names = members["from"].map { $0.array?.compactMap(\.string) ?? [] }
    guard names?.count == members["from"]?.array?.count,
      members["name"].map({ $0.string != nil }) ?? true
    else {
      throw NetworkTextError(
        place: place, text: node.compactText,
        expected: "a text ‘name’ and a list ‘from’ of names, where these stand")
    }
    let words = operation.unicodeScalars.split(whereSeparator: \.properties.isWhitespace)
    try read(name: members["name"]?.string, words: words.map { String($0) }, from: names, at: place)
  }

  private static let keys: Set<String> = ["operation", "name", "from"]
}
