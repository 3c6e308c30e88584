// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The places at which the values' first axes are cut, so that every node's values are cut alike.
struct UnitCutting {
  private let network: Network
  private let relations: [UnitRelation]
  private let limit: Int
  /// For each value, the nodes that read it, and the index at which it begins in a concatenation.
  private let reads: [[(node: Int, start: Int)]]
  /// For each node that concatenates, where its inputs begin.
  private let starts: [[Int]]
  private var places: [Set<Int>]
  private var left: [(value: Int, place: Int)] = []

  init(_ network: Network, _ relations: [UnitRelation], limit: Int) {
    self.network = network
    self.relations = relations
    self.limit = limit
    var reads = [[(node: Int, start: Int)]](repeating: [], count: network.shapes.count)
    starts = network.nodes.indices.map { node in
      let isJoining = relations[node].output == .sideBySide
      var (start, starts) = (0, [Int]())
      for input in network.nodes[node].inputs {
        reads[input.index].append((node, start))
        if isJoining {
          starts.append(start)
          start += network.shapes[input.index].rows
        }
      }
      return starts
    }
    self.reads = reads
    places = network.shapes.map { _ in [] }
  }

  /// The places within each value's first axis; nothing if they would be too many.
  mutating func cuts() -> [Set<Int>]? {
    for node in network.nodes.indices {
      let (relation, output) = (relations[node], node + 1)
      for start in starts[node].dropFirst() { cut(output, start) }
      if case .shifted(let start) = relation.output {
        let end = start + network.shapes[network.nodes[node].inputs[0].index].rows
        for place in [start, end] where place > 0 && place < network.shapes[output].rows {
          cut(output, place)
        }
      }
      guard relation.parts > 1 else { continue }
      guard relation.parts <= limit else { return nil }
      for value in Set(network.nodes[node].inputs.map(\.index) + [output]) {
        let step = network.shapes[value].rows / relation.parts
        for part in 1..<relation.parts { cut(value, part * step) }
        guard left.count <= limit else { return nil }
      }
    }
    var (count, steps) = (left.count, left.count)
    while let next = left.popLast() {
      let before = left.count
      steps += reads[next.value].count
      if let node = Network.Value(index: next.value).node {
        steps += network.nodes[node].inputs.count
      }
      guard steps <= 16 * limit else { return nil }
      for read in reads[next.value] { share(next, with: read.node, startingAt: read.start) }
      if next.value > 0 { share(next, withInputsOf: next.value - 1) }
      count += left.count - before
      guard count <= limit else { return nil }
    }
    // Each node goes through the pieces of what it reads and computes: one value may have many of both.
    let pieces = network.nodes.indices.reduce(0) { sum, node in
      network.nodes[node].inputs.reduce(sum + places[node + 1].count) {
        $0 + places[$1.index].count
      }
    }
    return pieces <= 4 * limit ? places : nil
  }

  private mutating func cut(_ value: Int, _ place: Int) {
    if places[value].insert(place).inserted { left.append((value, place)) }
  }

  /// Cuts a node's output where one of its inputs is cut.
  private mutating func share(
    _ next: (value: Int, place: Int), with node: Int, startingAt start: Int
  ) {
    switch relations[node].output {
    case .sameUnits: cut(node + 1, next.place)
    case .sideBySide: cut(node + 1, start + next.place)
    case .spread(let width): cut(node + 1, next.place * width)
    case .shifted(let shift): cut(node + 1, shift + next.place)
    case .new, .mixed: break
    }
  }

  /// Cuts a node's inputs where its output is cut.
  private mutating func share(_ next: (value: Int, place: Int), withInputsOf node: Int) {
    let inputs = network.nodes[node].inputs.map(\.index)
    switch relations[node].output {
    case .sameUnits:
      for input in inputs { cut(input, next.place) }
    case .sideBySide:
      // The last input that begins at the place or before it.
      var range = 0..<inputs.count
      while range.count > 1 {
        let middle = range.lowerBound + range.count / 2
        range =
          starts[node][middle] <= next.place
          ? middle..<range.upperBound : range.lowerBound..<middle
      }
      let place = next.place - starts[node][range.lowerBound]
      if place > 0 { cut(inputs[range.lowerBound], place) }
    case .spread(let width):
      if next.place % width == 0 { cut(inputs[0], next.place / width) }
    case .shifted(let start):
      let place = next.place - start
      if place > 0, place < network.shapes[inputs[0]].rows { cut(inputs[0], place) }
    case .new, .mixed: break
    }
  }
}

extension UnitRelation {
  /// Whether it cuts values into pieces.
  var cuts: Bool {
    if case .shifted = output { return true }
    return parts > 1 || output == .sideBySide
  }
}
