// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// One stage in which all layers move, each behind the first solved for at every time.
struct JointTransition: ConnectionPath {
  let network: Network
  let stages: [PathStage]

  private let adjustment: JointAdjustment
  private let known = SolutionMemory<[Int: Tensor]>()
  /// The parameters that are solved for.
  private let solved: [Int]

  init(label: String, _ adjustment: JointAdjustment) {
    network = adjustment.network
    stages = [PathStage(label: label, motions: adjustment.motions)]
    self.adjustment = adjustment
    solved = adjustment.motions.indices.filter {
      if case .fixed = adjustment.motions[$0] { false } else { true }
    }
  }

  func weights(at t: Double) throws -> Weights { try weights(atEach: [t])[0] }

  func weights(atEach times: [Double]) throws -> [Weights] {
    let inner = Set(times.filter { $0 > 0 && $0 < 1 })
    var results = known.solutions(at: inner)
    let missing = inner.filter { results[$0] == nil }.sorted()
    if !missing.isEmpty {
      for (time, weights) in zip(missing, try adjustment.points(at: missing)) {
        let parameters = Dictionary(uniqueKeysWithValues: solved.map { ($0, weights[$0]) })
        results[time] = parameters
        known.keep(
          parameters, at: time, bytes: parameters.values.reduce(0) { $0 + 4 * $1.count })
      }
    }
    return times.map { time in
      guard let parameters = results[time] else {
        return time >= 1 ? adjustment.ends.1 : adjustment.ends.0
      }
      var weights = adjustment.ends.0
      for (index, tensor) in parameters { weights[index] = tensor }
      return weights
    }
  }
}
