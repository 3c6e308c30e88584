// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// All layers solved for at once between two networks whose units meet: at every time, layer after layer,
/// each puts out the mean of what it does in both networks, weighted by the time.
///
/// The layers that read the samples alone are the curve's. Behind them, from the features X that the network
/// at t has in fact, each layer's change Δ of the interpolated weights W̄ minimises
/// ‖X Δᵀ − ((1 − t) Y_A + t Y_B − X W̄ᵀ)‖² + λ‖Δ‖². Where a layer's output goes into a sum, the layer is
/// solved for what the sum should be less what is there: it makes up for what the other summands lack. At both
/// ends there is nothing to change. Whatever is not solved for, such as a normalisation's scale, goes straight.
struct JointAdjustment: Sendable {
  /// The network.
  let network: Network
  /// The network at 0 and the one at 1.
  let ends: (Weights, Weights)
  /// The layers that are solved for, in the network's order.
  let layers: [SolvedLayer]
  /// How each parameter moves; opaque where it is solved for.
  let motions: [Motion]

  private let curves: [LayerMotion]
  private let samples: SampleSet
  private let options: AdjustmentOptions
  private let workers: Workers
  private let progress: @Sendable (ConnectionProgress) throws -> Void

  /// The rows of a block, as for a single layer.
  private static let blockRows = 2048
  /// The values that the widest activations of a block should not exceed.
  private static let blockValues = 1 << 25
  /// The bytes that the problems of the points solved together should not exceed, if that leaves a few.
  private static let problemBytes = 640 << 20
  /// The most bytes of features kept from layer to layer.
  private static let keptBytes = 1 << 30
  private static let fewestTogether = 4

  /// - Parameters:
  ///   - first: The network at 0.
  ///   - second: The network at 1, its units in the order in which they meet the first one's.
  ///   - curves: How the layers move that read the samples alone.
  ///   - samples: Training samples.
  ///   - progress: Is told how far the points that were asked for have come.
  /// - Throws: ``DataError`` if the samples do not fit the network.
  init(
    from first: Weights, to second: Weights, curves: [LayerMotion], samples: SampleSet,
    options: AdjustmentOptions, workers: Workers,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) throws {
    let network = first.network
    try samples.check(fits: network)
    self.network = network
    ends = (first, second)
    layers = SolvedLayer.behindFirst(of: network)
    self.curves = curves
    self.samples = samples
    self.options = options
    self.workers = workers
    self.progress = progress
    var motions = network.parameters.indices.map { index in
      first[index].isIdentical(to: second[index])
        ? Motion.fixed(first[index]) : .combination([first[index], second[index]], .line)
    }
    for curve in curves {
      for (index, motion) in curve.motions { motions[index] = motion }
    }
    for layer in layers {
      motions[layer.weight] = .opaque
      if let bias = layer.bias, options.solvesBias { motions[bias] = .opaque }
    }
    self.motions = motions
  }

  /// The weights that nothing is solved for yet: on the curves, and straight behind.
  private func interpolated(at time: Double) throws -> Weights {
    var weights = ends.0
    for (index, parameter) in network.parameters.enumerated()
    where !ends.0[index].isIdentical(to: ends.1[index]) {
      weights[index] = Tensor.combination(
        [ends.0[index], ends.1[index]], coefficients: [1 - time, time], shape: parameter.shape)
    }
    for curve in curves { try curve.move(&weights, to: time) }
    return weights
  }

  /// The weights at times between 0 and 1; these two are ``ends``.
  /// - Throws: ``ConnectionError/range(index:description:problem:)`` if features are too large or too small.
  func points(at times: [Double]) throws -> [Weights] {
    let together = try pointsTogether()
    var points: [Weights] = []
    for first in stride(from: 0, to: times.count, by: together) {
      let group = Array(times[first..<min(first + together, times.count)])
      points += try solve(group) { activity, share in
        let done = (Double(first) + share * Double(group.count)) / Double(times.count)
        try progress(ConnectionProgress(activity, share: min(1, done)))
      }
    }
    return points
  }

