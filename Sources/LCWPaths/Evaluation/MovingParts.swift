// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// A network divided by what moves: what runs once, what combines, and what runs at every time.
struct MovingParts: Sendable {
  /// The moving layers that combinations are known for and that read nothing that moves.
  let combined: [CombinedLayer]
  /// From the sample to the cut and to what combined layers read.
  let head: Runner
  /// From the cut and the combined layers' outputs to the values that are asked for.
  let tail: Runner

  /// - Parameters:
  ///   - moving: The nodes whose parameters move.
  ///   - motions: How each parameter moves.
  ///   - times: The times at which layers combine.
  ///   - targets: The values that are asked for.
  init(
    of network: Network, moving: Set<Int>, motions: [Motion], times: [Double],
    to targets: [Network.Value]
  ) throws {
    var isReached = [Bool](repeating: false, count: network.shapes.count)
    var combined: [CombinedLayer] = []
    for (node, description) in network.nodes.enumerated() {
      let readsMoving = description.inputs.contains { isReached[$0.index] }
      isReached[node + 1] = readsMoving || moving.contains(node)
      if moving.contains(node), !readsMoving,
        let layer = CombinedLayer(network, node: node, motions: motions, times: times)
      {
        combined.append(layer)
      }
    }
    let still = Set(
      network.shapes.indices.filter { !isReached[$0] }.map(Network.Value.init(index:)))
    let tail = try Runner(network, from: still.union(combined.map(\.output)), to: targets)
    let needed = Set(tail.sources)
    self.combined = combined.filter { needed.contains($0.output) }
    self.tail = tail
    let cut = needed.intersection(still).union(self.combined.map(\.input))
    head = try Runner(network, from: [.sample], to: cut.sorted())
  }
}
