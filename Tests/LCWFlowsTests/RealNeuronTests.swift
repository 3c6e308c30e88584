// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// The folder of data beside the package, where there is one.
private let checkpoints = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("shared/checkpoints")

private let files = [3, 4].map {
  checkpoints.appendingPathComponent("mnist2000_seed\($0).safetensors")
}

/// On the neurons of networks trained on MNIST, D = 795.
struct RealNeuronTests {
  @Test(
    .enabled(
      if: files.allSatisfy { FileManager.default.fileExists(atPath: $0.path) },
      "the checkpoints mnist2000_seed3 and mnist2000_seed4 are not beside the package"),
    arguments: [
      TransformationDesign(kind: .realnvp, dimension: 795, layers: 4, hidden: 400),
      TransformationDesign(kind: .iaf, dimension: 795, layers: 2, hidden: 795),
      TransformationDesign(
        kind: .realnvp, dimension: 795, layers: 8, hidden: 214, axes: 96, incoming: 784),
    ])
  func `the inverse undoes forward`(design: TransformationDesign) throws {
    let format = try PluginRegistry.linked().format(PluginReference("safetensors"))
    let network = try Network(
      inputShape: [784],
      layers: [.dense(outputs: 2000, bias: true), .relu, .dense(outputs: 10, bias: true)])
    let population = try HiddenPopulation(of: network, hidden: 0)
    let neurons = try files.map { file in
      let source = try format.open(file)
      let names = ["fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias"]
      return population.neurons(
        of: try Weights(
          network: network, tensors: try names.map { try source.tensor(named: $0).floats }))
    }
    let start = try Transformation(design, standardisedOn: neurons, seed: 1)
    // A few steps of a fit, so that no layer is the identity any more.
    var fit = try LikelihoodFit(
      start, to: neurons[0], heldOut: nil, batch: 250, plan: FitPlan(epochs: 3, rate: 1e-3),
      workers: Workers(2))
    while !fit.isFinished { try fit.runEpoch(workers: Workers(2)) }
    let nu = fit.training.best
    #expect(fit.training.bestEpoch == 3)
    for rows in neurons {
      let z = try nu.forward(rows).rows
      #expect(z.squaredDistance(to: try start.forward(rows).rows) > 1)
      let back = try nu.inverse(z)
      #expect(back.squaredDistance(to: rows).squareRoot() < 1e-4 * norm(rows))
      // Each neuron by itself, too.
      for row in 0..<rows.shape.rows {
        let (own, other) = (Tensor(Array(rows.row(row))), Tensor(Array(back.row(row))))
        #expect(other.squaredDistance(to: own).squareRoot() < 1e-4 * norm(own))
      }
    }
  }
}
