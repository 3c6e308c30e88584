// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// A path between two orders of a hidden layer's units, on which the network computes the same
/// function but for one unit: the second stage of optimal transport.
///
/// One unit is taken out: its outgoing block goes to zero in the first stage, and its place is a
/// *free slot*. In the second stage the units move into their places one after the other. The free
/// slot's incoming weights become those of the unit that belongs there, which nothing reads; then
/// that unit's outgoing block moves over, which the output does not notice, since both slots
/// compute the same and the sum of their blocks stays; its old slot is the next free one. The third
/// stage lets the outgoing block of the unit taken out grow again. So the loss is that of the
/// network without one unit at worst.
public struct UnitReordering: ConnectionPath {
  /// The network whose weights move.
  public let network: Network
  /// Taking a unit out, reordering, putting it back.
  public let stages: [PathStage]
  /// Which unit was taken out, and how many moved.
  public let remarks: [PathRemark]

  private let population: HiddenPopulation
  private let end: Weights
  /// The units as they are at the end, one to a row.
  private let neurons: Tensor
  /// The unit in each slot at the start.
  private let order: [Int]
  /// The slot at the start of the unit that is taken out.
  private let freed: Int
  private let moves: [SlotMove]

  /// A path that ends at given weights and starts at the same ones reordered.
  ///
  /// The unit taken out is that whose incoming weights and outgoing block have the smallest product
  /// of norms, which bounds what it contributes.
  ///
  /// - Parameters:
  ///   - population: The units of a hidden layer.
  ///   - order: The unit in each slot at the start.
  ///   - end: The weights at the end.
  public init(of population: HiddenPopulation, from order: [Int], to end: Weights) {
    let network = population.network
    self.network = network
    self.population = population
    self.end = end
    self.order = order
    let neurons = population.neurons(of: end)
    self.neurons = neurons
    let contributions = population.contributionBounds(of: neurons)
    let unit = contributions.indices.min { contributions[$0] < contributions[$1] } ?? 0
    let freed = order.firstIndex(of: unit) ?? 0
    self.freed = freed
    let moves = SlotMove.sorting(order, free: freed)
    self.moves = moves
    let start = population.reordered(end, by: order)
    // Of a value with several groups, the units are told by their places in it.
    let first = population.group.places.first?.offset ?? 0
    let name = "\(population.name).weight" + (first == 0 ? "" : " from its unit \(first + 1) on")
    remarks = [
      PathRemark("units of \(name) that change position", Double(order.changedPlaces)),
      PathRemark("unit of \(name) removed during the reordering", Double(unit + 1)),
    ]
    let opened = population.removingOutput(ofSlot: freed, of: start)
    let closed = population.removingOutput(ofSlot: unit, of: end)
    let readers = Set(population.outgoing.map(\.parameter))
    func line(_ a: Weights, _ b: Weights, _ label: String) -> PathStage {
      PathStage(
        label: label,
        motions: network.parameters.indices.map {
          readers.contains($0) ? .combination([a[$0], b[$0]], .line) : .fixed(a[$0])
        }, restoresOrder: true)
    }
    let parameters = Set(population.parameters)
    let reordering = PathStage(
      label: "reorder",
      motions: network.parameters.indices.map {
        parameters.contains($0) ? .opaque : .fixed(end[$0])
      }, keepsFunction: population.group.couplings.isEmpty, restoresOrder: true,
      length: UnitReordering.length(of: moves, order, freed: freed, neurons, population))
    stages = [line(start, opened, "free a unit"), reordering, line(closed, end, "restore it")]
  }

