// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import Testing

/// VGG16 as PyTorch wrote it, under torchvision's names, and what PyTorch makes of images; the files
/// are written by Tests/Reference/vgg_fixtures.py.
struct TorchvisionTests {
  private struct Expected: Decodable {
    var width: Double
    var loss: Double
    var logits: [Float]
  }

  private func fixture(_ name: String) throws -> URL {
    try #require(
      Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
  }

  /// The bytes of the images that the script makes, scaled as CIFAR's are.
  private func samples() throws -> SampleSet {
    let bytes = (0..<3).flatMap { (sample: Int) in
      (0..<3072).map { (place: Int) -> UInt8 in
        let value = place * place * (sample + 1) + place / 32 * 37
        return UInt8(value % 251)
      }
    }
    let scalings = zip([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).map {
      SampleSet.ChannelScaling(mean: $0, deviation: $1)
    }
    return try SampleSet(
      name: "images", sampleShape: [3, 32, 32], classes: 10, labels: [0, 1, 2],
      values: .bytes(bytes, scalings))
  }

  @Test(arguments: [("vgg16", ""), ("vgg16_bn", ",batchnorm=true")])
  func `a checkpoint of torchvision's names has PyTorch's logits`(
    name: String, option: String
  ) throws {
    let expected = try #require(
      JSONDecoder().decode(
        [String: Expected].self, from: Data(contentsOf: fixture("vgg.json")))[name])
    let format = try PluginRegistry.linked().format(PluginReference("pytorch"))
    let source = try format.open(fixture("\(name).pt"))
    #expect(source.entries.first?.name == "features.0.weight")
    let network = try network("vgg16:width=\(expected.width)\(option)")
    let binding = try CheckpointBinding(of: source.entries, to: network)
    #expect(binding.rule == .order)
    #expect(binding.names.suffix(2) == ["classifier.6.weight", "classifier.6.bias"])
    let samples = try samples()
    // Another order of the file, as other formats have it, binds to the same.
    let sorted = source.entries.sorted { $0.name < $1.name }
    #expect(try CheckpointBinding(of: sorted, to: network).names == binding.names)
    let weights = try binding.weights(of: network, from: source)
    for own in [weights, try weights.foldingBatchNorm()] {
      let runner = try Runner(own.network)
      let logits = runner.output(of: samples.block(0..<3), weights: own)
      #expect(logits.count == expected.logits.count)
      for (x, y) in zip(logits.elements, expected.logits) { #expect(abs(x - y) < 2e-5) }
      let loss = try runner.evaluate(own, on: samples).crossEntropy
      #expect(abs(loss - expected.loss) < 1e-5)
    }
  }
}
