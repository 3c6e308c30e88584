// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import LCWPaths

/// Weight matching of two networks in files, for `peers_matching.py`.
enum MatchingBenchmarks {
  /// Matches `b` to `a` and prints the seconds and the distance; with `orders` above zero, matches `a` to itself in
  /// so many random orders and prints how often these are found. One thread. JSON.
  static func match(_ a: URL, _ b: URL, starts: Int, orders: Int) throws {
    let registry = try PluginRegistry.linked()
    let format = try registry.format(PluginReference(name: "lcw"))
    let (first, second) = (
      try format.open(a).trainedNetwork(from: registry).weights,
      try format.open(b).trainedNetwork(from: registry).weights
    )
    let matching = WeightMatching(starts: starts)
    guard orders > 0 else {
      _ = try matching.result(from: first, to: second, seed: 1, workers: .serial)
      let start = ContinuousClock.now
      let result = try matching.result(from: first, to: second, seed: 1, workers: .serial)
      let duration = ContinuousClock.now - start
      let seconds =
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
      let distance = result.squaredDistance.squareRoot()
      print("{\"seconds\": \(seconds), \"distance\": \(distance)}")
      return
    }
    let populations = HiddenPopulation.all(of: first.network)
    let found = try (0..<orders).count { seed in
      var random = RandomStream(seed: UInt64(seed))
      let shuffled = populations.reduce(first) {
        $1.reordered($0, by: random.permutation(of: $1.count))
      }
      let result = try matching.result(
        from: first, to: shuffled, seed: UInt64(seed), workers: .serial)
      return result.matching.applied(to: shuffled).weights.isIdentical(to: first)
    }
    print("{\"found\": \(found)}")
  }
}
