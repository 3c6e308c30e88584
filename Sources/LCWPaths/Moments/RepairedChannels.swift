// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// Channels brought back to the mean and the standard deviation that they should have between two networks: in
/// the middle of a path the deviation of what layers put out collapses (Jordan, Sedghi, Saukh, Entezari and
/// Neyshabur, ICLR 2023, *REPAIR*).
///
/// Before each activation the target of a channel is μ* = (1 − t) μ_A + t μ_B and σ* likewise. What a channel
/// has at t, μ̂ and σ̂, is measured with every earlier layer corrected; then W ← (σ*/σ̂) W and
/// b ← μ* + (σ*/σ̂)(b − μ̂).
///
/// - *Where*: what a layer of weights puts out, with the normalisations by known moments right behind it (batch
///   normalisation, affine), whose scale and shift then take the correction. In a residual network it is what a
///   branch adds to the stream. The network's output is left as it is.
/// - *Without a bias* a layer's channels are rescaled alone, and their means with them.
/// - *Several stages*: in each, the networks at its two ends stand for A and B, and t is the stage's own time. Where
///   a stage keeps the function, or units only find their places in it, nothing is corrected.
/// - *Dead channels*: the factor is √((σ*² + δ²)/(σ̂² + δ²)), δ a thousandth of the root mean square of the layer's
///   σ*. So a channel that is silent on the way gets at most a thousandfold weights, and the path stays continuous.
public struct RepairedChannels: Sendable {
  /// What is corrected.
  public enum Moments: String, OptionChoice {
    /// Mean and deviation.
    case both
    /// The deviation alone; the mean stays what it is.
    case variance
  }

  /// What is corrected.
  public var moments: Moments
  /// The most training samples to measure with.
  public var samples: Int
  /// The most bytes of activations that are held while all samples are measured; what does not fit is computed
  /// several times.
  public var heldBytes = Double(1 << 30)

  /// A way to correct.
  public init(moments: Moments, samples: Int) {
    self.moments = moments
    self.samples = samples
  }

  /// The path with its channels corrected.
  /// - Throws: ``ConnectionError`` if there are no samples or nothing to correct; ``DataError`` if the
  ///   samples do not fit.
  public func path(
    modifying path: any ConnectionPath, name: String, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let network = path.network
    let places = CorrectionPlace.all(of: network)
    guard !places.isEmpty else {
      throw ConnectionError.unsuited(
        method: name,
        problem:
          "the network has no hidden layer whose outputs could be corrected; leave +\(name) out")
    }
    guard let samples = context.samples else { throw ConnectionError.needsSamples(method: name) }
    let sweep = try MomentSweep(
      network, probes: places.map(\.probe), samples: samples, count: self.samples, limit: heldBytes)
    var anchors: [Int: [ChannelMoments]] = [:]
    let moving = MovingTime(of: path).stages
    let whole = Set(moving.flatMap { [$0, $0 + 1] }).sorted()
    for (index, t) in whole.enumerated() {
      try context.progress(
        ConnectionProgress(
          "measuring between stages", share: Double(index) / Double(whole.count)))
      anchors[t] = try sweep.run(try path.weights(at: Double(t)), workers: context.workers)
    }
    return CorrectedPath(
      path,
      by: RepairCorrection(
        moments: moments, places: places, sweep: sweep, anchors: anchors,
        active: Dictionary(
          uniqueKeysWithValues: moving.map { stage in
            let isMoving = network.movingValues(path.stages[stage].motions)
            return (stage, places.map { isMoving[$0.value.index] })
          })),
      in: context)
  }
}

private struct RepairCorrection: PointCorrection {
  let moments: RepairedChannels.Moments
  let places: [CorrectionPlace]
  let sweep: MomentSweep
  /// What is measured at whole times.
  let anchors: [Int: [ChannelMoments]]
  /// For each stage in which units move, and for each place, whether its value does.
  let active: [Int: [Bool]]

  /// The share of a layer's deviations below which a channel counts as silent.
  private static let silence = 1e-3

  func changedParameters(inStage stage: Int) -> Set<Int> {
    guard let active = active[stage] else { return [] }
    return Set(
      zip(places, active).filter(\.1).flatMap { [$0.0.factor] + ($0.0.summand.map { [$0] } ?? []) })
  }

  func leaves(_ t: Double) -> Bool { t == t.rounded() || active[Int(t)] == nil }

  func simultaneous(_ workers: Workers) -> Int { sweep.simultaneous(workers) }

  func change(of point: Weights, at t: Double, workers: Workers) throws -> [Int: ChannelLines] {
    let stage = Int(t)
    let time = t - Double(stage)
    guard let active = active[stage], let start = anchors[stage], let end = anchors[stage + 1]
    else { return [:] }
    var change: [Int: ChannelLines] = [:]
    try sweep.run(point, workers: workers) { index, found, weights in
      guard active[index] else { return nil }
      let lines = lines(found, from: start[index], to: end[index], time, at: places[index])
      change[index] = lines
      places[index].apply(lines, to: &weights)
      return lines
    }
    return change
  }

  func apply(_ change: [Int: ChannelLines], to point: inout Weights) {
    for (index, lines) in change { places[index].apply(lines, to: &point) }
  }

  private func lines(
    _ found: ChannelMoments, from start: ChannelMoments, to end: ChannelMoments, _ time: Double,
    at place: CorrectionPlace
  ) -> ChannelLines {
    let (a, b, own) = (start.deviations, end.deviations, found.variances)
    let targets = zip(a, b).map { (1 - time) * $0 + time * $1 }
    let meanSquare = targets.reduce(0) { $0 + $1 * $1 } / Double(max(1, targets.count))
    let silent = meanSquare * RepairCorrection.silence * RepairCorrection.silence
    let factors = targets.indices.map { channel -> Double in
      let (target, variance) = (targets[channel] * targets[channel] + silent, own[channel] + silent)
      return variance > 0 ? (target / variance).squareRoot() : 1
    }
    guard place.summand != nil else {
      return ChannelLines(factors: factors, summands: factors.map { _ in 0 })
    }
    let summands = factors.indices.map { channel in
      let mean = found.means[channel]
      let target =
        moments == .both
        ? (1 - time) * start.means[channel] + time * end.means[channel] : mean
      return target - factors[channel] * mean
    }
    return ChannelLines(factors: factors, summands: summands)
  }
}
