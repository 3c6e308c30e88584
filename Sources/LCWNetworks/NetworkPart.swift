// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The nodes of a network that compute wanted values from known ones.
struct NetworkPart {
  let network: Network
  /// The known values that are needed, in the network's order.
  let sources: [Network.Value]
  /// The nodes that run, in the network's order.
  let nodes: [Int]
  /// The values that have to be there behind the part or are given: no step may leave them out.
  private let bounds: Set<Network.Value>

  init(of network: Network, from known: Set<Network.Value>, to wanted: [Network.Value]) {
    var needed = [Bool](repeating: false, count: network.shapes.count)
    for value in wanted { needed[value.index] = true }
    var (nodes, sources): ([Int], [Network.Value]) = ([], [])
    for index in network.shapes.indices.reversed() where needed[index] {
      let value = Network.Value(index: index)
      if let node = value.node, !known.contains(value) {
        nodes.append(node)
        for input in network.nodes[node].inputs { needed[input.index] = true }
      } else {
        sources.append(value)
      }
    }
    self.network = network
    self.sources = sources.reversed()
    self.nodes = nodes.reversed()
    bounds = known.union(wanted)
  }

  /// The nodes as steps; an activation becomes part of what stands before it where it is the only reader.
  func steps() -> [Runner.Step] {
    let readers = network.readers
    var isFused = [Bool](repeating: false, count: network.nodes.count)
    return nodes.compactMap { node in
      guard !isFused[node] else { return nil }
      let operation = network.nodes[node].operation
      var output = Network.Value.output(ofNode: node)
      var fused: FusedActivation?
      if !bounds.contains(output), readers[output.index].count == 1,
        let next = readers[output.index].first,
        let activation = network.nodes[next].operation.fusedActivation,
        operation.fuses(activation)
      {
        fused = activation
        isFused[next] = true
        output = .output(ofNode: next)
      }
      return Runner.Step(
        inputs: network.nodes[node].inputs.map(\.index), output: output.index,
        parameters: network.parameterIndices(ofLayer: node),
        kernel: operation.kernel(
          inputs: network.inputShapes(of: node), output: network.shapes[node + 1], fusing: fused))
    }
  }
}
