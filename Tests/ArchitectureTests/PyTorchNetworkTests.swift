// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import Testing

struct PyTorchNetworkTests {
  @Test
  func `every network of the script is tested`() {
    #expect(PyTorchNetwork.all.count == 19)
  }

  @Test(arguments: PyTorchNetwork.all)
  func `a file binds by name, is used up, and has PyTorch's logits`(_ given: PyTorchNetwork) throws
  {
    let (network, source) = (try given.network(), try given.source())
    #expect(
      network.parameters.reduce(0) { $0 + ($1.isTrained ? $1.shape.count : 0) }
        == given.trainedValues)
    let binding = try given.binding(of: source.entries, to: network)
    #expect(binding.rule == .name)
    #expect(binding.program == (given.file == "resnet18_stem.safetensors" ? "torchvision" : nil))
    let tensors = source.entries.filter { $0.shape.rank > 0 }
    #expect(Set(binding.names) == Set(tensors.map(\.name)))
    #expect(binding.names.count == tensors.count)
    // Any order of the file binds to the same.
    #expect(
      try given.binding(of: source.entries.reversed(), to: network).names == binding.names)
    let weights = try binding.weights(of: network, from: source)
    let own = try logits(weights, given.samples())
    #expect(difference(own, given.logits) < 1e-4)
  }

  @Test(arguments: PyTorchNetwork.all)
  func `batch normalisations fold where they can be, and others are named`(
    _ given: PyTorchNetwork
  ) throws {
    let weights = try given.weights()
    guard !weights.network.runningAverages.isEmpty else {
      #expect(try weights.foldingBatchNorm() == weights)
      return
    }
    let name = given.reference.name
    if name == "preresnet" || name == "wideresnet" {
      let error = #expect(throws: FoldingError.self) { try weights.foldingBatchNorm() }
      // A shortcut reads past the first normalisation of a block.
      #expect(
        error?.description.contains(".bn1 = batchnorm") == true, "\(error?.description ?? "")")
      return
    }
    let folded = try weights.foldingBatchNorm()
    #expect(folded.network.runningAverages.isEmpty)
    // And back: norms that add the folded bias, so that folding them gives the same to rounding.
    let back = try folded.unfolded(into: weights.network)
    #expect(back.network == weights.network)
    #expect(try difference(logits(back, given.samples()), given.logits) < 1e-4)
    for (index, parameter) in back.network.parameters.enumerated() where parameter.role == .mean {
      #expect(back[index].elements.allSatisfy { $0 == 0 })
    }
    #expect(try difference(logits(folded, given.samples()), given.logits) < 1e-4)
    let family = try PluginRegistry.linked().architecture(given.reference)
    let reference = try #require(family.folded(given.reference, to: folded.network))
    #expect(try given.network(reference) == folded.network)
  }

  @Test(arguments: PyTorchNetwork.all)
  func `an epoch of training moves all trained parameters`(_ given: PyTorchNetwork) throws {
    let network = try given.network()
    var trainer = try Trainer(
      network, plan: TrainingPlan(epochs: 1, batch: 2, rate: 0.01, schedule: .constant))
    let before = trainer.weights
    try trainer.runEpoch(on: given.samples(), workers: Workers(2))
    #expect(trainer.weights.isFinite)
    for (index, parameter) in network.parameters.enumerated() where parameter.role == .mean {
      #expect(trainer.weights[index] != before[index], "\(parameter.name)")
    }
    let moved = network.parameters.indices.count { trainer.weights[$0] != before[$0] }
    #expect(2 * moved > network.parameters.count)
  }

  @Test(arguments: PyTorchNetwork.all)
  func `the loss changes along its gradient as the gradient says`(_ given: PyTorchNetwork) throws {
    let (weights, samples) = (try given.weights(), try given.samples())
    let network = weights.network
    let runner = try Runner(network)
    let block = samples.block(0..<2)
    func loss(_ weights: Weights) -> (mean: Double, gradients: [Tensor]) {
      var gradients = network.parameters.map { Tensor(zeros: $0.shape) }
      let sums = runner.accumulateGradients(
        of: block, labels: [0, 1], weights: weights, into: &gradients,
        random: RandomStream(seed: 5))
      return (sums.crossEntropy / 2, gradients)
    }
    let gradients = loss(weights).gradients
    let trained = network.parameters.indices.filter { network.parameters[$0].isTrained }
    let square = trained.reduce(0) { sum, index in
      sum + gradients[index].elements.reduce(0) { $0 + Double($1) * Double($1) }
    }
    // A step along which the loss should change by so much, and back; it bends on the way, in PyTorch by as
    // much.
    let change = 0.01
    func moved(_ sign: Double) -> Weights {
      var result = weights
      for index in trained {
        result[index].assign(Float(sign * change / square), times: gradients[index], plus: 1)
      }
      return result
    }
    let measured = (loss(moved(1)).mean - loss(moved(-1)).mean) / 2
    #expect(abs(measured - change) < 0.08 * change, "\(measured)")
  }

  @Test
  func `names come back as they came`() throws {
    let given = try PyTorchNetwork.named("resnet20_padding")
    let (network, source) = (try given.network(), try given.source())
    let binding = try CheckpointBinding(of: source.entries, to: network)
    let bound = try CheckpointView(of: source, binding: binding, to: network, metadata: [:])
    #expect(bound.entries.map(\.name) == network.parameters.map(\.name))
    #expect(bound.entries.contains { $0.name == "layer1.0.bn1.scale" })
    // lcw's own names bind by name too.
    #expect(try CheckpointBinding(of: bound.entries, to: network).rule == .name)
    let renamed = try CheckpointView(
      of: bound, selecting: bound.entries.map(\.name),
      renaming: zip(bound.entries, binding.names).map { (old: $0.name, new: $1) })
    #expect(
      Set(renamed.entries.map(\.name))
        == Set(source.entries.filter { $0.shape.rank > 0 }.map(\.name)))
    #expect(renamed.entries.contains { $0.name == "state_dict.module.layer1.0.bn1.weight" })
  }

  @Test(arguments: [
    ("resnet20_projection", "resnet:width=0.125", "‘layer2.0.shortcut.0.weight’ [4, 2, 1, 1]"),
    (
      "resnet20_padding", "resnet:width=0.125,shortcut=projection",
      "no tensor has the name of ‘layer2.0.shortcut.0.weight’"
    ),
    ("resnet20_none", "resnet:width=0.125,norm=none", "no place for ‘layer2.0.shortcut.0.bias’"),
    (
      "resnet20_projection", "resnet:width=0.25,shortcut=projection",
      "‘conv1.weight’ is [2, 3, 3, 3]"
    ),
    (
      "resnet20_projection", "resnet:width=0.125,shortcut=projection3x3",
      "‘layer2.0.shortcut.0.weight’ is [4, 2, 1, 1]"
    ),
    ("resnet20_projection", "resnet:depth=14,width=0.125,shortcut=projection", "‘layer1.2."),
    ("resnet18_cifar", "resnet-imagenet:width=0.015625", "no place for"),
  ])
  func `a network that is not the file's is refused with names`(
    file: String, reference: String, part: String
  ) throws {
    let given = try PyTorchNetwork.named(file)
    let network = try given.network(PluginReference(reference))
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointBinding(of: given.source().entries, to: network)
    }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }
}
