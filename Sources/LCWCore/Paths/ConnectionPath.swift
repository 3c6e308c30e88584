// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A path of weights that an evaluator can look into.
///
/// A path has one stage or more; each takes one unit of t, so that t runs over
/// `0...Double(stages.count)`. ``weights(at:)`` always works; what the stages tell of their motion
/// lets an evaluator do less.
public protocol ConnectionPath: Sendable {
  /// The network whose weights move.
  var network: Network { get }
  /// The stages, in order.
  var stages: [PathStage] { get }

  /// The point at t.
  /// - Throws: What computing the point needs and lacks.
  func weights(at t: Double) throws -> Weights

  /// The points at several t, for paths that compute many together for less than one by one.
  /// - Throws: As ``weights(at:)``.
  func weights(atEach times: [Double]) throws -> [Weights]

  /// What is worth telling of the path's making, such as how well an adjusted layer fits.
  var remarks: [PathRemark] { get }
}

extension ConnectionPath {
  /// The points, one after the other.
  public func weights(atEach times: [Double]) throws -> [Weights] { try times.map(weights(at:)) }

  /// None.
  public var remarks: [PathRemark] { [] }
}

/// A figure that tells something of a path's making.
public struct PathRemark: Sendable, Hashable {
  /// What it is, such as `residual of dense2 at the end`.
  public var subject: String
  /// The figure.
  public var value: Double

  /// A figure of something.
  public init(_ subject: String, _ value: Double) {
    self.subject = subject
    self.value = value
  }
}

/// A unit of a path's time.
public struct PathStage: Sendable {
  /// What happens in it, for an axis.
  public var label: String
  /// The motion of each parameter of the network.
  public var motions: [Motion]
  /// Whether the network's output is the same at every time of the stage, to rounding, so that one
  /// point of it tells the loss of all.
  public var keepsFunction: Bool
  /// Whether the stage only restores the order of units: they are already those of the end, in another
  /// order.
  public var restoresOrder: Bool
  /// Whether the stage is part of the way from one network's units to the other's: it counts where the path
  /// has its middle. Stages that keep the function or restore an order do not.
  public var isOnTheWay: Bool
  /// The Euclidean length of the stage in weight space, if it is known: a stage of many pieces is
  /// longer than a few points of it tell.
  public var length: Double?

  /// A stage.
  public init(
    label: String, motions: [Motion], keepsFunction: Bool = false, restoresOrder: Bool = false,
    isOnTheWay: Bool? = nil, length: Double? = nil
  ) {
    self.label = label
    self.motions = motions
    self.keepsFunction = keepsFunction
    self.restoresOrder = restoresOrder
    self.isOnTheWay = isOnTheWay ?? !(keepsFunction || restoresOrder)
    self.length = length
  }
}

/// How one parameter moves during a stage.
public enum Motion: Sendable {
  /// It stays.
  case fixed(Tensor)
  /// Σⱼ cⱼ(t) · Bⱼ. A tensor may broadcast: it has the parameter's rank, and each of its sizes is
  /// the parameter's or 1.
  case combination([Tensor], Curve)
  /// Only the path itself knows.
  case opaque
}

extension Motion {
  /// Whether only the path knows it.
  public var isOpaque: Bool { if case .opaque = self { true } else { false } }

  /// The parameter's tensor at a time of the stage, from 0 to 1; nothing if only the path knows.
  public func tensor(at time: Double, shape: Shape) -> Tensor? {
    switch self {
    case .fixed(let tensor): tensor
    case .combination(let bases, let curve):
      Tensor.combination(bases, coefficients: curve.coefficients(at: time), shape: shape)
    case .opaque: nil
    }
  }
}

extension ConnectionPath {
  /// The values t may have.
  public var domain: ClosedRange<Double> { 0...Double(stages.count) }

  /// The path's middle: the t at which half of the time is over in which units move from the first
  /// network's to the second's.
  ///
  /// Stages that keep the function, and those in which units only find their places, do not count: at
  /// half of all time, optimal transport has long come to the second network's units. If no other
  /// stage is there, it is half of all time.
  public var middle: Double { time(atShare: 0.5) }

  /// The t at which a share of the time is over in which units move from the first network's to the
  /// second's; see ``middle``. At 1 they are the second network's, perhaps in another order.
  /// - Parameter share: From 0 to 1.
  public func time(atShare share: Double) -> Double {
    let moving = stages.indices.filter { stages[$0].isOnTheWay }
    guard !moving.isEmpty else { return domain.upperBound * share }
    let position = share * Double(moving.count)
    let index = min(Int(position), moving.count - 1)
    return Double(moving[index]) + (position - Double(index))
  }

