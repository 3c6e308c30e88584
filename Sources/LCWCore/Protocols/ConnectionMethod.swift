// SPDX-License-Identifier: Apache-2.0

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

  /// Whether this instance, by its options, looks at training data; what the traits say, unless it says more.
  var needsData: Bool { get }

  /// What joining two networks takes beside them, by this instance's options. A method that trains, or
  /// whose memory grows faster than the networks, says so: what the archive of a path may ask for is
  /// bounded by it. Little, unless it says more.
  func cost(joining network: Network) -> ConnectionCost
}

extension ConnectionMethod {
  /// As the traits have it.
  public var needsData: Bool { Self.traits.needsData }

  /// Little.
  public func cost(joining network: Network) -> ConnectionCost { ConnectionCost() }
}

/// What joining two networks takes, as far as it is known before.
public struct ConnectionCost: Sendable, Hashable {
  /// The passes of training over all samples.
  public var epochs: Int
  /// The bytes of memory.
  public var bytes: Double

  /// A cost; nothing by default.
  public init(epochs: Int = 0, bytes: Double = 0) {
    self.epochs = epochs
    self.bytes = bytes
  }

  /// Both together; more epochs than an integer holds are as many as it holds.
  public static func + (a: ConnectionCost, b: ConnectionCost) -> ConnectionCost {
    let (epochs, isTooMany) = a.epochs.addingReportingOverflow(b.epochs)
    return ConnectionCost(epochs: isTooMany ? Int.max : epochs, bytes: a.bytes + b.bytes)
  }

  /// The multiplications of the training, for a network and a number of samples: a pass forward and
  /// two back.
  public func trainingWork(of network: Network, samples: Int) -> Double {
    3 * Double(epochs) * Double(samples) * Double(network.sampleWork)
  }
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