  /// As many points as problems and kept features leave room for.
  private func pointsTogether() throws -> Int {
    var together = Int.max
    for layer in layers {
      let bytes =
        LeastSquares.bytes(features: layer.features, targets: layer.targets) * layer.parts
      // A problem that is being solved has copies: centred, factored, and each worker's own.
      let memory = Machine.physicalMemory - Double(KeptProducts.standardLimit)
      let room = Int(memory / Double(bytes)) - 3 * workers.count
      guard room > 0 else {
        throw ConnectionError.layer(
          index: layer.node, description: network.describe(node: layer.node),
          problem:
            "has \(layer.features) inputs, whose normal equations need more memory than there is; "
            + "use fewer threads, or a method that does not adjust it")
      }
      let kept = keptBytes(before: layer, samples: sampleCount(of: layer))
      let fitting = min(Self.problemBytes / bytes, Self.keptBytes / max(1, kept) - 2)
      together = min(together, room, max(Self.fewestTogether, fitting))
    }
    return max(1, together)
  }

  private func sampleCount(of layer: SolvedLayer) -> Int {
    options.sampleCount(
      positions: layer.limitingPositions, features: layer.features, available: samples.count)
  }

  /// The values before a layer that it or something behind it reads.
  private func valuesNeeded(from layer: SolvedLayer) -> [Network.Value] {
    let readers = network.readers
    return (0...layer.node).map(Network.Value.init(index:)).filter { value in
      readers[value.index].contains { $0 >= layer.node }
    }
  }

  /// The bytes of one network's values before a layer.
  private func keptBytes(before layer: SolvedLayer, samples: Int) -> Int {
    let values = valuesNeeded(from: layer).reduce(0.0) {
      $0 + Double(network.shape(of: $1).count)
    }
    return Int(min(4 * values * Double(samples), 0x1p60))
  }

  private func solve(
    _ times: [Double], _ tell: (String, Double) throws -> Void
  ) throws -> [Weights] {
    var points = try times.map(interpolated)
    var kept = KeptValues.none
    for (index, layer) in layers.enumerated() {
      let name = network.nodes[layer.node].name
      try solve(layer, at: times, &points, &kept, isLast: index + 1 == layers.count) { share in
        try tell(
          "solving for \(name) at \(times.count.counted("point"))",
          (Double(index) + share) / Double(layers.count))
      }
    }
    return points
  }

  /// One pass over the samples for a layer, at several points.
  private func solve(
    _ layer: SolvedLayer, at times: [Double], _ points: inout [Weights], _ kept: inout KeptValues,
    isLast: Bool, _ tell: (Double) throws -> Void
  ) throws {
    let samples = samples.prefix(sampleCount(of: layer))
    // The ends are computed beside the points.
    let networks = points + [ends.0, ends.1]
    if kept.samples < samples.count { kept = .none }
    let needed = valuesNeeded(from: layer)
    let keepsNext =
      !isLast
      && keptBytes(before: layer, samples: samples.count) * networks.count <= Self.keptBytes
    var next = KeptValues.none
    if keepsNext {
      next = KeptValues(needed, of: network, networks: networks.count, samples: samples.count)
    }
    let wanted = Set([layer.input] + layer.others + (keepsNext ? needed : [])).sorted()
    let features = try JointFeatures(
      wanted, of: networks, times: times + [0, 1], motions: motions, from: kept)
    var problems = times.map { _ in emptyProblems(of: layer, samples: samples.count) }
    let blocks = samples.ranges(ofSize: blockSize(of: layer))
    for start in stride(from: 0, to: blocks.count, by: workers.count) {
      let ranges = Array(blocks[start..<min(start + workers.count, blocks.count)])
      func tellPass(_ pass: Int) throws {
        let done = Double(start) + Double(ranges.count * pass) / Double(times.count + 1)
        try tell(0.9 * done / Double(blocks.count))
      }
      try tellPass(0)
      let prepared = workers.values(ranges.count) { index in
        let block = features.block(ranges[index], of: samples)
        let both = [times.count, times.count + 1].map {
          EndRows(
            layer, features.values(of: block, network: $0), networks[$0], options, ranges[index])
        }
        return (block: block, ends: both)
      }
      if keepsNext {
        for (range, item) in zip(ranges, prepared) {
          for (offset, end) in item.ends.enumerated() {
            next.keep(end.values, ofNetwork: times.count + offset, range)
          }
        }
      }
      for time in times.indices {
        try tellPass(time + 1)
        let parts = workers.values(ranges.count) { index in
          let values = features.values(of: prepared[index].block, network: time)
          return rows(
            layer, values, networks[time], prepared[index].ends, at: times[time], ranges[index])
        }
        for (range, part) in zip(ranges, parts) {
          if keepsNext { next.keep(part.values, ofNetwork: time, range) }
          let pairs = zip(
            layer.featuresOfParts(part.features), layer.targetsOfParts(part.targets))
          for (problem, pair) in zip(problems[time].indices, pairs) {
            problems[time][problem].add(pair.0, targets: pair.1, workers: workers)
          }
        }
      }
    }
    kept = next
    try tell(0.9)
    let (filled, references) = (problems, points)
    let inner = filled.count > 1 ? Workers.serial : workers
    points = try workers.map(filled.count) { index in
      try solved(filled[index], layer, references[index], workers: inner)
    }
  }

