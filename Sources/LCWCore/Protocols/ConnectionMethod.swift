// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A way to join two networks of one architecture by a path in weight space.
///
/// Laws that every method keeps, and that the tests hold it to: the path's first point is `a` and
/// its last is `b`, to the bit; it is finite and continuous; equal inputs and seeds give equal
/// paths; networks that differ are refused.
public protocol ConnectionMethod: Plugin {
  /// The method's row of the overview table.
  static var traits: MethodTraits { get }

  /// A path from `a` to `b`.
  ///
  /// The caller has checked that both are of one network.
  ///
  /// - Throws: An error that names the layer, where the method can't handle the network, or says
  ///   what it needs and the context lacks.
  func path(from a: Weights, to b: Weights, in context: ConnectionContext) throws
    -> any ConnectionPath
}

/// The properties by which the paper's overview compares methods.
public struct MethodTraits: Sendable, Hashable {
  /// A rough degree.
  public enum Level: String, Sendable {
    /// Little.
    case low
    /// Between.
    case medium
    /// Much.
    case high
  }

  /// The work to construct a path.
  public var compute: Level
  /// How complicated the path is: one formula, or many pieces.
  public var complexity: Level
  /// Whether a point of the path is a formula of the end points.
  public var isExplicit: Bool
  /// The loss on the path, compared with that of the end points.
  public var loss: Level
  /// Whether something is learned before or while connecting.
  public var isLearnable: Bool
  /// Whether constructing the path looks at training data.
  public var needsData: Bool

  /// A row of the overview.
  public init(
    compute: Level, complexity: Level, isExplicit: Bool, loss: Level, isLearnable: Bool,
    needsData: Bool
  ) {
    self.compute = compute
    self.complexity = complexity
    self.isExplicit = isExplicit
    self.loss = loss
    self.isLearnable = isLearnable
    self.needsData = needsData
  }
}

/// What a method may use besides the two networks.
public struct ConnectionContext: Sendable {
  /// Training samples, for methods that need data.
  public var samples: SampleSet?
  /// The seed of everything random.
  public var seed: UInt64
  /// The threads to use.
  public var workers: Workers

  /// A context.
  public init(samples: SampleSet? = nil, seed: UInt64 = 0, workers: Workers = .available) {
    self.samples = samples
    self.seed = seed
    self.workers = workers
  }
}

extension ConnectionMethod {
  /// A path from `a` to `b`, once both are known to be of one network.
  /// - Throws: ``NetworkError/mismatch(_:_:)`` if they are not, and what the method throws.
  public func connect(
    _ a: Weights, _ b: Weights, in context: ConnectionContext = ConnectionContext()
  ) throws -> any ConnectionPath {
    guard a.network == b.network else {
      throw NetworkError.mismatch(
        "\(a.network.inputShape) \(a.network)", "\(b.network.inputShape) \(b.network)")
    }
    return try path(from: a, to: b, in: context)
  }
}
