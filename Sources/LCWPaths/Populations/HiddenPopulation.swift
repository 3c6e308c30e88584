// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A group of hidden units as rows of numbers, and which weights belong to which.
///
/// A unit's *neuron* is what the function of a two-layer network is a sum over: its incoming
/// weights, its bias, and its outgoing block (Anokhin and Yarotsky 2020, section 2). For a dense
/// layer the outgoing block is a column of the next weight matrix; for a filter it is that
/// filter's input plane in every filter of the next layer; through a flatten, as many columns as a
/// channel has positions. Where several layers write or read the units, as in a residual stream, a neuron
/// has what belongs to it in all of them, and a normalisation's numbers too.
public struct HiddenPopulation: Sendable, Hashable {
  /// The network.
  public let network: Network
  /// The units.
  public let group: UnitGroup
  /// What writes or passes the units, in the network's order: incoming weights, biases, normalisations.
  public let incoming: [UnitGroup.Site]
  /// What reads the units, in the network's order.
  public let outgoing: [UnitGroup.Site]

  /// The units of a group.
  /// - Throws: ``PopulationError/fixed(name:reason:)`` if they may not be permuted.
  public init(of network: Network, group: UnitGroup) throws(PopulationError) {
    if let hold = group.holds.first {
      throw .fixed(
        name: group.places.first.flatMap(\.value.node).map { network.nodes[$0].name } ?? "input",
        reason: hold.description(in: network))
    }
    self.network = network
    self.group = group
    incoming = group.sites.filter { $0.use != .reads }
    outgoing = group.sites.filter { $0.use == .reads }
  }

  /// The units that a weighted layer writes, given by its index in the network.
  /// - Throws: ``PopulationError`` if it writes none, or such as may not be permuted.
  public init(of network: Network, layer: Int) throws(PopulationError) {
    guard network.nodes.indices.contains(layer), network.nodes[layer].layer.isWeighted else {
      throw .noHiddenLayer(weightedLayers: network.weightedLayers.count)
    }
    let groups = UnitGroups(of: network).groups(of: .output(ofNode: layer))
    guard groups.count == 1 else {
      throw .severalGroups(name: network.nodes[layer].name, count: groups.count)
    }
    try self.init(of: network, group: groups[0])
    let written = Set(incoming.map(\.parameter))
    if let site = outgoing.first(where: { written.contains($0.parameter) }) {
      throw .readAndWritten(
        name: network.nodes[layer].name, by: network.parameters[site.parameter].layerName)
    }
  }

  /// The units that the weighted layer `hidden`, counted from 0, writes.
  ///
  /// - Throws: ``PopulationError`` if there is no such layer or it is the last one, or what lies behind it
  ///   mixes the units.
  public init(of network: Network, hidden: Int) throws(PopulationError) {
    let weighted = network.weightedLayers
    guard hidden >= 0, hidden + 1 < weighted.count else {
      throw .noHiddenLayer(weightedLayers: weighted.count)
    }
    try self.init(of: network, layer: weighted[hidden])
  }

  /// The first units that may be permuted: those of the first hidden layer, in most networks.
  /// - Throws: ``PopulationError`` as for the first hidden layer if there are none.
  public init(firstOf network: Network) throws(PopulationError) {
    if let first = HiddenPopulation.all(of: network).first {
      self = first
    } else {
      try self.init(of: network, hidden: 0)
    }
  }

  /// All groups of units that may be permuted, in the network's order.
  public static func all(of network: Network) -> [HiddenPopulation] {
    UnitGroups(of: network).free.compactMap { try? HiddenPopulation(of: network, group: $0) }
  }

  /// The hidden units that a layer of weights writes but that may not be permuted: the layer's name, why,
  /// and how many they are.
  public static func held(in network: Network) -> [(name: String, reason: String, count: Int)] {
    UnitGroups(of: network).all.compactMap { group in
      guard let writer = group.nodes(.writes, in: network).first, group.count > 1,
        let hold = group.holds.first, hold != .output
      else { return nil }
      return (network.nodes[writer].name, hold.description(in: network), group.count)
    }
  }

  /// The number of units.
  public var count: Int { group.count }

  /// The name of the first layer that writes the units.
  public var name: String {
    incoming.first.map { network.parameters[$0.parameter].layerName } ?? "input"
  }

  /// The first layer that writes the units.
  public var layer: Int { incoming.first.map { network.parameters[$0.parameter].layer } ?? 0 }

  /// The parameters that hold something of the units, in the order of a neuron's numbers.
  public var parameters: [Int] {
    (incoming + outgoing).reduce(into: []) {
      if !$0.contains($1.parameter) { $0.append($1.parameter) }
    }
  }

  /// The number of incoming weights of a unit, without biases and normalisations.
  public var inputs: Int { incomingWeights.reduce(0) { $0 + width(of: $1) } }

  /// The sites of incoming weights.
  private var incomingWeights: [UnitGroup.Site] {
    incoming.filter { $0.use == .writes && network.parameters[$0.parameter].role == .weight }
  }

  /// The number of values of a neuron: incoming weights, bias, outgoing block.
  public var dimension: Int { (incoming + outgoing).reduce(0) { $0 + width(of: $1) } }

  /// The number of a neuron's first values that are its incoming weights and its bias.
  public var incomingColumns: Int { incoming.reduce(0) { $0 + width(of: $1) } }

