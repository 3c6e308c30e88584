// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics
import LCWPaths

/// Weight matching: the orders of B's hidden units under which its weights are nearest to A's in all
/// layers at once, then the straight segment, then the units find B's order again.
///
/// Ainsworth, Hayase and Srinivasa 2023, *Git Re-Basin*, section 3.2 and algorithm 1. What the units
/// of one layer cost depends on the orders of the layers beside it, so the layers are solved in turn,
/// in an order drawn from the seed, until none of them changes. Each is a linear sum assignment, and
/// each makes the whole distance smaller, so that this ends. With one hidden layer it is `ot`.
public struct GitRebasin: ConnectionMethod {
  /// `git-rebasin`
  public static let name = "git-rebasin"
  /// What it is.
  public static let summary = "units meet by weight matching of all layers at once, then a line"
  /// Some assignments for each layer, and a path of many pieces.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .high, isExplicit: false, loss: .low, isLearnable: false,
    needsData: false)

  private static let sweeps = PluginOption(
    "sweeps", default: 100, help: "the most passes over the layers")
  /// The number of passes.
  public static let options: [any PluginOptionDescription] = [sweeps]

  private let sweeps: Int

  /// The method.
  public init(options: OptionValues) throws {
    sweeps = try options.value(of: Self.sweeps, in: 1...100_000)
  }

  /// The segment to the reordered B, and the way back to B, which keeps the function.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    for (weights, network) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: network, fault) }
    }
    let layers = a.network.weightedLayers
    guard layers.count >= 2 else {
      throw ConnectionError.tooFewLayers(method: Self.name, needed: 2, found: layers.count)
    }
    let populations = HiddenPopulation.all(of: a.network)
    for population in populations { try population.requireFreeSlots(for: Self.name) }
    let (orders, passes) = try matching(populations, from: a, to: b, context)
    var target = ReorderedNetwork(b)
    for (population, order) in zip(populations, orders) { target.reorder(population, by: order) }
    let line = PathStage(
      label: "matched",
      motions: zip(a.tensors, target.weights.tensors).map { .combination([$0, $1], .line) })
    return try StagedPath(
      joining: [try ExplicitPath(network: a.network, stages: [line])] + target.pathsBack,
      remarks: [
        PathRemark("passes over the layers", Double(passes)),
        PathRemark("distance of the networks before matching", a.distance(to: b)),
        PathRemark("distance after it", a.distance(to: target.weights)),
      ])
  }

  /// The orders of all layers, and the passes it took.
  private func matching(
    _ populations: [HiddenPopulation], from a: Weights, to b: Weights, _ context: ConnectionContext
  ) throws -> (orders: [[Int]], passes: Int) {
    var orders = populations.map { Array(0..<$0.count) }
    var current = b
    var random = RandomStream(seed: context.seed)
    for pass in 1...sweeps {
      var isChanged = false
      for layer in random.permutation(of: populations.count) {
        try context.progress(
          ConnectionProgress(
            "pass \(pass), \(a.distance(to: current)) apart", share: Double(pass) / Double(sweeps)))
        let population = populations[layer]
        // A neuron has its incoming and its outgoing weights, in the orders their other ends have
        // now: its distances hold all of the objective that this layer's order can change.
        let costs = population.neurons(of: a).squaredDistances(
          toRowsOf: population.neurons(of: current), workers: context.workers)
        guard costs.isFinite, let order = try LinearSumAssignment.solve(costs).columns else {
          throw ConnectionError.range(
            index: population.layer, description: population.name,
            problem: "has weights so large that the distances of its units overflow")
        }
        let next = population.reordered(current, by: order)
        // Rounding may give orders that cost the same in turn, for ever.
        guard a.distance(to: next) < a.distance(to: current) * (1 - 1e-9) else { continue }
        current = next
        orders[layer] = order.map { orders[layer][$0] }
        isChanged = true
      }
      if !isChanged { return (orders, pass) }
    }
    return (orders, sweeps)
  }
}

@section("lcw_plugins") @used
let gitRebasinPlugin: PluginRecord = { $0.add(GitRebasin.self) }
