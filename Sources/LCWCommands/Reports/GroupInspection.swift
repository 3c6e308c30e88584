// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWReport

/// The groups of a network's units: who writes, passes and reads them, and what keeps them in place.
struct GroupInspection {
  private let network: Network
  private let groups: UnitGroups

  init(_ network: Network) {
    self.network = network
    groups = UnitGroups(of: network)
  }

  /// What nodes are called.
  private func names(_ nodes: [Int]) -> [String] { nodes.map { network.nodes[$0].name } }

  /// What keeps a group's units from being permuted.
  private func holds(_ group: UnitGroup) -> [String] {
    group.holds.map { $0.description(in: network) }
  }

  /// A line for each node, and a table of the groups.
  var text: String {
    var nodes = Table(columns: [.init("node"), .init("operation"), .init("reads"), .init("shape")])
    for (index, node) in network.nodes.enumerated() {
      nodes.append([
        .text(node.name), .text("\(node.layer)"),
        .text(Self.list(node.inputs.map(network.name(of:)))),
        .text("\(network.shapes[index + 1])"),
      ])
    }
    var table = Table(columns: [
      .init("group", alignment: .number), .init("units", alignment: .number), .init("written by"),
      .init("passed by"), .init("read by"), .init("permutable"), .init("coupled by"),
    ])
    for (index, group) in groups.all.enumerated() {
      table.append([
        .integer(index + 1), .integer(group.count),
        .text(Self.list(names(group.nodes(.writes, in: network)))),
        .text(Self.list(names(group.nodes(.passes, in: network)))),
        .text(Self.list(names(group.nodes(.reads, in: network)))),
        .text(group.isFree ? "yes" : "no: " + Self.list(holds(group), separator: "; ")),
        .text(Self.list(names(group.couplings))),
      ])
    }
    let free = groups.all.filter(\.isFree)
    let units = free.reduce(0) { $0 + $1.count }
    return [
      nodes.text, "", table.text, "",
      "\(groups.all.count) group\(groups.all.count == 1 ? "" : "s"), of which \(free.count) may be permuted: "
        + "\(units) unit\(units == 1 ? "" : "s")",
    ].joined(separator: "\n")
  }

  /// The first of a list, which may be of thousands.
  private static func list(_ texts: [String], separator: String = ", ") -> String {
    let most = 8
    return texts.prefix(most).joined(separator: separator)
      + (texts.count > most ? ", and \(texts.count - most) more" : "")
  }

  /// The network's nodes, and each group with all of its sites.
  var json: JSONValue {
    .object([
      "network": network.json,
      "groups": .array(groups.all.map(json)),
    ])
  }

  private func json(_ group: UnitGroup) -> JSONValue {
    func list(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
    return .object([
      "units": .integer(group.count), "permutable": .bool(group.isFree),
      "held_by": list(holds(group)), "coupled_by": list(names(group.couplings)),
      "written_by": list(names(group.nodes(.writes, in: network))),
      "passed_by": list(names(group.nodes(.passes, in: network))),
      "read_by": list(names(group.nodes(.reads, in: network))),
      "sites": .array(group.sites.map(json)),
      "values": .array(
        group.places.map { place in
          .object([
            "value": .string(network.name(of: place.value)), "offset": .integer(place.offset),
            "block": .integer(place.block),
          ])
        }),
    ])
  }

  private func json(_ site: UnitGroup.Site) -> JSONValue {
    var object: [String: JSONValue] = [
      "parameter": .string(network.parameters[site.parameter].name), "axis": .integer(site.axis),
      "offset": .integer(site.offset), "block": .integer(site.block),
      "use": .string(site.use.rawValue),
    ]
    if let rows = site.rows {
      object["rows"] = .array([.integer(rows.lowerBound), .integer(rows.upperBound)])
    }
    return .object(object)
  }
}
