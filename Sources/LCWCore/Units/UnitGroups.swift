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
  public init(of network: Network) {
    var derivation = UnitDerivation(network)
    derivation.cut()
    derivation.join()
    let segments = derivation.segments
    var numbers: [Int: Int] = [:]
    var roots: [Int] = []
    groupsOfValues = segments.map { list in
      list.map { segment in
        let root = derivation.root(of: segment.index)
        if numbers[root] == nil {
          numbers[root] = roots.count
          roots.append(root)
        }
        return (segment.range.lowerBound, numbers[root, default: 0])
      }
    }
    let sites = derivation.sites()
    let places = derivation.places()
    all = roots.map { root in
      UnitGroup(
        count: derivation.counts[root], sites: sites[root] ?? [], places: places[root] ?? [],
        holds: derivation.holds[root].reduce(into: []) { if !$0.contains($1) { $0.append($1) } },
        couplings: derivation.couplings[root].sorted())
    }
  }

  /// Whether both are of equal networks.
  public static func == (a: UnitGroups, b: UnitGroups) -> Bool { a.all == b.all }

  /// Feeds the groups to a hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(all) }
}

/// Union-find over the segments of all values' first axes.
///
/// First every axis is cut wherever a relation treats what lies before the place and behind it
/// differently: where a concatenation joins values, where a grouped convolution's parts meet. Then the
/// segments are joined. The number of units of a joined set is the greatest common divisor of what its
/// segments have: a flatten's output has as many indices for each unit as the channel had positions.
private struct UnitDerivation {
  struct Segment {
    var index: Int
    var range: Range<Int>
  }

  private let network: Network
  private let relations: [UnitRelation]
  /// The places at which each value's first axis is cut, without its ends.
  private var cuts: [Set<Int>]
  private var parents: [Int] = []

  private(set) var segments: [[Segment]] = []
  /// Of each root: the number of units, what holds them, and the nodes that couple them.
  private(set) var counts: [Int] = []
  private(set) var holds: [[UnitGroup.Hold]] = []
  private(set) var couplings: [Set<Int>] = []

  init(_ network: Network) {
    self.network = network
    relations = network.nodes.indices.map { node in
      let inputs = network.inputShapes(of: node)
      let output = network.shapes[node + 1]
      let relation = network.nodes[node].operation.units(inputs: inputs, output: output)
      let parameters = network.parameterIndices(ofLayer: node).map { network.parameters[$0] }
      return relation.fits(inputs: inputs, output: output, parameters: parameters)
        ? relation : .mixed
    }
    cuts = network.shapes.map { _ in [] }
  }

  private func length(_ value: Int) -> Int { network.shapes[value].rows }

  // MARK: Cutting

  /// Cuts until every relation's values are cut alike.
  mutating func cut() {
    for node in network.nodes.indices where relations[node].parts > 1 {
      let parts = relations[node].parts
      for value in network.nodes[node].inputs.map(\.index) + [node + 1] {
        let step = length(value) / parts
        cuts[value].formUnion((1..<parts).map { $0 * step })
      }
    }
    var isChanging = true
    while isChanging {
      let before = cuts.reduce(0) { $0 + $1.count }
      for node in network.nodes.indices { share(at: node) }
      for node in network.nodes.indices.reversed() { share(at: node) }
      isChanging = cuts.reduce(0) { $0 + $1.count } > before
    }
  }

