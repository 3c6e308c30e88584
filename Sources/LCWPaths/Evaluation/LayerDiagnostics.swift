// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
import LCWNumerics

/// What the hidden units of each layer are like along a path: how much they vary, and how well those of both
/// networks are matched.
///
/// A layer is measured before its activation, where `+repair` corrects it: what a layer of weights puts out,
/// with the normalisations by known moments right behind it. There a unit is what its weights make, whatever
/// activation comes behind, and both figures tell of one another: on a straight line the variance of a unit of
/// the first layer in the middle is (σ_A² + σ_B² + 2 ρ σ_A σ_B) / 4, so that units that are not correlated lose
/// a part of their variance.
public struct LayerDiagnostics: Sendable, Hashable {
  /// The figures of a layer.
  public struct Layer: Sendable, Hashable {
    /// The node whose output is measured.
    public var name: String
    /// The number of units: features, or channels.
    public var units: Int
    /// The units that do not vary in one of the two networks: their standard deviation there is less than a
    /// thousandth of the root mean square of the layer's deviations. They have no correlation.
    public var silentUnits: Int
    /// σ̂/σ* at the path's middle, the mean over units: the deviation on the path, divided by the one between
    /// both networks', σ* = (1 − s) σ_A + s σ_B, s being the share of the time in which units move that is
    /// over (Jordan, Sedghi, Saukh, Entezari and Neyshabur, ICLR 2023). Units with nearly no σ* are left out; nothing
    /// if no others are there.
    public var varianceRatioInMiddle: Double?
    /// The same at each of ``LayerDiagnostics/times``.
    public var varianceRatios: [Double?]
    /// The mean over units of the correlation, over samples and positions, of a unit of the first network
    /// with the unit of the second that the path brings to its place; nothing if all units are silent.
    public var correlation: Double?
  }

  /// The path's middle.
  public var middle: Double
  /// The points at which layers were measured, beside the middle.
  public var times: [Double]
  /// The number of samples.
  public var samples: Int
  /// The layers with hidden units, in the network's order.
  public var layers: [Layer]

  /// The share of a layer's deviations below which a unit counts as silent.
  static let silence = 1e-3
}

extension PathEvaluator {
  /// Measures the hidden units of each layer along a path.
  ///
  /// The first network is the path's point at which units begin to move, and the second the one at which they
  /// have come to the second network's: there these are in the places to which the path brings them. Stages
  /// that only restore an order have no figures.
  ///
  /// - Parameters:
  ///   - path: The path.
  ///   - times: Points to measure at, beside the middle; those at which no unit moves any more, or yet,
  ///     are left out.
  ///   - samples: The samples.
  ///   - count: The most samples to measure with, taken at equal distances, so that a set sorted by
  ///     classes shows all of them.
  /// - Throws: ``DataError`` if the samples do not fit, and what the path throws.
  public func diagnoseLayers(
    of path: any ConnectionPath, at times: [Double], on samples: SampleSet, count: Int = 2000
  ) throws -> LayerDiagnostics {
    let time = MovingTime(of: path)
    let span = time.span
    let places = CorrectionPlace.all(of: path.network)
    let inner = times.filter { ($0 >= span.start && $0 <= span.end) }
    let middle = time.stages.isEmpty ? span.start : path.middle
    let measuring = try LayerMeasuring(path.network, places, samples: samples, count: count)
    var result = LayerDiagnostics(
      middle: middle, times: inner, samples: measuring.samples, layers: [])
    guard !places.isEmpty, measuring.samples > 0 else { return result }
    let all = [middle] + inner
    func tell(_ point: Int) throws {
      try progress(
        ConnectionProgress(
          "layers at point \(point) of \(all.count)",
          share: Double(point) / Double(all.count + 1)))
    }
    try tell(0)
    let ends = try measuring.pairs(
      path.weights(at: span.start), path.weights(at: span.end), workers: workers)
    var known: [Double: [Double?]] = [:]
    for (index, t) in all.enumerated() where known[t] == nil {
      try tell(index + 1)
      let found = try measuring.moments(path.weights(at: t), workers: workers)
      let share = time.share(at: t)
      known[t] = zip(found, ends).map { $1.varianceRatio(of: $0, share: share) }
    }
    for (index, place) in places.enumerated() {
      let correlations = ends[index].correlations
      result.layers.append(
        LayerDiagnostics.Layer(
          name: path.network.name(of: place.value), units: place.channels(in: path.network),
          silentUnits: correlations.count { $0 == nil },
          varianceRatioInMiddle: known[middle]?[index],
          varianceRatios: inner.map { known[$0]?[index] },
          correlation: correlations.compactMap(\.self).mean))
    }
    return result
  }
}

