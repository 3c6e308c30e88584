// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
public import LCWNumerics

/// Activation matching: the orders of B's hidden units under which their activations are correlated most with
/// A's.
///
/// For each free group of units, the correlations of every unit of A with every unit of B are measured over
/// samples and positions at each value that a layer of weights reads the units from, and summed over these values: a
/// residual stream has one for each block. Each value is standardised, since raw inner products let units of large
/// activations decide (Li et al. 2015, *Convergent Learning*; Jordan et al., ICLR 2023, *REPAIR*). The best order of a
/// group is a linear sum assignment, whatever the other groups' are. A unit that never changes has no correlations.
///
/// Samples go through both networks in blocks, and what is kept of a block is its products, so that memory does not
/// grow with the samples. It is the matrices of products that take the most: for each value 8 bytes for each pair of units, and
/// 4 more for each thread.
public struct ActivationMatching: Sendable, Hashable {
  /// The most samples that are looked at: the first ones; all if there is no number.
  public var samples: Int?

  /// Matching by so many samples.
  public init(samples: Int? = nil) {
    self.samples = samples
  }

  /// What was found.
  public struct Result: Sendable, Hashable {
    /// The orders.
    public let matching: UnitMatching
    /// For each group the mean correlation of units that meet, over the values in which they were measured.
    public let correlations: [Double]
  }

  /// The orders of B's units.
  ///
  /// - Parameters:
  ///   - a: The network whose units stay.
  ///   - b: The network whose units are brought into orders.
  ///   - populations: The groups of units to match, each once; all that may be permuted if nothing is said. The
  ///     units of others keep their order.
  ///   - data: The samples.
  ///   - workers: The threads; the result does not depend on them.
  ///   - progress: Is told of each block; if it throws, the search ends with that error.
  /// - Throws: ``NetworkError/mismatch(_:_:)`` if the networks differ, ``DataError`` if the samples do not fit
  ///   them, ``ConnectionError/range(index:description:problem:)`` if activations overflow, ``RunnerError``, and what
  ///   `progress` throws.
  public func result(
    from a: Weights, to b: Weights, among populations: [HiddenPopulation]? = nil,
    on data: SampleSet, workers: Workers = .available,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) throws -> Result {
    guard a.network == b.network else {
      throw NetworkError.mismatch(
        "\(a.network.inputShape) \(a.network)", "\(b.network.inputShape) \(b.network)")
    }
    try data.check(fits: a.network)
    let data = samples.map(data.prefix) ?? data
    let populations = populations ?? HiddenPopulation.all(of: a.network)
    let places = populations.map { $0.group.readPlaces(in: a.network) }
    let measured = try ActivationProducts(
      of: populations.enumerated().flatMap { index, population in
        places[index].map { ($0, population.count) }
      }, from: a, to: b
    ).correlations(on: data, workers: workers, progress: progress)
    var orders: [[Int]] = []
    var means: [Double] = []
    var next = 0
    for (population, places) in zip(populations, places) {
      let count = population.count
      var sum = [Double](repeating: 0, count: count * count)
      for own in measured[next..<next + places.count] {
        for index in sum.indices { sum[index] += own[index] }
      }
      next += places.count
      guard sum.allSatisfy(\.isFinite),
        let order = try LinearSumAssignment.solve(sum.map { -$0 }, shape: [count, count]).columns
      else {
        throw ConnectionError.range(
          index: population.layer, description: population.name,
          problem: "puts out values so large that their products overflow")
      }
      orders.append(order)
      let matched = order.enumerated().reduce(0) { $0 + sum[$1.offset * count + $1.element] }
      means.append(matched / Double(max(1, count * places.count)))
    }
    return Result(
      matching: UnitMatching(of: a.network, populations: populations, orders: orders),
      correlations: means)
  }
}

extension UnitGroup {
  /// The places of the units that layers with a weight for each unit read; all of them if there is no such layer.
  func readPlaces(in network: Network) -> [Place] {
    let read = Set(nodes(.reads, in: network).flatMap { network.nodes[$0].inputs })
    let places = places.filter { read.contains($0.value) }
    return places.isEmpty ? self.places : places
  }
}
