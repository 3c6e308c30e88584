// SPDX-License-Identifier: Apache-2.0
extension Network {
  /// The network as text, which ``NetworkText`` reads: `flatten; dense 2000; relu; dense 10` for a chain.
  ///
  /// A node whose name is its own has it in front, `sum = add`; one that does not read just what the node
  /// before it computes says what it reads, `add from conv2 start`.
  public var description: String {
    let defaults = defaultNames
    return nodes.indices.map { index in
      let node = nodes[index]
      let front = node.name == defaults[index] ? "" : "\(node.name) = "
      let isNext = node.inputs == [Value(index: index)]
      let from = isNext ? "" : " from \(node.inputs.map(name(of:)).joined(separator: " "))"
      return front + node.layer.description + from
    }.joined(separator: "; ")
  }

  /// The network as JSON, which ``NetworkText`` reads: an object whose `nodes` are objects in the network's
  /// order, each with its `operation`, and with a `name` and `from`, the names of what it reads, where
  /// these are not the usual ones.
  public var json: JSONValue {
    let defaults = defaultNames
    return .object([
      "nodes": .array(
        nodes.indices.map { index in
          let node = nodes[index]
          var object: [String: JSONValue] = ["operation": .string(node.layer.description)]
          if node.name != defaults[index] { object["name"] = .string(node.name) }
          if node.inputs != [Value(index: index)] {
            object["from"] = .array(node.inputs.map { .string(name(of: $0)) })
          }
          return .object(object)
        })
    ])
  }

  /// What a value is called: the name of the node that computes it, or `input`.
  public func name(of value: Value) -> String {
    value.node.map { nodes[$0].name } ?? NetworkText.sampleName
  }
}
