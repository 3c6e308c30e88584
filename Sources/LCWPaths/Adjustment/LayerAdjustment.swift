// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// Weight adjustment: a layer's weights by least squares, so that on other features it puts out
/// what it does in a reference network (Anokhin and Yarotsky 2020, section 4).
///
/// With the reference's features X₀ and weights W₀ and the features X to adjust to, the change
/// Δ = W − W₀ minimises ‖X Δᵀ − (X₀ − X) W₀ᵀ‖² + λ‖Δ‖². Where X is X₀, nothing changes, to the bit:
/// that is why the change is solved for and not the weights. The rows of X are samples or, for a
/// convolution, the patches at positions of the samples.
///
/// With a second network, which the features come to at time 1, the target is (1 − t) Y₀ + t Y₁ of both
/// networks' outputs, and Δ the change of the weights on the straight line between theirs: at time 1 they
/// are the second network's.
struct LayerAdjustment: Sendable {
  /// The layer that is adjusted.
  let layer: Int
  private let reference: Weights
  private let second: Weights?
  private let samples: SampleSet
  private let options: AdjustmentOptions
  private let workers: Workers
  private let progress: @Sendable (ConnectionProgress) throws -> Void
  private let weight: Int
  private let bias: Int?
  private let runner: Runner
  private let operation: any LinearOperation
  /// The shape of one sample before the layer.
  private let input: Shape

  /// The rows of a block: many enough that adding a block's products to their sums costs little
  /// beside computing them.
  private static let blockRows = 2048
  /// The bytes that the problems solved together should not exceed, if that leaves a few: each
  /// group of them runs the network's first layers anew.
  private static let problemBytes = 640 << 20
  private static let fewestTogether = 4
  /// The values that the widest activations of a block should not exceed: each worker has a few such
  /// tensors.
  private static let blockValues = 1 << 25

  /// - Parameters:
  ///   - layer: The index of a dense layer or a convolution.
  ///   - reference: The network whose output the layer keeps.
  ///   - second: The network whose output the layer comes to at time 1, if it does not keep the first
  ///     one's. The layers before it are this network's at time 1.
  ///   - samples: Training samples.
  ///   - progress: Is told how far a pass over the samples, and the solving behind it, has come.
  /// - Throws: ``ConnectionError`` if the layer is neither, ``DataError`` if the samples do not
  ///   fit the network.
  init(
    of layer: Int, reference: Weights, comingTo second: Weights? = nil, samples: SampleSet,
    options: AdjustmentOptions, workers: Workers,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) throws {
    let network = reference.network
    try samples.check(fits: network)
    guard let operation = network.nodes[layer].operation as? any LinearOperation,
      operation.parts == 1, let weight = network.parameterIndex(ofLayer: layer, role: .weight)
    else {
      throw ConnectionError.layer(
        index: layer, description: network.describe(node: layer),
        problem: "can't be adjusted by least squares")
    }
    self.operation = operation
    input = network.inputShapes(of: layer)[0]
    self.layer = layer
    self.reference = reference
    self.second = second
    self.samples = samples.prefix(
      options.sampleCount(
        positions: input.rank == 1 ? nil : operation.positions(input: input),
        features: network.parameters[weight].shape.rowCount, available: samples.count))
    self.options = options
    self.workers = workers
    self.progress = progress
    self.weight = weight
    bias = network.parameterIndex(ofLayer: layer, role: .bias)
    runner = try Runner(network, from: [.sample], to: [network.nodes[layer].inputs[0]])
  }

  /// An adjusted layer.
  struct Result: Sendable {
    /// The layer's parameters.
    var parameters: [Int: Tensor]
    /// The root mean square of what the layer's output lacks of the reference's, divided by that
    /// of the reference's around its mean.
    var residual: Double

    /// Writes the parameters over those of weights.
    func assign(to weights: inout Weights) {
      for (index, tensor) in parameters { weights[index] = tensor }
    }
  }

