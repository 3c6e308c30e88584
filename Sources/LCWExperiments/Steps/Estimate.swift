// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
public import LCWNumerics
import LCWPaths

/// What steps will take, from the arithmetic they need and the speed of this machine.
public struct Estimate: Sendable {
  /// Seconds.
  public var seconds: Double
  /// Bytes on disk.
  public var bytes: Int
}

extension StepRunner {
  /// Floating-point operations a second in matrix products, with all threads, as measured just now.
  public static func measuredSpeed(workers: Workers) -> Double {
    let size = 768
    var random = RandomStream(seed: 0)
    let (a, b) = (random.normal([size, size]), random.normal([size, size]))
    var product = Tensor(zeros: [size, size])
    var fastest = Double.infinity
    for _ in 0..<6 {
      let start = ContinuousClock.now
      product.assignProduct(a.matrix, b.matrix, workers: workers)
      fastest = min(fastest, (ContinuousClock.now - start).seconds)
    }
    return 2 * Double(size * size * size) / fastest
  }

  /// What a step will take: right in its order of magnitude, from the products alone.
  ///
  /// - Parameter speed: Operations a second.
  public func estimate(_ step: Step, speed: Double) throws -> Estimate {
    let network = try registry.architecture(experiment.architecture).network(
      inputShape: try registry.dataset(experiment.dataset).sampleShape,
      classes: try registry.dataset(experiment.dataset).classes)
    let pass =
      2
      * network.weightedLayers.reduce(0.0) {
        $0 + Double(network.multiplyAdds(ofLayer: $1))
      }
    let count = experiment.evaluation.samples
    let measured = Double(
      (count.map(data.train.prefix) ?? data.train).count
        + (count.map(data.test.prefix) ?? data.test).count)
    let learning = 3 * pass * Double(data.train.count)
    let points = Double(experiment.evaluation.points) * (experiment.evaluation.refines ? 2 : 1)
    let small = 20_000
    switch step.work {
    case .train:
      return Estimate(
        seconds: (learning * Double(experiment.training.epochs) + pass * measured) / speed,
        bytes: network.parameterCount * 4)
    case .connect(let method, _):
      let traits = try registry.connection(method).traits
      let hidden = max(1, network.weightedLayers.count - 1)
      var work = points * pass * measured
      if method.modifier != nil {
        // A Gram matrix of each moved layer's features at each of its points.
        let widths = network.weightedLayers.dropFirst().compactMap {
          network.parameterIndex(ofLayer: $0, role: .weight).map {
            Double(network.parameters[$0].shape.rowCount)
          }
        }
        work *= Double(hidden + 1)
        if traits.needsData {
          work += points * widths.reduce(0) { $0 + $1 * $1 } * Double(data.train.count)
        }
      } else if traits.isLearnable, traits.needsData {
        let epochs = Double(method.method.options["epochs"] ?? "30") ?? 30
        work += 1.3 * learning * epochs
      }
      return Estimate(seconds: work / speed, bytes: Int(points) * 200 + small)
    case .ensemble:
      return Estimate(
        seconds: pass * (measured + Double(data.train.count)) * Double(experiment.networks) / speed,
        bytes: small)
    case .middles(let methods, _): return Estimate(seconds: 2, bytes: small * (methods.count + 2))
    case .plane:
      let samples = Double(min(10_000, data.train.count))
      return Estimate(seconds: 625 * pass * samples / speed, bytes: small)
    }
  }
}
