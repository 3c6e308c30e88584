// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The straight segment, but for one fault.
struct FaultyPath: ConnectionPath {
  enum Fault {
    case undescribed, refusal, mismatch, throwing, start, end, notFinite, jump, told, toldFunction
    case toldTogether, toldLast, unrepeated
  }

  struct Undescribed: Error {}

  let network: Network
  let stages: [PathStage]
  private let ends: (Weights, Weights)
  private let fault: Fault?
  private let noise: Float

  init(from a: Weights, to b: Weights, fault: Fault?) {
    network = a.network
    ends = (a, b)
    self.fault = fault
    var system = SystemRandomNumberGenerator()
    noise = fault == .unrepeated ? Float.random(in: 0.1..<1, using: &system) : 0
    let tellsRight = fault == nil || fault == .toldTogether || fault == .toldLast
    let motions = zip(a.tensors, b.tensors).map { first, second -> Motion in
      if fault == .told { return .fixed(first) }
      return tellsRight ? .combination([first, second], .line) : .opaque
    }
    stages = [
      PathStage(label: "faulty", motions: motions, keepsFunction: fault == .toldFunction)
    ]
  }

  func weights(at t: Double) throws -> Weights {
    var point = ends.0
    for index in point.tensors.indices {
      point[index] = Tensor.combination(
        [ends.0[index], ends.1[index]], coefficients: [1 - t, t], shape: point[index].shape)
    }
    let value = point[0].elements[0]
    switch fault {
    case .start where t == 0, .end where t == 1: point[0].elements[0] = value.nextUp
    case .notFinite where t > 0.4 && t < 0.6: point[0].elements[0] = .infinity
    case .jump where t > 0.37 && t < 1: point[0].elements[0] = value + 0.01
    case .unrepeated: point[0].elements[0] = value + noise * Float(t * (1 - t))
    case .throwing where t > 0.5: throw Undescribed()
    default: break
    }
    return point
  }

  func weights(atEach times: [Double]) throws -> [Weights] {
    var points = try times.map(weights(at:))
    // Few points only, so that it is not as if the path jumped.
    if 2...8 ~= points.count {
      if fault == .toldTogether { points[0][0].elements[0] += 0.1 }
      if fault == .toldLast { points[points.count - 1][0].elements[0] += 0.1 }
    }
    return points
  }
}
