// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Makes checkpoints whose metadata and tensors are what an input chooses: sometimes right, mostly
/// nearly right.
struct HostileContent {
  private var choices: Choices
  private let registry: PluginRegistry
  /// Networks of more values get no tensors, so that an input takes little time.
  private static let mostValues = 50_000

  init(_ bytes: [UInt8], _ registry: PluginRegistry) {
    choices = Choices(bytes)
    self.registry = registry
  }

  /// The checkpoint of the input.
  mutating func checkpoint() -> Checkpoint {
    let kind = choices.one(
      of: [.checkpoint, .path, .path, .ensemble, .connectionModel] as [CheckpointKind])
    var metadata = description()
    let network = network(of: metadata)
    var tensors: [NamedTensor]
    switch kind {
    case .path: tensors = path(network, &metadata)
    case .ensemble: tensors = ensemble(network, &metadata)
    case .connectionModel: tensors = model(network, &metadata)
    default: tensors = checkpoint(network, &metadata)
    }
    if choices.once(in: 8) { spoil(&metadata) }
    var names: Set<String> = []
    tensors = tensors.filter { names.insert($0.name).inserted }
    return Checkpoint(kind: kind, metadata: metadata, tensors: tensors)
  }

  // MARK: Metadata

  private mutating func description() -> [String: JSONValue] {
    var metadata: [String: JSONValue] = [
      "architecture": .string(architecture()), "classes": .integer(10),
      "input": .array([.integer(1), .integer(8), .integer(8)]), "dataset": "digits",
    ]
    if choices.once(in: 6) { metadata["classes"] = .integer(choices.size()) }
    if choices.once(in: 5) {
      metadata["input"] = .array((0..<choices.below(5)).map { _ in .integer(choices.size()) })
    }
    if choices.once(in: 8) {
      metadata["dataset"] = .string(
        choices.one(of: ["mnist", "digits:x=1", "digits:", "none", "digits:file=/etc/passwd"]))
    }
    return metadata
  }

  private mutating func architecture() -> String {
    switch choices.below(6) {
    case 0, 1:
      let hidden = (0...choices.below(3)).map { _ in
        choices.once(in: 8) ? choices.number() : "\(1 + choices.below(12))"
      }
      return "mlp:hidden=\(hidden.joined(separator: "x"))"
        + (choices.once(in: 3) ? ",bias=false" : "")
    case 2: return "sequential:layers=\(graph())"
    case 3, 4:
      let layers = (0..<choices.below(7)).map { _ in layer() } + ["flatten", "dense classes"]
      return "sequential:layers=\(layers.joined(separator: "; "))"
    default:
      return choices.one(
        of: [
          "conv2fc1", "vgg16:width=0.001", "vgg16:width=\(choices.number())",
          "sequential:file=/etc/passwd", "sequential:layers=\(choices.text())", choices.text(),
          "mlp:hidden=" + String(repeating: "1x", count: choices.below(20_000)) + "1",
        ])
    }
  }

  /// A graph: mostly one that is right, of layers that keep their shape, with skips and several readers; now
  /// and then any names, any references, or very many nodes.
  private mutating func graph() -> String {
    var lines = ["stem = conv 3 3x3 pad 1"]
    var names = ["input", "stem"]
    let count = choices.once(in: 16) ? choices.below(10_000) : choices.below(8)
    // So many that each can't be chosen: they follow one pattern.
    guard count < 16 else {
      let pattern = choices.one(of: [
        "relu", "add from stem stem", "batchnorm", "dropout 0.5", "concat from stem stem",
        "conv 3 3x3 pad 1 from stem", "relu from input", layer(),
      ])
      return (lines + (0..<count).map { _ in pattern } + ["flatten", "dense classes"])
        .joined(separator: "; ")
    }
    for index in 0..<count {
      let name =
        choices.once(in: 3) ? choices.one(of: ["b.\(index)", "c/\(index)", choices.text()]) : nil
      let a = choices.once(in: 12) ? choices.text() : choices.one(of: names)
      let b = choices.one(of: names)
      let line = choices.one(of: [
        "conv 3 3x3 pad 1", "batchnorm", "relu", "relu from \(a)", "add from \(a) \(b)",
        "add from \(a) stem", "concat from \(a) \(b)", "conv 3 1x1 from \(a)",
        "conv 6 3x3 pad 1 groups 3", layer(), layer() + " from \(a)",
        "add"
          + (choices.once(in: 4)
            ? " from" + String(repeating: " \(a)", count: choices.below(70_000))
            : " from stem stem"),
      ])
      let own = name ?? "n\(index)"
      names.append(own)
      lines.append("\(own) = \(line)")
    }
    // Whatever is left is read at the end.
    let last = choices.once(in: 4) ? "" : "add from \(names.dropFirst().joined(separator: " "))"
    return (lines + [last, "flatten", "dense classes"]).joined(separator: "; ")
  }

