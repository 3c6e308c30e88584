// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The hidden units between two weighted layers, and which weights belong to which.
///
/// A unit's *neuron* is what the function of a two-layer network is a sum over: its incoming
/// weights, its bias, and its outgoing block (Anokhin and Yarotsky 2020, section 2). For a dense
/// layer the outgoing block is a column of the next weight matrix; for a filter it is that
/// filter's input plane in every filter of the next layer; through a flatten, as many columns as a
/// channel has positions.
public struct HiddenPopulation: Sendable, Hashable {
  /// The network.
  public let network: Network
  /// The parameter of the incoming weights, one row for each unit.
  public let incoming: Int
  /// The parameter of the units' biases, if there is one.
  public let bias: Int?
  /// The parameter of the outgoing weights.
  public let outgoing: Int
  /// The number of units.
  public let count: Int
  /// The number of weights in a unit's outgoing block for one output.
  public let blockWidth: Int

  /// The population between the weighted layers `hidden` and `hidden` + 1, counted from 0.
  ///
  /// - Throws: ``PopulationError`` if there are no such two layers, or what lies between them
  ///   mixes the units.
  public init(of network: Network, hidden: Int) throws(PopulationError) {
    let weighted = network.weightedLayers
    guard hidden >= 0, hidden + 1 < weighted.count,
      let incoming = network.parameterIndex(ofLayer: weighted[hidden], role: .weight),
      let outgoing = network.parameterIndex(ofLayer: weighted[hidden + 1], role: .weight)
    else { throw .noHiddenLayer(weightedLayers: weighted.count) }
    for layer in weighted[hidden] + 1..<weighted[hidden + 1]
    where network.layers[layer] == .batchNorm {
      throw .mixedUnits(layer: layer, description: "\(network.layers[layer])")
    }
    let units = network.parameters[incoming].shape.rows
    self.network = network
    self.incoming = incoming
    self.bias = network.parameterIndex(ofLayer: weighted[hidden], role: .bias)
    self.outgoing = outgoing
    self.count = units
    self.blockWidth = network.parameters[outgoing].shape.rowCount / units
  }

  /// The number of incoming weights of a unit.
  public var inputs: Int { network.parameters[incoming].shape.rowCount }

  /// The number of outputs of the next layer.
  public var outputs: Int { network.parameters[outgoing].shape.rows }

  /// The number of values of a neuron: incoming weights, bias, outgoing block.
  public var dimension: Int {
    inputs + (bias == nil ? 0 : 1) + outputs * blockWidth
  }

  /// The number of a neuron's first values that are its incoming weights and its bias.
  public var incomingColumns: Int { dimension - outputs * blockWidth }

  /// The neurons of a network as rows, `[count, dimension]`.
  public func neurons(of weights: Weights) -> Tensor {
    let width = count * blockWidth
    var rows = Tensor(zeros: [count, dimension])
    for unit in 0..<count {
      var next = unit * dimension
      for value in weights[incoming].row(unit) {
        rows.elements[next] = value
        next += 1
      }
      assert(next == unit * dimension + inputs)
      if let bias {
        rows.elements[next] = weights[bias].elements[unit]
        next += 1
      }
      for output in 0..<outputs {
        for position in 0..<blockWidth {
          rows.elements[next] =
            weights[outgoing].elements[output * width + unit * blockWidth + position]
          next += 1
        }
      }
    }
    return rows
  }

  /// Writes neurons, `[count, dimension]`, over those of a network.
  public func assign(_ neurons: Tensor, to weights: inout Weights) {
    precondition(neurons.shape == [count, dimension], "\(neurons.shape) are not these neurons")
    let width = count * blockWidth
    for unit in 0..<count {
      var next = unit * dimension
      for column in 0..<inputs {
        weights[incoming].elements[unit * inputs + column] = neurons.elements[next + column]
      }
      next += inputs
      if let bias {
        weights[bias].elements[unit] = neurons.elements[next]
        next += 1
      }
      for output in 0..<outputs {
        for position in 0..<blockWidth {
          weights[outgoing].elements[output * width + unit * blockWidth + position] =
            neurons.elements[next]
          next += 1
        }
      }
    }
  }
}

/// What keeps a layer's units from being a population.
public enum PopulationError: DescribedError, Hashable {
  /// A network with fewer weighted layers than a hidden layer needs.
  case noHiddenLayer(weightedLayers: Int)
  /// A layer between the two weighted layers that this version can't carry units through.
  case mixedUnits(layer: Int, description: String)

  /// Wrong usage.
  public var category: ErrorCategory { .usage }

  /// One line that names the layer.
  public var description: String {
    switch self {
    case .noHiddenLayer(let layers):
      "the network has no such hidden layer: it has \(layers) layer(s) with weights"
    case .mixedUnits(let layer, let description):
      "layer \(layer + 1) (\(description)) lies between a layer's units and their outgoing "
        + "weights; fold it with lcw convert --fold-batchnorm"
    }
  }
}
