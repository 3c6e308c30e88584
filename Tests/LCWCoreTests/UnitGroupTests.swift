// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// Groups of units of networks that were made to be slow, and of some that divide values.
@Suite struct UnitGroupTests {
  private typealias Node = Network.NodeDescription

  @Test
  func `a residual stream is one group with many writers and readers`() throws {
    let network = try NetworkText(
      "conv 4 3x3 pad 1; start = relu; conv 6 3x3 pad 1; batchnorm; relu; conv 4 3x3 pad 1; "
        + "add from conv3 start; flatten; dense 5", operations: NetworkTextTests.operations
    ).network(inputShape: [3, 8, 8], classes: 5)
    let groups = UnitGroups(of: network)
    #expect(groups.all.map(\.count) == [3, 4, 6, 5])
    #expect(groups.all.map(\.isFree) == [false, true, true, false])
    let stream = groups.all[1]
    #expect(
      stream.nodes(.writes, in: network).map { network.nodes[$0].name } == ["conv1", "conv3"])
    #expect(
      stream.nodes(.reads, in: network).map { network.nodes[$0].name } == ["conv2", "dense1"])
    let inner = groups.all[2]
    #expect(inner.nodes(.passes, in: network).map { network.nodes[$0].name } == ["norm1"])
  }

  @Test
  func `values side by side are groups of their own, and are tied where they are added`() throws {
    let network = try Network(
      inputShape: [2],
      nodes: [
        Node(.dense(outputs: 3, bias: true), name: "a"),
        Node(.dense(outputs: 4, bias: true), name: "b", reading: [.sample]),
        Node(
          Layer(Beside()), name: "ab", reading: [Network.Value(index: 1), Network.Value(index: 2)]),
        Node(.dense(outputs: 7, bias: true), name: "c", reading: [.sample]),
        Node(.add, name: "sum", reading: [Network.Value(index: 3), Network.Value(index: 4)]),
        Node(.dense(outputs: 5, bias: true), name: "last"),
      ])
    let groups = UnitGroups(of: network)
    #expect(groups.free.map(\.count) == [3, 4])
    // The rows of c belong to both, piece by piece.
    let offsets = groups.free.map { group in
      group.sites.filter { network.parameters[$0.parameter].name == "c.weight" }.map(\.offset)
    }
    #expect(offsets == [[0], [3]])
    #expect(groups.groups(of: Network.Value(index: 4)) == groups.free)
  }

  @Test
  func `groups of as many nodes as are handled are found in no time`() throws {
    let start = processorSeconds()
    // Sums that tie neighbours, in the order in which ties reach furthest last.
    let count = 2000
    var nodes = (0..<count).map { _ in Node(.dense(outputs: 4, bias: true), reading: [.sample]) }
    nodes.append(Node(Layer(Parts(count: 2)), reading: [Network.Value(index: 1)]))
    let order = (0..<count - 1).map { ($0 * 1201) % (count - 1) }
    nodes += order.map {
      Node(.add, reading: [Network.Value(index: $0 + 1), Network.Value(index: $0 + 2)])
    }
    let ends = (count + 1...2 * count).map { Network.Value(index: $0) }
    nodes.append(Node(.add, reading: Array(ends.prefix(1000))))
    nodes.append(
      Node(.add, reading: Array(ends.dropFirst(1000)) + [Network.Value(index: 2 * count + 1)]))
    nodes.append(Node(.dense(outputs: 5, bias: true)))
    let network = try Network(inputShape: [3], nodes: nodes)
    #expect(UnitGroups(of: network).free.map(\.count) == [2, 2])
    #expect(processorSeconds() - start < 60)
  }

  /// A cut at one place of a value makes one beside it, and so on: the square of the units' number.
  @Test
  func `cuts without end are given up, and what is cut is not permuted`() throws {
    let start = processorSeconds()
    let units = 100_000
    let network = try Network(
      inputShape: [1],
      nodes: [
        Node(.dense(outputs: 1, bias: false), name: "one"),
        Node(.dense(outputs: units - 1, bias: false), name: "rest", reading: [.sample]),
        Node(
          Layer(Beside()), name: "front",
          reading: [Network.Value(index: 1), Network.Value(index: 2)]),
        Node(
          Layer(Beside()), name: "back",
          reading: [Network.Value(index: 2), Network.Value(index: 1)]),
        Node(.add, reading: [Network.Value(index: 3), Network.Value(index: 4)]),
        Node(.dense(outputs: 2, bias: true)),
      ])
    let groups = UnitGroups(of: network)
    // Each unit is tied to the next: one by one they are held, or all are one that can't be told apart.
    #expect(groups.free.isEmpty)
    #expect(processorSeconds() - start < 60)
  }

  @Test
  func `more pieces than are told apart are mixed`() throws {
    let parts = try Network(
      inputShape: [1],
      nodes: [Node(.dense(outputs: 4000, bias: false)), Node(Layer(Parts(count: 2000)))]
        + (0..<1000).map { _ in Node(.relu) } + [Node(.dense(outputs: 2, bias: true))])
    let groups = UnitGroups(of: parts)
    #expect(groups.all.map(\.count) == [1, 4000, 4000, 2])
    #expect(groups.all[1].holds == [.node(1)] && groups.all[2].holds == [.node(1)])
    #expect(groups.all[1].holds[0].description(in: parts) == "parts1 (parts 2000) mixes them")
  }

  /// A value of many pieces that many nodes read costs their product.
  @Test
  func `pieces that many nodes read are counted as often`() throws {
    let start = processorSeconds()
    let cut = Network.Value(index: 2)
    let readers = (0..<2000).map { _ in Node(Layer(Mixing()), reading: [cut]) }
    let sums = stride(from: 0, to: 2000, by: 1000).map { first in
      Node(.add, reading: (first..<first + 1000).map { Network.Value(index: $0 + 3) })
    }
    let network = try Network(
      inputShape: [1],
      nodes: [Node(.dense(outputs: 200_000, bias: false)), Node(Layer(Parts(count: 100_000)))]
        + readers + sums
        + [
          Node(.add, reading: [Network.Value(index: 2003), Network.Value(index: 2004)]),
          Node(.dense(outputs: 2, bias: true)),
        ])
    let groups = UnitGroups(of: network)
    #expect(groups.free.isEmpty)
    #expect(groups.groups(of: Network.Value(index: 1)).map(\.holds) == [[.node(1)]])
    #expect(processorSeconds() - start < 60)
  }
}

