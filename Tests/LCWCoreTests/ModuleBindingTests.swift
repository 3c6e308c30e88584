// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// Binding where modules are called as a network's nodes, and a network that is written node by node.
struct ModuleBindingTests {
  /// Two layers of the same shapes, which their names alone tell apart, and a skip.
  private let network: Network

  init() throws {
    var sketch = NetworkSketch(inputShape: [4])
    sketch.append(.dense(outputs: 4, bias: false), named: "stem.fc")
    let start = sketch.append(.batchNorm, named: "stem.bn")
    sketch.append(.relu)
    let end = sketch.append(.dense(outputs: 4, bias: false), named: "body.fc")
    sketch.append(.add, reading: end, start)
    sketch.append(.dense(outputs: 2, bias: true), named: "head")
    network = try sketch.network()
  }

  private let tensors: [(name: String, shape: Shape)] = [
    ("body.fc.weight", [4, 4]), ("head.bias", [2]), ("head.weight", [2, 4]), ("stem.bn.bias", [4]),
    ("stem.bn.running_mean", [4]), ("stem.bn.running_var", [4]), ("stem.bn.weight", [4]),
    ("stem.fc.weight", [4, 4]),
  ]
  private let expected = [
    "stem.fc.weight", "stem.bn.weight", "stem.bn.bias", "stem.bn.running_mean",
    "stem.bn.running_var", "body.fc.weight", "head.weight", "head.bias",
  ]

  private func entry(
    _ name: String, _ shape: Shape, _ type: ElementType = .float32
  ) -> TensorEntry {
    TensorEntry(name: name, elementType: type, shape: shape, storedBytes: 0)
  }

  private func entries(_ prefix: String = "") -> [TensorEntry] {
    tensors.map { entry(prefix + $0.name, $0.shape) }
  }

