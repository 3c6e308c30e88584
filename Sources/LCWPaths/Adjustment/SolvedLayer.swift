// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A weighted layer that least squares solve for, with what that needs to know of its place in the network.
struct SolvedLayer: Sendable {
  /// The layer.
  let node: Int
  /// The index of its weights.
  let weight: Int
  /// The index of its bias, if it has one.
  let bias: Int?
  /// What it reads.
  let input: Network.Value
  /// The other summands, if what the layer puts out goes into a sum and nowhere else, and these are known
  /// before it.
  let others: [Network.Value]
  /// Into how many parts its outputs are divided, each of which reads its own part of the features.
  let parts: Int
  /// The features that one part's weights multiply.
  let features: Int
  /// The outputs of one part.
  let targets: Int

  /// Whether layers before it are applied at several positions of a sample.
  private let isBehindPositions: Bool
  private let operation: any LinearOperation
  private let inputShape: Shape
  private let outputShape: Shape

  /// Nothing if the node does not multiply features by weights.
  init?(_ network: Network, node: Int) {
    guard let operation = network.nodes[node].operation as? any LinearOperation,
      let weight = network.parameterIndex(ofLayer: node, role: .weight)
    else { return nil }
    let shape = network.parameters[weight].shape
    self.node = node
    self.weight = weight
    self.operation = operation
    bias = network.parameterIndex(ofLayer: node, role: .bias)
    input = network.nodes[node].inputs[0]
    inputShape = network.shape(of: input)
    outputShape = network.shapes[node + 1]
    parts = operation.parts
    features = shape.rowCount
    targets = shape.rows / operation.parts
    isBehindPositions = network.nodes[..<node].contains { earlier in
      guard let linear = earlier.operation as? any LinearOperation else { return false }
      return linear.positions(input: network.shape(of: earlier.inputs[0])) > 1
    }
    let positions = operation.positions(input: inputShape)
    others =
      outputShape.rowCount == positions ? SolvedLayer.otherSummands(of: node, in: network) : []
  }

  /// The layers of a network that something moving is before: those that read the sample alone, through
  /// whatever has no weights, have the same features in all networks.
  static func behindFirst(of network: Network) -> [SolvedLayer] {
    let last = network.lastWeightedLayers
    return network.weightedLayers.compactMap { node in
      network.nodes[node].inputs.allSatisfy { last[$0.index] == nil }
        ? nil : SolvedLayer(network, node: node)
    }
  }

  private static func otherSummands(of node: Int, in network: Network) -> [Network.Value] {
    var value = Network.Value.output(ofNode: node)
    let (readers, last) = (network.readers, network.lastWeightedLayers)
    while readers[value.index].count == 1, let reader = readers[value.index].first {
      let description = network.nodes[reader]
      if description.operation is any SumOperation {
        let others = description.inputs.filter { $0 != value }
        // What a layer behind this one computes is not known yet: that one makes up for this one.
        let areKnown = others.allSatisfy { (last[$0.index] ?? -1) < node }
        return areKnown ? others : []
      }
      guard description.operation.keepsValues,
        network.shapes[reader + 1] == network.shape(of: value)
      else { return [] }
      value = .output(ofNode: reader)
    }
    return []
  }

  /// The number of positions of one sample, if its input has several.
  var positions: Int? {
    inputShape.rank == 1 ? nil : operation.positions(input: inputShape)
  }

  /// The positions by which the number of samples is limited, if it is: of a layer without positions one,
  /// where layers before it have several. Its features are dear then, and all samples would cost more than all
  /// other layers together.
  var limitingPositions: Int? { positions ?? (isBehindPositions ? 1 : nil) }

  /// The rows that one sample gives.
  func rowsPerSample(_ options: AdjustmentOptions) -> Int {
    let all = operation.positions(input: inputShape)
    return min(all, options.positions ?? all)
  }

  /// What the weights multiply, a row for each position that is taken.
  /// - Parameter first: The number of the first sample: which positions are taken depends on it.
  func rows(of block: Tensor, positions: Int?, first: Int) -> Tensor {
    operation.featureRows(of: block, input: inputShape, positions: positions, first: first)
  }

  /// The other summands' sum at the positions that ``rows(of:positions:first:)`` takes.
  func summandRows(_ values: [Network.Value: Tensor], positions: Int?, first: Int) -> Tensor? {
    let summands = others.compactMap { values[$0] }
    guard !summands.isEmpty else { return nil }
    let sum = Tensor.sum(of: summands)
    guard outputShape.rank == 3 else {
      return sum.reshaped([sum.shape.rows, outputShape.count])
    }
    // Windows of one position each: the same positions are taken of them.
    return ImageWindows(over: outputShape, kernel: [1, 1], stride: 1, padding: 0)
      .patchRows(of: sum, positions: positions, first: first)
  }

  /// result ← factor · rows · weightsᵀ + kept · result, part by part.
  func addProducts(
    of rows: Tensor, with weights: Tensor, scaled factor: Float, keeping kept: Float,
    to result: inout Tensor
  ) {
    for part in 0..<parts {
      result.assignProduct(
        rows.matrix(columns: part * features..<(part + 1) * features),
        weights.transposed(rows: part * targets..<(part + 1) * targets), alpha: factor,
        beta: kept, columns: parts == 1 ? nil : part * targets..<(part + 1) * targets)
    }
  }

  /// The features of each part apart.
  func featuresOfParts(_ rows: Tensor) -> [Tensor] { rows.columns(parts, of: features) }

  /// The targets of each part apart.
  func targetsOfParts(_ rows: Tensor) -> [Tensor] { rows.columns(parts, of: targets) }
}

extension Network {
  /// For each value the last weighted layer that it depends on, itself included; nothing where no such layer
  /// is before it.
  var lastWeightedLayers: [Int?] {
    var last = [Int?](repeating: nil, count: shapes.count)
    for (node, description) in nodes.enumerated() {
      last[node + 1] =
        description.layer.isWeighted
        ? node : description.inputs.compactMap { last[$0.index] }.max()
    }
    return last
  }
}

extension Tensor {
  /// The columns of a matrix in so many equal parts.
  fileprivate func columns(_ parts: Int, of width: Int) -> [Tensor] {
    guard parts > 1 else { return [self] }
    return (0..<parts).map { part in
      var result = Tensor(unspecified: [shape.rows, width])
      for row in 0..<shape.rows {
        let start = row * shape.rowCount + part * width
        result.elements.replaceSubrange(
          row * width..<(row + 1) * width, with: elements[start..<start + width])
      }
      return result
    }
  }
}