  /// Cuts what a node reads and what it writes alike.
  private mutating func share(at node: Int) {
    let inputs = network.nodes[node].inputs.map(\.index)
    let output = node + 1
    switch relations[node].output {
    case .sameUnits:
      let union = inputs.reduce(cuts[output]) { $0.union(cuts[$1]) }
      for value in inputs + [output] where cuts[value].count < union.count { cuts[value] = union }
    case .sideBySide:
      var start = 0
      for input in inputs {
        let end = start + length(input)
        if start > 0 { cuts[output].insert(start) }
        for place in cuts[input] { cuts[output].insert(start + place) }
        for place in cuts[output] where place > start && place < end {
          cuts[input].insert(place - start)
        }
        start = end
      }
    case .spread(let width):
      for place in cuts[inputs[0]] { cuts[output].insert(place * width) }
      for place in cuts[output] where place % width == 0 { cuts[inputs[0]].insert(place / width) }
    case .shifted(let start):
      let end = start + length(inputs[0])
      for place in [start, end] where place > 0 && place < length(output) {
        cuts[output].insert(place)
      }
      for place in cuts[inputs[0]] { cuts[output].insert(start + place) }
      for place in cuts[output] where place > start && place < end {
        cuts[inputs[0]].insert(place - start)
      }
    case .new, .mixed: break
    }
  }

  // MARK: Joining

  mutating func join() {
    for value in network.shapes.indices {
      let bounds = [0] + cuts[value].sorted() + [length(value)]
      segments.append(
        zip(bounds, bounds.dropFirst()).map { lower, upper in
          parents.append(parents.count)
          counts.append(upper - lower)
          holds.append([])
          couplings.append([])
          return Segment(index: parents.count - 1, range: lower..<upper)
        })
    }
    for segment in segments[0] { holds[segment.index].append(.input) }
    for node in network.nodes.indices { join(at: node) }
    for segment in segments[network.nodes.count] { hold(segment.index, .output) }
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
      var start = 0
      for input in inputs {
        for segment in segments[input] {
          if let other = find(start + segment.range.lowerBound, in: output) {
            unite(segment.index, other)
          }
        }
        start += length(input)
      }
    case .spread(let width):
      for segment in segments[inputs[0]] {
        let range = segment.range.lowerBound * width..<segment.range.upperBound * width
        // The output may be cut within what comes of one unit; then its pieces can't be told apart.
        for other in segments[output] where range.contains(other.range.lowerBound) {
          unite(segment.index, other.index)
          if other.range != range { hold(segment.index, .node(node)) }
        }
      }
    case .shifted(let start):
      // What lies around is constant, the same for all of it: whoever else has it may permute it.
      for segment in segments[inputs[0]] {
        if let other = find(start + segment.range.lowerBound, in: output) {
          unite(segment.index, other)
        }
      }
    case .new: break
    case .mixed:
      for value in inputs + [output] {
        for segment in segments[value] { hold(segment.index, .node(node)) }
      }
    }
    if relation.isCoupled {
      for segment in segments[output] {
        let root = root(of: segment.index)
        couplings[root].insert(node)
      }
    }
  }

  private func find(_ place: Int, in value: Int) -> Int? {
    segments[value].first { $0.range.lowerBound == place }?.index
  }

  private mutating func hold(_ segment: Int, _ hold: UnitGroup.Hold) {
    holds[root(of: segment)].append(hold)
  }

  func root(of segment: Int) -> Int {
    var root = segment
    while parents[root] != root { root = parents[root] }
    return root
  }

  private mutating func unite(_ a: Int, _ b: Int) {
    let (first, second) = (root(of: a), root(of: b))
    guard first != second else { return }
    // The earlier one stays the root, and what is asked for often gets a short way to it.
    let (root, child) = (min(first, second), max(first, second))
    parents[child] = root
    parents[a] = root
    parents[b] = root
    counts[root] = greatestCommonDivisor(counts[root], counts[child])
    holds[root] += holds[child]
    couplings[root].formUnion(couplings[child])
  }

  // MARK: What belongs to the units

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
          length(value) / relation.parts, length(node + 1) / relation.parts
        )
        for segment in segments[value] {
          let root = root(of: segment.index)
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
        let root = root(of: segment.index)
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
  fileprivate func fits(inputs: [Shape], output: Shape, parameters: [Parameter]) -> Bool {
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
        return inputs.indices.contains(input) && size * parts == lengths[input]
      }
    }
  }
}
