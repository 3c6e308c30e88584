// SPDX-License-Identifier: Apache-2.0

/// Two networks of an experiment, numbered from 1.
public struct NetworkPair: Sendable, Hashable, CustomStringConvertible {
  /// Where the path begins.
  public var first: Int
  /// Where it ends.
  public var second: Int

  /// The pair as `1–2`.
  public var description: String { "\(first)–\(second)" }

  /// All pairs, neighbours on a ring first, then those two apart and so on: with each round every
  /// network occurs twice more.
  public static func all(of count: Int) -> [NetworkPair] {
    guard count > 1 else { return [] }
    return (1...count / 2).flatMap { distance in
      (0..<count).compactMap { first -> NetworkPair? in
        // Halfway around, both directions meet.
        guard 2 * distance < count || first < distance else { return nil }
        let second = (first + distance) % count
        return NetworkPair(first: min(first, second) + 1, second: max(first, second) + 1)
      }
    }
  }
}
