// SPDX-License-Identifier: Apache-2.0

extension [TensorEntry] {
  /// The entries by name, numbers in the names by value.
  func naturallySorted() -> [TensorEntry] {
    map { (NaturalKey($0.name), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// Whether the order of the file says nothing but the names: within each element type, by which
  /// some formats sort first, they are sorted.
  var areSortedByName: Bool {
    Dictionary(grouping: self, by: \.elementType).values.allSatisfy { entries in
      zip(entries, entries.dropFirst()).allSatisfy {
        $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
      }
    }
  }

  /// The most parts that are tried in every order.
  private static var mostParts: Int { 4 }

  /// The entries in every order of the parts that the first component of a name tells; none if there
  /// are too many parts.
  var ordersOfParts: [[TensorEntry]] {
    let parts = Dictionary(grouping: self, by: \.firstPart)
    guard parts.count <= Self.mostParts else { return [] }
    var orders: [[TensorEntry]] = [[]]
    var used: [Set<[UInt8]>] = [[]]
    let keys = parts.keys.sorted { $0.lexicographicallyPrecedes($1) }
    for _ in parts {
      let longer = zip(orders, used).flatMap { order, used in
        keys.filter { !used.contains($0) }.map { key in
          (order + (parts[key] ?? []), used.union([key]))
        }
      }
      (orders, used) = (longer.map(\.0), longer.map(\.1))
    }
    return orders
  }
}

/// A name as text and numbers in turn, so that `fc.2` comes before `fc.10`.
struct NaturalKey: Comparable {
  private let parts: [(text: String, number: Int)]

  init(_ name: some StringProtocol) {
    var parts: [(text: String, number: Int)] = []
    var (text, digits) = ("", "")
    for character in name {
      if character.isASCII, character.isNumber {
        digits.append(character)
      } else {
        if !digits.isEmpty {
          parts.append((text, Int(digits) ?? .max))
          (text, digits) = ("", "")
        }
        text.append(character)
      }
    }
    parts.append((text, Int(digits) ?? -1))
    self.parts = parts
  }

  /// Whether the texts are the same and the numbers are not, so that these tell an order.
  func differsInNumbers(from other: NaturalKey) -> Bool {
    parts.map(\.text) == other.parts.map(\.text) && self != other
  }

  static func == (a: NaturalKey, b: NaturalKey) -> Bool {
    a.parts.elementsEqual(b.parts) { $0 == $1 }
  }

  static func < (a: NaturalKey, b: NaturalKey) -> Bool {
    for (x, y) in zip(a.parts, b.parts) where x != y { return x < y }
    return a.parts.count < b.parts.count
  }
}