  /// The layer adjusted to its input at several times.
  ///
  /// - Parameters:
  ///   - base: The weights of the layers that stay.
  ///   - motion: How the moving layer moves.
  ///   - moving: The moving layer, which stands before the adjusted one.
  ///   - startsAtReference: Whether the features at time 0 are the reference's, so that they need
  ///     not be computed apart.
  ///   - times: From 0 to 1.
  /// - Throws: ``ConnectionError/range(index:description:problem:)`` if features are too large or too
  ///   small, and what computing them throws.
  func results(
    base: Weights, motion: LayerMotion, moving: Int, startsAtReference: Bool, times: [Double]
  ) throws -> [Result] {
    let shape = reference.network.parameters[weight].shape
    let bytes = LeastSquares.bytes(features: shape.rowCount, targets: shape.rows)
    // A problem that is being solved has copies: centred, factored, and each worker's own.
    let memory = Machine.physicalMemory - Double(KeptProducts.standardLimit)
    let room = Int(memory / Double(bytes)) - 3 * workers.count
    guard room > 0 else {
      throw ConnectionError.layer(
        index: layer, description: reference.network.describe(node: layer),
        problem:
          "has \(shape.rowCount) inputs, whose normal equations need more memory than there is; "
          + "use fewer threads, or a method that does not adjust it")
    }
    let together = min(
      room, max(LayerAdjustment.fewestTogether, LayerAdjustment.problemBytes / bytes))
    return try stride(from: 0, to: times.count, by: together).flatMap { first in
      let group = Array(times[first..<min(first + together, times.count)])
      let features = try MovingFeatures(
        weights: base, motion: motion, moving: moving, upTo: layer, times: group + [0, 1])
      return try results(features, times: group, startsAtReference: startsAtReference)
    }
  }

  /// Solves for the given times of the features; those behind them are 0 and 1.
  private func results(
    _ features: MovingFeatures, times: [Double], startsAtReference: Bool
  ) throws -> [Result] {
    let count = times.count
    let shape = reference.network.parameters[weight].shape
    var problems = (0..<count).map { _ in
      LeastSquares(
        features: shape.rowCount, targets: shape.rows,
        solvingBias: bias != nil && options.solvesBias, expecting: samples.count * rowsPerSample)
    }
    var spread = TargetSpread()
    let widest = reference.network.shapes.map(\.count).max() ?? 1
    let size = min(
      LayerAdjustment.blockRows / rowsPerSample, LayerAdjustment.blockValues / max(1, widest))
    let blocks = samples.ranges(ofSize: max(1, size))
    // Wide features of many points take seconds for a few blocks, and to solve for the weights then
    // takes as long: each point is told of.
    let name = reference.network.parameters[weight].layerName
    let passes = Double(blocks.count * (count + 1))
    for start in stride(from: 0, to: blocks.count, by: workers.count) {
      func tell(_ pass: Int) throws {
        let done = Double(start * (count + 1) + pass * workers.count)
        try progress(
          ConnectionProgress(
            "adjusting \(name) at \(count.counted("point"))", share: min(1, done / passes)))
      }
      try tell(0)
      let ranges = Array(blocks[start..<min(start + workers.count, blocks.count)])
      let prepared = try workers.map(ranges.count) { index in
        let samples = samples.block(ranges[index])
        let block = features.block(samples)
        let original = rows(
          startsAtReference
            ? try features.features(of: block, at: count)
            : runner.output(of: samples, weights: reference),
          first: ranges[index].lowerBound)
        var output = Tensor(unspecified: [original.shape.rows, shape.rows])
        output.assignProduct(original.matrix, reference[weight].transposed)
        var other: Tensor?
        if let second {
          let last = rows(
            try features.features(of: block, at: count + 1), first: ranges[index].lowerBound)
          var product = Tensor(unspecified: output.shape)
          product.assignProduct(last.matrix, second[weight].transposed)
          other = product
        }
        return Prepared(block: block, original: original, output: output, other: other)
      }
      for item in prepared { spread.add(item.output) }
      for time in problems.indices {
        try tell(time + 1)
        let parts = try workers.map(prepared.count) { index in
          let x = rows(
            try features.features(of: prepared[index].block, at: time),
            first: ranges[index].lowerBound)
          return (x: x, target: target(prepared[index], x, at: times[time]))
        }
        for part in parts { problems[time].add(part.x, targets: part.target, workers: workers) }
      }
    }
    // LAPACK factors a matrix on one thread, so that each thread solves a problem of its own.
    let (filled, deviation) = (problems, spread.deviation)
    let inner = filled.count > 1 ? Workers.serial : workers
    return try workers.map(filled.count) { index in
      try progress(
        ConnectionProgress(
          "solving for \(name) at \(count.counted("point"))", share: Double(index) / Double(count)))
      return try result(
        of: filled[index], at: times[index], spread: deviation, workers: inner)
    }
  }

