// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics
import LCWPaths

/// Optimal transport: each hidden unit of A goes to its counterpart in B.
///
/// Anokhin and Yarotsky 2020, section 3. Stage one: the permutation of B's units that minimises the
/// sum of squared distances to A's, a linear sum assignment, and a line or an arc to B so
/// permuted. Where several permutations cost the same, the most units keep their place: equal units,
/// such as dead ones, do not change places. Where several layers write or read the units, as in a residual stream, the
/// distance is over all of them. Stage two: from there to B itself, by moves that keep the function; see
/// ``UnitReordering``. Deeper networks are matched layer by layer, each after the layers before it.
public struct OptimalTransport: LayerwiseMethod {
  /// `ot`
  public static let name = "ot"
  /// What it is.
  public static let summary = "matches units by optimal transport, then permutes them into place"
  /// An assignment for each layer, and a path of many pieces.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .high, isExplicit: false, loss: .low, isLearnable: false,
    needsData: false)

  /// Which numbers of a unit its distance to another is taken over.
  public enum Cost: String, OptionChoice {
    /// Incoming weights, bias and outgoing block.
    case neuron
    /// Incoming weights and bias.
    case incoming
    /// Incoming weights alone.
    case weights
  }

  private static let path = PluginOption(
    "path", default: UnitCurve.linear, help: "the curve between matched units")
  private static let cost = PluginOption(
    "cost", default: Cost.neuron, help: "which weights of a unit count in distances")
  /// The curve and the cost.
  public static let options: [any PluginOptionDescription] = [path, cost]

  private let curve: UnitCurve
  private let cost: Cost

  /// The method.
  public init(options: OptionValues) throws {
    curve = options[Self.path]
    cost = options[Self.cost]
  }

  /// Both stages.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let layers = a.network.weightedLayers
    guard layers.count >= 2 else {
      throw ConnectionError.tooFewLayers(method: Self.name, needed: 2, found: layers.count)
    }
    var target = ReorderedNetwork(b)
    for population in HiddenPopulation.all(of: a.network) {
      try population.requireFreeSlots(for: Self.name)
      target.reorder(
        population, by: try matching(population, from: a, to: target.weights, context))
    }
    let transport = try ExplicitPath(
      network: a.network,
      stages: [try curve.stage(from: a, to: target.weights, label: "transport")])
    return try StagedPath(
      joining: [transport] + target.pathsBack,
      remarks: HiddenPopulation.held(in: a.network).map { name, reason, count in
        PathRemark("units of \(name) that keep their order: \(reason)", Double(count))
      })
  }

  /// The memory of a layer's distances from every unit to every other, and of what solves for the
  /// assignment.
  public func cost(joining network: Network) -> ConnectionCost {
    let units = network.weightedLayers.dropLast().map { Double(network.shapes[$0 + 1][0]) }
    return ConnectionCost(bytes: units.reduce(0) { max($0, 8 * $1 * $1) })
  }

  /// The counterparts.
  public func order(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [Int]? {
    try matching(try HiddenPopulation(of: a.network, layer: layer), from: a, to: b, context)
  }

  /// The counterparts within a group, with all of its writers and readers.
  public func order(
    of group: UnitGroup, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [Int]? {
    try matching(try HiddenPopulation(of: a.network, group: group), from: a, to: b, context)
  }

  /// Each unit's line or arc.
  public func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion {
    try curve.motion(ofUnitsIn: layer, from: a, to: b)
  }

  private func matching(
    _ population: HiddenPopulation, from a: Weights, to b: Weights, _ context: ConnectionContext
  ) throws -> [Int] {
    let (first, second) = (coordinates(of: a, population), coordinates(of: b, population))
    for (weights, name) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: name, fault) }
    }
    let costs = first.squaredDistances(toRowsOf: second, workers: context.workers)
    guard costs.isFinite, let order = try LinearSumAssignment.solve(costs).columns else {
      throw ConnectionError.range(
        index: population.layer, description: population.name,
        problem: "has weights so large that the distances of its units overflow")
    }
    return order
  }

  private func coordinates(of weights: Weights, _ population: HiddenPopulation) -> Tensor {
    switch cost {
    case .neuron: population.learnedNeurons(of: weights)
    case .incoming: population.learnedNeurons(of: weights, incomingOnly: true)
    case .weights: population.incomingWeights(of: weights)
    }
  }
}

@section("lcw_plugins") @used
let optimalTransportPlugin: PluginRecord = { $0.add(OptimalTransport.self) }