  private func emptyProblems(of layer: SolvedLayer, samples: Int) -> [LeastSquares] {
    (0..<layer.parts).map { _ in
      LeastSquares(
        features: layer.features, targets: layer.targets,
        solvingBias: layer.bias != nil && options.solvesBias,
        expecting: samples * layer.rowsPerSample(options))
    }
  }

  private func blockSize(of layer: SolvedLayer) -> Int {
    let widest = network.shapes.map(\.count).max() ?? 1
    return max(
      1,
      min(
        Self.blockRows / layer.rowsPerSample(options), Self.blockValues / max(1, widest)))
  }

  /// An end's part in the targets of a block.
  private struct EndRows {
    var values: [Network.Value: Tensor]
    /// The layer's products, without a bias.
    var products: Tensor
    /// The other summands.
    var summands: Tensor?

    init(
      _ layer: SolvedLayer, _ values: [Network.Value: Tensor], _ weights: Weights,
      _ options: AdjustmentOptions, _ range: Range<Int>
    ) {
      self.values = values
      let input = values[layer.input] ?? Tensor(zeros: [0])
      let rows = layer.rows(
        of: input, positions: options.positions, first: range.lowerBound)
      products = Tensor(unspecified: [rows.shape.rows, layer.targets * layer.parts])
      layer.addProducts(
        of: rows, with: weights[layer.weight], scaled: 1, keeping: 0, to: &products)
      summands = layer.summandRows(values, positions: options.positions, first: range.lowerBound)
    }
  }

  /// Features, and what the interpolated weights lack of what the layer should put out. Biases go straight
  /// and cancel.
  private func rows(
    _ layer: SolvedLayer, _ values: [Network.Value: Tensor], _ point: Weights, _ ends: [EndRows],
    at time: Double, _ range: Range<Int>
  ) -> (values: [Network.Value: Tensor], features: Tensor, targets: Tensor) {
    let input = values[layer.input] ?? Tensor(zeros: [0])
    let features = layer.rows(of: input, positions: options.positions, first: range.lowerBound)
    let shape = ends[0].products.shape
    var (terms, coefficients) = (ends.map(\.products), [1 - time, time])
    let own = layer.summandRows(values, positions: options.positions, first: range.lowerBound)
    if let own, let first = ends[0].summands, let second = ends[1].summands {
      terms += [first, second, own]
      coefficients += [1 - time, time, -1]
    }
    var targets = Tensor.combination(terms, coefficients: coefficients, shape: shape)
    layer.addProducts(
      of: features, with: point[layer.weight], scaled: -1, keeping: 1, to: &targets)
    return (values, features, targets)
  }

  /// The weights with a layer's change.
  private func solved(
    _ problems: [LeastSquares], _ layer: SolvedLayer, _ reference: Weights, workers: Workers
  ) throws -> Weights {
    var weights = reference
    for (part, problem) in problems.enumerated() {
      let solution = try problem.layerSolution(
        ridge: options.ridge, layer: layer.node, of: network, workers: workers)
      weights[layer.weight].add(solution.weights, at: part * layer.targets * layer.features)
      if let bias = layer.bias, let change = solution.bias {
        weights[bias].add(change, at: part * layer.targets)
      }
    }
    return weights
  }
}

extension Tensor {
  /// Adds the values of another tensor to those from an index on.
  fileprivate mutating func add(_ change: Tensor, at start: Int) {
    for index in change.elements.indices { elements[start + index] += change.elements[index] }
  }
}
