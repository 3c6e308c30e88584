// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A way to join networks: a method, perhaps with a modifier, ready to be used.
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

  init(_ expression: MethodExpression, method: any ConnectionMethod) {
    self.expression = expression
    self.method = method
    modified = nil
  }

  init(
    _ expression: MethodExpression, method: any LayerwiseMethod, modifier: any ConnectionModifier
  ) {
    self.expression = expression
    self.method = method
    modified = (method, modifier)
  }

  /// The row of the overview table.
  public var traits: MethodTraits {
    let own = type(of: method).traits
    return modified.map { type(of: $0.modifier).traits(modifying: own) } ?? own
  }

  /// What joining two networks takes beside them.
  public func cost(joining network: Network) -> ConnectionCost {
    let own = method.cost(joining: network)
    let added = modified?.modifier.cost(joining: network) ?? ConnectionCost()
    let (epochs, isTooMany) = own.epochs.addingReportingOverflow(added.epochs)
    return ConnectionCost(
      epochs: isTooMany ? Int.max : epochs, bytes: own.bytes + added.bytes)
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
  /// - Throws: ``NetworkError/mismatch(_:_:)`` if they are not of one network,
  ///   ``ConnectionError/weights(network:_:)`` if one holds numbers that nothing can be computed with,
  ///   ``ConnectionError/needsSamples(method:)`` if the context lacks them,
  ///   ``ConnectionError/layer(index:description:problem:)`` if the network has batch
  ///   normalisations, and what the method throws.
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
    if let layer = a.network.runningAverages.first {
      // Where it can't be folded, that is what to say.
      _ = try a.foldingBatchNorm()
      throw ConnectionError.layer(
        index: layer, description: a.network.describe(node: layer),
        problem: "keeps running moments, which are right for the end points of a path alone; fold "
          + "it into its neighbours with lcw convert --fold-batchnorm")
    }
    if let modified {
      return try modified.modifier.path(from: a, to: b, moving: modified.method, in: context)
    }
    return try method.path(from: a, to: b, in: context)
  }
}

/// What keeps two networks from being joined.
public enum ConnectionError: DescribedError, Hashable {
  /// The method looks at training samples, and there are none.
  case needsSamples(method: String)
  /// The modifier moves layer by layer, which the method can't.
  case notLayerwise(method: String, modifier: String, suited: [String])
  /// The network has fewer layers with weights than the method needs.
  case tooFewLayers(method: String, needed: Int, found: Int)
  /// The method can't handle a layer.
  case layer(index: Int, description: String, problem: String)
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
    case .needsSamples, .notLayerwise, .tooFewLayers, .layer: .usage
    case .notFinite, .weights, .range, .overflow: .data
    case .diverged: .failure
    }
  }

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .needsSamples(let method):
      "\(method) looks at training samples; name a data set with --dataset"
    case .notLayerwise(let method, let modifier, let suited):
      "\(method)+\(modifier): \(method) does not move single layers, which \(modifier) needs"
        + (suited.isEmpty ? "" : "; these do: \(suited.joined(separator: ", "))")
    case .tooFewLayers(let method, let needed, let found):
      "\(method) needs a network with \(needed) layers of weights or more; this one has \(found)"
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
