// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Recomputes running statistics along a path: each batch normalisation, in the network's order, gets the
/// mean and the variance of its input at that point, with all earlier normalisations already corrected
/// (Jordan, Sedghi, Saukh, Entezari and Neyshabur, ICLR 2023).
///
/// What a network keeps from its training is not quite what is measured: other batches, augmented samples.
/// So that the path's ends are the networks themselves and it does not jump there, the difference is added
/// in part: (1 − s) of that at the start and s of that at the end, s being the share of the moving stages'
/// time that is over. Variances are multiplied by the quotients instead, to the powers 1 − s and s, with 1e-5
/// added to each variance. Stages before the first moving one and behind the last keep their moments: those
/// are the ends' own.
public struct ResetMoments: Sendable {
  /// The most training samples to measure with.
  public var samples: Int
  /// The most bytes of activations that are held while all samples are measured; what does not fit is computed
  /// several times.
  public var heldBytes = Double(1 << 30)

  /// A way to measure.
  public init(samples: Int) {
    self.samples = samples
  }

  /// The path with its running statistics recomputed.
  /// - Throws: ``ConnectionError`` if there are no samples, or the network has no running statistics or such
  ///   as are no mean and variance; ``DataError`` if the samples do not fit.
  public func path(
    modifying path: any ConnectionPath, name: String, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let network = path.network
    let norms = try network.runningAverages.map { try RunningNorm($0, in: network, for: name) }
    guard !norms.isEmpty else {
      throw ConnectionError.unsuited(
        method: name,
        problem: "the network has no batch normalisation with running statistics to recompute; "
          + "leave out +\(name)")
    }
    guard let samples = context.samples else { throw ConnectionError.needsSamples(method: name) }
    let time = MovingTime(of: path)
    guard !time.stages.isEmpty else { return path }
    let sweep = try MomentSweep(
      network, probes: norms.map(\.probe), samples: samples, count: self.samples,
      limit: heldBytes)
    let ends = try [time.span.start, time.span.end].map { t in
      let point = try path.weights(at: t)
      return MeasuredNetwork(
        stored: norms.map { $0.moments(in: point) },
        measured: try sweep.run(point, workers: context.workers).map {
          ChannelPair(means: $0.means, variances: $0.variances)
        })
    }
    let correction = ResetCorrection(
      norms: norms, sweep: sweep, time: time, start: ends[0], end: ends[1])
    return CorrectedPath(path, by: correction, in: context)
  }
}

/// What an end of the moving stages keeps, and what is measured in it.
private struct MeasuredNetwork: Sendable {
  var stored: [ChannelPair]
  var measured: [ChannelPair]
}

private struct ResetCorrection: PointCorrection {
  let norms: [RunningNorm]
  let sweep: MomentSweep
  let time: MovingTime
  let start: MeasuredNetwork
  let end: MeasuredNetwork

  /// What is added to variances before they are divided by each other: of channels whose variance is
  /// smaller, the quotient tells of rounding alone.
  private static let smallVariance = 1e-5

  func changedParameters(inStage stage: Int) -> Set<Int> {
    let middle = Double(stage) + 0.5
    return leaves(middle) ? [] : Set(norms.flatMap { [$0.mean, $0.variance] })
  }

  func leaves(_ t: Double) -> Bool { t <= time.span.start || t >= time.span.end }

  func simultaneous(_ workers: Workers) -> Int { sweep.simultaneous(workers) }

  func change(of point: Weights, at t: Double, workers: Workers) throws -> [Int: Tensor] {
    let share = time.share(at: t)
    var change: [Int: Tensor] = [:]
    try sweep.run(point, workers: workers) { index, moments, weights in
      let (mean, variance) = blended(index, moments, share)
      change[norms[index].mean] = mean
      change[norms[index].variance] = variance
      weights[norms[index].mean] = mean
      weights[norms[index].variance] = variance
      return nil
    }
    return change
  }

  private func blended(
    _ index: Int, _ moments: ChannelMoments, _ share: Double
  ) -> (mean: Tensor, variance: Tensor) {
    let small = ResetCorrection.smallVariance
    let ends = [(start, 1 - share), (end, share)]
    let means = moments.means.indices.map { channel in
      ends.reduce(moments.means[channel]) { sum, end in
        let (stored, measured) = (end.0.stored[index], end.0.measured[index])
        return sum + end.1 * (stored.means[channel] - measured.means[channel])
      }
    }
    let variances = moments.variances.enumerated().map { channel, variance in
      ends.reduce(variance + small) { product, end in
        let (stored, measured) = (end.0.stored[index], end.0.measured[index])
        let quotient =
          (max(0, stored.variances[channel]) + small) / (measured.variances[channel] + small)
        return product * pow(quotient, end.1)
      } - small
    }
    return (Tensor(means.map { Float($0) }), Tensor(variances.map { Float(max(0, $0)) }))
  }

  func apply(_ change: [Int: Tensor], to point: inout Weights) {
    for (parameter, tensor) in change { point[parameter] = tensor }
  }
}
