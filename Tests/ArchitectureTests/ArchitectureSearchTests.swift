// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Testing

/// Looking for the architecture that a file's tensors fit.
struct ArchitectureSearchTests {
  @Test(arguments: PyTorchNetwork.all)
  func `a file of each kind fits the one architecture that it was written as`(
    _ given: PyTorchNetwork
  ) throws {
    let entries = try given.source().entries
    let search = try ArchitectureSearch(
      entries, sampleShape: given.network().inputShape, classes: given.classes,
      registry: PluginRegistry.linked())
    #expect(search.fits.count == 1, "\(search.fits.map(\.reference)) \(search.misses.prefix(2))")
    let fit = try #require(search.fits.first)
    #expect(fit.network == (try given.network()), "\(fit.reference)")
    #expect(fit.binding == (try given.binding(of: entries, to: fit.network)))
    #expect(try given.network(fit.reference) == fit.network)
  }

  @Test
  func `what keeps the nearest ones from fitting is said, the nearest first`() throws {
    let given = try PyTorchNetwork.named("resnet20_projection")
    let other = try ArchitectureSearch(
      given.source().entries, sampleShape: [3, 32, 32], classes: 7,
      registry: PluginRegistry.linked())
    #expect(other.fits.isEmpty)
    let nearest = try #require(other.misses.first)
    #expect(nearest.reference.name == "resnet" && nearest.distance == 4)
    #expect(nearest.obstacle.contains("no tensor is left for ‘linear.weight’ [7, "))
    #expect(nearest.obstacle.contains("no place for ‘linear."))
    #expect(zip(other.misses, other.misses.dropFirst()).allSatisfy { $0.distance <= $1.distance })
  }

  @Test
  func `hidden units and biases of dense layers follow from the shapes`() throws {
    func entry(_ name: String, _ shape: Shape) -> TensorEntry {
      TensorEntry(name: name, elementType: .float32, shape: shape, storedBytes: 0)
    }
    let weights = [entry("fc1.weight", [20, 64]), entry("fc2.weight", [10, 20])]
    let biases = [entry("fc1.bias", [20]), entry("fc2.bias", [10])]
    for (entries, expected) in [
      (weights, "mlp:bias=false,hidden=20"), (weights + biases, "mlp:hidden=20"),
    ] {
      let search = try ArchitectureSearch(
        entries, sampleShape: [64], classes: 10, registry: PluginRegistry.linked())
      #expect(search.fits.map { "\($0.reference)" } == [expected])
    }
    // Names sort the layers in another order, which the shapes tell.
    let shuffled = [
      entry("hidden.weight", [20, 20]), entry("input.weight", [20, 64]),
      entry("output.weight", [10, 20]),
    ]
    let found = try ArchitectureSearch(
      shuffled, sampleShape: [64], classes: 10, registry: PluginRegistry.linked())
    #expect(found.fits.map { "\($0.reference)" } == ["mlp:bias=false,hidden=20x20"])
    let other = try ArchitectureSearch(
      weights, sampleShape: [65], classes: 10, registry: PluginRegistry.linked())
    #expect(other.fits.isEmpty)
  }

  /// A network's tensors under other names, which a list of replacements gives.
  private func renamed(
    _ file: String, _ change: (String) -> String
  ) throws -> (PyTorchNetwork, [TensorEntry]) {
    let given = try PyTorchNetwork.named(file)
    return (
      given,
      try given.source().entries.map {
        TensorEntry(
          name: change($0.name), elementType: $0.elementType, shape: $0.shape,
          storedBytes: $0.storedBytes)
      }
    )
  }

  private func expectBound(
    _ given: PyTorchNetwork, _ entries: [TensorEntry], program: String
  ) throws {
    let network = try given.network()
    let binding = try given.binding(of: entries, to: network)
    #expect(binding.rule == .name && binding.program == program)
    let original = try CheckpointBinding(of: given.source().entries, to: network).names
    let names = Dictionary(
      uniqueKeysWithValues: zip(entries, try given.source().entries).map { ($0.name, $1.name) })
    #expect(binding.names.map { names[$0] } == original)
  }

