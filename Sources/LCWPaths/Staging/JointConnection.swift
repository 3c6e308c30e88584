// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// The path on which all layers move at once: the first as a method has it, each layer behind solved for at
/// every time, so that it puts out the mean of what it does in both networks.
///
/// It takes chains and graphs. Where a method has the units of B meet those of A in another order, the path
/// leads to B so reordered in one stage, and the order is undone at its end.
public struct JointConnection: Sendable {
  /// The modifier's name, for messages.
  public var name: String
  /// How layers are adjusted.
  public var options: AdjustmentOptions
  /// Whether the output layer is fitted to the labels.
  public var refit: OutputFit

  /// A way to connect.
  public init(
    name: String, options: AdjustmentOptions = AdjustmentOptions(), refit: OutputFit = .none
  ) {
    self.name = name
    self.options = options
    self.refit = refit
  }

  /// The path from `a` to `b`.
  /// - Throws: ``ConnectionError`` if the network has one layer only, the samples are lacking, or units that
  ///   change places can't be brought back one by one; and what the method throws.
  public func path(
    from a: Weights, to b: Weights, moving method: any LayerwiseMethod,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let name = "\(type(of: method).name)+\(name)"
    let samples = try LayerwiseConnection.requireBasics(a, b, name, context)
    var reordered = ReorderedNetwork(b)
    for entry in try method.orders(from: a, to: b, in: context) {
      let population = try HiddenPopulation(of: a.network, group: entry.group)
      if entry.order != Array(0..<entry.group.count) { try population.requireFreeSlots(for: name) }
      reordered.reorder(population, by: entry.order)
    }
    let adjustment = try JointAdjustment(
      from: a, to: reordered.weights,
      curves: try curves(of: method, from: a, to: reordered.weights, in: context),
      samples: samples, options: options, workers: context.workers, progress: context.progress)
    var path: any ConnectionPath = JointTransition(label: "all layers move", adjustment)
    if let output = try refit.output(of: a.network, options.first(of: samples), context) {
      path = RefittedPath(path, refitting: output)
    }
    return try StagedPath(joining: [path] + reordered.pathsBack)
  }

  /// How the layers move that read the samples alone. Those whose units are not one group that may be
  /// permuted, such as a layer that is the network's output, go straight.
  private func curves(
    of method: any LayerwiseMethod, from a: Weights, to target: Weights,
    in context: ConnectionContext
  ) throws -> [LayerMotion] {
    let solved = Set(SolvedLayer.behindFirst(of: a.network).map(\.node))
    let first = a.network.weightedLayers.filter { !solved.contains($0) }
    return try first.compactMap { layer in
      guard (try? HiddenPopulation(of: a.network, layer: layer)) != nil else { return nil }
      return try method.motion(ofUnitsIn: layer, from: a, to: target, in: context)
        .limited(to: a.network.parameterIndices(ofLayer: layer))
    }
  }
}
