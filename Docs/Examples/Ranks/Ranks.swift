// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics
import LCWPaths

/// Units meet by rank: the unit of A with the k-th largest neuron meets that of B, in each group of hidden
/// units; then a line, then the units find B's order again.
///
/// What decides is the norm of all that belongs to a unit, or of its incoming weights and bias alone. It is the
/// cheapest matching there is, and a poor one: units of equal size mostly do different things. `rebasin` and `ot` do
/// better. It shows what a method that matches units is made of.
public struct Ranks: ConnectionMethod {
  /// `ranks`
  public static let name = "ranks"
  /// What it is.
  public static let summary = "units meet by the rank of their size, then a line"
  /// A sort for each group of units, and a path of many pieces.
  public static let traits = MethodTraits(
    compute: .low, complexity: .high, isExplicit: false, loss: .high, isLearnable: false,
    needsData: false)

  private static let incoming = PluginOption(
    "incoming", default: false, help: "whether only incoming weights and biases count")
  /// What a unit's size is taken of.
  public static let options: [any PluginOptionDescription] = [incoming]

  private let onlyIncoming: Bool

  /// The method.
  public init(options: OptionValues) throws { onlyIncoming = options[Self.incoming] }

  /// The segment to the reordered B, and the way back to B, which keeps the function.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    for (weights, network) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: network, fault) }
    }
    var target = ReorderedNetwork(b)
    for population in HiddenPopulation.all(of: a.network) {
      try population.requireFreeSlots(for: Self.name)
      // Unit ranks[k] of each network is the one of rank k.
      let (first, second) = (ranking(population, a), ranking(population, target.weights))
      var order = first
      for (unit, counterpart) in zip(first, second) { order[unit] = counterpart }
      target.reorder(population, by: order)
    }
    let line = PathStage(
      label: "ranked",
      motions: zip(a.tensors, target.weights.tensors).map { .combination([$0, $1], .line) })
    return try StagedPath(
      joining: [try ExplicitPath(network: a.network, stages: [line])] + target.pathsBack,
      remarks: [
        PathRemark("distance of the networks after ranking", a.distance(to: target.weights))
      ])
  }

  /// A population's units, the largest first; of equal ones the first.
  private func ranking(_ population: HiddenPopulation, _ weights: Weights) -> [Int] {
    let neurons = population.neurons(of: weights)
    let columns = onlyIncoming ? population.incomingColumns : population.dimension
    let sizes = (0..<population.count).map { unit in
      neurons.row(unit).prefix(columns).reduce(0) { $0 + Double($1) * Double($1) }
    }
    return sizes.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) }
  }
}

@section("lcw_plugins") @used
let ranksPlugin: PluginRecord = { $0.add(Ranks.self) }