  /// The stage t lies in, and the time within it, from 0 to 1. A whole t belongs to the stage that
  /// starts there, but for the last.
  public func position(of t: Double) -> (stage: Int, time: Double) {
    // Written so that a t that is not a number counts as the start.
    let clamped = t > domain.lowerBound ? min(t, domain.upperBound) : domain.lowerBound
    let stage = min(Int(clamped), stages.count - 1)
    return (stage, clamped - Double(stage))
  }
}

extension ConnectionPath {
  /// The point at t, from the stages' motions.
  /// - Parameter opaque: The tensors of the parameters whose motion only the path knows, by the parameter's
  ///   index.
  /// - Throws: ``PathError/opaque(stage:parameter:)`` if one of them is not given.
  public func weights(
    at t: Double, opaque: @autoclosure () throws -> [Int: Tensor]
  ) throws -> Weights {
    let (stage, time) = position(of: t)
    let motions = stages[stage].motions
    let own = motions.contains(where: \.isOpaque) ? try opaque() : [:]
    return try Weights(
      network: network,
      tensors: network.parameters.enumerated().map { index, parameter in
        guard
          let tensor = motions[index].tensor(at: time, shape: parameter.shape) ?? own[index]
        else { throw PathError.opaque(stage: stage, parameter: parameter.name) }
        return tensor
      })
  }
}

/// A path all of whose motions are known: a value that can be saved whole.
public struct ExplicitPath: ConnectionPath {
  /// The network whose weights move.
  public let network: Network
  /// The stages, in order; none of their motions is opaque.
  public let stages: [PathStage]

  /// A path from its stages.
  /// - Throws: ``PathError`` if there is none, or a motion does not fit its parameter.
  public init(network: Network, stages: [PathStage]) throws(PathError) {
    guard !stages.isEmpty else { throw .noStages }
    for (index, stage) in stages.enumerated() {
      guard stage.motions.count == network.parameters.count else {
        throw .motionCount(
          stage: index, expected: network.parameters.count, found: stage.motions.count)
      }
      for (parameter, motion) in zip(network.parameters, stage.motions) {
        try ExplicitPath.check(motion, parameter, stage: index)
      }
    }
    self.network = network
    self.stages = stages
  }

  /// The point at t; t is clamped to the domain.
  public func weights(at t: Double) throws -> Weights { try weights(at: t, opaque: [:]) }

  private static func check(
    _ motion: Motion, _ parameter: Parameter, stage: Int
  ) throws(PathError) {
    switch motion {
    case .opaque: throw .opaque(stage: stage, parameter: parameter.name)
    case .fixed(let tensor):
      guard tensor.shape == parameter.shape else {
        throw .shape(
          stage: stage, parameter: parameter.name, expected: parameter.shape, found: tensor.shape)
      }
    case .combination(let bases, let curve):
      guard bases.count == curve.count else {
        throw .basisCount(
          stage: stage, parameter: parameter.name, expected: curve.count, found: bases.count)
      }
      for basis in bases {
        let fits =
          basis.shape.rank == parameter.shape.rank
          && zip(basis.shape.dimensions, parameter.shape.dimensions).allSatisfy {
            $0 == $1 || $0 == 1
          }
        guard fits else {
          throw .shape(
            stage: stage, parameter: parameter.name, expected: parameter.shape, found: basis.shape)
        }
      }
    }
  }
}

/// What can be wrong with a path.
public enum PathError: DescribedError, Hashable {
  /// A path has at least one stage.
  case noStages
  /// A stage has another number of motions than the network has parameters.
  case motionCount(stage: Int, expected: Int, found: Int)
  /// A motion that should be known is opaque.
  case opaque(stage: Int, parameter: String)
  /// A motion's tensor has another shape.
  case shape(stage: Int, parameter: String, expected: Shape, found: Shape)
  /// A curve combines another number of tensors.
  case basisCount(stage: Int, parameter: String, expected: Int, found: Int)
  /// A curve's name is not known.
  case unknownCurve(String, parameter: String)

  /// Wrong data.
  public var category: ErrorCategory { .data }

  /// One line that says what was expected and what was found.
  public var description: String {
    switch self {
    case .noStages: "the path has no stage"
    case .motionCount(let stage, let expected, let found):
      "stage \(stage + 1) of the path moves \(found) parameters, but the network has \(expected)"
    case .opaque(let stage, let parameter):
      "stage \(stage + 1) of the path does not say how \(parameter) moves"
    case .shape(let stage, let parameter, let expected, let found):
      "stage \(stage + 1) of the path moves \(parameter) \(expected) by a tensor \(found)"
    case .basisCount(let stage, let parameter, let expected, let found):
      "stage \(stage + 1) of the path moves \(parameter) by \(found) tensors where its curve has "
        + "\(expected)"
    case .unknownCurve(let name, let parameter):
      "\(parameter) moves along ‘\(name)’, which is no curve this version knows"
    }
  }
}
