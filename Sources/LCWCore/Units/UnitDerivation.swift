// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Union-find over the segments of all values' first axes.
///
/// First every axis is cut wherever a relation treats what lies before the place and behind it
/// differently: where a concatenation joins values, where a grouped convolution's parts meet. Then the
/// segments are joined. The number of units of a joined set is the greatest common divisor of what its
/// segments have: a flatten's output has as many indices for each unit as the channel had positions.
///
/// Each cut is handed on once by each node that has the value, so that the work grows with the cuts and
/// their readers. Cuts multiply where a graph joins values again and again, and are bounded: beyond the
/// bound the nodes that cut are taken to mix their units.
struct UnitDerivation {
  struct Segment {
    var index: Int
    var range: Range<Int>
  }

  /// The most segments that the values of a network are cut into.
  static let largestSegmentCount = 1 << 20

  let network: Network
  let relations: [UnitRelation]
  private(set) var segments: [[Segment]] = []
  /// Of each segment: the first one of its set.
  private(set) var roots: [Int] = []
  /// Of each root: the number of units.
  private(set) var counts: [Int] = []
  private var holds: [(segment: Int, hold: UnitGroup.Hold)] = []
  private var couplings: [(segment: Int, node: Int)] = []

  init(_ network: Network) {
    self.network = network
    let relations = network.nodes.indices.map { node in
      let inputs = network.inputShapes(of: node)
      let output = network.shapes[node + 1]
      let relation = network.nodes[node].operation.units(inputs: inputs, output: output)
      let parameters = network.parameterIndices(ofLayer: node).map { network.parameters[$0] }
      return relation.fits(inputs: inputs, output: output, parameters: parameters)
        ? relation : .mixed
    }
    var cutting = UnitCutting(network, relations, limit: UnitDerivation.largestSegmentCount)
    if let cuts = cutting.cuts() {
      self.relations = relations
      join(cuts)
    } else {
      self.relations = relations.map { $0.cuts ? .mixed : $0 }
      join(network.shapes.map { _ in [] })
    }
  }

  // MARK: Joining

  private mutating func join(_ cuts: [Set<Int>]) {
    for (value, places) in cuts.enumerated() {
      let bounds = [0] + places.sorted() + [network.shapes[value].rows]
      segments.append(
        zip(bounds, bounds.dropFirst()).map { lower, upper in
          roots.append(roots.count)
          counts.append(upper - lower)
          return Segment(index: roots.count - 1, range: lower..<upper)
        })
    }
    for segment in segments[0] { holds.append((segment.index, .input)) }
    for node in network.nodes.indices { join(at: node) }
    for segment in segments[network.nodes.count] { holds.append((segment.index, .output)) }
    for segment in roots.indices { roots[segment] = root(of: segment) }
  }

  private mutating func join(at node: Int) {
    let relation = relations[node]
    let inputs = network.nodes[node].inputs.map(\.index)
    let output = node + 1
    switch relation.output {
    case .sameUnits:
      for input in inputs {
        for (a, b) in zip(segments[input], segments[output]) { unite(a.index, b.index) }
      }
    case .sideBySide:
      // Both are cut at the same places.
      for (a, b) in zip(inputs.flatMap { segments[$0] }, segments[output]) {
        unite(a.index, b.index)
      }
    case .spread(let width): spread(inputs[0], over: width, at: node)
    case .shifted(let start):
      // What lies around is constant, the same for all of it: whoever else has it may permute it.
      let own = segments[output].drop { $0.range.lowerBound < start }
      for (a, b) in zip(segments[inputs[0]], own) { unite(a.index, b.index) }
    case .new: break
    case .mixed:
      for value in inputs + [output] {
        for segment in segments[value] { holds.append((segment.index, .node(node))) }
      }
    }
    if relation.isCoupled {
      for segment in segments[output] { couplings.append((segment.index, node)) }
    }
  }

  /// The output may be cut within what comes of one unit; then its pieces can't be told apart.
  private mutating func spread(_ input: Int, over width: Int, at node: Int) {
    var pieces = segments[node + 1][...]
    for segment in segments[input] {
      let range = segment.range.lowerBound * width..<segment.range.upperBound * width
      while let piece = pieces.first, piece.range.lowerBound < range.upperBound {
        pieces.removeFirst()
        unite(segment.index, piece.index)
        if piece.range != range { holds.append((segment.index, .node(node))) }
      }
    }
  }

  private mutating func root(of segment: Int) -> Int {
    var root = segment
    while roots[root] != root { root = roots[root] }
    // Whatever was passed gets a short way to it.
    var next = segment
    while roots[next] != root { (roots[next], next) = (root, roots[next]) }
    return root
  }

