// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A network while it is made of a graph: operations in their words, what they read, and what their
/// parameters are made of.
struct NetworkDraft {
  /// One operation.
  struct Line {
    /// Its text in words.
    var words: [String]
    var operation: any NetworkOperation
    /// The values it reads: 0 for the sample, one more than a line's index for its output.
    var inputs: [Int]
    /// The parameters' tensors by role.
    var parameters: [String: TensorRecipe]
    /// What it may be called.
    var hint: String?
  }

  private(set) var lines: [Line] = []
  /// The shape of one sample of each value.
  private(set) var shapes: [Shape]
  private let operations: OperationCatalog

  init(inputShape: Shape, operations: OperationCatalog) {
    shapes = [inputShape]
    self.operations = operations
  }

  /// Adds an operation.
  /// - Returns: The value that it computes.
  /// - Throws: `OperationProblem` if it can't read these values or has other parameters.
  mutating func add(
    _ words: [String], reading inputs: [Int], parameters: [String: TensorRecipe] = [:],
    hint: String? = nil
  ) throws(OperationProblem) -> Int {
    let shape: Shape
    let line: Line
    do throws(OperationProblem) {
      line = Line(
        words: words, operation: try operation(words), inputs: inputs, parameters: parameters,
        hint: hint)
      shape = try check(line)
    } catch {
      throw OperationProblem("as ‘\(words.joined(separator: " "))’ it \(error.sentence)")
    }
    lines.append(line)
    shapes.append(shape)
    return lines.count
  }

  /// The operation that words mean.
  private func operation(_ words: [String]) throws(OperationProblem) -> any NetworkOperation {
    guard let name = words.first, operations.names.contains(name) else {
      throw OperationProblem(
        "needs the operation ‘\(words.first ?? "")’, which this program has not")
    }
    return try operations.operation(words)
  }

  /// Changes the operation that computes a value, which keeps its shape.
  /// - Throws: As ``add(_:reading:parameters:hint:)``.
  mutating func change(
    _ value: Int, words: [String]? = nil, parameters: [String: TensorRecipe]
  ) throws(OperationProblem) {
    var line = lines[value - 1]
    if let words { (line.words, line.operation) = (words, try operation(words)) }
    line.parameters = parameters
    _ = try check(line)
    lines[value - 1] = line
  }

  /// The shape of what a line computes.
  private func check(_ line: Line) throws(OperationProblem) -> Shape {
    let inputs = line.inputs.map { shapes[$0] }
    let output = try line.operation.outputShape(for: inputs)
    let own = try line.operation.parameters(for: inputs)
    guard own.count == line.parameters.count else {
      throw OperationProblem("has \(line.parameters.count) tensors, but needs \(own.count)")
    }
    for parameter in own {
      let found = line.parameters[parameter.role.rawValue]?.shape
      guard found == parameter.shape else {
        throw OperationProblem(
          "has \(found.map { "a tensor \($0)" } ?? "no tensor") where \(line.operation.text) needs a "
            + "\(parameter.role.rawValue) \(parameter.shape)")
      }
    }
    return output
  }

  // MARK: The network

  /// The network up to a value, and the recipe of each of its parameters.
  /// - Throws: `NetworkError`.
  func network(puttingOut output: Int) throws -> (network: Network, recipes: [TensorRecipe]) {
    var isNeeded = [Bool](repeating: false, count: shapes.count)
    isNeeded[output] = true
    for index in lines.indices.reversed() where isNeeded[index + 1] {
      for input in lines[index].inputs { isNeeded[input] = true }
    }
    let kept = lines.indices.filter { isNeeded[$0 + 1] }
    var places = [Int](repeating: 0, count: shapes.count)
    for (place, index) in kept.enumerated() { places[index + 1] = place + 1 }
    let names = names(of: kept)
    let network = try Network(
      inputShape: shapes[0],
      nodes: zip(kept, names).map { index, name in
        Network.NodeDescription(
          Layer(lines[index].operation), name: name,
          reading: lines[index].inputs.map { Network.Value(index: places[$0]) })
      })
    let recipes = network.parameters.map { parameter in
      lines[kept[parameter.layer]].parameters[parameter.role.rawValue]
        ?? TensorRecipe(filled: 0, parameter.shape)
    }
    return (network, recipes)
  }

  /// Names of one's own for lines whose tensors tell them and that no other line has.
  private func names(of kept: [Int]) -> [String?] {
    var numbers: [String: Int] = [:]
    let defaults = kept.map { index in
      let kind = type(of: lines[index].operation).nodeName
      numbers[kind, default: 0] += 1
      return "\(kind)\(numbers[kind, default: 0])"
    }
    // A name by default that another line has for its own would be there twice.
    var taken = Set(defaults)
    return zip(kept, defaults).map { index, usual in
      guard let hint = lines[index].hint, hint != usual, hint != NetworkText.sampleName,
        NetworkDraft.isName(hint), taken.insert(hint).inserted
      else { return nil }
      return hint
    }
  }

  private static func isName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    func isWord(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }
    guard let first = bytes.first, let last = bytes.last, bytes.count <= 100 else { return false }
    return isWord(first) && isWord(last)
      && bytes.allSatisfy { isWord($0) || ".-/".utf8.contains($0) }
  }
}
