// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// Running statistics measured at each point of weight space by itself: each batch normalisation, in the
/// network's order, gets the mean and the variance that its input has there, with all normalisations before it
/// so measured.
///
/// On a path ``ResetMoments`` blends them with what the ends keep, so that these stay what they are. A plane
/// has no ends: here every point has the moments of its own weights, and a network's own place has the
/// moments of the samples instead of those it was trained with.
public struct MeasuredMoments: Sendable {
  private let correction: MeasuredCorrection

  /// A way to measure a network's moments.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - samples: The samples.
  ///   - count: The most samples to measure with, taken at equal distances.
  /// - Throws: ``ConnectionError`` if the network keeps other averages than means and variances;
  ///   ``DataError`` if the samples do not fit.
  public init(of network: Network, on samples: SampleSet, count: Int = 2000) throws {
    let norms = try network.runningAverages.map {
      try RunningNorm($0, in: network, for: "reset")
    }
    correction = MeasuredCorrection(
      norms: norms,
      sweep: try MomentSweep(
        network, probes: norms.map(\.probe), samples: samples, count: count,
        limit: ResetMoments(samples: count).heldBytes))
  }

  /// The path whose points have their own moments.
  func path(measuring path: any ConnectionPath, by evaluator: PathEvaluator) -> any ConnectionPath {
    CorrectedPath(
      path, by: correction,
      in: ConnectionContext(workers: evaluator.workers, progress: evaluator.progress))
  }
}

private struct MeasuredCorrection: PointCorrection {
  let norms: [RunningNorm]
  let sweep: MomentSweep

  func changedParameters(inStage stage: Int) -> Set<Int> {
    Set(norms.flatMap { [$0.mean, $0.variance] })
  }

  func leaves(_ t: Double) -> Bool { norms.isEmpty }

  func simultaneous(_ workers: Workers) -> Int { sweep.simultaneous(workers) }

  func change(of point: Weights, at t: Double, workers: Workers) throws -> [Int: Tensor] {
    var change: [Int: Tensor] = [:]
    try sweep.run(point, workers: workers) { index, moments, weights in
      for (parameter, values) in [
        (norms[index].mean, moments.means), (norms[index].variance, moments.variances),
      ] {
        let tensor = Tensor(values.map { Float($0) })
        change[parameter] = tensor
        weights[parameter] = tensor
      }
      return nil
    }
    return change
  }

  func apply(_ change: [Int: Tensor], to point: inout Weights) {
    for (parameter, tensor) in change { point[parameter] = tensor }
  }
}

extension Weights {
  /// The weights with the running statistics of others, so that a direction between both moves none.
  /// - Precondition: Both are of one network.
  public func withRunningMoments(of other: Weights) -> Weights {
    precondition(network == other.network, "the weights are of two networks")
    var result = self
    for (index, parameter) in network.parameters.enumerated() where !parameter.isTrained {
      result[index] = other[index]
    }
    return result
  }
}
