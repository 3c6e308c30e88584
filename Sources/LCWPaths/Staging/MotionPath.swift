// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// One stage in which a layer motion takes its parameters, and all others that differ go straight.
struct MotionPath: ConnectionPath {
  let network: Network
  let stages: [PathStage]
  private let start: Weights
  private let end: Weights
  private let motion: LayerMotion

  init(label: String, from start: Weights, to end: Weights, motion: LayerMotion) throws {
    network = start.network
    self.start = start
    self.end = end
    self.motion = motion
    stages = [
      PathStage(
        label: label,
        motions: network.parameters.indices.map { index in
          if let known = motion.motions[index] { return known }
          return start[index].isIdentical(to: end[index])
            ? .fixed(start[index]) : .combination([start[index], end[index]], .line)
        })
    ]
  }

  func weights(at t: Double) throws -> Weights {
    if t <= 0 { return start }
    if t >= 1 { return end }
    return try weights(at: t, opaque: motion.tensors(at: t))
  }
}