  @Test
  func `weiaicunzai's and chenyaofo's names are known`() throws {
    let (four, tensors) = try renamed("resnet18_cifar") { name in
      var name = name
      for (old, new) in [
        ("layer1", "conv2_x"), ("layer2", "conv3_x"), ("layer3", "conv4_x"), ("layer4", "conv5_x"),
      ] where name.hasPrefix(old) {
        name = new + name.dropFirst(old.count)
        for (own, other) in [(".conv1.", 0), (".bn1.", 1), (".conv2.", 3), (".bn2.", 4)] {
          if let range = name.firstRange(of: own) {
            name.replaceSubrange(range, with: ".residual_function.\(other).")
          }
        }
        return name
      }
      for (old, new) in [("conv1.", "conv1.0."), ("bn1.", "conv1.1."), ("linear.", "fc.")]
      where name.hasPrefix(old) {
        return new + name.dropFirst(old.count)
      }
      return name
    }
    try expectBound(four, tensors, program: "weiaicunzai/pytorch-cifar100")
    let (three, others) = try renamed("resnet20_projection") { name in
      if let range = name.firstRange(of: ".shortcut.") {
        var name = name
        name.replaceSubrange(range, with: ".downsample.")
        return name
      }
      return name.hasPrefix("linear.") ? "fc." + name.dropFirst(7) : name
    }
    try expectBound(three, others, program: "chenyaofo/pytorch-cifar-models")
  }

  @Test
  func `szagoruyko's and hysts's names of wide networks are known`() throws {
    func parts(_ name: String, _ change: ([String]) -> [String]) -> String {
      change(name.split(separator: ".").map(String.init)).joined(separator: ".")
    }
    let (wide, tensors) = try renamed("wideresnet16.") { name in
      parts(name) { parts in
        guard parts[0].hasPrefix("block"), let stage = Int(parts[0].dropFirst(5)) else {
          return parts[0] == "conv1" ? ["conv0"] : parts[0] == "bn1" ? ["bn", parts[1]] : parts
        }
        let start = ["group\(stage - 1)", "block\(parts[2])"]
        switch parts[3] {
        case "conv1": return start + ["conv0"]
        case "conv2": return start + ["conv1"]
        case "convShortcut": return start + ["convdim"]
        case "bn1": return start + ["bn0", parts[4]]
        default: return start + ["bn1", parts[4]]
        }
      }
    }
    try expectBound(wide, tensors, program: "szagoruyko/wide-residual-networks")
    let (_, others) = try renamed("wideresnet16.") { name in
      parts(name) { parts in
        guard parts[0].hasPrefix("block"), let stage = Int(parts[0].dropFirst(5)),
          let block = Int(parts[2])
        else {
          return [["conv1": "conv", "bn1": "bn"][parts[0]] ?? parts[0], parts[1]]
        }
        let start = ["stage\(stage)", "block\(block + 1)"]
        return start
          + (parts[3] == "convShortcut" ? ["shortcut", "conv"] : [parts[3]]) + [parts[4]]
      }
    }
    try expectBound(wide, others, program: "hysts/pytorch_wrn")
  }

  @Test
  func `timm's names of MobileNetV2 are known`() throws {
    // The blocks of each stage.
    let counts = [1, 2, 3, 4, 3, 3, 1]
    let places = counts.enumerated().flatMap { stage, count in (0..<count).map { (stage, $0) } }
    let (given, tensors) = try renamed("mobilenetv2") { name in
      let parts = name.split(separator: ".").map(String.init)
      guard parts[0] == "features", let number = Int(parts[1]) else {
        return (["classifier"] + parts.dropFirst(2)).joined(separator: ".")
      }
      let leaf = parts[parts.count - 1]
      if number == 0 { return (parts[2] == "0" ? "conv_stem." : "bn1.") + leaf }
      if number == 18 { return (parts[2] == "0" ? "conv_head." : "bn2.") + leaf }
      let (stage, block) = places[number - 1]
      let module = parts[3..<parts.count - 1].joined(separator: ".")
      let modules =
        number == 1
        ? ["0.0": "conv_dw", "0.1": "bn1", "1": "conv_pw", "2": "bn2"]
        : [
          "0.0": "conv_pw", "0.1": "bn1", "1.0": "conv_dw", "1.1": "bn2", "2": "conv_pwl",
          "3": "bn3",
        ]
      return "blocks.\(stage).\(block).\(modules[module] ?? module).\(leaf)"
    }
    try expectBound(given, tensors, program: "timm")
  }
}
