// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The groups of hidden units of a network; see ``UnitGroup``.
public struct UnitGroups: Sendable, Hashable {
  /// The groups, in the order in which the network first has them.
  public let all: [UnitGroup]
  /// For each value, the groups along its first axis with the index at which each begins.
  private let groupsOfValues: [[(offset: Int, group: Int)]]

  /// The groups that may be permuted and have more than one unit.
  public var free: [UnitGroup] { all.filter { $0.isFree && $0.count > 1 } }

  /// The group whose units stand at an index of a value's first axis.
  public func group(at offset: Int = 0, of value: Network.Value) -> UnitGroup? {
    groupsOfValues[value.index].last { $0.offset <= offset }.map { all[$0.group] }
  }

  /// The groups that a value has along its first axis.
  public func groups(of value: Network.Value) -> [UnitGroup] {
    groupsOfValues[value.index].map { all[$0.group] }
  }

  /// The groups of a network.
  ///
  /// The work grows with the pieces that the values' axes are cut into, which are bounded: a network whose
  /// concatenations or grouped convolutions would cut them into more than a million has the units held
  /// there.
  public init(of network: Network) {
    let derivation = UnitDerivation(network)
    var numbers: [Int: Int] = [:]
    var roots: [Int] = []
    groupsOfValues = derivation.segments.map { list in
      list.map { segment in
        let root = derivation.roots[segment.index]
        if numbers[root] == nil {
          numbers[root] = roots.count
          roots.append(root)
        }
        return (segment.range.lowerBound, numbers[root, default: 0])
      }
    }
    let (sites, places) = (derivation.sites(), derivation.places())
    let (holds, couplings) = (derivation.holdsOfRoots(), derivation.couplingsOfRoots())
    all = roots.map { root in
      UnitGroup(
        count: derivation.counts[root], sites: sites[root] ?? [], places: places[root] ?? [],
        holds: holds[root] ?? [], couplings: couplings[root] ?? [])
    }
  }

  /// Whether both are of equal networks.
  public static func == (a: UnitGroups, b: UnitGroups) -> Bool { a.all == b.all }

  /// Feeds the groups to a hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(all) }
}
