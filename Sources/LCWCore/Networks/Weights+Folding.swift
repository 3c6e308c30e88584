// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension Weights {
  /// Weights of a network without batch normalisations that computes the same in evaluation.
  ///
  /// A normalisation by running statistics is a factor and a summand for each channel. Where it is the only
  /// reader of a dense layer or a convolution, they become part of its weights and of its bias, which it
  /// gets if it has none. Elsewhere they become part of the layers behind, where nothing but a flatten or
  /// dropout lies between and no convolution pads, since zeros around the normalised image are not zeros
  /// before.
  ///
  /// - Returns: The weights themselves if there is no normalisation.
  /// - Throws: ``FoldingError/noNeighbour(layer:description:reason:)`` for one that has no such neighbour, and
  ///   ``FoldingError/notFinite(layer:description:)`` for one whose moments can't be those of data.
  public func foldingBatchNorm() throws -> Weights {
    let running = network.runningAverages
    guard !running.isEmpty else { return self }
    var folding = NetworkFolding(self)
    for node in running { try folding.check(node) }
    var left = running
    while let first = left.first {
      // One that was folded may have made room for another.
      guard let place = left.firstIndex(where: { folding.fold($0) }) else {
        throw FoldingError.noNeighbour(
          layer: first, description: network.describe(node: first),
          reason: folding.obstacle(to: first))
      }
      left.remove(at: place)
    }
    let weights = try folding.weights(inputShape: network.inputShape)
    if isFinite, !weights.isFinite {
      throw FoldingError.notFinite(
        layer: running[0], description: network.describe(node: running[0]))
    }
    return weights
  }
}

extension Network {
  /// The nodes that keep running statistics of what they measured in training: batch normalisations.
  public var runningAverages: [Int] {
    nodes.indices.filter { node in
      parameterIndices(ofLayer: node).contains { !parameters[$0].isTrained }
    }
  }
}

/// A network whose normalisations are folded one after the other.
private struct NetworkFolding {
  private struct Node {
    var name: String?
    var layer: Layer
    var inputs: [Int]
    var tensors: [Tensor]
    var isFolded = false

    /// The weights and a bias, zeros if the layer has none.
    mutating func withBias(
      _ operation: some LinearOperation, _ change: (inout Tensor, inout Tensor) -> Void
    ) {
      layer = Layer(operation.addingBias)
      var weight = tensors[0]
      var bias = tensors.count > 1 ? tensors[1] : Tensor(zeros: [weight.shape.rows])
      change(&weight, &bias)
      tensors = [weight, bias]
    }
  }

  private let network: Network
  private var nodes: [Node]
  /// For each value the nodes that are left and read it, each once, in their order.
  private var readers: [[Int]]

  init(_ weights: Weights) {
    let network = weights.network
    self.network = network
    readers = network.readers.map { $0.reduce(into: []) { if $0.last != $1 { $0.append($1) } } }
    let defaults = network.defaultNames
    nodes = network.nodes.indices.map { index in
      let node = network.nodes[index]
      return Node(
        name: node.name == defaults[index] ? nil : node.name, layer: node.layer,
        inputs: node.inputs.map(\.index),
        tensors: network.parameterIndices(ofLayer: index).map { weights[$0] })
    }
  }

  /// Checks that a normalisation's numbers can be those of data.
  func check(_ node: Int) throws(FoldingError) {
    let averages = zip(network.parameterIndices(ofLayer: node), nodes[node].tensors)
    let isUsable = averages.allSatisfy { index, tensor in
      tensor.isFinite
        && (network.parameters[index].role != .variance
          || tensor.elements.allSatisfy { $0 >= 0 })
    }
    guard isUsable else {
      throw .notFinite(layer: node, description: network.describe(node: node))
    }
  }

  /// Folds a normalisation into its neighbours, if it can be.
  mutating func fold(_ node: Int) -> Bool {
    guard let affine = nodes[node].layer.operation as? any AffineOperation else { return false }
    let lines = affine.lines(parameters: nodes[node].tensors)
    let input = nodes[node].inputs[0]
    if input > 0, readers[input] == [node],
      let linear = nodes[input - 1].layer.operation as? any LinearOperation
    {
      foldBehind(input - 1, linear, lines)
    } else if let targets = linearReaders(of: node + 1, units: lines.count) {
      for target in targets {
        guard let linear = nodes[target].layer.operation as? any LinearOperation else {
          return false
        }
        foldBefore(target, linear, lines)
      }
    } else {
      return false
    }
    for index in readers[node + 1] {
      nodes[index].inputs = nodes[index].inputs.map { $0 == node + 1 ? input : $0 }
    }
    readers[input] = Set(readers[input] + readers[node + 1]).subtracting([node]).sorted()
    readers[node + 1] = []
    nodes[node].isFolded = true
    return true
  }

