// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A path whose output layer is fitted to the labels between its ends.
///
/// The end points' own output layers are not fitted. So that the path still starts and ends there, the layer goes
/// from what it is on the path to the fitted one in the first tenth of a unit of time, and back in the last. The
/// cross-entropy is convex in the output layer: on the samples it is nowhere above the path's without the fit,
/// but for the penalty that keeps the change small.
struct RefittedPath: ConnectionPath {
  let network: Network
  let stages: [PathStage]
  var remarks: [PathRemark] { path.remarks }

  private let path: any ConnectionPath
  private let output: OutputRefit
  private let known = SolutionMemory<[Int: Tensor]>()
  /// The time in which the layer goes to the fitted one.
  private static let ramp = 0.1

  init(_ path: any ConnectionPath, refitting output: OutputRefit) {
    network = path.network
    self.path = path
    self.output = output
    stages = path.stages.map { stage in
      var stage = stage
      for index in [output.weight, output.bias].compactMap(\.self) {
        stage.motions[index] = .opaque
      }
      return stage
    }
  }

  func weights(at t: Double) throws -> Weights { try weights(atEach: [t])[0] }

  func weights(atEach times: [Double]) throws -> [Weights] {
    let points = try path.weights(atEach: times)
    let solved = known.solutions(at: Set(times))
    return try times.indices.map { index in
      var point = points[index]
      if let parameters = solved[times[index]] {
        for (parameter, tensor) in parameters { point[parameter] = tensor }
        return point
      }
      let end = domain.upperBound
      let share = min(1, min(times[index], end - times[index]) / Self.ramp)
      guard share > 0 else { return point }
      try output.tell("fitting the output layer", share: Double(index) / Double(times.count))
      point = try output.refitted(point, share: share)
      let parameters = Dictionary(
        uniqueKeysWithValues: [output.weight, output.bias].compactMap(\.self).map {
          ($0, point[$0])
        })
      known.keep(
        parameters, at: times[index], bytes: parameters.values.reduce(0) { $0 + 4 * $1.count })
      return point
    }
  }
}
