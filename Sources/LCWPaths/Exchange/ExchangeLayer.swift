// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// To which hidden unit a row or a column of a layer's weights belongs.
struct UnitPlace: Sendable, Hashable {
  /// The group, by its number among those that are exchanged.
  var group: Int
  /// The unit.
  var unit: Int
}

/// What a slot holds at a state of a path on which units keep their slots.
enum SlotHolder: Sendable, Hashable {
  /// The first network's unit.
  case first
  /// The second network's unit.
  case second
  /// A unit that nothing reads.
  case idle
}

/// Where each unit stands and how far the exchange has come.
struct ExchangePoint: Sendable {
  /// For each group what each slot holds.
  var holders: [[SlotHolder]]
  /// The second network's share in what has no unit, such as the outputs.
  var share: Double

  /// What holds a row or a column; nothing if it belongs to no unit.
  func holder(_ place: UnitPlace?) -> SlotHolder? { place.map { holders[$0.group][$0.unit] } }
}

/// The rows of a network's parameters by units, and the columns of its layers of weights.
struct ExchangeRows: Sendable {
  /// For each parameter the unit that each of its rows belongs to, if it belongs to one.
  let rows: [[UnitPlace?]]
  /// For each parameter that reads units the unit of each index of its second axis.
  let columns: [Int: [UnitPlace?]]

  /// - Throws: ``ConnectionError/layer(index:description:problem:)`` that names a layer whose weights do not
  ///   have a row for each unit that it writes and a column for each that it reads.
  init(of network: Network, populations: [HiddenPopulation], for method: String)
    throws(ConnectionError)
  {
    var rows = network.parameters.map { [UnitPlace?](repeating: nil, count: $0.shape.rows) }
    var columns: [Int: [UnitPlace?]] = [:]
    for (group, population) in populations.enumerated() {
      for site in population.incoming + population.outgoing {
        let parameter = network.parameters[site.parameter]
        let isRow = site.use != .reads
        let operation = network.nodes[parameter.layer].operation as? any LinearOperation
        guard site.rows == nil, site.axis == (isRow ? 0 : 1),
          site.use == .passes || operation?.parts == 1
        else {
          throw .layer(
            index: parameter.layer, description: network.describe(node: parameter.layer),
            problem: "can't be solved for by least squares, which \(method) needs")
        }
        let length = parameter.shape[site.axis]
        if !isRow, columns[site.parameter] == nil {
          columns[site.parameter] = [UnitPlace?](repeating: nil, count: length)
        }
        for unit in 0..<population.count {
          for index in 0..<site.block {
            let place = site.offset + unit * site.block + index
            if isRow {
              rows[site.parameter][place] = UnitPlace(group: group, unit: unit)
            } else {
              columns[site.parameter]?[place] = UnitPlace(group: group, unit: unit)
            }
          }
        }
      }
    }
    self.rows = rows
    self.columns = columns
  }

  /// Each unit's own numbers, and of what has no unit the mean in the networks' shares.
  func weights(at point: ExchangePoint, from a: Weights, _ b: Weights) -> Weights {
    var result = a
    for index in rows.indices where !a[index].isIdentical(to: b[index]) {
      let width = a[index].shape.rowCount
      let shape = a[index].shape
      var tensor = a[index]
      var mixed: Tensor?
      for (row, place) in rows[index].enumerated() {
        let range = row * width..<(row + 1) * width
        switch point.holder(place) {
        case .first, .idle: break
        case .second: tensor.elements.replaceSubrange(range, with: b[index].elements[range])
        case nil:
          let mean =
            mixed
            ?? Tensor.combination(
              [a[index], b[index]], coefficients: [1 - point.share, point.share], shape: shape)
          mixed = mean
          tensor.elements.replaceSubrange(range, with: mean.elements[range])
        }
      }
      result[index] = tensor
    }
    return result
  }
}

