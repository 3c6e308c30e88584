// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// One network made of several: the middle of the paths that a method joins them by.
///
/// Of two networks it is the middle of their path. A further one joins those merged before at the share
/// that gives each the same part: the k-th moves the merged network by 1/k towards itself. By a method that
/// matches units, each is brought into the order of what it joins; by a straight line, the result is the
/// mean of the weights so matched.
public struct NetworkMerge: Sendable {
  /// What the networks are matched to.
  public enum Reference: Sendable, Hashable {
    /// To the first network, and what is merged of it.
    case first
    /// To the mean of all, which is matched to again at most so many times, as long as the networks come
    /// nearer to it (Crisostomi et al. 2024, section 3.2, by any method).
    case centre(rounds: Int)
  }

  /// The merged network.
  public let weights: Weights
  /// The root mean square distance of the networks from their mean in weight space, as they are given.
  public let spreadBefore: Double
  /// The same of the networks in the order in which they were merged.
  public let spreadAfter: Double
  /// The times that all networks were matched to their mean.
  public let rounds: Int

  /// Merges networks.
  ///
  /// - Parameters:
  ///   - networks: Two or more of one network; the first gives the order of units.
  ///   - connection: How two are joined.
  ///   - reference: What they are matched to.
  ///   - context: What the method may use.
  /// - Throws: What joining two networks throws.
  /// - Precondition: There are two networks or more.
  public init(
    of networks: [Weights], by connection: Connection, to reference: Reference = .first,
    in context: ConnectionContext
  ) throws {
    precondition(networks.count > 1, "a merge has two networks or more")
    spreadBefore = NetworkMerge.spread(of: networks)
    var ordered = networks
    var rounds = 0
    if case .centre(let limit) = reference {
      ordered = try NetworkMerge.matched(networks, to: networks[0], by: connection, in: context)
      var spread = NetworkMerge.spread(of: ordered)
      while rounds < limit {
        let centre = NetworkMerge.mean(of: ordered)
        let next = try NetworkMerge.matched(ordered, to: centre, by: connection, in: context)
        let found = NetworkMerge.spread(of: next)
        // Rounding may bring orders of equal distance in turn.
        guard found < spread * (1 - 1e-9) else { break }
        (ordered, spread, rounds) = (next, found, rounds + 1)
      }
    }
    self.rounds = rounds
    var merged = ordered[0]
    var met = [merged]
    for (index, other) in ordered.enumerated().dropFirst() {
      let path = try connection.path(
        from: merged, to: other,
        in: context.telling("network \(index + 1) of \(networks.count)"))
      met.append(try path.weights(at: path.time(atShare: 1)))
      merged = try path.weights(at: path.time(atShare: 1 / Double(index + 1)))
    }
    spreadAfter = NetworkMerge.spread(of: met)
    weights = merged
  }

  /// Networks with their units in the order in which a method has them meet another's.
  private static func matched(
    _ networks: [Weights], to reference: Weights, by connection: Connection,
    in context: ConnectionContext
  ) throws -> [Weights] {
    try networks.enumerated().map { index, weights in
      guard !weights.isIdentical(to: reference) else { return weights }
      let path = try connection.path(
        from: reference, to: weights,
        in: context.telling("matching network \(index + 1) of \(networks.count)"))
      return try path.weights(at: path.time(atShare: 1))
    }
  }

  private static func mean(of networks: [Weights]) -> Weights {
    var result = networks[0]
    for index in result.tensors.indices {
      result[index] = Tensor.combination(
        networks.map { $0[index] },
        coefficients: networks.map { _ in 1 / Double(networks.count) },
        shape: result[index].shape)
    }
    return result
  }

  private static func spread(of networks: [Weights]) -> Double {
    let centre = mean(of: networks)
    let squares = networks.reduce(0) { sum, weights in
      let distance = weights.distance(to: centre)
      return sum + distance * distance
    }
    return (squares / Double(networks.count)).squareRoot()
  }
}

extension ConnectionContext {
  /// A context whose progress says first what it is of.
  fileprivate func telling(_ subject: String) -> ConnectionContext {
    var context = self
    context.progress = { [progress] told in
      var told = told
      told.activity = "\(subject): \(told.activity)"
      try progress(told)
    }
    return context
  }
}
