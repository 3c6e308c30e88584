// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// How to evaluate some points of one stage: what runs once, what combines, what runs at each.
struct StagePlan: Sendable {
  private let path: any ConnectionPath
  private let times: [Double]
  private let runner: Runner
  /// The first layer that moves and that combinations are known for; nothing if nothing moves or
  /// the first moving layer can't be combined.
  private let combined: CombinedLayer?
  /// The layers that run once for a block.
  private let head: Range<Int>
  /// The layers that run at each point.
  private let tail: Range<Int>
  /// The weights at the first of the times: right for the head, which does not move.
  private let start: Weights
  private let motions: [Motion]
  /// The dense layer of few outputs at the tail's start, if there is one: it runs together with the
  /// combination.
  private let narrow: (weight: Int, bias: Int?, rest: Range<Int>)?
  /// The tail's weights at each time, where they fit the memory set aside.
  private var tailWeights: [Weights]?

  /// The rows of a block that are combined at a time, so that their pre-activations stay in the
  /// second-level cache while all points are gone through.
  private static let rowsAtATime = 32
  /// The most bytes of weights kept for all points.
  private static let keptWeights = 256 << 20
  /// The most bytes of weights that are asked of the path at once.
  private static let computedWeights = 512 << 20

  init(_ path: any ConnectionPath, stage: Int, times: [Double]) throws {
    let network = path.network
    let motions = path.stages[stage].motions
    let firstMoving =
      network.parameters.indices.first { motions[$0].moves }.map { network.parameters[$0].layer }
      ?? network.layers.count
    let localTimes = times.map { path.position(of: $0).time }
    let combined = CombinedLayer(network, layer: firstMoving, motions: motions, times: localTimes)
    let tailStart = combined?.layers.upperBound ?? firstMoving
    self.path = path
    self.times = times
    self.combined = combined
    self.head = 0..<firstMoving
    let tail = tailStart..<network.layers.count
    self.tail = tail
    self.narrow = combined == nil ? nil : StagePlan.narrowLayer(of: network, at: tailStart)
    self.runner = try Runner(
      network, separating: [firstMoving, tailStart, narrow?.rest.lowerBound ?? tailStart])
    self.motions = motions
    let tailBytes = network.parameters.reduce(0) {
      tail.contains($1.layer) ? $0 + $1.shape.count * 4 : $0
    }
    let isComputed = network.parameters.indices.contains {
      tail.contains(network.parameters[$0].layer) && motions[$0].isOpaque
    }
    guard isComputed else {
      start = try path.weights(at: times[0])
      if tailBytes * times.count <= StagePlan.keptWeights {
        tailWeights = try times.map(tailWeights(at:))
      }
      return
    }
    let points = try StagePlan.computedTails(tail, of: path, at: times)
    start = points[0]
    tailWeights = points
  }

  /// Points that only the path can compute, asked for together, since some are solutions of a
  /// problem over all samples. What no tail reads is that of the first point in all of them.
  private static func computedTails(
    _ tail: Range<Int>, of path: any ConnectionPath, at times: [Double]
  ) throws -> [Weights] {
    let together = max(1, computedWeights / max(1, path.network.parameterCount * 4))
    var points: [Weights] = []
    for first in stride(from: 0, to: times.count, by: together) {
      let group = Array(times[first..<min(first + together, times.count)])
      for computed in try path.weights(atEach: group) {
        guard var point = points.first else {
          points.append(computed)
          continue
        }
        for (index, parameter) in path.network.parameters.enumerated()
        where tail.contains(parameter.layer) {
          point[index] = computed[index]
        }
        points.append(point)
      }
    }
    return points
  }

  private static func narrowLayer(
    of network: Network, at layer: Int
  ) -> (weight: Int, bias: Int?, rest: Range<Int>)? {
    guard layer < network.layers.count, case .dense(let outputs, _) = network.layers[layer],
      outputs <= Tensor.combinedDenseOutputs,
      let weight = network.parameterIndex(ofLayer: layer, role: .weight)
    else { return nil }
    return (
      weight, network.parameterIndex(ofLayer: layer, role: .bias),
      layer + 1..<network.layers.count
    )
  }

