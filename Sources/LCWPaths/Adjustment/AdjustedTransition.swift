// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// One stage in which a hidden layer's units move, and the layer behind it is adjusted at every
/// time to put out what it did at the start network.
struct AdjustedTransition: ConnectionPath {
  let network: Network
  let stages: [PathStage]
  let remarks: [PathRemark]
  /// The weights at the start and at the end, so that neighbouring stages share them to the bit.
  let start: Weights
  let end: Weights

  private let motion: LayerMotion
  private let moving: Int
  private let adjustment: LayerAdjustment
  private let startsAtReference: Bool
  private let known: SolutionMemory<LayerAdjustment.Result>

  /// - Parameters:
  ///   - base: The weights at the start; the adjusted layer's are the reference's.
  ///   - motion: How the parameters of the moving layer move.
  ///   - moving: The moving layer.
  ///   - startsAtReference: Whether `base` is the reference network.
  init(
    label: String, base: Weights, motion: LayerMotion, moving: Int, adjustment: LayerAdjustment,
    startsAtReference: Bool
  ) throws {
    let network = base.network
    self.network = network
    self.motion = motion
    self.moving = moving
    self.adjustment = adjustment
    self.startsAtReference = startsAtReference
    known = SolutionMemory()
    stages = [
      PathStage(
        label: label,
        motions: network.parameters.indices.map { index in
          if network.parameters[index].layer == adjustment.layer { return .opaque }
          return motion.motions[index] ?? .fixed(base[index])
        })
    ]
    let times: [Double] = startsAtReference ? [1] : [0, 1]
    let results = try adjustment.results(
      base: base, motion: motion, moving: moving, startsAtReference: startsAtReference,
      times: times)
    var (start, end) = (base, base)
    try motion.move(&end, to: 1)
    results[results.count - 1].assign(to: &end)
    if !startsAtReference { results[0].assign(to: &start) }
    self.start = start
    self.end = end
    let name = network.parameters.first { $0.layer == adjustment.layer }?.layerName ?? ""
    remarks = zip(times, results).map { time, result in
      PathRemark(
        "relative residual of \(name) \(time == 0 ? "before" : "after") ‘\(label)’",
        result.residual)
    }
  }

  func weights(at t: Double) throws -> Weights { try weights(atEach: [t])[0] }

  func weights(atEach times: [Double]) throws -> [Weights] {
    let inner = Set(times.filter { $0 > 0 && $0 < 1 })
    var results = known.solutions(at: inner)
    let missing = inner.filter { results[$0] == nil }.sorted()
    if !missing.isEmpty {
      let found = try adjustment.results(
        base: start, motion: motion, moving: moving, startsAtReference: startsAtReference,
        times: missing)
      for (time, result) in zip(missing, found) {
        results[time] = result
        known.keep(
          result, at: time, bytes: result.parameters.values.reduce(0) { $0 + 4 * $1.count })
      }
    }
    return try times.map { time in
      guard let result = results[time] else { return time >= 1 ? end : start }
      var weights = start
      try motion.move(&weights, to: time)
      result.assign(to: &weights)
      return weights
    }
  }
}
