// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// The path that turns one network into another layer by layer (Anokhin and Yarotsky 2020,
/// section 5): A → Θ₂ → Θ₃ → … → B.
///
/// In Θₖ the layers before the k-th are B's, those behind it A's, and the k-th is adjusted by least
/// squares so that it puts out what it does in A. From Θₖ to Θₖ₊₁ the k-th layer's units move to
/// B's as a method has it, and the next layer follows. Where a method has the units of B meet those
/// of A in another order, the path leads to B so reordered, and the order is undone at its end.
public struct LayerwiseConnection: Sendable {
  /// How the layer behind a moving one follows.
  public enum Following: Sendable {
    /// It is adjusted at every time.
    case adjusted
    /// Its outgoing blocks move with the units they belong to, as the method moves them.
    case withUnits
  }

  /// The modifier's name, for messages.
  public var name: String
  /// How the next layer follows.
  public var following: Following
  /// How layers are adjusted.
  public var options: AdjustmentOptions
  /// What the output layer is adjusted to while the last hidden layer moves. All layers before it are read
  /// by layers of A, and keep what they put out there.
  public var target: AdjustmentTarget
  /// Whether the output layer is fitted to the labels.
  public var refit: OutputFit

  /// A way to connect.
  public init(
    name: String, following: Following, options: AdjustmentOptions = AdjustmentOptions(),
    target: AdjustmentTarget = .first, refit: OutputFit = .none
  ) {
    self.name = name
    self.following = following
    self.options = options
    self.target = target
    self.refit = refit
  }

  /// The path from `a` to `b`.
  /// - Throws: ``ConnectionError`` if the network has one layer only, the samples are lacking or a
  ///   layer can't be adjusted, and what the method throws.
  public func path(
    from a: Weights, to b: Weights, moving method: any LayerwiseMethod,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let name = "\(type(of: method).name)+\(name)"
    let layers = a.network.weightedLayers
    let samples = try Self.requireBasics(a, b, name, context)
    var build = Build(network: a.network, current: a, reordered: ReorderedNetwork(b))
    for (index, moving) in try MovingLayer.all(of: a.network, for: name).enumerated() {
      try context.progress(
        ConnectionProgress(
          "layer \(index + 1) of \(layers.count)", share: Double(index) / Double(layers.count)))
      if let order = try method.order(
        ofUnitsIn: moving.layer, from: build.current, to: build.target, in: context)
      {
        let population = try HiddenPopulation(of: a.network, layer: moving.layer)
        try population.requireFreeSlots(for: name)
        build.reordered.reorder(population, by: order)
      }
      build.endsAtTarget = target == .mix && following == .adjusted && moving.next == layers.last
      let adjustment = try LayerAdjustment(
        of: moving.next, reference: a, comingTo: build.endsAtTarget ? build.target : nil,
        samples: samples, options: options, workers: context.workers, progress: context.progress)
      switch following {
      case .adjusted:
        try build.addAdjusted(moving, method, adjustment, context, isFirst: index == 0)
      case .withUnits:
        try build.addWithUnits(moving, method, adjustment, context, isFirst: index == 0)
      }
    }
    return try build.finished(
      lastLayer: layers[layers.count - 1],
      refitting: refit.output(of: a.network, options.first(of: samples), context))
  }
}

extension LayerwiseConnection {
  /// What every path of adjusted layers needs: two layers, samples, and numbers to compute with.
  static func requireBasics(
    _ a: Weights, _ b: Weights, _ name: String, _ context: ConnectionContext
  ) throws -> SampleSet {
    let layers = a.network.weightedLayers.count
    guard layers >= 2 else {
      throw ConnectionError.tooFewLayers(method: name, needed: 2, found: layers)
    }
    guard let samples = context.samples else {
      throw ConnectionError.needsSamples(method: name)
    }
    for (weights, network) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: network, fault) }
    }
    return samples
  }
}

/// A path as far as it is built.
private struct Build {
  let network: Network
  /// The weights the path has come to.
  var current: Weights
  /// B, its units reordered as far as orders are known.
  var reordered: ReorderedNetwork
  var target: Weights { reordered.weights }
  var parts: [any ConnectionPath] = []
  var remarks: [PathRemark] = []
  /// Whether the last transition ends at the target, so that no stage is left for the output layer.
  var endsAtTarget = false