  /// The neurons of a network as rows, `[count, dimension]`.
  public func neurons(of weights: Weights) -> Tensor { rows(of: weights, at: incoming + outgoing) }

  /// What training learned of each unit, as rows: neurons without the running statistics of normalisations, which
  /// are measured and on no scale with weights. Where units are compared, these are.
  /// - Parameter incomingOnly: Whether outgoing blocks are left out.
  public func learnedNeurons(of weights: Weights, incomingOnly: Bool = false) -> Tensor {
    rows(
      of: weights,
      at: (incomingOnly ? incoming : incoming + outgoing)
        .filter { network.parameters[$0.parameter].isTrained })
  }

  /// The incoming weights of a network as rows, `[count, inputs]`, without biases.
  public func incomingWeights(of weights: Weights) -> Tensor {
    rows(of: weights, at: incomingWeights)
  }

  /// Writes neurons, `[count, dimension]`, over those of a network.
  public func assign(_ neurons: Tensor, to weights: inout Weights) {
    precondition(neurons.shape == [count, dimension], "\(neurons.shape) are not these neurons")
    let width = dimension
    var column = 0
    for site in incoming + outgoing {
      let pieces = SitePieces(of: site, in: network)
      weights[site.parameter].elements.withUnsafeMutableBufferPointer { values in
        neurons.elements.withUnsafeBufferPointer { rows in
          for unit in 0..<count {
            var next = unit * width + column
            for start in pieces.starts(ofUnit: unit) {
              for index in start..<start + pieces.length {
                values[index] = rows[next]
                next += 1
              }
            }
          }
        }
      }
      column += pieces.width
    }
  }

  /// Sets the outgoing block of a unit to zero, so that nothing reads it.
  public func removeOutput(ofUnit unit: Int, from weights: inout Weights) {
    for site in outgoing {
      let pieces = SitePieces(of: site, in: network)
      for start in pieces.starts(ofUnit: unit) {
        for index in start..<start + pieces.length {
          weights[site.parameter].elements[index] = 0
        }
      }
    }
  }

  private func rows(of weights: Weights, at sites: [UnitGroup.Site]) -> Tensor {
    let width = sites.reduce(0) { $0 + self.width(of: $1) }
    var rows = Tensor(zeros: [count, width])
    var column = 0
    for site in sites {
      let pieces = SitePieces(of: site, in: network)
      rows.elements.withUnsafeMutableBufferPointer { rows in
        weights[site.parameter].elements.withUnsafeBufferPointer { values in
          for unit in 0..<count {
            var next = unit * width + column
            for start in pieces.starts(ofUnit: unit) {
              for index in start..<start + pieces.length {
                rows[next] = values[index]
                next += 1
              }
            }
          }
        }
      }
      column += pieces.width
    }
    return rows
  }

  /// The values that one unit has at a site.
  private func width(of site: UnitGroup.Site) -> Int { SitePieces(of: site, in: network).width }
}

/// Where the values of a unit lie in a parameter: pieces of neighbouring values.
struct SitePieces {
  /// The values of a piece.
  let length: Int
  /// The first value of unit 0 in each piece.
  private let starts: StrideTo<Int>
  private let count: Int

  init(of site: UnitGroup.Site, in network: Network) {
    let shape = network.parameters[site.parameter].shape
    let inner = shape.dimensions.dropFirst(site.axis + 1).reduce(1, *)
    let outer = shape.dimensions.prefix(site.axis).reduce(1, *)
    let step = shape[site.axis] * inner
    var range = 0..<outer
    if let rows = site.rows, site.axis > 0 {
      let each = outer / max(1, shape.rows)
      range = rows.lowerBound * each..<rows.upperBound * each
    }
    length = site.block * inner
    let first = site.offset * inner
    starts = stride(
      from: range.lowerBound * step + first, to: range.upperBound * step + first, by: max(1, step))
    count = range.count
  }

  /// The values of one unit.
  var width: Int { count * length }

  /// The first value of each piece of a unit.
  func starts(ofUnit unit: Int) -> some Sequence<Int> {
    let shift = unit * length
    return starts.lazy.map { $0 + shift }
  }
}

/// What keeps a layer's units from being a population.
public enum PopulationError: DescribedError, Hashable {
  /// A network with fewer weighted layers than a hidden layer needs.
  case noHiddenLayer(weightedLayers: Int)
  /// A layer's units may not be permuted.
  case fixed(name: String, reason: String)
  /// One layer both reads and writes the units, so that its weights belong to two of them each.
  case readAndWritten(name: String, by: String)
  /// A layer writes several groups of units.
  case severalGroups(name: String, count: Int)

  /// Wrong usage.
  public var category: ErrorCategory { .usage }

  /// One line that names the layer.
  public var description: String {
    switch self {
    case .noHiddenLayer(let layers):
      "the network has no such hidden layer: it has \(layers.counted("layer")) with weights"
    case .fixed(let name, let reason):
      "the units of \(name) can't be exchanged: \(reason)"
    case .readAndWritten(let name, let reader):
      "the units of \(name) are both read and written by \(reader), so that no weight of it belongs to "
        + "one unit alone"
    case .severalGroups(let name, let count):
      "the units of \(name) are in \(count) groups, each exchanged separately; choose a method "
        + "or a modifier that handles all layers at once"
    }
  }
}
