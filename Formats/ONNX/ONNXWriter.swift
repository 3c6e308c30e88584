// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// Writes files of ONNX, a tensor at a time: a network as a graph with its weights, or tensors alone as a
/// graph without nodes.
struct ONNXWriter {
  let operations: OperationCatalog

  /// The version of the format, and that of the operators.
  private static let (irVersion, operatorSet) = (8, 17)
  /// The key of the metadata in the model's properties.
  static let metadataKey = "lcw"

  /// A tensor of the graph, its elements still to be read.
  private struct Initializer {
    var name: String
    var source: String
    var type: ElementType
    var shape: [Int]
    var bytes: Int
  }

  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source throws, and
  ///   `FileError` if the system fails.
  func write(_ source: any CheckpointSource, to file: URL) throws {
    guard source.kind == .checkpoint else {
      throw refusal(
        "such files hold only a network's weights, and this is of kind ‘\(source.kind.rawValue)’; "
          + "write an .lcw archive")
    }
    let properties = JSONValue.object(source.metadata).compactText
    guard properties.utf8.count <= ONNXLimits.metadataBytes, properties.isStreamSafe else {
      throw refusal("the metadata are too large")
    }
    let network = try network(of: source)
    var small = WireWriter()
    var initializers: [Initializer] = []
    if let network {
      try describe(network, source, &small, &initializers)
    } else {
      initializers = source.entries.map { entry in
        Initializer(
          name: entry.name, source: entry.name, type: entry.elementType,
          shape: entry.shape.dimensions, bytes: entry.rawBytes)
      }
    }
    try check(initializers)
    let heads = initializers.map(head)
    let length = zip(heads, initializers).reduce(small.bytes.count) { $0 + $1.0.count + $1.1.bytes }
    var start = WireWriter()
    start.integer(1, Self.irVersion)
    start.text(2, "lcw")
    start.text(3, LCWVersion.program)
    start.head(7, count: length)
    var end = WireWriter()
    end.message(8) {
      $0.text(1, "")
      $0.integer(2, Self.operatorSet)
    }
    end.message(14) {
      $0.text(1, Self.metadataKey)
      $0.text(2, properties)
    }
    guard length <= ONNXLimits.writtenBytes - (1 << 21) else {
      throw refusal("it would be larger than the 2 GiB that a file of the format can be")
    }
    try AtomicFile.write(to: file) { output in
      try output.append(start.bytes + small.bytes)
      for (initializer, head) in zip(initializers, heads) {
        let tensor = try source.tensor(named: initializer.source)
        guard tensor.shape.count == initializer.shape.reduce(1, *) else {
          throw refusal(
            "the tensor ‘\(initializer.source)’ is not what the source's list says of it")
        }
        let bytes =
          tensor.elementType == initializer.type ? tensor.bytes : StoredTensor(tensor.floats).bytes
        guard bytes.count == initializer.bytes else {
          throw refusal(
            "the tensor ‘\(initializer.source)’ is not what the source's list says of it")
        }
        try output.append(head)
        try output.append(bytes)
      }
      try output.append(end.bytes)
    }
  }

  private func refusal(_ reason: String) -> CheckpointError {
    .cannotWrite(format: "a file of ONNX", reason: reason)
  }

  /// The network that the metadata describe; nothing if they describe none.
  private func network(of source: any CheckpointSource) throws -> Network? {
    guard let text = source.metadata["network"]?.string else { return nil }
    let sizes = (source.metadata["input"]?.array ?? []).compactMap(\.integer)
    do {
      let shape = try Shape(checking: sizes)
      return try NetworkText(text, operations: operations).network(inputShape: shape, classes: 1)
    } catch {
      throw refusal("the network that its metadata name can't be made: \(error)")
    }
  }

  private func check(_ initializers: [Initializer]) throws {
    guard initializers.count <= ONNXLimits.tensors else { throw refusal("it has too many tensors") }
    var names: Set<[UInt8]> = []
    for initializer in initializers {
      guard initializer.name.isStreamSafe, initializer.name.utf8.count <= ONNXLimits.textBytes
      else {
        throw refusal("a name is too long, or has more than 30 combining marks in a row")
      }
      guard names.insert(Array(initializer.name.utf8)).inserted else {
        throw refusal("there are two tensors ‘\(initializer.name)’")
      }
      guard initializer.shape.count <= ONNXLimits.rank else {
        throw refusal("‘\(initializer.name)’ has more than \(ONNXLimits.rank) dimensions")
      }
    }
  }

