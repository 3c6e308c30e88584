// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
public import LCWNumerics
import LCWPaths

/// Two networks and their neurons.
struct BijectionPair {
  let population: HiddenPopulation
  let a: Weights
  let b: Weights
  let neurons: [Tensor]

  /// cos(πt/2) ν(A) + sin(πt/2) ν(B), from ν(A) and ν(B).
  func between(_ images: [Tensor], at time: Double) -> Tensor {
    Tensor.combination(
      images, coefficients: Self.coefficients(at: time), shape: images[0].shape)
  }

  static func coefficients(at time: Double) -> [Double] {
    Array(Curve.arc.coefficients(at: time).suffix(2))
  }

  /// The network with given neurons; what belongs to no neuron, the output layer's bias, is on the
  /// arc around its midpoint.
  func weights(_ rows: Tensor, at time: Double) -> Weights {
    let arc = Curve.arc.coefficients(at: time)
    let halves = [arc[1] + arc[0] / 2, arc[2] + arc[0] / 2]
    var weights = a
    for index in weights.network.parameters.indices
    where !population.parameters.contains(index) {
      weights[index] = Tensor.combination(
        [a[index], b[index]], coefficients: halves, shape: a[index].shape)
    }
    population.assign(rows, to: &weights)
    return weights
  }
}

/// A point between two networks and the samples whose loss counts there.
struct Batch {
  let time: Double
  let samples: [Int]
}

extension BijectionFit {
  /// The gradient of the mean loss at some points between two networks, in the place of
  /// `gradients`.
  ///
  /// - Parameters:
  ///   - transformation: ν.
  ///   - networks: A and B, of one hidden layer.
  ///   - points: Values of t, each with the samples whose loss counts there.
  ///   - samples: The data.
  ///   - gradients: One for each of ν's parameters.
  ///   - workers: The threads.
  /// - Returns: The mean loss, in nats.
  /// - Throws: ``PopulationError``, ``RunnerError``, or ``FlowError`` if the networks do not fit.
  public static func lossGradient(
    of transformation: Transformation, between networks: (a: Weights, b: Weights),
    at points: [(time: Double, samples: [Int])], samples: SampleSet,
    into gradients: inout [Tensor], workers: Workers
  ) throws -> Double {
    let population = try HiddenPopulation(of: networks.a.network, hidden: 0)
    return try lossGradient(
      of: transformation,
      BijectionPair(
        population: population, a: networks.a, b: networks.b,
        neurons: [population.neurons(of: networks.a), population.neurons(of: networks.b)]),
      points.map { Batch(time: $0.time, samples: $0.samples) }, samples: samples,
      runner: try Runner(networks.a.network), into: &gradients, workers: workers)
  }

  /// The gradient of the mean loss over `batches` between a pair, in the place of `gradients`.
  static func lossGradient(
    of transformation: Transformation, _ pair: BijectionPair, _ batches: [Batch],
    samples: SampleSet, runner: Runner, into gradients: inout [Tensor], workers: Workers
  ) throws -> Double {
    let units = pair.population.count
    guard let both = Tensor.concatenatingRows(pair.neurons) else { return .nan }
    // Both networks' neurons go through ν in one pass.
    let forward = try transformation.forwardPass(both, workers: workers)
    let images = [
      forward.rows.rows(0..<units), forward.rows.rows(units..<2 * units),
    ]
    var imageGradients = [Tensor](
      repeating: Tensor(zeros: images[0].shape), count: images.count)
    var loss = 0.0
    for (index, batch) in batches.enumerated() {
      let back = try transformation.inversePass(
        pair.between(images, at: batch.time), workers: workers)
      let weights = pair.weights(back.rows, at: batch.time)
      var own = weights.network.parameters.map { Tensor(zeros: $0.shape) }
      // Without dropout, as paths are measured.
      let sums = runner.accumulateGradients(
        of: samples.block(at: batch.samples), labels: batch.samples.map { samples.labels[$0] }[...],
        weights: weights, into: &own, random: nil, workers: workers)
      loss += Metrics(sums).crossEntropy / Double(batches.count)
      var rows = pair.population.neurons(
        of: try Weights(network: weights.network, tensors: own))
      rows.assign(0, times: rows, plus: 1 / Float(batches.count))
      let gradient = try transformation.inverseBackward(
        back, gradient: rows, into: &gradients, carry: index == 0 ? 0 : 1, workers: workers)
      for (network, coefficient) in BijectionPair.coefficients(at: batch.time).enumerated() {
        imageGradients[network].assign(Float(coefficient), times: gradient, plus: 1)
      }
    }
    guard let gradient = Tensor.concatenatingRows(imageGradients) else { return .nan }
    try transformation.layersBackward(
      forward, gradient: gradient, logGradients: [Float](repeating: 0, count: 2 * units),
      into: &gradients, carry: batches.isEmpty ? 0 : 1, workers: workers)
    return loss
  }
}
