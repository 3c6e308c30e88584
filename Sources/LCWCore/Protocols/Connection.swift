// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A way to join networks: a method, perhaps with modifiers, ready to be used.
///
/// ```swift
/// let connection = try registry.connection(MethodExpression("arc+wa"))
/// let path = try connection.path(from: a, to: b, in: ConnectionContext(samples: train))
/// ```
public struct Connection: Sendable {
  /// How it is written.
  public let expression: MethodExpression
  private let method: any ConnectionMethod
  private let modified: (method: any LayerwiseMethod, modifier: any ConnectionModifier)?
  /// What changes the path, in order.
  private let along: [any PathModifier]

  init(
    _ expression: MethodExpression, method: any ConnectionMethod, along: [any PathModifier] = []
  ) {
    self.expression = expression
    self.method = method
    self.along = along
    modified = nil
  }

  init(
    _ expression: MethodExpression, method: any LayerwiseMethod, modifier: any ConnectionModifier,
    along: [any PathModifier] = []
  ) {
    self.expression = expression
    self.method = method
    self.along = along
    modified = (method, modifier)
  }

  /// The expression without the modifiers that take a finished path: what makes the path that
  /// ``modified(_:in:)`` is given.
  public var base: MethodExpression {
    MethodExpression(
      expression.method, modifiers: Array(expression.modifiers.dropLast(along.count)))
  }

  private var modifiers: [any MethodModifier] {
    (modified.map { [$0.modifier] } ?? []) + along.map { $0 as any MethodModifier }
  }

  /// The row of the overview table.
  public var traits: MethodTraits {
    var own = type(of: method).traits
    own.needsData = method.needsData
    return modifiers.reduce(own) { type(of: $1).traits(modifying: $0) }
  }

  /// Whether a modifier measures what batch normalisations keep anew along the path.
  public var measuresRunningMoments: Bool {
    along.contains { type(of: $0).measuresRunningMoments }
  }

  /// Whether running statistics of batch normalisations are wrong between the networks, and the path the worse for it.
  public var leavesRunningStatistics: Bool {
    !measuresRunningMoments && modified?.modifier.allowsForRunningStatistics != true
  }

  /// What joining two networks takes beside them.
  public func cost(joining network: Network) -> ConnectionCost {
    modifiers.reduce(method.cost(joining: network)) { $0 + $1.cost(joining: network) }
  }

  /// What the modifiers of paths take, where the path is there already.
  public func modifyingCost(joining network: Network) -> ConnectionCost {
    along.reduce(ConnectionCost()) { $0 + $1.cost(joining: network) }
  }

  /// The neurons of a network as a learned connection sees them; see
  /// ``LearnableMethod/normalised(_:in:)``.
  /// - Throws: What opening the model throws.
  public func normalised(
    _ weights: Weights, in context: ConnectionContext
  ) throws -> Tensor? {
    try (method as? any LearnableMethod)?.normalised(weights, in: context)
  }

  /// A path from `a` to `b`.
  ///
  /// Of batch normalisations a method moves the running statistics as it does weights, and no variance falls
  /// below the smallest of its layer in either network. They are right for the end points alone, unless
  /// ``measuresRunningMoments``.
  ///
  /// - Throws: ``NetworkError/mismatch(_:_:)`` if they are not of one network,
  ///   ``ConnectionError/weights(network:_:)`` if one holds numbers that nothing can be computed with,
  ///   ``ConnectionError/needsSamples(method:)`` if the context lacks them, and what the method and
  ///   its modifiers throw.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext = ConnectionContext()
  ) throws -> any ConnectionPath {
    guard a.network == b.network else {
      throw NetworkError.mismatch(
        "\(a.network.inputShape) \(a.network)", "\(b.network.inputShape) \(b.network)")
    }
    for (weights, network) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: network, fault) }
    }
    if traits.needsData, context.samples == nil {
      throw ConnectionError.needsSamples(method: "\(expression)")
    }
    let own =
      try modified.map {
        try $0.modifier.path(from: a, to: b, moving: $0.method, in: context)
      } ?? method.path(from: a, to: b, in: context)
    return try modified(VariancePath.bounding(own, from: a, to: b), from: a, to: b, in: context)
  }

  /// What the modifiers of paths make of one that the method made before.
  /// - Throws: ``ConnectionError/needsSamples(method:)`` if the context lacks them, and what the modifiers
  ///   throw.
  public func modified(
    _ path: any ConnectionPath, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    if traits.needsData, context.samples == nil {
      throw ConnectionError.needsSamples(method: "\(expression)")
    }
    return try modified(
      path, from: path.weights(at: path.domain.lowerBound),
      to: path.weights(at: path.domain.upperBound), in: context)
  }

  private func modified(
    _ path: any ConnectionPath, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    guard !along.isEmpty else { return path }
    return ModifiedPath(
      try along.reduce(path) { try $1.path(modifying: $0, from: a, to: b, in: context) },
      of: path, by: expression.modifiers.suffix(along.count))
  }
}

/// What keeps two networks from being joined.
public enum ConnectionError: DescribedError, Hashable {
  /// The method needs training samples, and there are none.
  case needsSamples(method: String)
  /// The modifier moves layer by layer, which the method can't.
  case notLayerwise(method: String, modifier: String, suited: [String])
  /// The network has fewer layers with weights than the method needs.
  case tooFewLayers(method: String, needed: Int, found: Int)
  /// The method can't handle a layer.
  case layer(index: Int, description: String, problem: String)
  /// The method or modifier has nothing to do with such a network.
  case unsuited(method: String, problem: String)
  /// The weights have values that are not finite.
  case notFinite(network: String)
  /// The weights are numbers that nothing can be computed with.
  case weights(network: String, WeightsFault)
  /// The numbers of a layer are too large or too small for what the method computes of them.
  case range(index: Int, description: String, problem: String)
  /// The outputs of an end point, or their loss, are not finite.
  case overflow(end: String)
  /// What was learned or fitted is not finite.
  case diverged(method: String, advice: String)

  /// Wrong usage, but for wrong data and failures of a computation.
  public var category: ErrorCategory {
    switch self {
    case .needsSamples, .notLayerwise, .tooFewLayers, .layer, .unsuited: .usage
    case .notFinite, .weights, .range, .overflow: .data
    case .diverged: .failure
    }
  }

  /// To name a data set, where samples are lacking.
  public var remedy: Remedy? {
    if case .needsSamples = self { .nameDataset } else { nil }
  }

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .needsSamples(let method):
      "\(method) needs training samples, and there are none"
    case .notLayerwise(let method, let modifier, let suited):
      "\(method)+\(modifier): \(method) can't move one layer at a time, which \(modifier) needs"
        + (suited.isEmpty ? "" : "; these can: \(suited.joined(separator: ", "))")
    case .tooFewLayers(let method, let needed, let found):
      "\(method) needs a network with \(needed) layers of weights or more; this one has \(found)"
    case .unsuited(let method, let problem): "\(method): \(problem)"
    case .layer(let index, let description, let problem),
      .range(let index, let description, let problem):
      "layer \(index + 1) (\(description)) \(problem)"
    case .notFinite(let network):
      "\(network) has weights that are not finite"
    case .weights(let network, let fault): "\(network): \(fault)"
    case .overflow(let end):
      "the loss at \(end) of the path is not finite: that network's outputs are too large for single "
        + "precision"
    case .diverged(let method, let advice):
      "\(method): the loss is no longer finite; \(advice)"
    }
  }
}
