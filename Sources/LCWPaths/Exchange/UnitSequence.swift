// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Which units of a group leave and which come in their place, block by block.
struct UnitSequence: Sendable {
  /// The units.
  let population: HiddenPopulation
  /// The first network's units, the first to leave first.
  let leaving: [Int]
  /// The second network's units, the first to come first.
  let coming: [Int]
  /// The number of blocks; some have no unit if there are fewer units.
  let blocks: Int

  /// Units change hands slot by slot.
  init(population: HiddenPopulation, slots: [Int], blocks: Int) {
    self.init(population: population, leaving: slots, coming: slots, blocks: blocks)
  }

  init(population: HiddenPopulation, leaving: [Int], coming: [Int], blocks: Int) {
    self.population = population
    self.leaving = leaving
    self.coming = coming
    self.blocks = blocks
  }

  /// How many units the first blocks have together.
  func count(inFirst blocks: Int) -> Int { leaving.count * blocks / self.blocks }

  /// The places of a block's units in both lists.
  func block(_ index: Int) -> Range<Int> { count(inFirst: index)..<count(inFirst: index + 1) }
}

/// Which unit each slot of a group holds.
struct SlotLayout: Sendable, Hashable {
  /// What a slot holds.
  enum Holder: Sendable, Hashable {
    /// A unit of the first network.
    case first(Int)
    /// A unit of the second network.
    case second(Int)
  }

  /// What each slot holds.
  private(set) var holders: [Holder]

  /// The layout of the first network.
  init(count: Int) { holders = (0..<count).map(Holder.first) }

  /// How a block changes hands: units of the second network come into the slots they have there, and units
  /// of the first network that are in these move to slots that become free.
  struct Change: Sendable {
    /// The slots of the units that leave.
    var freed: [Int]
    /// Where units move, from a slot to a freed one.
    var moves: [(source: Int, target: Int)]
    /// The slots that units of the second network come into: those of the same numbers.
    var taken: [Int]
  }

  /// What has to happen for units to leave and others to come.
  func change(leaving: some Sequence<Int>, coming: some Sequence<Int>) -> Change {
    var slots: [Int: Int] = [:]
    for (slot, holder) in holders.enumerated() {
      if case .first(let unit) = holder { slots[unit] = slot }
    }
    let freed = leaving.compactMap { slots[$0] }
    let taken = Array(coming)
    let (isFreed, isTaken) = (Set(freed), Set(taken))
    let sources = taken.filter { !isFreed.contains($0) }
    let targets = freed.filter { !isTaken.contains($0) }
    return Change(
      freed: freed, moves: zip(sources, targets).map { (source: $0, target: $1) }, taken: taken)
  }

  /// The layout after a change.
  func applying(_ change: Change) -> SlotLayout {
    var result = self
    for move in change.moves { result.holders[move.target] = holders[move.source] }
    for slot in change.taken { result.holders[slot] = .second(slot) }
    return result
  }
}

extension HiddenPopulation {
  /// Copies what comes into a unit, and what normalises it, from a unit of other weights.
  func copyIncoming(
    _ units: some Sequence<(source: Int, target: Int)>, from source: Weights,
    to target: inout Weights
  ) {
    let units = Array(units)
    guard !units.isEmpty else { return }
    for site in incoming {
      let pieces = SitePieces(of: site, in: network)
      let values = source[site.parameter].elements
      for unit in units {
        for (from, to) in zip(
          pieces.starts(ofUnit: unit.source), pieces.starts(ofUnit: unit.target))
        {
          target[site.parameter].elements.replaceSubrange(
            to..<to + pieces.length, with: values[from..<from + pieces.length])
        }
      }
    }
  }

  /// Copies what comes into units from those of the same numbers.
  func copyIncoming(
    ofUnits units: some Sequence<Int>, from source: Weights, to target: inout Weights
  ) {
    copyIncoming(units.map { (source: $0, target: $0) }, from: source, to: &target)
  }

  /// Moves outgoing blocks from slots to others; nothing reads the old slots then.
  func moveOutgoing(_ moves: [(source: Int, target: Int)], in weights: inout Weights) {
    for site in outgoing {
      let pieces = SitePieces(of: site, in: network)
      let values = weights[site.parameter].elements
      for move in moves {
        for (from, to) in zip(
          pieces.starts(ofUnit: move.source), pieces.starts(ofUnit: move.target))
        {
          weights[site.parameter].elements.replaceSubrange(
            to..<to + pieces.length, with: values[from..<from + pieces.length])
        }
      }
    }
    for move in moves { removeOutput(ofUnit: move.source, from: &weights) }
  }
}

extension PathStage {
  /// A stage in which all parameters move straight.
  static func line(
    from start: Weights, to end: Weights, label: String, keepsFunction: Bool = false
  ) -> PathStage {
    PathStage(
      label: label,
      motions: start.network.parameters.indices.map { index in
        start[index].isIdentical(to: end[index])
          ? .fixed(start[index]) : .combination([start[index], end[index]], .line)
      }, keepsFunction: keepsFunction)
  }
}