/// Runs networks with some samples, and measures their layers.
private struct LayerMeasuring {
  /// The number of samples.
  let samples: Int
  private let set: SampleSet
  private let blocks: [[Int]]
  private let runner: Runner
  private let shapes: [Shape]

  /// The most values of the measured layers that a block's samples have.
  private static let blockValues = 1 << 22

  init(
    _ network: Network, _ places: [CorrectionPlace], samples set: SampleSet, count: Int
  ) throws {
    try set.check(fits: network)
    self.set = set
    runner = try Runner(network, from: [.sample], to: places.map(\.value))
    shapes = places.map { network.shape(of: $0.value) }
    let taken = min(count, set.count)
    samples = taken
    let values = shapes.reduce(0) { $0 + $1.count }
    let size = min(
      try Runner(network).evaluationBlock, max(1, Self.blockValues / max(1, 2 * values)))
    let indices = (0..<taken).map { $0 * set.count / taken }
    blocks = stride(from: 0, to: taken, by: size).map {
      Array(indices[$0..<min($0 + size, taken)])
    }
  }

  /// The moments of each layer.
  func moments(_ weights: Weights, workers: Workers) throws -> [ChannelMoments] {
    let parts = try workers.map(blocks.count) { block in
      zip(runner.outputs(of: [set.block(at: blocks[block])], weights: weights), shapes).map {
        ChannelMoments(of: $0, sample: $1)
      }
    }
    // In the order of the blocks, so that the figures do not depend on the threads.
    return shapes.indices.map { place in
      parts.reduce(into: ChannelMoments(channels: shapes[place][0])) { $0.add($1[place]) }
    }
  }

  /// The moments of each layer in two networks.
  func pairs(_ a: Weights, _ b: Weights, workers: Workers) throws -> [PairedMoments] {
    let parts = try workers.map(blocks.count) { block in
      let input = set.block(at: blocks[block])
      let (first, second) = (
        runner.outputs(of: [input], weights: a), runner.outputs(of: [input], weights: b)
      )
      return shapes.indices.map {
        PairedMoments(of: first[$0], second[$0], sample: shapes[$0])
      }
    }
    return shapes.indices.map { place in
      parts.reduce(into: PairedMoments(channels: shapes[place][0])) { $0.add($1[place]) }
    }
  }
}

extension PairedMoments {
  /// The correlation of each channel in both networks; nothing where it does not vary in one of them.
  fileprivate var correlations: [Double?] {
    let (a, b) = (first.deviations, second.deviations)
    let (leastA, leastB) = (a.silence, b.silence)
    return covariances.enumerated().map { channel, covariance in
      // Written so that what is not a number is none.
      guard !(a[channel] <= leastA), !(b[channel] <= leastB) else { return nil }
      return covariance / (a[channel] * b[channel])
    }
  }

  /// The mean over channels of a network's deviation, divided by the one between both networks'.
  fileprivate func varianceRatio(of found: ChannelMoments, share: Double) -> Double? {
    let targets = zip(first.deviations, second.deviations).map {
      (1 - share) * $0 + share * $1
    }
    let least = targets.silence
    return zip(found.deviations, targets).compactMap { own, target in
      target <= least ? nil : own / target
    }.mean
  }
}

extension [Double] {
  /// The deviation up to which a channel is silent among others of these.
  fileprivate var silence: Double {
    guard !isEmpty else { return 0 }
    return LayerDiagnostics.silence
      * (reduce(0) { $0 + $1 * $1 } / Double(count)).squareRoot()
  }

  /// The mean; nothing of no numbers.
  fileprivate var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