/// Values behind each other.
private struct Beside: NetworkOperation {
  static let name = "beside"
  static let summary = "values behind each other"
  static let inputCount = 2...1024
  init() {}
  init(words: inout OperationWords) {}
  var words: [String] { [] }
  func outputShape(for inputs: [Shape]) -> Shape { [inputs.reduce(0) { $0 + $1.rows }] }
  func units(inputs: [Shape], output: Shape) -> UnitRelation { UnitRelation(.sideBySide) }
  func kernel(inputs: [Shape], output: Shape, fusing: FusedActivation?) -> any OperationKernel {
    NoKernel()
  }
}

/// The input, of whose units only those of one part may change places.
private struct Parts: NetworkOperation {
  static let name = "parts"
  static let summary = "the input in parts"
  var count: Int
  init(count: Int) { self.count = count }
  init(words: inout OperationWords) throws(OperationProblem) {
    count = try words.integer("a number")
  }
  var words: [String] { ["\(count)"] }
  func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  func units(inputs: [Shape], output: Shape) -> UnitRelation {
    UnitRelation(.sameUnits, parts: count)
  }
  func kernel(inputs: [Shape], output: Shape, fusing: FusedActivation?) -> any OperationKernel {
    NoKernel()
  }
}

/// The input, of whose units nothing is said.
private struct Mixing: NetworkOperation {
  static let name = "mixing"
  static let summary = "the input"
  init() {}
  init(words: inout OperationWords) {}
  var words: [String] { [] }
  func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  func kernel(inputs: [Shape], output: Shape, fusing: FusedActivation?) -> any OperationKernel {
    NoKernel()
  }
}

private struct NoKernel: OperationKernel {
  func output(of inputs: consuming [Tensor], parameters: [Tensor], workers: Workers) -> Tensor {
    inputs[0]
  }
  func outputRecording(
    of inputs: consuming [Tensor], parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) { (inputs[0], []) }
  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needs: [Bool], pass: TrainingPass
  ) -> [Tensor?] { [gradient] }
}