  private func problem(_ entries: [TensorEntry]) -> String {
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(of: entries, to: network)
    }
    return error?.description ?? ""
  }

  @Test(arguments: ["", "module.", "state_dict.module.", "model.0.", "a.stem."])
  func `modules bind by name behind any prefix, and what is no weight is left`(
    prefix: String
  ) throws {
    let others = [
      entry(prefix + "stem.bn.num_batches_tracked", [], .int64), entry("best_prec1", []),
      entry("optimizer.state.0.momentum_buffer", [4, 4]), entry("epoch", [], .int64),
    ]
    for order in [entries(prefix) + others, others + entries(prefix).reversed()] {
      let binding = try CheckpointBinding(of: order, to: network)
      #expect(binding.rule == .name)
      #expect(binding.names == expected.map { prefix + $0 })
      #expect(binding.layersToldByOrder(of: network).isEmpty)
    }
  }

  @Test
  func `roles and other programs' words for them are names`() throws {
    let words = [
      "stem.bn.weight": "stem.bn.gamma", "stem.bn.bias": "stem.bn.shift",
      "stem.bn.running_var": "stem.bn.variance",
    ]
    let renamed = tensors.map { entry("net." + (words[$0.name] ?? $0.name), $0.shape) }
    let binding = try CheckpointBinding(of: renamed, to: network)
    #expect(binding.rule == .name)
    #expect(binding.names == expected.map { "net." + (words[$0] ?? $0) })
  }

  @Test
  func `a tensor that the network has no place for is named`() {
    for name in ["body.shortcut.weight", "body.fc.bias", "tail.0.weight", "stem.bn.gamma"] {
      #expect(problem(entries() + [entry(name, [4])]).contains("no place for ‘\(name)’ [4]"))
      let behind = problem(entries("module.") + [entry("module.\(name)", [4])])
      #expect(behind.contains("no place for ‘module.\(name)’ [4]"), "\(behind)")
    }
    // Also where the names are the parameters' own.
    let own = network.parameters.map { entry($0.name, $0.shape) }
    #expect(throws: Never.self) { try CheckpointBinding(of: own, to: network) }
    #expect(problem(own + [entry("body.bias", [4])]).contains("no place for ‘body.bias’"))
  }

  @Test
  func `what is missing or has another shape is named`() {
    let missing = problem(entries("module.").filter { !$0.name.hasSuffix("running_var") })
    #expect(missing.contains("no tensor has the name of ‘stem.bn.variance’ [4]"), "\(missing)")
    #expect(missing.contains("behind ‘module.’"))
    let wider = tensors.map { entry($0.name, $0.name == "head.weight" ? [3, 4] : $0.shape) }
    #expect(problem(wider).contains("‘head.weight’ is [3, 4] where ‘head.weight’ needs [2, 4]"))
    let other = problem(entries().filter { $0.name != "head.bias" } + [entry("end.bias", [2])])
    #expect(other.contains("no tensor has the name of ‘head.bias’"), "\(other)")
    #expect(other.contains("no place for ‘end.bias’"))
  }

  @Test
  func `two copies are no weights until one is chosen`() {
    #expect(problem(entries("a.") + entries("b.")).contains("behind ‘a.’ and behind ‘b.’"))
    #expect(problem(entries() + entries("ema.")).contains("no place for ‘ema."))
  }

  @Test
  func `an order that contradicts names does not count`() throws {
    // In the order of the network, but with the names of two layers exchanged and one unknown.
    let names = [
      "body.fc.weight", "stem.bn.weight", "stem.bn.bias", "stem.bn.running_mean",
      "stem.bn.running_var", "stem.fc.weight", "fc.weight", "fc.bias",
    ]
    let shapes = network.parameters.map(\.shape)
    let found = problem(zip(names, shapes).map { entry($0, $1) })
    #expect(found.contains("no tensor has the name of ‘head.weight’"), "\(found)")
    // The file's order fills in what no name tells, where it agrees with those that do.
    let filled = zip(["stem.fc.weight"] + names[1...4] + ["body.fc.weight"] + names[6...], shapes)
      .map { entry($0, $1) }
    let binding = try CheckpointBinding(of: filled, to: network)
    #expect(binding.rule == .order && binding.names == filled.map(\.name))
  }

  @Test
  func `integers under a parameter's name are refused`() {
    let counts = tensors.map {
      entry($0.name, $0.shape, $0.name == "head.bias" ? .int32 : .float32)
    }
    #expect(problem(counts).contains("‘head.bias’ holds integers (i32)"))
  }

  @Test
  func `names that are equivalent in Unicode are no module's`() throws {
    var sketch = NetworkSketch(inputShape: [2])
    sketch.append(.dense(outputs: 1, bias: false), named: "K")
    let network = try sketch.network()
    // The Kelvin sign is K to Unicode; it binds by shape, and not by name.
    let binding = try CheckpointBinding(of: [entry("\u{212A}.weight", [1, 2])], to: network)
    #expect(binding.rule == .order)
  }

  // MARK: - Sketches

  @Test
  func `a sketch is the graph that its nodes make`() throws {
    var sketch = NetworkSketch(inputShape: [4])
    #expect(sketch.last == .sample)
    let first = sketch.append(.dense(outputs: 4, bias: true), named: "a")
    #expect(first == .output(ofNode: 0) && sketch.last == first)
    sketch.append(.relu)
    sketch.append(.add, reading: sketch.last, .sample)
    let network = try sketch.network()
    #expect(network.description == "a = dense 4; relu; add from relu1 input")
    #expect(
      try network
        == Network(
          inputShape: [4],
          nodes: [
            .init(.dense(outputs: 4, bias: true), name: "a"), .init(.relu),
            .init(.add, reading: [.output(ofNode: 1), .sample]),
          ]))
    sketch.append(.relu, named: "a")
    #expect(throws: NetworkError.self) { try sketch.network() }
  }

  @Test
  func `counts are scaled to the nearest, and to one at least`() {
    #expect(NetworkSketch.scaled(64, by: 0.5) == 32)
    #expect(NetworkSketch.scaled(16, by: 0.1875) == 3)
    #expect(NetworkSketch.scaled(16, by: 0.001) == 1)
  }
}
