// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// A block's change of hands: the state in which its slots are out of use, and the one behind.
struct ExchangeStep: Sendable {
  /// The state in which the block is idle.
  let gap: ExchangePoint
  /// The state in which it holds the second network's units.
  let next: ExchangePoint
  /// The idle slots of each group.
  let idle: [[Int]]

  /// The steps from the first network to the second.
  ///
  /// - Parameters:
  ///   - sequences: The order of each group's slots, in equally many blocks.
  ///   - atOnce: Whether a step has a block of every group or of one.
  ///   - mixesTargets: Whether what has no unit goes from the first network's to the second's.
  static func all(
    of sequences: [UnitSequence], atOnce: ExchangeOptions.AtOnce, mixesTargets: Bool
  ) -> [ExchangeStep] {
    let blocks = sequences.first?.blocks ?? 1
    var holders = sequences.map { [SlotHolder](repeating: .first, count: $0.leaving.count) }
    let turns: [[Int]] =
      switch atOnce {
      case .all: [Array(sequences.indices)]
      case .groups: sequences.indices.map { [$0] }
      }
    var found: [(gap: [[SlotHolder]], next: [[SlotHolder]], idle: [[Int]])] = []
    for groups in turns {
      for block in 0..<blocks {
        var idle = [[Int]](repeating: [], count: sequences.count)
        for group in groups {
          idle[group] = Array(sequences[group].leaving[sequences[group].block(block)])
        }
        // A group of fewer units than blocks has none in some: such a step alone would be no step.
        guard idle.contains(where: { !$0.isEmpty }) else { continue }
        for (group, slots) in idle.enumerated() {
          for slot in slots { holders[group][slot] = .idle }
        }
        let gap = holders
        for (group, slots) in idle.enumerated() {
          for slot in slots { holders[group][slot] = .second }
        }
        found.append((gap, holders, idle))
      }
    }
    return found.enumerated().map { index, step in
      func share(_ steps: Double) -> Double { mixesTargets ? steps / Double(found.count) : 0 }
      return ExchangeStep(
        gap: ExchangePoint(holders: step.gap, share: share(Double(index) + 0.5)),
        next: ExchangePoint(holders: step.next, share: share(Double(index) + 1)), idle: step.idle)
    }
  }
}