  /// The layers that read a value, if all that do are layers that multiply it by weights, each value of it
  /// once, with nothing between that changes values or has several of its units in one channel.
  private func linearReaders(of value: Int, units: Int) -> [Int]? {
    var targets: [Int] = []
    guard !readers[value].isEmpty, value < nodes.count else { return nil }
    for reader in readers[value] {
      let operation = nodes[reader].layer.operation
      if let linear = operation as? any LinearOperation {
        guard !linear.readsPadding, linear.parts == 1, network.shapes[value].rows % units == 0
        else { return nil }
        targets.append(reader)
      } else if operation.keepsValues, let behind = linearReaders(of: reader + 1, units: units) {
        targets += behind
      } else {
        return nil
      }
    }
    return targets
  }

  /// Why a normalisation can't be folded.
  func obstacle(to node: Int) -> String {
    let input = nodes[node].inputs[0]
    if input > 0, nodes[input - 1].layer.isWeighted,
      let other = readers[input].first(where: { $0 != node })
    {
      return "\(network.nodes[other].name) reads \(network.nodes[input - 1].name) too"
    }
    return obstacle(behind: node + 1) ?? "no layer of weights stands right before it or behind it"
  }

  private func obstacle(behind value: Int) -> String? {
    for reader in readers[value] {
      let (name, operation) = (network.nodes[reader].name, nodes[reader].layer.operation)
      if let linear = operation as? any LinearOperation {
        if linear.readsPadding { return "\(name), which reads it, pads with zeros" }
        if linear.parts > 1 { return "\(name), which reads it, has groups" }
        return "\(name), which reads it, has several of its units in one channel"
      }
      guard operation.keepsValues else { return "\(name) (\(operation)) reads it" }
      if let further = obstacle(behind: reader + 1) { return further }
    }
    return nil
  }

  /// Makes a normalisation of a layer's outputs part of it.
  private mutating func foldBehind(
    _ node: Int, _ operation: some LinearOperation, _ lines: [(factor: Double, summand: Double)]
  ) {
    nodes[node].withBias(operation) { weight, bias in
      let width = weight.shape.rowCount
      for (unit, line) in lines.enumerated() {
        for index in unit * width..<(unit + 1) * width {
          weight.elements[index] = Float(Double(weight.elements[index]) * line.factor)
        }
        bias.elements[unit] = Float(Double(bias.elements[unit]) * line.factor + line.summand)
      }
    }
  }

  /// Makes a normalisation of a layer's inputs part of it.
  private mutating func foldBefore(
    _ node: Int, _ operation: some LinearOperation, _ lines: [(factor: Double, summand: Double)]
  ) {
    nodes[node].withBias(operation) { weight, bias in
      // The weights of a channel: the columns of its positions, or a filter's plane.
      let width = weight.shape.rowCount
      let block = width / lines.count
      for unit in 0..<weight.shape.rows {
        var sum = Double(bias.elements[unit])
        for column in 0..<width {
          let line = lines[column / block]
          let value = Double(weight.elements[unit * width + column])
          weight.elements[unit * width + column] = Float(value * line.factor)
          sum += value * line.summand
        }
        bias.elements[unit] = Float(sum)
      }
    }
  }

  /// What is left.
  func weights(inputShape: Shape) throws -> Weights {
    var values = [0: 0]
    var left: [Node] = []
    for (index, node) in nodes.enumerated() where !node.isFolded {
      left.append(node)
      values[index + 1] = left.count
    }
    let folded = try Network(
      inputShape: inputShape,
      nodes: left.map { node in
        Network.NodeDescription(
          node.layer, name: node.name,
          reading: node.inputs.compactMap { values[$0].map(Network.Value.init(index:)) })
      })
    return try Weights(network: folded, tensors: left.flatMap(\.tensors))
  }
}

/// What keeps a normalisation from being folded into a neighbour.
public enum FoldingError: DescribedError, Hashable {
  /// A normalisation has no layer right before it, or behind it, that can take it over.
  case noNeighbour(layer: Int, description: String, reason: String)
  /// A normalisation's scales, shifts or moments are not finite, a variance is negative, or what they
  /// make of the layer beside is not finite.
  case notFinite(layer: Int, description: String)

  /// Wrong usage, or wrong data.
  public var category: ErrorCategory {
    switch self {
    case .noNeighbour: .usage
    case .notFinite: .data
    }
  }

  /// One line that names the layer.
  public var description: String {
    switch self {
    case .noNeighbour(let layer, let description, let reason):
      "layer \(layer + 1) (\(description)) can't be folded: \(reason); it folds where it alone follows a dense "
        + "layer or a convolution directly, or precedes such that do not pad"
    case .notFinite(let layer, let description):
      "layer \(layer + 1) (\(description)) can't be folded: a value of it is not finite or too large, or a "
        + "variance is negative"
    }
  }
}
