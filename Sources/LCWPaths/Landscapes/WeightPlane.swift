// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A plane in weight space: the points `origin + x · right + y · up`.
public struct WeightPlane: Sendable {
  /// A place in the plane.
  public struct Point: Sendable, Hashable {
    /// The share of the direction to the right.
    public var x: Double
    /// The share of the direction upwards.
    public var y: Double

    /// A place.
    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// The point (0, 0).
  public let origin: Weights
  /// What one step to the right adds, a tensor for each parameter.
  public let right: [Tensor]
  /// What one step upwards adds.
  public let up: [Tensor]

  /// The plane through a point, with two directions.
  /// - Precondition: A direction has a tensor for each parameter, of its shape.
  public init(through origin: Weights, right: WeightDirection, up: WeightDirection) {
    precondition(
      right.network == origin.network && up.network == origin.network,
      "the directions are of another network")
    self.origin = origin
    self.right = right.tensors
    self.up = up.tensors
  }

  /// The plane through three points, in which lengths are those of weight space: the first is at (0, 0),
  /// the second to the right of it at the distance of the two, the third above (Garipov et al. 2018,
  /// appendix A.1).
  /// - Throws: ``LandscapeError/collinear`` if the points lie on a line.
  public init(through a: Weights, _ b: Weights, _ c: Weights) throws(LandscapeError) {
    let right = WeightDirection(from: a, to: b)
    let width = right.norm
    let other = WeightDirection(from: a, to: c)
    guard width > 0 else { throw .collinear }
    let unit = right.scaled(by: 1 / width)
    let up = other.adding(unit, times: -other.product(with: unit))
    let height = up.norm
    guard height > 1e-6 * width else { throw .collinear }
    self.init(through: a, right: unit, up: up.scaled(by: 1 / height))
  }

  /// The weights at a place.
  public func weights(at point: Point) -> Weights {
    var result = origin
    for (index, tensor) in origin.tensors.enumerated() {
      result[index] = Tensor.combination(
        [tensor, right[index], up[index]], coefficients: [1, point.x, point.y],
        shape: tensor.shape)
    }
    return result
  }

  /// The place nearest to some weights: where they are projected to.
  public func coordinates(of weights: Weights) -> Point {
    let offset = WeightDirection(from: origin, to: weights)
    let network = origin.network
    let (right, up) = (
      WeightDirection(network, tensors: right), WeightDirection(network, tensors: up)
    )
    // The normal equations of two unknowns; directions need be neither unit vectors nor at right angles.
    let (a, b, c) = (right.product(with: right), right.product(with: up), up.product(with: up))
    let (p, q) = (offset.product(with: right), offset.product(with: up))
    let determinant = a * c - b * b
    guard determinant > 0 else { return Point(x: a > 0 ? p / a : 0, y: 0) }
    return Point(x: (c * p - b * q) / determinant, y: (a * q - b * p) / determinant)
  }

  /// The line from one place to another, as a path of one stage: what the evaluator measures at many
  /// points for less than point by point.
  func line(from start: Point, to end: Point, label: String) throws -> ExplicitPath {
    let (first, last) = (weights(at: start), weights(at: end))
    let motions = zip(first.tensors, last.tensors).map { first, last in
      first.isIdentical(to: last) ? Motion.fixed(first) : .combination([first, last], .line)
    }
    return try ExplicitPath(
      network: origin.network, stages: [PathStage(label: label, motions: motions)])
  }
}

/// What keeps a landscape from being drawn.
public enum LandscapeError: DescribedError, Hashable {
  /// Three points lie on a line, so that many planes go through them.
  case collinear
  /// Random directions, divided by the norms of filters, are all zeros.
  case noDirection
  /// A network keeps running statistics, which are right for itself alone.
  case runningMoments(layer: String)

  /// Wrong usage.
  public var category: ErrorCategory { .usage }

  /// To measure moments at each point.
  public var remedy: Remedy? {
    if case .runningMoments = self { .measureMoments } else { nil }
  }

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .collinear:
      "the three points lie on a straight line in weight space and define no plane; name another network, "
        + "or a curved path"
    case .noDirection:
      "the direction is zero everywhere, so that there is nothing to draw along it"
    case .runningMoments(let layer):
      "\(layer) has running statistics, which are right only for the given networks and not for points "
        + "between them"
    }
  }
}
