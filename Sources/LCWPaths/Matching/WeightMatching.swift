// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Weight matching: the orders of B's hidden units, of all free groups at once, under which its weights are
/// nearest to A's.
///
/// The objective is Σ ⟨A, πB⟩ over all trained parameters (Ainsworth, Hayase and Srinivasa 2023, *Git Re-Basin*,
/// section 3.2). It is searched by coordinate descent over the groups from several starts, of which the best end
/// counts:
///
/// 1. the orders that there are;
/// 2. orders found group after group from the inputs on, groups not yet reached counted as unknown;
/// 3. the same from the outputs on;
/// 4. the same in random sequences, and each fourth time random permutations.
///
/// With ``Search/frankWolfe`` each start first goes the way of Crisostomi et al. 2024, through doubly stochastic matrices
/// of all groups at once: the first from the middle, where every unit meets all alike, the others from the starts
/// above. Descent goes on from the permutations that it ends at.
///
/// ```swift
/// let result = try WeightMatching().result(from: a, to: b, seed: 1)
/// let reordered = result.matching.applied(to: b)
/// ```
public struct WeightMatching: Sendable, Hashable {
  /// How orders are searched for.
  public enum Search: String, OptionChoice {
    /// One group after the other.
    case descent
    /// All groups at once, then one after the other.
    case frankWolfe = "frank-wolfe"
  }

  /// The number of starts, at least one.
  public var starts: Int
  /// How orders are searched for.
  public var search: Search

  /// A search from so many starts.
  public init(starts: Int = 8, search: Search = .descent) {
    self.starts = max(1, starts)
    self.search = search
  }

  /// What a search found.
  public struct Result: Sendable, Hashable {
    /// The orders of the best end.
    public let matching: UnitMatching
    /// The squared distance of A's trained parameters to B's in these orders.
    public let squaredDistance: Double
    /// For each start the squared distance before each pass over the groups, and at its end.
    public let descents: [[Double]]

    /// The passes over the groups, of all starts together.
    public var sweeps: Int { descents.reduce(0) { $0 + $1.count - 1 } }
  }

  /// The best orders found of B's units.
  ///
  /// The same networks, seed and number of workers give the same orders. Starts run beside each other.
  ///
  /// - Parameters:
  ///   - a: The network whose units stay.
  ///   - b: The network whose units are brought into orders.
  ///   - populations: The groups of units to match, each once; all that may be permuted if nothing is said. The
  ///     units of others keep their order.
  ///   - seed: The seed of random sequences and starts.
  ///   - workers: The threads.
  ///   - progress: Is told of each pass; if it throws, the search ends with that error.
  /// - Throws: ``NetworkError/mismatch(_:_:)`` if the networks differ,
  ///   ``ConnectionError/range(index:description:problem:)`` if products of weights overflow, and what
  ///   `progress` throws.
  public func result(
    from a: Weights, to b: Weights, among populations: [HiddenPopulation]? = nil, seed: UInt64,
    workers: Workers = .available,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) throws -> Result {
    guard a.network == b.network else {
      throw NetworkError.mismatch(
        "\(a.network.inputShape) \(a.network)", "\(b.network.inputShape) \(b.network)")
    }
    let populations = populations ?? HiddenPopulation.all(of: a.network)
    let problem = MatchingProblem(from: a, populations)
    // With fewer starts than threads, the products of each are divided.
    let inner = Workers(workers.count / min(starts, workers.count))
    let starts = starts
    let ends = try workers.map(starts) { start in
      var random = RandomStream(seed: seed, purpose: .connection, index: start)
      var orders: [[Int]]
      switch search {
      case .descent: orders = try problem.orders(ofStart: start, b: b, &random, workers: inner)
      case .frankWolfe:
        let wolfe = FrankWolfe(problem: problem, b: b, workers: inner)
        let first =
          start == 0
          ? wolfe.center
          : wolfe.matrices(
            of: try problem.orders(ofStart: start - 1, b: b, &random, workers: inner))
        orders = try wolfe.orders(from: first) { step in
          try progress(
            ConnectionProgress(
              "matching weights: start \(start + 1) of \(starts), step \(step)",
              share: (Double(start) + 0.5 - 0.5 / Double(step)) / Double(starts)))
        }
      }
      var descent = CoordinateDescent(problem, b: b, from: orders, workers: inner)
      var distances: [Double] = []
      try descent.run(&random) { sweep, distance in
        distances.append(distance)
        try progress(
          ConnectionProgress(
            "matching weights: start \(start + 1) of \(starts), pass \(sweep), "
              + "\(Float(distance.squareRoot())) apart",
            share: (Double(start) + 1 - 1 / Double(sweep)) / Double(starts)))
      }
      let distance = problem.squaredDistance(to: descent.current)
      return (orders: descent.orders, distance: distance, descent: distances + [distance])
    }
    // What is nearer by rounding alone is the same end with equal units in other places.
    var best = ends[0]
    for end in ends where end.distance < best.distance * (1 - 1e-9) { best = end }
    return Result(
      matching: UnitMatching(of: a.network, populations: populations, orders: best.orders),
      squaredDistance: best.distance, descents: ends.map(\.descent))
  }
}

extension MatchingProblem {
  /// The orders from which a start's descent begins.
  fileprivate func orders(
    ofStart start: Int, b: Weights, _ random: inout RandomStream, workers: Workers
  ) throws -> [[Int]] {
    let groups = Array(populations.indices)
    let anchored = AnchoredOrders(problem: self, b: b, workers: workers)
    switch start {
    case 0: return populations.map { Array(0..<$0.count) }
    case 1: return try anchored.orders(inSequence: groups)
    case 2: return try anchored.orders(inSequence: groups.reversed())
    case let start where start % 4 == 3:
      return populations.map { random.permutation(of: $0.count) }
    default: return try anchored.orders(inSequence: random.permutation(of: groups.count))
    }
  }
}
