// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// The groups of large networks are found in time that grows with the network, and hostile ones are bounded.
struct UnitGroupScaleTests {
  private typealias Node = Network.NodeDescription

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let time = try clock.measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
  }

  /// Residual blocks of two convolutions, as many as ResNet110 has, in three widths.
  @Test func `a deep residual network`() throws {
    var nodes: [Node] = []
    for width in [4, 6, 8] {
      nodes.append(Node(.convolution(.init(filters: width, kernel: 1))))
      for _ in 0..<18 {
        let start = Network.Value(index: nodes.count)
        for _ in 0..<2 {
          nodes.append(Node(.convolution(.init(filters: width, kernel: 3, padding: 1))))
          nodes.append(Node(.batchNorm))
          nodes.append(Node(.relu))
        }
        nodes.append(Node(.add, reading: [Network.Value(index: nodes.count), start]))
      }
    }
    let network = try Network(
      inputShape: [3, 4, 4], nodes: nodes + [Node(.flatten), Node(.dense(outputs: 3, bias: true))])
    let time = seconds {
      let free = UnitGroups(of: network).free
      #expect(free.count == 3 * 18 + 3)
      #expect(free.map { $0.nodes(.writes, in: network).count }.max() == 19)
    }
    #expect(time < 2)
  }

  @Test func `a chain of as many nodes as there may be`() throws {
    var layers: [Layer] = []
    while layers.count + 2 < Network.largestLayerCount {
      layers += [.dense(outputs: 3, bias: true), .relu]
    }
    let network = try Network(inputShape: [3], layers: layers + [.dense(outputs: 2, bias: true)])
    let time = seconds {
      let groups = UnitGroups(of: network)
      #expect(groups.free.count == layers.count / 2)
    }
    #expect(time < 5)
  }

  /// An addition ties each value to the one before it, and the last tie is seen first.
  @Test func `thousands of values tied one to the next`() throws {
    var nodes: [Node] = (0..<4000).map { _ in
      Node(.dense(outputs: 2, bias: false), reading: [.sample])
    }
    for index in (1..<4000).reversed() {
      nodes.append(
        Node(.add, reading: [Network.Value(index: index), Network.Value(index: index + 1)]))
    }
    nodes.append(Node(.add, reading: (4000..<4500).map { Network.Value(index: $0 + 1) }))
    let rest = (4500..<7999).map { Network.Value(index: $0 + 1) }
    for start in stride(from: 0, to: rest.count, by: 1000) {
      nodes.append(
        Node(
          .add,
          reading: Array(rest[start..<min(start + 1000, rest.count)]) + [
            Network.Value(index: nodes.count)
          ]))
    }
    nodes.append(Node(.dense(outputs: 2, bias: true)))
    let network = try Network(inputShape: [2], nodes: nodes)
    let time = seconds {
      let free = UnitGroups(of: network).free
      #expect(free.count == 1)
      #expect(free.first?.nodes(.writes, in: network).count == 4000)
    }
    #expect(time < 10)
  }

  /// Each node mixes, and all read one value: what holds it is told once for each.
  @Test func `thousands of nodes that mix one value`() throws {
    let count = 3000
    var nodes = [Node(.dense(outputs: 4, bias: true))]
    for _ in 0..<count { nodes.append(Node(Layer(Mixing()), reading: [Network.Value(index: 1)])) }
    for start in stride(from: 1, through: count, by: 1000) {
      let last = nodes.count > count + 1 ? [Network.Value(index: nodes.count)] : []
      nodes.append(
        Node(.add, reading: (start..<start + 1000).map { Network.Value(index: $0 + 1) } + last))
    }
    let network = try Network(inputShape: [2], nodes: nodes)
    let time = seconds { #expect(UnitGroups(of: network).all[1].holds.count == count) }
    #expect(time < 5)
  }

  /// Parts of single units, handed on by thousands of nodes, would be more pieces than are told apart: their
  /// units are held, and nothing else is.
  @Test func `too many pieces are not told apart`() throws {
    var layers = [Layer(Parted(parts: 1 << 12))]
    while layers.count < 4000 { layers.append(.tanh) }
    let network = try Network(
      inputShape: [1 << 12],
      layers: layers + [.dense(outputs: 5, bias: true), .relu, .dense(outputs: 2, bias: true)])
    let time = seconds {
      let groups = UnitGroups(of: network)
      #expect(groups.free.map(\.count) == [5])
      #expect(groups.groups(of: Network.Value(index: 1)).map(\.holds) == [[.node(0)]])
    }
    #expect(time < 10)
  }

  @Test func `as many pieces as there are parts are told apart`() throws {
    let network = try Network(
      inputShape: [12],
      layers: [
        .dense(outputs: 12, bias: true), Layer(Parted(parts: 3)), .dense(outputs: 2, bias: true),
      ])
    #expect(UnitGroups(of: network).free.map(\.count) == [4, 4, 4])
  }
}

/// An operation that says nothing of units.
private struct Mixing: NetworkOperation {
  static let name = "mixing"
  static let summary = "an operation that says nothing of units"
  init() {}
  init(words: inout OperationWords) {}
  var words: [String] { [] }
  func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { Tanh().kernel(inputs: inputs, output: output, fusing: nil) }
}

/// An operation whose units may change places within a part only.
private struct Parted: NetworkOperation {
  static let name = "parted"
  static let summary = "an operation whose units may change places within a part only"
  var parts: Int
  init(parts: Int) { self.parts = parts }
  init(words: inout OperationWords) { parts = 1 }
  var words: [String] { [] }
  func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  func units(inputs: [Shape], output: Shape) -> UnitRelation {
    UnitRelation(.sameUnits, parts: parts)
  }
  func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { Tanh().kernel(inputs: inputs, output: output, fusing: nil) }
}