  private mutating func unite(_ a: Int, _ b: Int) {
    let (first, second) = (root(of: a), root(of: b))
    guard first != second else { return }
    // The earlier one stays the root.
    let (root, child) = (min(first, second), max(first, second))
    roots[child] = root
    counts[root] = greatestCommonDivisor(counts[root], counts[child])
  }

  // MARK: What belongs to the units

  /// What holds the units of each root, each once: the input, nodes in the network's order, the output.
  func holdsOfRoots() -> [Int: [UnitGroup.Hold]] {
    var seen: [Int: Set<UnitGroup.Hold>] = [:]
    return holds.reduce(into: [:]) { result, entry in
      let root = roots[entry.segment]
      if seen[root, default: []].insert(entry.hold).inserted {
        result[root, default: []].append(entry.hold)
      }
    }
  }

  /// The nodes that couple the units of each root, in the network's order.
  func couplingsOfRoots() -> [Int: [Int]] {
    couplings.reduce(into: [:]) { result, entry in
      let root = roots[entry.segment]
      if result[root]?.last != entry.node { result[root, default: []].append(entry.node) }
    }
  }

  /// The sites of each root, in the network's order.
  func sites() -> [Int: [UnitGroup.Site]] {
    var sites: [Int: [UnitGroup.Site]] = [:]
    for node in network.nodes.indices {
      let relation = relations[node]
      let first = network.parameterIndices(ofLayer: node).first ?? 0
      for axis in relation.axes {
        let value: Int
        var isInput = false
        switch axis.side {
        case .output: value = node + 1
        case .input(let input):
          value = network.nodes[node].inputs[input].index
          isInput = true
        }
        let use: UnitGroup.Site.Use =
          relation.output != .new ? .passes : isInput ? .reads : .writes
        let isDivided = isInput && relation.parts > 1
        let (partLength, partRows) = (
          network.shapes[value].rows / relation.parts,
          network.shapes[node + 1].rows / relation.parts
        )
        for segment in segments[value] {
          let root = roots[segment.index]
          let part = isDivided ? segment.range.lowerBound / partLength : 0
          sites[root, default: []].append(
            UnitGroup.Site(
              parameter: first + axis.parameter, axis: axis.axis,
              offset: segment.range.lowerBound - part * partLength,
              block: segment.range.count / counts[root],
              rows: isDivided ? part * partRows..<(part + 1) * partRows : nil, use: use))
        }
      }
    }
    return sites
  }

  /// The places of each root, in the network's order.
  func places() -> [Int: [UnitGroup.Place]] {
    var places: [Int: [UnitGroup.Place]] = [:]
    for (value, list) in segments.enumerated() {
      for segment in list {
        let root = roots[segment.index]
        places[root, default: []].append(
          UnitGroup.Place(
            value: Network.Value(index: value), offset: segment.range.lowerBound,
            block: segment.range.count / counts[root]))
      }
    }
    return places
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return max(1, a)
}

extension UnitRelation {
  /// Whether the relation can be true of these shapes; an operation that says otherwise is taken to mix
  /// units.
  func fits(inputs: [Shape], output: Shape, parameters: [Parameter]) -> Bool {
    guard parts >= 1, !inputs.isEmpty else { return false }
    let lengths = inputs.map(\.rows)
    switch self.output {
    case .sameUnits:
      guard lengths.allSatisfy({ $0 == output.rows }) else { return false }
    case .sideBySide:
      guard lengths.reduce(0, +) == output.rows else { return false }
    case .spread(let width):
      guard inputs.count == 1, width >= 1, output.rows % width == 0,
        lengths[0] == output.rows / width
      else { return false }
    case .shifted(let start):
      // Without sums of what an operation says, which may be of any size.
      guard inputs.count == 1, start >= 0, lengths[0] <= output.rows,
        start <= output.rows - lengths[0]
      else { return false }
    case .new, .mixed: break
    }
    guard parts == 1 || (lengths + [output.rows]).allSatisfy({ $0 % parts == 0 }) else {
      return false
    }
    return axes.allSatisfy { axis in
      guard parameters.indices.contains(axis.parameter),
        axis.axis >= 0, axis.axis < parameters[axis.parameter].shape.rank
      else { return false }
      let size = parameters[axis.parameter].shape[axis.axis]
      switch axis.side {
      case .output: return size == output.rows
      case .input(let input):
        // The rows of a part are those of its output units.
        guard parts == 1 || (axis.axis > 0 && parameters[axis.parameter].shape.rows == output.rows)
        else { return false }
        return inputs.indices.contains(input) && size * parts == lengths[input]
      }
    }
  }
}
