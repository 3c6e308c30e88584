// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A network as far as its nodes are joined.
struct NetworkBuilder {
  var nodes: [Network.Node] = []
  var shapes: [Shape]
  var parameters: [Parameter] = []
  var firstParameters = [0]
  /// The values of all parameters.
  var values = 0.0
  private var sampleWork = 0.0
  private var numbers: [String: Int] = [:]
  private var names: Set<String> = []

  init(inputShape: Shape) {
    shapes = [inputShape]
  }

  mutating func add(_ description: Network.NodeDescription) throws(NetworkError) {
    let operation = description.layer.operation
    let kind = type(of: operation).nodeName
    numbers[kind, default: 0] += 1
    let name = description.name ?? "\(kind)\(numbers[kind, default: 0])"
    let inputs = description.inputs ?? [Network.Value(index: nodes.count)]
    do throws(OperationProblem) {
      try addNode(name: name, description.layer, reading: inputs)
    } catch {
      throw .layer(
        index: nodes.count,
        description: (description.name.map { "\($0.asOneLine) = " } ?? "") + "\(description.layer)",
        problem: error.sentence)
    }
  }

  private mutating func addNode(
    name: String, _ layer: Layer, reading inputs: [Network.Value]
  ) throws(OperationProblem) {
    let operation = layer.operation
    guard Network.isNodeName(name) else {
      throw OperationProblem(
        "has the name ‘\(name.asOneLine)’; a name has letters, digits, and ‘_’, ‘-’, ‘.’ and ‘/’ between "
          + "them, and is not ‘\(NetworkText.sampleName)’")
    }
    guard names.insert(name).inserted else {
      throw OperationProblem("has the name ‘\(name)’, which another layer has")
    }
    guard inputs.allSatisfy({ (0...nodes.count).contains($0.index) }) else {
      throw OperationProblem("reads a value that is not computed before it")
    }
    let allowed = type(of: operation).inputCount
    guard allowed.contains(inputs.count) else {
      let wanted =
        allowed.count == 1
        ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)"
      throw OperationProblem(
        "reads \(wanted) value\(wanted == "1" ? "" : "s"), not \(inputs.count)")
    }
    let inputShapes = inputs.map { shapes[$0.index] }
    let output = try operation.outputShape(for: inputShapes)
    guard output.count > 0 else { throw OperationProblem("puts out no values: \(output)") }
    let own = try operation.parameters(for: inputShapes)
    guard Set(own.map(\.role)).count == own.count else {
      throw OperationProblem("has two parameters of one role")
    }
    values += own.reduce(0) { $0 + Double($1.shape.count) }
    // Sums of counts, and of bytes, fit an integer below this.
    guard values < 0x1p58 else { throw OperationProblem("makes the network too large") }
    // Layers without multiplications go through their values all the same.
    sampleWork += max(
      operation.multiplyAdds(inputs: inputShapes, output: output), Double(output.count))
    // So do products of this and a number of members or samples.
    guard sampleWork <= Network.largestSampleWork else {
      throw OperationProblem("makes more work for one sample than 2^42 multiplications")
    }
    parameters += own.map {
      Parameter(
        name: "\(name).\($0.role.rawValue)", shape: $0.shape, layer: nodes.count, role: $0.role,
        initial: $0.initial, update: $0.update)
    }
    firstParameters.append(parameters.count)
    shapes.append(output)
    nodes.append(Network.Node(name: name, layer: layer, inputs: inputs))
  }

  /// Whatever is computed is needed: a value that nothing reads is a slip of whoever wrote the graph.
  func requireReaders() throws(NetworkError) {
    var isRead = [Bool](repeating: false, count: shapes.count)
    for node in nodes {
      for input in node.inputs { isRead[input.index] = true }
    }
    for (index, node) in nodes.enumerated().dropLast() where !isRead[index + 1] {
      throw .layer(
        index: index, description: "\(node.name) = \(node.layer)",
        problem: "is read by no layer behind it, and only the last layer is the network's output")
    }
  }
}

extension Network {
  /// Whether a text can be a node's name: letters, digits, `_`, `-`, `.` and `/` of ASCII, a letter, digit or
  /// `_` first and last and on both sides of each `/`, 200 at most; and not what the sample is called.
  static func isNodeName(_ text: String) -> Bool {
    let bytes = text.utf8
    guard !bytes.isEmpty, bytes.count <= 200, !bytes.elementsEqual(NetworkText.sampleName.utf8)
    else { return false }
    func isWord(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    // So that no name leads out of a folder where tensors become files.
    return bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
      guard let first = $0.first, let last = $0.last else { return false }
      return isWord(first) && isWord(last)
        && $0.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }
  }
}
