// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension GraphImport {
  /// The number of samples and the shape of one.
  static func sampleShape(
    of input: ONNXValueInfo, given: [Int], path: String
  ) throws -> (samples: Count, shape: Shape) {
    func fault(_ reason: String) -> ONNXError {
      .model(file: path, reason: "its input ‘\(input.name)’ \(reason)")
    }
    guard [0, 1, 10, 11, 16].contains(input.elementType) else {
      throw fault(
        "has elements of type \(ElementType.onnxName(of: input.elementType)), and a network here reads "
          + "floating-point numbers")
    }
    let sizes = input.sizes ?? []
    let known = sizes.dropFirst().compactMap { size in
      if case .known(let size) = size, size > 0 { size } else { nil }
    }
    if !given.isEmpty {
      guard input.sizes == nil || sizes.count == given.count + 1,
        zip(sizes.dropFirst(), given).allSatisfy({ size, given in
          if case .known(let size) = size, size > 0 { size == given } else { true }
        })
      else {
        throw fault("is not of the sizes \(given.operationWord) that are given for it")
      }
    }
    let own = given.isEmpty ? known : given
    guard !own.isEmpty, given.isEmpty ? own.count == sizes.count - 1 : true else {
      throw fault(
        input.sizes.map { $0.count < 2 } == true
          ? "has no axis of samples; export the model with a batch in front"
          : "has axes without a size; say those of a sample, as with --input-format "
            + "onnx:input=3x224x224, or export it with fixed ones")
    }
    guard let shape = try? Shape(checking: own), shape.count > 0 else {
      throw fault("has sizes \(own) that are too large")
    }
    // What is no number stands for any, and so does 0 in some files.
    if case .known(let count)? = sizes.first, count > 0 { return (Count(count), shape) }
    return (Count(1, isBatch: true), shape)
  }

  /// Whether samples have their channels last: all that read them turn them at once.
  static func isTurned(
    _ input: ONNXValueInfo, _ shape: Shape, _ graph: ONNXGraph
  ) -> Bool {
    let readers = graph.nodes.filter { $0.inputs.contains(input.name) }
    return shape.rank == 3 && !readers.isEmpty
      && readers.allSatisfy {
        $0.type == "Transpose" && $0.attributes["perm"]?.integers == [0, 3, 1, 2]
      }
  }
}

extension ONNXGraph {
  /// The names that its first output depends on, itself among them: what other outputs alone need is not
  /// read. All of them in a graph with branches, whose nodes may read any.
  var needed: Set<String> {
    let computed = nodes.flatMap(\.outputs).filter { !$0.isEmpty }
    guard let output = outputs.first, !nodes.contains(where: { $0.type == "If" }) else {
      return Set(computed)
    }
    var producers: [String: ONNXNode] = [:]
    for node in nodes {
      for name in node.outputs { producers[name] = node }
    }
    var needed: Set<String> = []
    var open = [output.name]
    while let name = open.popLast() {
      guard needed.insert(name).inserted, let node = producers[name] else { continue }
      open += node.inputs.filter { !$0.isEmpty && !needed.contains($0) }
    }
    return needed
  }
}