  private mutating func layer() -> String {
    let number = { (choices: inout Choices) in
      choices.once(in: 5) ? choices.number() : "\(1 + choices.below(4))"
    }
    func options(_ choices: inout Choices) -> String {
      (choices.once(in: 3) ? " stride \(number(&choices))" : "")
        + (choices.once(in: 3) ? " pad \(number(&choices))" : "")
    }
    switch choices.below(10) {
    case 0, 1: return "conv \(number(&choices)) \(number(&choices))\(options(&choices))"
    case 2: return "maxpool \(number(&choices))\(options(&choices))"
    case 3: return "avgpool \(number(&choices))\(options(&choices))"
    case 4: return "dense \(number(&choices))"
    case 5: return "batchnorm"
    case 6: return choices.one(of: ["relu", "tanh", "flatten"])
    case 7: return "dropout 0.\(choices.below(10))"
    case 8:
      return choices.one(of: [
        "global-avgpool", "softmax", "gelu", "layernorm", "groupnorm \(number(&choices))", "scale",
        "reshape \(number(&choices))x\(number(&choices))", "pad \(number(&choices))", "identity",
        "conv \(number(&choices)) \(number(&choices)) groups \(number(&choices)) dilation \(number(&choices))",
      ])
    default: return choices.one(of: ["relu", choices.text()])
    }
  }

  private mutating func method() -> String {
    let modifier = choices.one(of: ["", "", "+wa", "+bfly", "+wa:samples=\(choices.number())"])
    return choices.one(
      of: [
        "linear", "arc", "ot", "ot:path=arc", "ot:cost=weights",
        "garipov:epochs=\(choices.number())", "garipov:epochs=2,points=\(choices.number())",
        "garipov:epochs=1,batch=\(choices.number()),rate=\(choices.number())",
        "flow:model=/etc/passwd", "bijection:model=nu.lcw", "flow", choices.text(),
      ]) + modifier
  }

  private mutating func spoil(_ metadata: inout [String: JSONValue]) {
    let keys = metadata.keys.sorted()
    let key = keys[choices.below(keys.count)]
    switch choices.below(4) {
    case 0: metadata[key] = nil
    case 1: metadata[key] = .integer(choices.size())
    case 2: metadata[key] = .string(choices.text())
    default: metadata[key] = .array([.number(1e300), .bool(true), .string(choices.number())])
    }
  }

  // MARK: Tensors

  /// The network that the metadata describe, if it is one that can be filled.
  private func network(of metadata: [String: JSONValue]) -> Network? {
    guard let text = metadata["architecture"]?.string,
      let reference = try? PluginReference(text), reference.options["file"] == nil,
      let classes = metadata["classes"]?.integer, classes > 0,
      let sizes = metadata["input"]?.array?.compactMap(\.integer), !sizes.isEmpty,
      let shape = try? Shape(checking: sizes),
      let network = try? registry.architecture(reference)
        .network(inputShape: shape, classes: classes),
      network.parameterCount <= Self.mostValues, network.parameters.count <= 64
    else { return nil }
    return network
  }

  private mutating func tensor(_ shape: Shape) -> StoredTensor {
    var shape = shape
    if choices.once(in: 24), shape.count > 0 {
      shape = Shape(shape.dimensions.map { choices.once(in: 2) ? 1 : $0 })
    }
    let value: Float = choices.one(
      of: [0.1, 0.1, 0.1, 0, -1, 1e-40, 3e38, .nan, .infinity] as [Float])
    var random = RandomStream(seed: UInt64(choices.byte()))
    let isNoise = !choices.once(in: 4)
    let elements = (0..<shape.count).map { _ in isNoise ? (random.uniform() - 0.5) : value }
    return StoredTensor(Tensor(elements).reshaped(shape))
  }

  private mutating func weights(_ network: Network?, at place: String) -> [NamedTensor] {
    guard let network else { return [NamedTensor("\(place)x", tensor([1, 1]))] }
    return network.parameters.compactMap { parameter in
      choices.once(in: 64) ? nil : NamedTensor("\(place)\(parameter.name)", tensor(parameter.shape))
    }
  }

  private mutating func checkpoint(
    _ network: Network?, _ metadata: inout [String: JSONValue]
  ) -> [NamedTensor] {
    var tensors = weights(network, at: "")
    guard choices.once(in: 3) else { return tensors }
    // The state of a training.
    let completed = choices.once(in: 3) ? choices.size() : 1 + choices.below(3)
    metadata["training"] = .object([
      "batch": .integer(16), "completed": .integer(completed), "epochs": .integer(4),
      "optimiser": "sgd:decay=0.0,momentum=0.0", "rate": .number(0.1), "schedule": "constant",
      "seed": "0", "steps": .integer(choices.size(0...20)),
    ])
    let figures = (0..<min(completed.magnitude, 8)).map { _ in JSONValue.number(0.5) }
    metadata["history"] = .object(["accuracy": .array(figures), "loss": .array(figures)])
    if let network { metadata["network"] = .string("\(network)") }
    tensors += weights(network, at: "optimiser/velocity/")
    return tensors
  }

