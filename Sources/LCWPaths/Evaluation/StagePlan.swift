// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// How to evaluate some points of one stage: what runs once, what combines, what runs at each.
///
/// What can be reached from a moving parameter has to run again at each point. What it reads from elsewhere
/// is the *cut*: these values are computed once for a block.
struct StagePlan: Sendable {
  private let path: any ConnectionPath
  private let times: [Double]
  /// Runs once for a block and computes the cut and what combined layers read.
  private let head: Runner
  /// Runs at each point, from the cut and the combined layers' outputs.
  private let tail: Runner
  /// The moving layers that combinations are known for and that read nothing that moves.
  private let combined: [CombinedLayer]
  /// The weights at the first of the times: right for the head, which does not move.
  private let start: Weights
  private let motions: [Motion]
  /// The dense layer of few outputs that alone reads the only combined layer, if there is one: it runs
  /// together with the combination, and the rest behind it.
  private let narrow: NarrowLayer?
  /// The tail's weights at each time, where they fit the memory set aside.
  private var tailWeights: [Weights]?

  private struct NarrowLayer: Sendable {
    var weight: Int
    var bias: Int?
    var rest: Runner
  }

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
    let moving = Set(
      network.parameters.indices.filter { motions[$0].moves }.map { network.parameters[$0].layer })
    let parts = try MovingParts(
      of: network, moving: moving, motions: motions,
      times: times.map { path.position(of: $0).time }, to: [network.output])
    self.path = path
    self.times = times
    self.motions = motions
    combined = parts.combined
    head = parts.head
    tail = parts.tail
    narrow = try StagePlan.narrowLayer(of: network, behind: parts)
    let read = Set(tail.parameters)
    let tailBytes = read.reduce(0) { $0 + network.parameters[$1].shape.count * 4 }
    guard read.contains(where: { motions[$0].isOpaque }) else {
      start = try path.weights(at: times[0])
      if tailBytes * times.count <= StagePlan.keptWeights {
        tailWeights = try times.map(tailWeights(at:))
      }
      return
    }
    let points = try StagePlan.computedTails(read, of: path, at: times)
    start = points[0]
    tailWeights = points
  }

  /// Points that only the path can compute, asked for together, since some are solutions of a
  /// problem over all samples. What no tail reads is that of the first point in all of them.
  private static func computedTails(
    _ tail: Set<Int>, of path: any ConnectionPath, at times: [Double]
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
        for index in tail { point[index] = computed[index] }
        points.append(point)
      }
    }
    return points
  }

  private static func narrowLayer(
    of network: Network, behind parts: MovingParts
  ) throws -> NarrowLayer? {
    guard parts.combined.count == 1, let layer = parts.combined.first, layer.prefersPieces,
      parts.tail.sources == [layer.output]
    else { return nil }
    let readers = network.nodes.indices.filter { network.nodes[$0].inputs.contains(layer.output) }
    guard readers.count == 1,
      let dense = network.nodes[readers[0]].operation as? any LinearOperation, dense.parts == 1,
      network.shapes[readers[0] + 1].rank == 1,
      network.shapes[readers[0] + 1].count <= Tensor.combinedDenseOutputs,
      let weight = network.parameterIndex(ofLayer: readers[0], role: .weight)
    else { return nil }
    let output = Network.Value.output(ofNode: readers[0])
    return NarrowLayer(
      weight: weight, bias: network.parameterIndex(ofLayer: readers[0], role: .bias),
      rest: try Runner(network, from: [output], to: [network.output]))
  }

  /// The metrics at each time; the share of the blocks begun is told, and within a block that of its
  /// points: where there are many, or the network is large, a block takes minutes.
  /// - Parameter kept: Where products are kept for other plans.
  func run(
    on samples: SampleSet, keeping kept: KeptProducts? = nil, workers: Workers,
    progress: @Sendable (Double) throws -> Void
  ) throws -> [Metrics] {
    let blocks = samples.ranges(ofSize: tail.evaluationBlock)
    let sums = try workers.map(blocks.count) { index in
      try progress(Double(index) / Double(blocks.count))
      return try run(blocks[index], of: samples, keeping: kept) {
        try progress((Double(index) + $0) / Double(blocks.count))
      }
    }
    return times.indices.map { time in
      Metrics(sums.reduce(into: ClassificationSums()) { $0 += $1[time] })
    }
  }

  private func run(
    _ range: Range<Int>, of set: SampleSet, keeping kept: KeptProducts?,
    progress: (Double) throws -> Void
  ) throws -> [ClassificationSums] {
    let (samples, labels) = (range.count, set.labels[range])
    // The samples themselves are not needed where all products with them are kept.
    lazy var known = headValues(of: set.block(range))
    // What depends on other parameters is the product of this network alone.
    let kept = head.parameters.isEmpty ? kept : nil
    let products = combined.map { layer in
      layer.products { weight, isOwn in
        guard let kept, layer.keepsProducts, isOwn else {
          return layer.product(of: known.value(layer.input), with: weight)
        }
        return kept.product(
          of: range, in: set, with: .init(weight: weight, origin: layer.origin)
        ) {
          layer.product(of: known.value(layer.input), with: weight)
        }
      }
    }
    let others = tailReadsHead ? known.values : [:]
    var sums = [ClassificationSums](repeating: ClassificationSums(), count: times.count)
    // Points whose weights must be computed go through the whole block at once, and so do images and
    // what reads more than one combined layer; the others in pieces that fit a cache.
    let inPieces =
      tailWeights != nil && combined.count == 1 && combined[0].prefersPieces
      && tail.sources == [combined[0].output]
    let height = inPieces ? StagePlan.rowsAtATime : samples
    for first in stride(from: 0, to: samples, by: height) {
      let rows = first..<min(first + height, samples)
      let base = labels.startIndex
      let rowLabels = labels[base + rows.lowerBound..<base + rows.upperBound]
      if height < samples { try progress(Double(first) / Double(samples)) }
      for time in times.indices {
        if height >= samples { try progress(Double(time) / Double(times.count)) }
        let weights = try weights(at: time)
        sums[time] += output(others, products, at: time, rows: rows, weights: weights)
          .softmaxCrossEntropy(labels: rowLabels)
      }
    }
    return sums
  }

  /// What the head computes from a block.
  private func headValues(of block: Tensor) -> HeadValues {
    let given = head.outputs(of: head.sources.isEmpty ? [] : [block], weights: start)
    return HeadValues(values: Dictionary(uniqueKeysWithValues: zip(head.targets, given)))
  }

  private struct HeadValues {
    var values: [Network.Value: Tensor]

    func value(_ value: Network.Value) -> Tensor {
      guard let tensor = values[value] else {
        preconditionFailure("the head computes what combined layers read")
      }
      return tensor
    }
  }

  /// Whether the tail reads more than what is combined.
  private var tailReadsHead: Bool {
    let outputs = combined.map(\.output)
    return tail.sources.contains { !outputs.contains($0) }
  }

  /// What the network puts out for some rows at a time.
  private func output(
    _ known: [Network.Value: Tensor], _ products: [CombinedLayer.Products], at time: Int,
    rows: Range<Int>, weights: Weights
  ) -> Tensor {
    if let narrow {
      let output = combined[0].combine(
        products[0], at: time, rows: rows, weight: weights[narrow.weight],
        weightBias: narrow.bias.map { weights[$0] })
      return narrow.rest.output(of: output, weights: weights)
    }
    var inputs = known
    for (layer, products) in zip(combined, products) {
      inputs[layer.output] = layer.combine(products, at: time, rows: rows)
    }
    return tail.outputs(of: tail.sources.compactMap { inputs[$0] }, weights: weights)[0]
  }

  private func weights(at index: Int) throws -> Weights {
    try tailWeights?[index] ?? tailWeights(at: times[index])
  }

  /// Weights that are right for the tail; what it does not read is that of the start, so that it
  /// takes no memory of its own.
  private func tailWeights(at time: Double) throws -> Weights {
    var weights = start
    let localTime = path.position(of: time).time
    for index in tail.parameters {
      let shape = path.network.parameters[index].shape
      guard let tensor = motions[index].tensor(at: localTime, shape: shape) else {
        return try path.weights(at: time)
      }
      weights[index] = tensor
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
