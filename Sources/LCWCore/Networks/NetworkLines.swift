// SPDX-License-Identifier: Apache-2.0

/// The nodes of a network's text or JSON, read one after the other; each may name those before it.
struct NetworkLines: Sendable {
  /// One node as it is written.
  struct Line: Sendable {
    var name: String?
    /// The operation's name and its words.
    var words: [String]
    /// The names of what it reads; nothing if it does not say.
    var from: [String]?
    /// The values that these names mean.
    var inputs: [Network.Value]?
    /// Where it stands.
    var place: NetworkTextError.Place

    /// The node as a line of text.
    var text: String {
      (name.map { "\($0) = " } ?? "") + words.joined(separator: " ")
        + (from.map { " from \($0.joined(separator: " "))" } ?? "")
    }

    /// The words with the number of classes in its place.
    func words(classes: Int) -> [String] {
      words.map { $0 == NetworkText.classesWord ? "\(classes)" : $0 }
    }
  }

  let operations: OperationCatalog
  private(set) var lines: [Line] = []
  private var values: [String: Network.Value] = [NetworkText.sampleName: .sample]
  private var numbers: [String: Int] = [:]

  init(operations: OperationCatalog) {
    self.operations = operations
  }

  /// Reads a node.
  /// - Throws: ``NetworkTextError`` that shows it and says what was expected.
  mutating func read(
    name: String?, words: [String], from: [String]?, at place: NetworkTextError.Place
  ) throws(NetworkTextError) {
    var line = Line(name: name, words: words, from: from, place: place)
    do throws(OperationProblem) {
      try add(&line)
    } catch {
      throw NetworkTextError(place: place, text: line.text, expected: error.sentence)
    }
  }

  private mutating func add(_ line: inout Line) throws(OperationProblem) {
    guard lines.count < Network.largestLayerCount else {
      throw OperationProblem("\(Network.largestLayerCount) layers at most")
    }
    // Names are looked at before they are looked up: a text of many combining marks is slow to compare.
    if let name = line.name, !Network.isNodeName(name) {
      throw OperationProblem(
        name.utf8.elementsEqual(NetworkText.sampleName.utf8)
          ? "another name before ‘=’ than that of the sample"
          : "a name of letters and digits before ‘=’, with ‘_’, ‘-’, ‘.’ and ‘/’ between them")
    }
    for word in line.words { try check(word) }
    line.inputs = try line.from.map { (from) throws(OperationProblem) in try inputs(from) }
    // Ten classes stand for any number: what the words mean does not depend on it.
    let operation = try operations.operation(line.words(classes: 10))
    let kind = type(of: operation).nodeName
    numbers[kind, default: 0] += 1
    let known = line.name ?? "\(kind)\(numbers[kind, default: 0])"
    guard values[known] == nil else {
      throw OperationProblem("another name than ‘\(known)’, which a line before this one has")
    }
    lines.append(line)
    values[known] = .output(ofNode: lines.count - 1)
  }

  private func inputs(_ names: [String]) throws(OperationProblem) -> [Network.Value] {
    guard !names.isEmpty else {
      throw OperationProblem("names of lines before this one behind ‘from’")
    }
    guard names.count <= Network.largestInputCount else {
      throw OperationProblem("\(Network.largestInputCount) names at most behind ‘from’")
    }
    return try names.map { (name) throws(OperationProblem) in
      let isName = Network.isNodeName(name) || name.utf8.elementsEqual(NetworkText.sampleName.utf8)
      guard isName, let value = values[name]
      else {
        throw OperationProblem(
          "the name of a line before this one where ‘\(name)’ stands" + nameHint(name))
      }
      return value
    }
  }

  /// What lines of an operation are called, where a name begins with the operation's.
  private func nameHint(_ name: String) -> String {
    let digits = name.utf8.reversed().prefix {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    guard let kind = operations.nodeName(ofOperation: String(name.dropLast(digits.count))),
      !digits.isEmpty
    else { return "" }
    return "; lines of that operation are called \(kind)1, \(kind)2 and so on"
  }

  /// Checks that a word means in a text what it means in JSON.
  private func check(_ word: String) throws(OperationProblem) {
    guard word.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw OperationProblem("letters, digits and signs of ASCII where ‘\(word)’ stands")
    }
    guard !word.utf8.contains(where: { $0 == UInt8(ascii: ",") }) else {
      throw OperationProblem("no comma where ‘\(word)’ stands")
    }
    guard word != "=", word != NetworkText.fromWord,
      !word.utf8.contains(where: { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "#") })
    else { throw OperationProblem("nothing where ‘\(word)’ stands") }
  }
}
