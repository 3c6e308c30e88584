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

  /// A count that options multiply, as an integer: a petabyte where it is more, or no number.
  static func whole(_ count: Double) -> Int { Int(min(max(0, count.isNaN ? 1e15 : count), 1e15)) }
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
      inputShape: data.train.sampleShape, classes: data.train.classes)
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
    let points =
      experiment.evaluation.isMiddleAlone
      ? 3 : Double(experiment.evaluation.points) * (experiment.evaluation.refines ? 2 : 1)
    let parameters = Double(network.parameterCount)
    let small = 20_000
    switch step.work {
    case .train:
      return Estimate(
        seconds: (learning * Double(experiment.training.epochs) + pass * measured) / speed,
        bytes: Estimate.whole(4 * parameters))
    case .open:
      let samples = Double(data.train.count + data.test.count)
      return Estimate(seconds: pass * samples / speed, bytes: Estimate.whole(4 * parameters))
    case .fit(let fit):
      return Estimate(
        seconds: try fitting(fit, network: network) / speed, bytes: Estimate.whole(16 * parameters))
    case .learn(let method, _):
      let epochs = try option("epochs", of: method.method) ?? 30
      let points = try option("points", of: method.method) ?? 3
      return Estimate(
        seconds: 1.3 * learning * epochs / speed,
        bytes: Estimate.whole(points * parameters * 4))
    case .connect(let method, _):
      let traits = try registry.connection(method).traits
      let hidden = max(1, network.weightedLayers.count - 1)
      var work = points * pass * measured
      let along = registry.plugins(of: .modifier).filter { $0 is any PathModifier.Type }
        .map { $0.name }
      let passes = method.modifiers.filter { along.contains($0.name) }.count
      // At most all samples once more at each point.
      work += Double(passes) * points * pass * Double(data.train.count)
      if method.modifiers.count > passes {
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
      }
      return Estimate(seconds: work / speed, bytes: Estimate.whole(points * 200) + small)
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

  /// A number that an option has, given or by default, if the method has such an option.
  private func option(_ key: String, of method: PluginReference) throws -> Double? {
    let plugin = registry.plugins(of: .method).first { $0.name == method.name }
    let text =
      method.options[key] ?? plugin?.options.first { $0.key == key }?.defaultText
    return text.flatMap { Double($0) }
  }

  /// The operations of a fit, if it is of a transformation of neurons with such options as those of
  /// `flow` and `bijection`; of any other method, those of as many epochs of that.
  private func fitting(_ fit: Experiment.Fit, network: Network) throws -> Double {
    let hidden = try HiddenPopulation(of: network, hidden: 0)
    let dimension = Double(hidden.dimension)
    let layers = try option("layers", of: fit.method.method) ?? 4
    let width = try option("width", of: fit.method.method) ?? 1
    let passes = layers * 4 * width * dimension * dimension * 6
    let rows =
      try option("steps", of: fit.method.method).map { $0 * 2 * Double(hidden.count) }
      ?? Double(hidden.count * fit.networks.count)
    return passes * rows * (try option("epochs", of: fit.method.method) ?? 40)
  }
}
