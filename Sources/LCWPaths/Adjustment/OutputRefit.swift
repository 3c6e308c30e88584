// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The output layer fitted to the labels on the features that the layers before it have.
///
/// The cross-entropy is convex in the output layer's weights, so that there is one best change Δ of them:
/// it minimises the mean cross-entropy + ½ λ ‖Δ‖², by L-BFGS (Nocedal and Wright, section 7.2) with
/// Böhning's bound of the curvature, ½ XᵀX, as its first guess (Böhning 1992).
struct OutputRefit: Sendable {
  /// The output layer's weights.
  let weight: Int
  /// Its bias, if it has one.
  let bias: Int?

  private let network: Network
  private let node: Int
  private let samples: SampleSet
  private let runner: Runner
  private let workers: Workers
  private let progress: @Sendable (ConnectionProgress) throws -> Void

  /// λ as a share of the features' mean square.
  private static let ridge = 1e-4
  /// The bytes of features kept of one point: so many of the first samples are used.
  private static let featureBytes = 1 << 30
  private static let blockRows = 2048

  /// - Throws: ``ConnectionError/layer(index:description:problem:)`` if the network's output is not that of a
  ///   dense layer, ``DataError`` if the samples do not fit it.
  init(of network: Network, samples: SampleSet, in context: ConnectionContext) throws {
    try samples.check(fits: network)
    var value = network.output
    while let node = value.node, network.nodes[node].operation.keepsValues {
      value = network.nodes[node].inputs[0]
    }
    let last = value.node ?? 0
    guard let node = value.node, let layer = SolvedLayer(network, node: node), layer.parts == 1,
      layer.positions == nil
    else {
      throw ConnectionError.layer(
        index: last, description: network.describe(node: last),
        problem:
          "puts out what labels are told from, and only a dense layer there can be fitted to labels; "
          + "leave out refit=labels")
    }
    self.network = network
    self.node = node
    weight = layer.weight
    bias = layer.bias
    let width = layer.features + 1
    self.samples = samples.prefix(max(1, Self.featureBytes / (4 * width)))
    runner = try Runner(network, from: [.sample], to: [layer.input])
    workers = context.workers
    progress = context.progress
  }

  /// The weights of a point with the output layer fitted, a share of the way to the fitted one.
  /// - Parameter keepingIdle: Whether features that the layer does not read, all of whose weights are zero,
  ///   stay unread.
  func refitted(
    _ point: Weights, share: Double = 1, keepingIdle: Bool = false
  ) throws -> Weights {
    guard share > 0 else { return point }
    let problem = problem(at: point, without: keepingIdle ? idle(in: point[weight]) : [])
    let change = try problem.solution(workers: workers)
    let (rows, columns) = (point[weight].shape.rows, point[weight].shape.rowCount)
    guard change.allSatisfy({ Float($0).isFinite }) else {
      throw ConnectionError.range(
        index: node, description: network.describe(node: node),
        problem:
          "can't be fitted to the labels in single precision: its inputs are too large or too small"
      )
    }
    var result = point
    for row in 0..<rows {
      for column in 0..<columns {
        let value = share * change[row * problem.width + column]
        result[weight].elements[row * columns + column] += Float(value)
      }
      if let bias {
        result[bias].elements[row] += Float(share * change[row * problem.width + columns])
      }
    }
    return result
  }

  /// Tells how far a computation of points has come.
  func tell(_ activity: String, share: Double) throws {
    try progress(ConnectionProgress(activity, share: share))
  }

  /// The features that a layer does not read.
  private func idle(in weight: Tensor) -> [Int] {
    (0..<weight.shape.rowCount).filter { column in
      (0..<weight.shape.rows).allSatisfy {
        weight.elements[$0 * weight.shape.rowCount + column] == 0
      }
    }
  }

  /// - Parameter idle: Features that are taken to be zero, so that their weights stay.
  private func problem(at point: Weights, without idle: [Int]) -> LabelFit {
    let ranges = samples.ranges(ofSize: Self.blockRows)
    let hasBias = bias != nil
    let blocks = workers.values(ranges.count) { index in
      runner.output(of: samples.block(ranges[index]), weights: point)
        .appendingOnes(hasBias, rows: ranges[index].count).clearing(columns: idle)
    }
    var start: [Float] = []
    for row in 0..<point[weight].shape.rows {
      start += point[weight].row(row)
      if let bias { start.append(point[bias].elements[row]) }
    }
    return LabelFit(
      blocks: blocks, labels: ranges.map { Array(samples.labels[$0]) }, start: start,
      classes: point[weight].shape.rows, ridge: Self.ridge)
  }
}

extension OutputFit {
  /// What fits a network's output layer, if something does.
  func output(
    of network: Network, _ samples: SampleSet, _ context: ConnectionContext
  ) throws -> OutputRefit? {
    self == .labels ? try OutputRefit(of: network, samples: samples, in: context) : nil
  }
}

extension Tensor {
  /// A matrix with zeros in some columns.
  fileprivate func clearing(columns: [Int]) -> Tensor {
    guard !columns.isEmpty else { return self }
    var result = self
    for row in 0..<shape.rows {
      for column in columns { result.elements[row * shape.rowCount + column] = 0 }
    }
    return result
  }

  /// A block as a matrix, with a column of ones behind it.
  fileprivate func appendingOnes(_ appends: Bool, rows: Int) -> Tensor {
    let width = shape.rowCount
    guard appends else { return reshaped([rows, width]) }
    var result = Tensor(repeating: 1, shape: [rows, width + 1])
    for row in 0..<rows {
      result.elements.replaceSubrange(
        row * (width + 1)..<row * (width + 1) + width,
        with: elements[row * width..<(row + 1) * width])
    }
    return result
  }
}
