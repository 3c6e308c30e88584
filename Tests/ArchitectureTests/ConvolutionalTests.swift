// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

func network(_ text: String, _ shape: Shape = [3, 32, 32], classes: Int = 10) throws -> Network {
  try PluginRegistry.linked().architecture(PluginReference(text))
    .network(inputShape: shape, classes: classes)
}

struct ConvolutionalTests {
  @Test
  func `Conv2FC1 has the published sizes`() throws {
    let network = try network("conv2fc1")
    #expect(
      network.description == "conv 32 5x5 pad 2; relu; maxpool 3 stride 2; "
        + "conv 64 5x5 pad 2; relu; maxpool 3 stride 2; flatten; dense 10")
    #expect(network.shapes[7] == [3136])
    #expect(network.parameterCount == 32 * 76 + 64 * 801 + 10 * 3137)
  }

  @Test
  func `VGG16 has the published sizes`() throws {
    let network = try network("vgg16", classes: 100)
    #expect(network.weightedLayers.count == 16)
    #expect(network.shapes.contains([512, 1, 1]))
    // The convolutions have 14,714,688 values, as in every VGG16.
    #expect(network.parameterCount == 14_714_688 + 2 * 512 * 513 + 100 * 513)
    #expect(network.layers.count { $0.operation is Dropout } == 2)
  }

  @Test
  func `a width scales filters and units, each at least one`() throws {
    let half = try network("vgg16:width=0.5")
    #expect(half.parameters[0].shape == [32, 3, 3, 3])
    #expect(half.shapes.contains([256, 1, 1]))
    let thin = try network("vgg16:width=0.001")
    #expect(thin.parameters[0].shape == [1, 3, 3, 3])
    #expect(thin.parameters.last?.shape == [10])
    #expect(throws: PluginError.self) { try network("vgg16:width=0") }
    #expect(throws: PluginError.self) { try network("vgg16:dropout=1") }
  }

  @Test(arguments: [
    ("vgg16:batchnorm=true,width=0.02", "vgg16:width=0.02"),
    (
      "sequential:layers=conv 4 3 no-bias; batchnorm; relu; flatten; dense classes",
      "sequential:layers=conv 4 3x3; relu; flatten; dense 10"
    ),
  ])
  func `a folded network is of the same family`(text: String, expected: String) throws {
    let registry = try PluginRegistry.linked()
    let reference = try PluginReference(text)
    let family = try registry.architecture(reference)
    let network = try network(text)
    let folded = try Weights(randomFor: network, seed: 1).foldingBatchNorm().network
    let other = try #require(family.folded(reference, to: folded))
    #expect("\(other)" == expected)
    #expect(try ArchitectureTests.network("\(other)") == folded)
  }

  @Test
  func `images that are too small are refused by the layer`() {
    let error = #expect(throws: NetworkError.self) { try network("vgg16", [1, 28, 28]) }
    #expect(error?.description.contains("maxpool 2") == true)
    #expect(throws: NetworkError.self) { try network("conv2fc1", [784]) }
  }

  @Test(arguments: [
    "conv2fc1", "vgg16:width=0.05", "sequential:layers=conv 4 3; relu; flatten; dense classes",
  ])
  func `they run and learn`(text: String) throws {
    let network = try network(text, classes: 4)
    var random = RandomStream(seed: 1)
    let values = random.normal([16 * 3072]).elements
    let samples = try SampleSet(
      name: "random", sampleShape: [3, 32, 32], classes: 4, labels: (0..<16).map { Int32($0 % 4) },
      values: .floats(values))
    var trainer = try Trainer(
      network, plan: TrainingPlan(epochs: 3, batch: 8, rate: 0.001, schedule: .constant))
    let runner = try Runner(network)
    let before = try runner.evaluate(trainer.weights, on: samples)
    while !trainer.isFinished { try trainer.runEpoch(on: samples, workers: Workers(2)) }
    let after = try runner.evaluate(trainer.weights, on: samples)
    #expect(after.crossEntropy < before.crossEntropy)
  }
}
