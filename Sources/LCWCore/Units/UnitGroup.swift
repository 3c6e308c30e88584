// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Hidden units that may only be permuted together, and everything that belongs to them.
///
/// The groups of a network follow from the relations of its operations, by union-find: a ReLU passes units
/// one by one, an addition ties its inputs', a dense layer reads one group and writes another. A residual
/// stream is one group with many writers and readers. A permutation of a free group, applied to all of its
/// sites, leaves what the network computes.
public struct UnitGroup: Sendable, Hashable {
  /// The indices of one parameter along one axis that belong to the units.
  public struct Site: Sendable, Hashable {
    /// What the parameter's operation does with the units.
    public enum Use: String, Sendable {
      /// It writes them: a row of weights and a bias for each.
      case writes
      /// It passes them one by one, with numbers of its own for each: a normalisation's scale.
      case passes
      /// It reads them: a column of weights for each.
      case reads
    }

    /// The parameter's index in the network.
    public let parameter: Int
    /// The axis of the parameter.
    public let axis: Int
    /// The index along the axis at which the first unit begins.
    public let offset: Int
    /// The neighbouring indices that belong to one unit.
    public let block: Int
    /// The rows of the parameter, indices of its first axis, that are meant; all if there is no range.
    public let rows: Range<Int>?
    /// What the parameter's operation does with the units.
    public let use: Use
  }

  /// Where a value has the units: from an index of its first axis on, so many indices for each.
  public struct Place: Sendable, Hashable {
    /// The value.
    public let value: Network.Value
    /// The index along the value's first axis at which the first unit begins.
    public let offset: Int
    /// The neighbouring indices that belong to one unit.
    public let block: Int
  }

  /// What keeps units from being permuted.
  public enum Hold: Sendable, Hashable {
    /// They are the network's inputs.
    case input
    /// They are the network's outputs.
    case output
    /// The node mixes them, or does not say what it does with them.
    case node(Int)
  }

  /// The number of units.
  public let count: Int
  /// The parameters that belong to the units, in the network's order.
  public let sites: [Site]
  /// The values that have the units, in the network's order.
  public let places: [Place]
  /// What keeps the units from being permuted; nothing if they are free.
  public let holds: [Hold]
  /// The nodes at which a unit also depends on others of its value, in whatever order these are.
  public let couplings: [Int]

  /// Whether the units may be permuted.
  public var isFree: Bool { holds.isEmpty }

  /// The nodes that write, pass with parameters, or read the units, in the network's order.
  public func nodes(_ use: Site.Use, in network: Network) -> [Int] {
    var nodes: [Int] = []
    for site in sites where site.use == use {
      let node = network.parameters[site.parameter].layer
      if nodes.last != node, !nodes.contains(node) { nodes.append(node) }
    }
    return nodes
  }
}

extension UnitGroup.Hold {
  /// Why the units can't be permuted, such as `the network's input`.
  public func description(in network: Network) -> String {
    switch self {
    case .input: "the network's input"
    case .output: "the network's output"
    case .node(let node): "\(network.nodes[node].name) (\(network.nodes[node].layer)) mixes them"
    }
  }
}

extension Weights {
  /// Weights with the units of a group in another order; they compute the same function if the group is
  /// free.
  /// - Parameter order: A permutation: unit i of the result is unit `order[i]` of these weights.
  public func permuting(_ group: UnitGroup, by order: [Int]) -> Weights {
    precondition(order.count == group.count, "the order is not one of these units")
    var result = self
    for site in group.sites {
      // Weights that read the units and write them too have them on both axes: each site changes what the
      // one before it left.
      let source = result[site.parameter]
      result[site.parameter].permuteBlocks(as: source, site: site, order: order)
    }
    return result
  }
}

extension Tensor {
  /// Writes blocks of another tensor of the same shape, in another order, along an axis.
  fileprivate mutating func permuteBlocks(
    as source: Tensor, site: UnitGroup.Site, order: [Int]
  ) {
    let inner = shape.dimensions.dropFirst(site.axis + 1).reduce(1, *)
    let length = shape[site.axis]
    let outer = shape.dimensions.prefix(site.axis).reduce(1, *)
    let outerOfRow = site.axis == 0 ? 1 : outer / max(1, shape.rows)
    let width = site.block * inner
    for index in 0..<outer {
      if let rows = site.rows, site.axis > 0, !rows.contains(index / outerOfRow) { continue }
      let base = (index * length + site.offset) * inner
      for (unit, other) in order.enumerated() where unit != other {
        elements.replaceSubrange(
          base + unit * width..<base + (unit + 1) * width,
          with: source.elements[base + other * width..<base + (other + 1) * width])
      }
    }
  }
}
