// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

extension Network {
  /// The network as text, which ``NetworkText`` reads: `flatten; dense 2000; relu; dense 10` for a chain.
  ///
  /// A node whose name is its own has it in front, `sum = add`; one that does not read just what the node
  /// before it computes says what it reads, `add from conv2 start`.
  public var description: String {
    let defaults = defaultNames
    return nodes.indices.map { index in
      let node = nodes[index]
      let name = node.name == defaults[index] ? "" : "\(node.name) = "
      let isNext = node.inputs == [Value(index: index)]
      return name + node.layer.description + (isNext ? "" : " from \(names(of: node.inputs))")
    }.joined(separator: "; ")
  }

  private func names(of values: [Value]) -> String {
    values.map { value in value.node.map { nodes[$0].name } ?? NetworkText.sampleName }
      .joined(separator: " ")
  }
}

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
/// add from last start; relu; global-avgpool; dense classes
/// ```
public struct NetworkText: Sendable {
  /// The lines in the same words, with one semicolon and space between them.
  public let text: String
  private let lines: [Line]
  private let operations: OperationCatalog

  /// What the sample is called.
  public static let sampleName = "input"
  private static let classesWord = "classes"

  private struct Line: Sendable {
    var name: String?
    var words: [String]
    var inputs: [Network.Value]?
  }

  /// Reads a text.
  /// - Throws: ``NetworkTextError`` that shows the line and says what was expected.
  public init(_ source: String, operations: OperationCatalog) throws(NetworkTextError) {
    var reader = LineReader(operations: operations)
    var texts: [String] = []
    for (number, line) in source.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      for part in line.prefix(while: { $0 != "#" }).split(separator: ";") {
        let words = part.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !words.isEmpty else { continue }
        let text = words.joined(separator: " ")
        do throws(OperationProblem) {
          try reader.read(words)
        } catch {
          throw NetworkTextError(line: number + 1, text: text, expected: error.sentence)
        }
        guard texts.count < Network.largestLayerCount else {
          throw NetworkTextError(
            line: number + 1, text: text,
            expected: "\(Network.largestLayerCount) layers at most")
        }
        texts.append(text)
      }
    }
    guard !texts.isEmpty else {
      throw NetworkTextError(line: nil, text: source, expected: "at least one layer")
    }
    guard !texts.contains(where: { $0.contains(",") }) else {
      throw NetworkTextError(line: nil, text: source, expected: "no comma")
    }
    self.text = texts.joined(separator: "; ")
    self.operations = operations
    lines = reader.lines
  }

  /// The network for samples of a shape and a number of classes.
  /// - Throws: ``NetworkError`` as ``Network/init(inputShape:nodes:)``.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    try Network(
      inputShape: inputShape,
      nodes: try lines.map { line in
        Network.NodeDescription(
          Layer(try operations.operation(NetworkText.words(of: line, classes: classes))),
          name: line.name, reading: line.inputs)
      })
  }

  private static func words(of line: Line, classes: Int) -> [String] {
    line.words.map { $0 == classesWord ? "\(classes)" : $0 }
  }

  /// Reads lines one after the other, each of which may name those before it.
  private struct LineReader {
    let operations: OperationCatalog
    var lines: [Line] = []
    private var values: [String: Network.Value] = [sampleName: .sample]
    private var numbers: [String: Int] = [:]

    init(operations: OperationCatalog) {
      self.operations = operations
    }

    mutating func read(_ words: [String]) throws(OperationProblem) {
      var words = words
      var name: String?
      if words.count >= 2, words[1] == "=" {
        name = words[0]
        words.removeFirst(2)
      }
      if let name, !Network.isNodeName(name) || name == sampleName {
        throw OperationProblem("a name of letters and digits before ‘=’, and not ‘\(sampleName)’")
      }
      var inputs: [Network.Value]?
      if let place = words.firstIndex(of: "from") {
        inputs = try words[(place + 1)...].map { (word) throws(OperationProblem) in
          guard let value = values[word] else {
            throw OperationProblem("the name of a line before this one where ‘\(word)’ stands")
          }
          return value
        }
        guard inputs?.isEmpty == false else {
          throw OperationProblem("names of lines before this one behind ‘from’")
        }
        words.removeSubrange(place...)
      }
      // Ten classes stand for any number: what the words mean does not depend on it.
      let line = Line(name: name, words: words, inputs: inputs)
      let operation = try operations.operation(NetworkText.words(of: line, classes: 10))
      let kind = type(of: operation).nodeName
      numbers[kind, default: 0] += 1
      let known = name ?? "\(kind)\(numbers[kind, default: 0])"
      guard values[known] == nil else {
        throw OperationProblem("another name than ‘\(known)’, which a line before this one has")
      }
      lines.append(line)
      values[known] = .output(ofNode: lines.count - 1)
    }
  }
}

/// What is wrong with a network's text.
public struct NetworkTextError: DescribedError, Hashable {
  /// The number of the line, from 1; nothing if it is the text as a whole.
  public var line: Int?
  /// The part that is wrong.
  public var text: String
  /// What was expected.
  public var expected: String

  /// Wrong usage.
  public var category: ErrorCategory { .usage }

  /// One line that says where and what.
  public var description: String {
    (line.map { "line \($0), " } ?? "") + "‘\(text)’: expected \(expected)"
  }
}
