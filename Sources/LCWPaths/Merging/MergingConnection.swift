// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// A path on which every layer between two networks is solved for in closed form from both networks' own
/// features, after the units of one have been matched to those of the other.
public struct MergingConnection: Sendable {
  /// What units are matched by.
  public enum Match: String, OptionChoice {
    /// The weights of both networks are as near as can be; see ``WeightMatching``.
    case weights
    /// The activations of units are correlated as much as can be; see ``ActivationMatching``.
    case activations
    /// Units meet in the order they have.
    case none
  }

  /// The method's name, for messages.
  public var name: String
  /// What layers are solved for.
  public var rule: MergingRule
  /// What units are matched by.
  public var match: Match
  /// How layers are solved for.
  public var options: AdjustmentOptions

  /// A way to connect.
  public init(name: String, rule: MergingRule, match: Match, options: AdjustmentOptions) {
    self.name = name
    self.rule = rule
    self.match = match
    self.options = options
  }

  /// The path from `a` to `b`: one stage to B in the order in which its units meet A's, and the way back.
  /// - Throws: ``ConnectionError`` if the network has one layer only, the samples are lacking, or units that
  ///   change places can't be brought back one by one; and what matching throws.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let samples = try LayerwiseConnection.requireBasics(a, b, name, context)
    let reordered = try matching(from: a, to: b, on: samples, context)?.applied(to: b)
    let target = reordered ?? ReorderedNetwork(b)
    let merged = try MergedLayers(
      from: a, to: target.weights, rule: rule, samples: samples, options: options,
      workers: context.workers, progress: context.progress)
    return try StagedPath(joining: [MergedPath(merged)] + target.pathsBack)
  }

  private func matching(
    from a: Weights, to b: Weights, on samples: SampleSet, _ context: ConnectionContext
  ) throws -> UnitMatching? {
    guard match != .none else { return nil }
    let populations = HiddenPopulation.all(of: a.network)
    for population in populations {
      do throws(ConnectionError) {
        try population.requireFreeSlots(for: name)
      } catch .layer(let index, let description, let problem) {
        throw ConnectionError.layer(
          index: index, description: description,
          problem: "\(problem); with \(name):match=none units keep their order")
      }
    }
    if match == .weights {
      return try WeightMatching().result(
        from: a, to: b, among: populations, seed: context.seed, workers: context.workers,
        progress: context.progress
      ).matching
    }
    return try ActivationMatching(samples: 10_000).result(
      from: a, to: b, among: populations, on: samples, workers: context.workers,
      progress: context.progress
    ).matching
  }
}

extension MergingConnection {
  /// The memory of the products of the widest layer's features.
  public func cost(joining network: Network) -> ConnectionCost {
    let widest =
      network.weightedLayers.dropFirst().compactMap {
        network.parameterIndex(ofLayer: $0, role: .weight).map {
          Double(network.parameters[$0].shape.rowCount)
        }
      }.max() ?? 0
    return ConnectionCost(bytes: (rule == .meanFeatures ? 96 : 48) * widest * widest)
  }
}

/// One stage in which every layer is solved for at every time.
struct MergedPath: ConnectionPath {
  let network: Network
  let stages: [PathStage]
  private let merged: MergedLayers
  private let known = SolutionMemory<Weights>()

  init(_ merged: MergedLayers) {
    self.merged = merged
    let (first, second) = merged.ends
    network = first.network
    let solved = Set(merged.layers.map(\.node))
    stages = [
      PathStage(
        label: "layers merge",
        motions: network.parameters.indices.map { index in
          // Even a bias that both networks share is solved for between them.
          if solved.contains(first.network.parameters[index].layer) { return .opaque }
          return first[index].isIdentical(to: second[index])
            ? .fixed(first[index]) : .combination([first[index], second[index]], .line)
        })
    ]
  }

  func weights(at t: Double) throws -> Weights { try weights(atEach: [t])[0] }

  func weights(atEach times: [Double]) throws -> [Weights] {
    let inner = Set(times.filter { $0 > 0 && $0 < 1 })
    var results = known.solutions(at: inner)
    let missing = inner.filter { results[$0] == nil }.sorted()
    if !missing.isEmpty {
      for (time, weights) in zip(missing, try merged.points(at: missing)) {
        results[time] = weights
        known.keep(weights, at: time, bytes: 4 * network.parameterCount)
      }
    }
    return times.map { results[$0] ?? ($0 >= 1 ? merged.ends.1 : merged.ends.0) }
  }
}