  /// The length of all pieces: incoming weights replaced, outgoing blocks moved from slot to slot.
  private static func length(
    of moves: [SlotMove], _ order: [Int], freed: Int, _ neurons: Tensor,
    _ population: HiddenPopulation
  ) -> Double {
    let split = population.incomingColumns
    func incoming(_ unit: Int) -> ArraySlice<Float> { neurons.row(unit).prefix(split) }
    func distance(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }.squareRoot()
    }
    var slots = SlotState(order: order, free: freed)
    var sum = 0.0
    for move in moves {
      let unit = slots.incoming[move.source]
      let block = neurons.row(unit).dropFirst(split)
      sum += distance(incoming(slots.incoming[move.target]), incoming(unit))
      // One slot loses the block as the other gains it.
      sum += (2 * block.reduce(0) { $0 + Double($1) * Double($1) }).squareRoot()
      slots.apply(move)
    }
    let home = order[freed]
    return sum + distance(incoming(slots.incoming[home]), incoming(home))
  }

  /// The point at t.
  public func weights(at t: Double) throws -> Weights {
    let (stage, time) = position(of: t)
    return stage == 1 ? weights(inReorderingAt: time) : try weights(at: t, opaque: [:])
  }

  /// Every move takes two equal pieces of time, and so does what precedes the unit's return.
  private func weights(inReorderingAt time: Double) -> Weights {
    let pieces = 2 * moves.count + 1
    let position = time * Double(pieces)
    let piece = min(Int(position), pieces - 1)
    let share = Float(position - Double(piece))
    var slots = SlotState(order: order, free: freed)
    for move in moves.prefix(piece / 2) { slots.apply(move) }
    var rows = slots.neurons(neurons, population)
    let width = population.dimension
    let split = population.incomingColumns
    /// Moves a part of a slot's row towards given values.
    func mix(_ slot: Int, _ range: Range<Int>, with target: (Int) -> Float) {
      for column in range {
        let value = rows.elements[slot * width + column]
        rows.elements[slot * width + column] =
          share == 1 ? target(column) : value + share * (target(column) - value)
      }
    }
    if piece / 2 < moves.count {
      let move = moves[piece / 2]
      let unit = slots.incoming[move.source]
      if piece % 2 == 0 {
        mix(move.target, 0..<split) { neurons.elements[unit * width + $0] }
      } else {
        let moving = (split..<width).map { neurons.elements[unit * width + $0] }
        for column in 0..<split {
          rows.elements[move.target * width + column] = neurons.elements[unit * width + column]
        }
        mix(move.target, split..<width) { moving[$0 - split] }
        mix(move.source, split..<width) { _ in 0 }
      }
    } else {
      let unit = order[freed]
      mix(unit, 0..<split) { neurons.elements[unit * width + $0] }
    }
    var weights = end
    population.assign(rows, to: &weights)
    return weights
  }
}

/// The move of a unit from its slot to the free one.
struct SlotMove: Hashable {
  var source: Int
  var target: Int

  /// The moves that bring each unit to the slot of its own number, starting with one free slot and
  /// ending with the slot of the unit that was taken out free.
  static func sorting(_ order: [Int], free first: Int) -> [SlotMove] {
    var slotOfUnit = [Int](repeating: 0, count: order.count)
    for (slot, unit) in order.enumerated() { slotOfUnit[unit] = slot }
    var moves: [SlotMove] = []
    var free = first
    /// Fills the free slot with the unit that belongs there, until that is `last`.
    func follow(until last: Int) {
      while free != last {
        let source = slotOfUnit[free]
        moves.append(SlotMove(source: source, target: free))
        slotOfUnit[free] = free
        free = source
      }
    }
    let home = order.isEmpty ? 0 : order[first]
    follow(until: home)
    for slot in order.indices where slot != home && slotOfUnit[slot] != slot {
      // The unit in this slot waits in the free one while the others of its cycle move up.
      let unit = order[slot]
      moves.append(SlotMove(source: slot, target: home))
      slotOfUnit[unit] = home
      free = slot
      follow(until: home)
    }
    return moves
  }
}

/// What is in each slot between two moves.
private struct SlotState {
  /// The unit whose incoming weights a slot has.
  var incoming: [Int]
  /// Whether a slot's outgoing block is that unit's, or zero.
  var isConnected: [Bool]

  init(order: [Int], free: Int) {
    incoming = order
    isConnected = order.map { _ in true }
    if !order.isEmpty { isConnected[free] = false }
  }

  mutating func apply(_ move: SlotMove) {
    incoming[move.target] = incoming[move.source]
    isConnected[move.target] = true
    isConnected[move.source] = false
  }

  func neurons(_ units: Tensor, _ population: HiddenPopulation) -> Tensor {
    var rows = Tensor(zeros: units.shape)
    let width = population.dimension
    let split = population.incomingColumns
    for slot in incoming.indices {
      let end = isConnected[slot] ? width : split
      let unit = incoming[slot] * width
      rows.elements.replaceSubrange(
        slot * width..<slot * width + end, with: units.elements[unit..<unit + end])
    }
    return rows
  }
}

extension HiddenPopulation {
  /// For each neuron the product of the norms of its incoming part and of its outgoing one.
  fileprivate func contributionBounds(of neurons: Tensor) -> [Float] {
    let split = incomingColumns
    return (0..<count).map { unit in
      let row = neurons.row(unit)
      let squares = row.map { $0 * $0 }
      return squares.prefix(split).reduce(0, +) * squares.dropFirst(split).reduce(0, +)
    }
  }

  /// Weights in which nothing reads what a slot computes.
  fileprivate func removingOutput(ofSlot slot: Int, of weights: Weights) -> Weights {
    var result = weights
    removeOutput(ofUnit: slot, from: &result)
    return result
  }
}

extension [Int] {
  /// The number of indices that do not hold themselves.
  fileprivate var changedPlaces: Int { indices.count { self[$0] != $0 } }
}