  private mutating func path(
    _ network: Network?, _ metadata: inout [String: JSONValue]
  ) -> [NamedTensor] {
    metadata["method"] = .string(method())
    let stages = choices.once(in: 8) ? choices.below(300) : 1 + choices.below(3)
    metadata["stages"] = .array((0..<stages).map { .string("s\($0)") })
    guard choices.once(in: 2) else {
      metadata["seed"] = .string(choices.one(of: ["0", "1", choices.number()]))
      if choices.once(in: 4) {
        metadata["files"] = .object([
          "/etc/passwd": .string(choices.text()),
          "nu.lcw": .string(String(repeating: "0", count: 64)),
        ])
      }
      return weights(network, at: "start/") + weights(network, at: "end/")
    }
    var motions: [String: JSONValue] = [:]
    var tensors: [NamedTensor] = []
    for stage in 0..<min(stages, 3) {
      for parameter in network?.parameters ?? [] {
        let curve = choices.one(
          of: [
            "line", "line", "arc", "fixed", "chain 3", "bezier 4", "chain \(choices.number())",
            choices.text(),
          ])
        let prefix = "stage\(stage + 1)/\(parameter.name)"
        motions[prefix] = .string(curve)
        let count = curve == "fixed" ? 1 : min(8, Curve(curve)?.count ?? 1)
        for index in 0..<count {
          let broadcast = Shape(
            parameter.shape.dimensions.map { choices.once(in: 6) ? 1 : $0 })
          tensors.append(
            NamedTensor(
              "\(prefix)/\(index)", tensor(curve == "fixed" ? parameter.shape : broadcast)))
        }
      }
    }
    metadata["motions"] = .object(motions)
    return tensors
  }

  private mutating func ensemble(
    _ network: Network?, _ metadata: inout [String: JSONValue]
  ) -> [NamedTensor] {
    let members = choices.once(in: 6) ? choices.size() : 1 + choices.below(4)
    metadata["members"] = .integer(members)
    metadata["head"] = .integer(choices.size(1...3))
    return weights(network, at: "backbone/")
      + (1...4).flatMap { weights(network, at: "member\($0)/") }
  }

  private mutating func model(
    _ network: Network?, _ metadata: inout [String: JSONValue]
  ) -> [NamedTensor] {
    let (incoming, dimension, hidden) = (
      64, choices.once(in: 5) ? choices.size() : 69, choices.size(1...3)
    )
    let axes = choices.once(in: 2) ? choices.size(1...4) : 0
    let layers = choices.size(0...3)
    metadata["fitted-by"] = "flow"
    metadata["fitted-for"] = "1x8x8: flatten; dense 3; relu; dense 4"
    metadata["designs"] = .object([
      "dense1": .object([
        "kind": .string(choices.one(of: ["realnvp", "iaf", choices.text()])),
        "dimension": .integer(dimension), "layers": .integer(layers),
        "hidden": .integer(hidden), "depth": .integer(choices.size(1...1)),
        "normalise": .string(choices.one(of: ["fixed", "actnorm"])),
        "bound": choices.once(in: 4) ? .number(1e300) : .number(2), "axes": .integer(axes),
        "incoming": .integer(choices.once(in: 6) ? choices.size() : incoming),
      ])
    ])
    var tensors: [NamedTensor] = []
    let moved = axes == 0 ? 69 : min(max(axes, 0), 64) + 5
    for (name, shape) in [
      ("mean", [69]), ("deviation", [69]), ("reflections", [min(max(axes, 1), 8), 64]),
    ] as [(String, Shape)] { tensors.append(NamedTensor("dense1/\(name)", tensor(shape))) }
    let half = (moved + 1) / 2
    let units = min(max(hidden, 1), 8)
    for layer in 1...max(1, min(layers, 6)) {
      let (inputs, outputs) = layer % 2 == 1 ? (half, moved - half) : (moved - half, half)
      for (name, shape) in [
        ("hidden1.weight", [units, inputs]), ("hidden1.bias", [units]),
        ("scale.weight", [outputs, units]), ("scale.bias", [outputs]),
        ("shift.weight", [outputs, units]), ("shift.bias", [outputs]), ("log-scale", [moved]),
        ("offset", [moved]),
      ] as [(String, [Int])] {
        tensors.append(NamedTensor("dense1/layer\(layer)/\(name)", tensor(Shape(shape))))
      }
    }
    return tensors
  }
}