/// A layer of weights that is solved for at every state.
struct ExchangeLayer: Sendable {
  /// The layer's node.
  let node: Int
  /// The parameter of its weights.
  let weight: Int
  /// That of its bias, if it has one.
  let bias: Int?
  /// What it reads.
  let input: Network.Value
  /// The values that are added to what it puts out and that are known before it.
  let companions: [Network.Value]
  /// The values that are known before the node and read by it or behind it.
  let frontier: [Network.Value]
  private let operation: any LinearOperation
  private let inputShape: Shape
  private let outputShape: Shape

  /// The layers of a network that read units which are exchanged, or something else which differs between the
  /// networks, in their order.
  static func all(
    of network: Network, from a: Weights, _ b: Weights, reading rows: ExchangeRows
  ) -> [ExchangeLayer] {
    // What depends on a parameter in which the networks differ.
    var differs = [Bool](repeating: false, count: network.shapes.count)
    var layers: [ExchangeLayer] = []
    let readers = network.readers
    for node in network.nodes.indices {
      let inputs = network.nodes[node].inputs
      let own = network.parameterIndices(ofLayer: node)
      let readsDiffering = inputs.contains { differs[$0.index] }
      differs[node + 1] =
        readsDiffering || own.contains { !a[$0].isIdentical(to: b[$0]) }
      guard let operation = network.nodes[node].operation as? any LinearOperation,
        operation.parts == 1,
        let weight = network.parameterIndex(ofLayer: node, role: .weight)
      else { continue }
      let companions = network.companions(ofNode: node, readers).filter {
        $0.index <= node && differs[$0.index]
      }
      let readsUnits = rows.columns[weight]?.contains { $0 != nil } ?? false
      guard readsDiffering || readsUnits || !companions.isEmpty else { continue }
      let frontier = network.shapes.indices.filter { value in
        value <= node && readers[value].contains { $0 >= node }
      }
      layers.append(
        ExchangeLayer(
          node: node, weight: weight,
          bias: network.parameterIndex(ofLayer: node, role: .bias), input: inputs[0],
          companions: companions, frontier: frontier.map(Network.Value.init(index:)),
          operation: operation, inputShape: network.shape(of: inputs[0]),
          outputShape: network.shapes[node + 1]))
    }
    return layers
  }

  /// The number of features that the weights multiply.
  func features(in network: Network) -> Int { network.parameters[weight].shape.rowCount }

  /// How many rows of features a sample gives.
  func rowsPerSample(positions: Int) -> Int {
    min(positions, operation.positions(input: inputShape))
  }

  /// What the weights multiply, a row each.
  func featureRows(of block: Tensor, positions: Int, first: Int) -> Tensor {
    operation.featureRows(of: block, input: inputShape, positions: positions, first: first)
  }

  /// What the layer reads, a row for each position that is taken of a sample, `[n, channels]`.
  func channelRows(of block: Tensor, positions: Int, first: Int) -> Tensor {
    guard inputShape.rank == 3 else {
      return block.reshaped([block.shape.rows, inputShape.count])
    }
    return ImageWindows(over: inputShape, kernel: [1, 1], stride: 1, padding: 0)
      .patchRows(of: block, positions: positions, first: first)
  }

  /// The values of the layer's output, or of others of its shape, at the places of the rows of features.
  func outputRows(of block: Tensor, positions: Int, first: Int) -> Tensor {
    guard outputShape.rank == 3 else {
      return block.reshaped([block.shape.rows, outputShape.count])
    }
    return ImageWindows(over: outputShape, kernel: [1, 1], stride: 1, padding: 0)
      .patchRows(of: block, positions: positions, first: first)
  }
}

extension Network {
  /// What is added to a node's output by the node that alone reads it, if that is a sum.
  fileprivate func companions(ofNode node: Int, _ readers: [[Int]]) -> [Value] {
    let own = Value.output(ofNode: node)
    guard readers[own.index].count == 1, let sum = readers[own.index].first,
      nodes[sum].operation is any SumOperation
    else { return [] }
    return nodes[sum].inputs.filter { $0 != own }
  }
}