  private func name(of layer: Int) -> String {
    network.parameters.first { $0.layer == layer }?.layerName ?? "layer \(layer + 1)"
  }

  /// The weights with some parameters taken from the target.
  private func replacing(_ parameters: [Int]) -> Weights {
    var weights = current
    for index in parameters { weights[index] = target[index] }
    return weights
  }

  /// How a layer's companions move: straight, where they differ.
  private func motions(ofCompanionsOf moving: MovingLayer) -> [Int: Motion] {
    Dictionary(
      uniqueKeysWithValues: moving.companions.flatMap(network.parameterIndices)
        .filter { !current[$0].isIdentical(to: target[$0]) }
        .map { ($0, Motion.combination([current[$0], target[$0]], .line)) })
  }

  mutating func addAdjusted(
    _ moving: MovingLayer, _ method: any LayerwiseMethod, _ adjustment: LayerAdjustment,
    _ context: ConnectionContext, isFirst: Bool
  ) throws {
    let layer = moving.layer
    // Units with their outgoing blocks, as they are in B: a method may look at all of a unit's
    // numbers, though only the incoming ones move as it says.
    let whole = try method.motion(
      ofUnitsIn: layer, from: current,
      to: replacing(
        moving.parameters(of: network) + network.parameterIndices(ofLayer: adjustment.layer)),
      in: context)
    let motion = whole.limited(to: moving.parameters(of: network))
      .adding(motions(ofCompanionsOf: moving))
    let transition = try AdjustedTransition(
      label: "\(name(of: layer)) moves", base: current, motion: motion, moving: layer,
      adjustment: adjustment, startsAtReference: isFirst)
    if !isFirst {
      // The layers before differ from A's by now, so that even at the start the adjusted weights
      // are not A's: the way to them is a piece of its own, or the path would jump.
      let label = "\(name(of: adjustment.layer)) is adjusted"
      parts.append(try line(to: transition.start, label))
    }
    parts.append(transition)
    current = transition.end
  }

  mutating func addWithUnits(
    _ moving: MovingLayer, _ method: any LayerwiseMethod, _ adjustment: LayerAdjustment,
    _ context: ConnectionContext, isFirst: Bool
  ) throws {
    let layer = moving.layer
    var end = replacing(moving.parameters(of: network))
    let jump = LayerMotion(
      Dictionary(
        uniqueKeysWithValues: moving.parameters(of: network).map {
          ($0, Motion.combination([current[$0], target[$0]], .line))
        }))
    let result = try adjustment.results(
      base: current, motion: jump, moving: layer, startsAtReference: isFirst, times: [1])[0]
    result.assign(to: &end)
    remarks.append(
      PathRemark("relative residual of \(name(of: adjustment.layer))", result.residual))
    let motion = try method.motion(ofUnitsIn: layer, from: current, to: end, in: context)
    parts.append(
      try MotionPath(
        label: "\(name(of: layer)) moves", from: current, to: end, motion: motion))
    current = end
  }

  private func line(to end: Weights, _ label: String) throws -> ExplicitPath {
    let motions = network.parameters.indices.map { index in
      current[index].isIdentical(to: end[index])
        ? Motion.fixed(current[index]) : .combination([current[index], end[index]], .line)
    }
    return try ExplicitPath(network: network, stages: [PathStage(label: label, motions: motions)])
  }

  mutating func finished(
    lastLayer: Int, refitting output: OutputRefit?
  ) throws -> any ConnectionPath {
    if !endsAtTarget { parts.append(try line(to: target, "\(name(of: lastLayer)) moves")) }
    if let output {
      parts = [RefittedPath(try StagedPath(joining: parts), refitting: output)]
    }
    return try StagedPath(joining: parts + reordered.pathsBack, remarks: remarks)
  }
}

extension LayerMotion {
  /// The motions of some of the parameters alone.
  func limited(to parameters: [Int]) -> LayerMotion {
    let kept = motions.filter { parameters.contains($0.key) }
    guard kept.values.contains(where: \.isOpaque) else { return LayerMotion(kept) }
    return LayerMotion(ofParameters: Array(kept.keys)) { [self] time in
      try tensors(at: time).filter { kept.keys.contains($0.key) }
    }
  }
}
