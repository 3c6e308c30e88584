// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFlows
import LCWNumerics
import LCWPaths

extension Flow {
  /// A transformation for each hidden layer, or for the one that an option names.
  public func fit(
    to networks: [Weights], heldOut: [Weights], in context: ConnectionContext
  ) throws -> Checkpoint {
    guard file.isEmpty else { throw FlowError.modelInFit(method: Self.name, instead: nil) }
    guard let network = networks.first?.network else {
      throw FlowError.tooFewNetworks(needed: 1, found: 0)
    }
    let hidden = network.weightedLayers.count - 1
    guard hidden > 0 else {
      throw ConnectionError.tooFewLayers(method: Self.name, needed: 2, found: hidden + 1)
    }
    guard layer <= hidden else {
      throw FlowError.design(option: "layer", expected: "from 0 to \(hidden)", found: "\(layer)")
    }
    // With more layers the model is used layer by layer, which a residual network has no way for.
    if hidden > 1 { _ = try MovingLayer.all(of: network, for: Self.name) }
    let populations = try (layer == 0 ? Array(0..<hidden) : [layer - 1]).map {
      try HiddenPopulation(of: network, hidden: $0)
    }
    let fit = NeuronFit(
      populations: populations, networks: networks, heldOut: heldOut, batch: batch,
      plan: choice.plan(seed: context.seed), context: context)
    return try fit.model(method: Self.name) { choice.design(for: $0) }.checkpoint
  }
}
