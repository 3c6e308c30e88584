// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics
import LCWPaths

/// Matching of whole networks: the hidden units of all groups of B are brought into the orders in which they
/// suit A's best, all groups at once; then a line or an arc; then the units find B's order again.
///
/// By weights it is *Git Re-Basin* (Ainsworth, Hayase and Srinivasa 2023; ``WeightMatching``), by activations
/// the matching of Li et al. 2015 and of *REPAIR* (Jordan et al., ICLR 2023; ``ActivationMatching``). Where `ot`
/// goes from layer to layer, the orders found here depend on each other in all layers. The way back to B itself
/// is that of optimal transport's second stage, which keeps the function; see ``UnitReordering``.
///
/// That needs units that work one by one. Under a layer normalisation over them they do not: a unit that nothing reads
/// still has its share in the mean and the standard deviation, so that no unit can move unnoticed. What to do then
/// is the option `coupled`'s to say; nothing is done unless it says so.
public struct Rebasin: LayerwiseMethod {
  /// `rebasin`
  public static let name = "rebasin"
  /// What it is.
  public static let summary =
    "matches units of all layers at once, by weights or activations, then permutes them into place"
  /// Some assignments for each group of units, and a path of many pieces.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .high, isExplicit: false, loss: .low, isLearnable: false,
    needsData: false)

  /// What units are matched by.
  public enum Match: String, OptionChoice {
    /// The weights of both networks are as near as can be.
    case weights
    /// The activations of units are correlated as much as can be.
    case activations
  }

  /// The curve between units that meet.
  public enum Curve: String, OptionChoice {
    /// The straight segment.
    case line
    /// The arc around the mean over both networks' units.
    case arc

    fileprivate var motion: UnitCurve { self == .line ? .linear : .arc }
  }

  /// What is done with units that depend on the others of their value.
  public enum Coupled: String, OptionChoice {
    /// The networks are refused.
    case refuse
    /// They are matched and find their places through a free slot as others do, though that changes the function.
    case move
    /// They keep the order they have.
    case keep
  }

  private static let match = PluginOption(
    "match", default: Match.weights, help: "how hidden units are matched")
  private static let starts = PluginOption(
    "starts", default: 8,
    help: "match=weights: number of starts of the search; the best result is used")
  private static let search = PluginOption(
    "search", default: WeightMatching.Search.descent,
    help:
      "match=weights: whether each start matches the groups one by one, or first all at once")
  private static let samples = PluginOption(
    "samples", default: 10_000, help: "match=activations: maximum number of training samples")
  private static let curve = PluginOption(
    "curve", default: Curve.line, help: "the curve between matched units")
  private static let coupled = PluginOption(
    "coupled", default: Coupled.refuse,
    help:
      "units under a layer normalisation: refuse (error), move (match them, although the function "
      + "changes on the way), or keep (leave their order)")
  /// The match and what belongs to it, the curve, and what to do with coupled units.
  public static let options: [any PluginOptionDescription] = [
    match, starts, search, samples, curve, coupled,
  ]

  private let match: Match
  private let starts: Int
  private let search: WeightMatching.Search
  private let samples: Int
  private let curve: UnitCurve
  private let coupled: Coupled

  /// The method.
  public init(options: OptionValues) throws {
    match = options[Self.match]
    starts = try options.value(of: Self.starts, in: 1...10_000)
    search = options[Self.search]
    samples = try options.value(of: Self.samples, in: 1...1_000_000_000)
    curve = options[Self.curve].motion
    coupled = options[Self.coupled]
  }

  /// Whether activations are looked at.
  public var needsData: Bool { match == .activations }

  /// The curve to B in its new orders, and the way back to B.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let populations = try matchedPopulations(of: a.network)
    let (matching, remarks) = try matching(populations, from: a, to: b, context)
    let target = matching.applied(to: b)
    let transport = try ExplicitPath(
      network: a.network,
      stages: [try curve.stage(from: a, to: target.weights, label: "matched")])
    return try StagedPath(
      joining: [transport] + target.pathsBack,
      remarks: [
        PathRemark("units matched to one with another index", Double(matching.movedUnits)),
        PathRemark("distance of the networks before matching", a.distance(to: b)),
        PathRemark("distance of the networks after matching", a.distance(to: target.weights)),
      ] + remarks + heldRemarks(a.network, populations))
  }

  /// The memory of the products of every unit with every other, of all groups and starts.
  public func cost(joining network: Network) -> ConnectionCost {
    let pairs = HiddenPopulation.all(of: network).map { population in
      Double(population.count) * Double(population.count)
        * Double(population.incoming.count + population.outgoing.count + 4)
    }
    let together = match == .weights ? min(starts, Workers.available.count) : 2
    return ConnectionCost(bytes: 8 * Double(together) * pairs.reduce(0, +))
  }

  /// The counterparts of a layer's units in a matching of the whole networks.
  public func order(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [Int]? {
    let population = try HiddenPopulation(of: a.network, layer: layer)
    let found = try matching(HiddenPopulation.all(of: a.network), from: a, to: b, context).matching
    return found.populations.firstIndex { $0.group == population.group }.map { found.orders[$0] }
  }

  /// The counterparts of all units, in one matching of the whole networks.
  public func orders(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [UnitOrder] {
    let populations = try matchedPopulations(of: a.network)
    let found = try matching(populations, from: a, to: b, context).matching
    return zip(found.populations, found.orders).map { UnitOrder(group: $0.group, order: $1) }
  }

  /// Each unit's line or arc.
  public func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion {
    try curve.motion(ofUnitsIn: layer, from: a, to: b)
  }

  /// The groups to match: those whose units can find their places again.
  private func matchedPopulations(of network: Network) throws -> [HiddenPopulation] {
    let all = HiddenPopulation.all(of: network)
    // A single unit is its own counterpart.
    if all.isEmpty, !UnitGroups(of: network).all.contains(where: \.isFree) {
      throw ConnectionError.tooFewLayers(
        method: Self.name, needed: 2, found: network.weightedLayers.count)
    }
    return try all.filter { population in
      if let node = population.group.couplings.first {
        switch coupled {
        case .keep: return false
        case .move: break
        case .refuse:
          throw ConnectionError.layer(
            index: node, description: network.describe(node: node),
            problem:
              "makes each unit of \(population.name) depend on the others, so their order can't be "
              + "restored without changing the function: choose rebasin:coupled=move, which accepts "
              + "that change on the way, or coupled=keep, which does not permute these units")
        }
      }
      try population.requireFreeSlots(for: Self.name, allowingCoupled: coupled == .move)
      return true
    }
  }

  private func matching(
    _ populations: [HiddenPopulation], from a: Weights, to b: Weights, _ context: ConnectionContext
  ) throws -> (matching: UnitMatching, remarks: [PathRemark]) {
    for (weights, name) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: name, fault) }
    }
    switch match {
    case .weights:
      let result = try WeightMatching(starts: starts, search: search).result(
        from: a, to: b, among: populations, seed: context.seed, workers: context.workers,
        progress: context.progress)
      return (
        result.matching, [PathRemark("passes over the groups of units", Double(result.sweeps))]
      )
    case .activations:
      guard let samples = context.samples else {
        throw ConnectionError.needsSamples(method: "\(Self.name):match=activations")
      }
      let result = try ActivationMatching(samples: self.samples).result(
        from: a, to: b, among: populations, on: samples, workers: context.workers,
        progress: context.progress)
      let remarks = zip(populations, result.correlations).map {
        PathRemark("correlation of matched units of \($0.name)", $1)
      }
      return (result.matching, remarks)
    }
  }

  private func heldRemarks(
    _ network: Network, _ matched: [HiddenPopulation]
  ) -> [PathRemark] {
    let kept = HiddenPopulation.all(of: network).filter { !matched.contains($0) }.map {
      PathRemark(
        "units of \($0.name) that keep their order: they depend on each other", Double($0.count))
    }
    return kept
      + HiddenPopulation.held(in: network).map { name, reason, count in
        PathRemark("units of \(name) that keep their order: \(reason)", Double(count))
      }
  }
}

@section("lcw_plugins") @used
let rebasinPlugin: PluginRecord = { $0.add(Rebasin.self) }