  /// The metrics at each time; the share of the blocks begun is told, and within a block that of its
  /// points: where there are many, or the network is large, a block takes minutes.
  func run(
    on samples: SampleSet, workers: Workers, progress: @Sendable (Double) throws -> Void
  ) throws -> [Metrics] {
    let blocks = samples.ranges(ofSize: runner.evaluationBlock)
    let sums = try workers.map(blocks.count) { index in
      try progress(Double(index) / Double(blocks.count))
      return try run(block: samples.block(blocks[index]), labels: samples.labels[blocks[index]]) {
        try progress((Double(index) + $0) / Double(blocks.count))
      }
    }
    return times.indices.map { time in
      Metrics(sums.reduce(into: ClassificationSums()) { $0 += $1[time] })
    }
  }

  private func run(
    block: Tensor, labels: ArraySlice<Int32>, progress: (Double) throws -> Void
  ) throws -> [ClassificationSums] {
    let prefix = runner.output(of: block, weights: start, layers: head)
    guard let combined else {
      return try times.indices.map { time in
        try progress(Double(time) / Double(times.count))
        return runner.output(of: prefix, weights: try weights(at: time), layers: tail)
          .softmaxCrossEntropy(labels: labels)
      }
    }
    let products = combined.products(of: prefix)
    var sums = [ClassificationSums](repeating: ClassificationSums(), count: times.count)
    let samples = prefix.shape.rows
    // Points whose weights must be computed go through the whole block at once, and so do images;
    // the others in pieces that fit a cache.
    let height =
      tailWeights == nil || !combined.prefersPieces ? samples : StagePlan.rowsAtATime
    for first in stride(from: 0, to: samples, by: height) {
      let rows = first..<min(first + height, samples)
      let base = labels.startIndex
      let rowLabels = labels[base + rows.lowerBound..<base + rows.upperBound]
      if height < samples { try progress(Double(first) / Double(samples)) }
      for time in times.indices {
        if height >= samples { try progress(Double(time) / Double(times.count)) }
        let weights = try weights(at: time)
        sums[time] += output(of: combined, products, at: time, rows: rows, weights: weights)
          .softmaxCrossEntropy(labels: rowLabels)
      }
    }
    return sums
  }

  /// What the combined layer and the tail put out for some rows at a time.
  private func output(
    of combined: CombinedLayer, _ products: CombinedLayer.Products, at time: Int,
    rows: Range<Int>, weights: Weights
  ) -> Tensor {
    if let narrow {
      let output = combined.combine(
        products, at: time, rows: rows, weight: weights[narrow.weight],
        weightBias: narrow.bias.map { weights[$0] })
      return runner.output(of: output, weights: weights, layers: narrow.rest)
    }
    return runner.output(
      of: combined.combine(products, at: time, rows: rows), weights: weights, layers: tail)
  }

  private func weights(at index: Int) throws -> Weights {
    try tailWeights?[index] ?? tailWeights(at: times[index])
  }

  /// Weights that are right for the tail; what it does not read is that of the start, so that it
  /// takes no memory of its own.
  private func tailWeights(at time: Double) throws -> Weights {
    var weights = start
    let localTime = path.position(of: time).time
    for (index, parameter) in path.network.parameters.enumerated()
    where tail.contains(parameter.layer) {
      switch motions[index] {
      case .fixed(let tensor): weights[index] = tensor
      case .combination(let bases, let curve):
        weights[index] = Tensor.combination(
          bases, coefficients: curve.coefficients(at: localTime), shape: parameter.shape)
      case .opaque: return try path.weights(at: time)
      }
    }
    return weights
  }
}

extension Motion {
  var moves: Bool {
    switch self {
    case .fixed: false
    case .combination, .opaque: true
    }
  }
}
