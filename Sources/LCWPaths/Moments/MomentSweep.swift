// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// What is measured on the way through a network: a value, before a node runs.
struct MomentProbe: Sendable, Hashable {
  /// The value whose channels are measured.
  var value: Network.Value
  /// The first node that runs with what was measured known: all nodes before it have run.
  var next: Int
}

/// A factor and a summand for each channel: y = factor · x + summand.
struct ChannelLines: Sendable, Hashable {
  var factors: [Double]
  var summands: [Double]
}

/// One way through a network with samples, in the order of its nodes, that stops where moments are
/// measured: what is corrected there is seen by all that is measured behind.
///
/// Each value is computed once, block by block, and what is still to be read waits for the other blocks,
/// as long as that fits the memory set aside; values too large for it are computed again from the samples.
struct MomentSweep: Sendable {
  let network: Network
  let probes: [MomentProbe]
  private let samples: SampleSet
  /// The samples' numbers, block by block.
  private let blocks: [[Int]]
  private let parts: [Part]
  /// The most bytes that one sweep holds.
  private let heldBytes: Double
  /// The most bytes that sweeps at the same time hold together.
  private let limit: Double

  /// What runs up to a probe.
  private struct Part: Sendable {
    var runner: Runner
    /// Where the runner's sources are among the values that are held.
    var sources: [Int]
    /// Where the measured value is among the runner's targets.
    var measured: Int
    /// Whether the targets are held from here on.
    var isHeld: Bool
  }

  /// - Parameters:
  ///   - count: The most samples to measure with, taken at equal distances, so that a set sorted by
  ///     classes shows all of them.
  ///   - limit: The most bytes that sweeps at the same time hold together.
  /// - Throws: ``DataError`` if the samples do not fit, ``RunnerError`` if the network does not fit
  ///   memory.
  init(
    _ network: Network, probes: [MomentProbe], samples: SampleSet, count: Int,
    limit: Double
  ) throws {
    try samples.check(fits: network)
    self.network = network
    self.probes = probes
    self.samples = samples
    let size = try Runner(network).evaluationBlock
    let taken = min(count, samples.count)
    let indices = (0..<taken).map { $0 * samples.count / taken }
    blocks = stride(from: 0, to: taken, by: size).map {
      Array(indices[$0..<min($0 + size, taken)])
    }
    let readers = network.readers
    var (known, parts, held): ([Network.Value], [Part], Double) = ([.sample], [], 0)
    for probe in probes {
      var values = network.shapes.indices.filter { index in
        index <= probe.next && readers[index].contains { $0 >= probe.next }
      }.map(Network.Value.init(index:))
      let bytes = values.reduce(0.0) {
        $0 + 4 * Double(taken) * Double(network.shape(of: $1).count)
      }
      let isHeld = 2 * bytes <= limit
      if !isHeld { values = [] }
      if !values.contains(probe.value) { values.append(probe.value) }
      let runner = try Runner(network, from: Set(known), to: values)
      parts.append(
        Part(
          runner: runner, sources: runner.sources.compactMap(known.firstIndex(of:)),
          measured: values.firstIndex(of: probe.value) ?? 0, isHeld: isHeld))
      if isHeld {
        known = values
        held = max(held, bytes)
      }
    }
    self.parts = parts
    self.limit = limit
    heldBytes = held
  }

  /// How many sweeps may run at the same time, each on a thread of its own.
  func simultaneous(_ workers: Workers) -> Int {
    max(1, min(workers.count, Int(limit / max(1, 2 * heldBytes))))
  }

  /// The moments at each probe.
  ///
  /// - Parameters:
  ///   - weights: The weights to begin with.
  ///   - correct: Gets a probe's number, what was measured there, and the weights, which it may change; what
  ///     it returns is applied to the measured value, if nodes that have run would give another one with the
  ///     changed weights.
  /// - Throws: What `correct` throws.
  @discardableResult
  func run(
    _ weights: Weights, workers: Workers,
    correct: (Int, ChannelMoments, inout Weights) throws -> ChannelLines? = { _, _, _ in nil }
  ) throws -> [ChannelMoments] {
    var weights = weights
    var held: [[Tensor]]?
    var results: [ChannelMoments] = []
    for (index, part) in parts.enumerated() {
      let shape = network.shape(of: probes[index].value)
      let (now, given) = (weights, held)
      let runs = try workers.map(blocks.count) { block -> (ChannelMoments, [Tensor]) in
        let known = given?[block] ?? [samples.block(at: blocks[block])]
        let values = part.runner.outputs(of: part.sources.map { known[$0] }, weights: now)
        let moments = ChannelMoments(of: values[part.measured], sample: shape)
        return (moments, part.isHeld ? values : [])
      }
      var moments = ChannelMoments(channels: shape[0])
      for run in runs { moments.add(run.0) }
      results.append(moments)
      let lines = try correct(index, moments, &weights)
      guard part.isHeld else { continue }
      var values = runs.map(\.1)
      if let lines {
        for block in values.indices {
          values[block][part.measured].apply(lines, sample: shape, workers: workers)
        }
      }
      held = values
    }
    return results
  }
}

extension Tensor {
  /// Applies lines to the channels of a block.
  fileprivate mutating func apply(_ lines: ChannelLines, sample: Shape, workers: Workers) {
    self = ChannelAffine(over: sample).output(
      of: self, scale: Tensor(lines.factors.map { Float($0) }),
      shift: Tensor(lines.summands.map { Float($0) }), workers: workers)
  }
}
