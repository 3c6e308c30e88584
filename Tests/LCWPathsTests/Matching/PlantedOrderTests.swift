// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// Residual networks trained on the embedded digits meet themselves in random orders.
struct PlantedOrderTests {
  /// Streams of 8 and 16 channels, three blocks.
  private static let text = """
    conv 8 3x3 pad 1 no-bias; batchnorm; start = relu
    conv 8 3x3 pad 1 no-bias; batchnorm; relu; conv 8 3x3 pad 1 no-bias; one = batchnorm
    add from one start; middle = relu
    conv 16 3x3 pad 1 stride 2 no-bias; batchnorm; relu; conv 16 3x3 pad 1 no-bias; two = batchnorm
    conv 16 1x1 stride 2 no-bias from middle; skip = batchnorm; add from two skip; late = relu
    conv 16 3x3 pad 1 no-bias; batchnorm; relu; conv 16 3x3 pad 1 no-bias; three = batchnorm
    add from three late; relu; global-avgpool; dense 10
    """

  private func samples(_ split: DataSplit) throws -> SampleSet {
    try PluginRegistry.linked().dataset(PluginReference("digits"))
      .samples(split, in: DataLocations(folders: []))
  }

  private func trained(seed: UInt64, epochs: Int) throws -> Weights {
    let train = try samples(.train)
    let network = try NetworkText(Self.text, operations: PluginRegistry.linked().operations)
      .network(inputShape: train.sampleShape, classes: 10)
    var trainer = try Trainer(
      network, plan: TrainingPlan(epochs: epochs, batch: 64, rate: 0.05, seed: seed))
    while !trainer.isFinished { try trainer.runEpoch(on: train, workers: .serial) }
    return trainer.weights
  }

  /// The orders that are found: the network is itself again, and computes what the shuffled one does.
  private func found(networks: Int, orders: Int, epochs: Int) throws -> Int {
    let test = try samples(.test)
    let block = test.block(0..<min(100, test.count))
    var found = 0
    for seed in 1...UInt64(networks) {
      let a = try trained(seed: seed, epochs: epochs)
      for network in [a, try a.foldingBatchNorm()] {
        let runner = try Runner(network.network)
        for order in 1...UInt64(orders) {
          let b = network.shuffled(seed: order)
          let result = try WeightMatching().result(from: network, to: b, seed: order)
          let matched = result.matching.applied(to: b).weights
          found += matched.isIdentical(to: network) ? 1 : 0
          let (reached, expected) = (
            runner.output(of: block, weights: matched), runner.output(of: block, weights: b)
          )
          #expect(
            reached.squaredDistance(to: expected)
              < 1e-9 * expected.squaredDistance(to: Tensor(zeros: expected.shape)))
        }
      }
    }
    return found
  }

  @Test func `planted orders of a residual network are found`() throws {
    #expect(try found(networks: 1, orders: 3, epochs: 2) == 6)
  }

  /// With batch normalisation, and folded: 200 in all, of which 95 in 100 have to be found.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LCW_SLOW_TESTS"] == "1"))
  func `ten orders of each of ten residual networks are found`() throws {
    #expect(try found(networks: 10, orders: 10, epochs: 20) >= 190)
  }
}