  /// The bytes of a tensor before its elements.
  private func head(of initializer: Initializer) -> [UInt8] {
    var inner = WireWriter()
    for size in initializer.shape { inner.integer(1, size) }
    inner.integer(2, initializer.type.onnxNumber)
    inner.text(8, initializer.name)
    inner.head(9, count: initializer.bytes)
    var outer = WireWriter()
    outer.head(5, count: inner.bytes.count + initializer.bytes)
    return outer.bytes + inner.bytes
  }

  // MARK: Networks

  /// The graph of a network, without its weights.
  private func describe(
    _ network: Network, _ source: any CheckpointSource, _ graph: inout WireWriter,
    _ initializers: inout [Initializer]
  ) throws {
    let record = source.metadata["onnx"]?.object ?? [:]
    let input = record["input"]?.string ?? "input"
    var export = GraphExport(
      network, input: input, parameterNames: names(of: network, record, input: input))
    guard export.problems.isEmpty else {
      throw refusal(export.problems.prefix(20).joined(separator: "; "))
    }
    if let final = record["final"]?.string, ["Softmax", "LogSoftmax"].contains(final) {
      export.finish(with: final)
    }
    for node in export.nodes { graph.message(1) { write(node, &$0) } }
    graph.text(2, "network")
    for constant in export.constants { graph.message(5) { write(constant, &$0) } }
    graph.message(11) { value(input, network.inputShape, &$0) }
    graph.message(12) { value(export.output, network.outputShape, &$0) }
    let known = Dictionary(source.entries.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    let names = names(of: network, record, input: input)
    for (index, parameter) in network.parameters.enumerated() {
      guard let entry = known[Array(parameter.name.utf8)] else {
        throw CheckpointError.missingTensor(parameter.name, nearest: nil)
      }
      guard entry.shape == parameter.shape, entry.elementType.isFloatingPoint else {
        throw refusal(
          "‘\(parameter.name)’ is \(entry.shape) of \(entry.elementType.rawValue), and the network needs "
            + "\(parameter.shape) of floating-point numbers")
      }
      initializers.append(
        Initializer(
          name: names[index], source: parameter.name, type: .float32,
          shape: export.shapes[index] ?? parameter.shape.dimensions,
          bytes: 4 * parameter.shape.count))
    }
  }

  /// The names of parameters in the graph: those that a file had, where they are kept.
  private func names(
    of network: Network, _ record: [String: JSONValue], input: String
  ) -> [String] {
    let kept = record["names"]?.object ?? [:]
    var taken: Set<String> = [input]
    return network.parameters.map { parameter in
      if let name = kept[parameter.name]?.string, !name.isEmpty, taken.insert(name).inserted {
        return name
      }
      var name = parameter.name
      while !taken.insert(name).inserted { name += "_" }
      return name
    }
  }

  private func write(_ node: GraphExport.Node, _ message: inout WireWriter) {
    for input in node.inputs { message.text(1, input) }
    message.text(2, node.output)
    message.text(3, node.output)
    message.text(4, node.type)
    for (name, value) in node.attributes {
      message.message(5) { attribute in
        attribute.text(1, name)
        switch value {
        case .float(let number):
          attribute.float(2, number)
          attribute.integer(20, 1)
        case .integer(let number):
          attribute.integer(3, number)
          attribute.integer(20, 2)
        case .text(let text):
          attribute.text(4, text)
          attribute.integer(20, 3)
        case .integers(let numbers):
          for number in numbers { attribute.integer(8, number) }
          attribute.integer(20, 7)
        }
      }
    }
  }

  private func write(_ constant: GraphExport.Constant, _ message: inout WireWriter) {
    for size in constant.shape { message.integer(1, size) }
    switch constant.content {
    case .floats(let values):
      message.integer(2, ElementType.float32.onnxNumber)
      for value in values { message.float(4, value) }
    case .integers(let values):
      message.integer(2, ElementType.int64.onnxNumber)
      for value in values { message.integer(7, value) }
    }
    message.text(8, constant.name)
  }

  private func value(_ name: String, _ shape: Shape, _ message: inout WireWriter) {
    message.text(1, name)
    message.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, ElementType.float32.onnxNumber)
        tensor.message(2) { sizes in
          sizes.message(1) { $0.text(2, "batch") }
          for size in shape.dimensions { sizes.message(1) { $0.integer(1, size) } }
        }
      }
    }
  }
}
