// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// Networks one after the other that differ little, such as the states of a unit exchange: what has not
/// changed since the one before is not computed again, and of a layer of weights of which some rows have
/// changed only these rows' products are.
struct PointSequence: Sendable {
  private let points: [Weights]
  /// For each point and each node, what has to be computed again because of the node's own parameters.
  private let changes: [[Change]]
  private let kernels: [any OperationKernel]
  private let readers: [[Int]]

  /// What changed of a node's parameters.
  private enum Change: Sendable {
    case nothing
    case rows([Int], Tensor)
    case all
  }

  /// The most rows of a sample's widest values that a block should have together.
  private static let blockValues = 1 << 18

  /// - Parameter points: One or more, of one network.
  init(_ points: [Weights]) {
    self.points = points
    let network = points[0].network
    readers = network.readers
    kernels = network.nodes.indices.map {
      network.nodes[$0].operation.kernel(
        inputs: network.inputShapes(of: $0), output: network.shapes[$0 + 1], fusing: nil)
    }
    changes = points.indices.map { index in
      network.nodes.indices.map { node in
        index == 0 ? .all : PointSequence.change(of: node, points[index - 1], points[index])
      }
    }
  }

  private static func change(of node: Int, _ before: Weights, _ now: Weights) -> Change {
    let network = now.network
    let parameters = network.parameterIndices(ofLayer: node)
    guard parameters.contains(where: { !before[$0].isIdentical(to: now[$0]) }) else {
      return .nothing
    }
    guard let linear = network.nodes[node].operation as? any LinearOperation, linear.parts == 1,
      let weight = network.parameterIndex(ofLayer: node, role: .weight),
      parameters.allSatisfy({ network.parameters[$0].shape.rows == now[weight].shape.rows })
    else { return .all }
    let rows = (0..<now[weight].shape.rows).filter { row in
      parameters.contains { index in
        zip(before[index].row(row), now[index].row(row)).contains { $0.bitPattern != $1.bitPattern }
      }
    }
    guard rows.count * 2 < now[weight].shape.rows else { return .all }
    let shape = Shape([rows.count] + now[weight].shape.dimensions.dropFirst())
    var part = Tensor(unspecified: shape)
    let width = shape.rowCount
    for (place, row) in rows.enumerated() {
      part.elements.replaceSubrange(place * width..<(place + 1) * width, with: now[weight].row(row))
    }
    return .rows(rows, part)
  }

  /// The metrics of each point; the share of the blocks begun is told.
  func run(
    on samples: SampleSet, workers: Workers, progress: @Sendable (Double) throws -> Void
  ) throws -> [Metrics] {
    let network = points[0].network
    let size = max(16, min(512, Self.blockValues / max(1, network.widestSample)))
    let blocks = samples.ranges(ofSize: size)
    let sums = try workers.map(blocks.count) { index in
      try progress(Double(index) / Double(blocks.count))
      return run(block: samples.block(blocks[index]), labels: samples.labels[blocks[index]])
    }
    return points.indices.map { point in
      Metrics(sums.reduce(into: ClassificationSums()) { $0 += $1[point] })
    }
  }

  private func run(block: Tensor, labels: ArraySlice<Int32>) -> [ClassificationSums] {
    let network = points[0].network
    var values = [Tensor?](repeating: nil, count: network.shapes.count)
    values[0] = block.reshaped(network.inputShape.batched(block.shape.rows))
    return points.indices.map { point in
      var isNew = [Bool](repeating: point == 0, count: network.shapes.count)
      for node in network.nodes.indices {
        let inputs = network.nodes[node].inputs
        let readsNew = inputs.contains { isNew[$0.index] }
        switch (readsNew, changes[point][node]) {
        case (false, .nothing): continue
        case (false, .rows(let rows, let part)):
          replace(rows, part, of: node, at: point, &values)
        default:
          values[node + 1] = kernels[node].output(
            of: inputs.compactMap { values[$0.index] },
            parameters: network.parameterIndices(ofLayer: node).map { points[point][$0] },
            workers: .serial)
        }
        isNew[node + 1] = true
      }
      guard let logits = values[network.output.index] else { return ClassificationSums() }
      return logits.softmaxCrossEntropy(labels: labels)
    }
  }

  /// Computes some units of a layer's output again.
  private func replace(
    _ rows: [Int], _ part: Tensor, of node: Int, at point: Int, _ values: inout [Tensor?]
  ) {
    let network = points[0].network
    let input = network.nodes[node].inputs[0]
    guard let operation = network.nodes[node].operation as? any LinearOperation,
      let block = values[input.index], var output = values[node + 1]
    else { return }
    // So that it is changed in place.
    values[node + 1] = nil
    let product = operation.product(
      of: block, with: part, input: network.shape(of: input), workers: .serial)
    let bias = network.parameterIndex(ofLayer: node, role: .bias).map { points[point][$0] }
    output.assignUnits(
      rows, from: product, of: network.shapes[node + 1].rows,
      shifts: rows.map { bias?.elements[$0] ?? 0 })
    values[node + 1] = output
  }
}