  /// A block with what is the same at all times.
  private struct Prepared: Sendable {
    var block: MovingFeatures.Block
    /// The reference's features.
    var original: Tensor
    /// The reference's output, without a bias.
    var output: Tensor
    /// The second network's output, if there is one.
    var other: Tensor?
  }

  /// What the weights that the change is added to lack of the target on features `x`. Biases cancel.
  private func target(_ prepared: Prepared, _ x: Tensor, at time: Double) -> Tensor {
    guard let other = prepared.other else {
      let lack = Tensor.combination(
        [prepared.original, x], coefficients: [1, -1], shape: x.shape)
      var target = Tensor(unspecified: prepared.output.shape)
      target.assignProduct(lack.matrix, reference[weight].transposed)
      return target
    }
    var target = Tensor.combination(
      [prepared.output, other], coefficients: [1 - time, time], shape: prepared.output.shape)
    target.assignProduct(
      x.matrix, between(weight, at: time).transposed, alpha: -1, beta: 1)
    return target
  }

  /// A parameter of the layer before the change: the reference's, or on the line to the second network's.
  private func between(_ parameter: Int, at time: Double) -> Tensor {
    guard let second else { return reference[parameter] }
    return Tensor.combination(
      [reference[parameter], second[parameter]], coefficients: [1 - time, time],
      shape: reference[parameter].shape)
  }

  /// What the layer's weights multiply, a row each.
  /// - Parameter first: The number of the first sample: which patches are taken depends on it.
  private func rows(_ block: Tensor, first: Int) -> Tensor {
    operation.featureRows(of: block, input: input, positions: options.positions, first: first)
  }

  private var rowsPerSample: Int {
    let all = operation.positions(input: input)
    return min(all, options.positions ?? all)
  }

  private func result(
    of problem: LeastSquares, at time: Double, spread: Double, workers: Workers
  ) throws -> Result {
    let solution = try problem.layerSolution(
      ridge: options.ridge, layer: layer, of: reference.network, workers: workers)
    let tensor = between(weight, at: time)
    var parameters = [
      weight: Tensor.combination(
        [tensor, solution.weights.reshaped(tensor.shape)], coefficients: [1, 1],
        shape: tensor.shape)
    ]
    if let bias {
      parameters[bias] = between(bias, at: time)
      if let change = solution.bias, let own = parameters[bias] {
        parameters[bias] = Tensor.combination(
          [own, change], coefficients: [1, 1], shape: change.shape)
      }
    }
    if let second, time >= 1 {
      for index in parameters.keys { parameters[index] = second[index] }
    }
    return Result(
      parameters: parameters, residual: spread > 0 ? solution.residual / spread : 0)
  }
}

/// The deviation of the values of blocks from the mean of each column.
private struct TargetSpread {
  private var count = 0
  private var sums: [Double] = []
  private var squares = 0.0

  mutating func add(_ block: Tensor) {
    let width = block.shape.rowCount
    if sums.isEmpty { sums = [Double](repeating: 0, count: width) }
    count += block.shape.rows
    for row in 0..<block.shape.rows {
      for (column, value) in block.row(row).enumerated() {
        sums[column] += Double(value)
        squares += Double(value) * Double(value)
      }
    }
  }

  /// The root of the mean square over all values.
  var deviation: Double {
    guard count > 0, !sums.isEmpty else { return 0 }
    let means = sums.reduce(0) { $0 + $1 * $1 } / Double(count)
    return (max(0, squares - means) / Double(count * sums.count)).squareRoot()
  }
}
