// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// How a tensor differs between two checkpoints.
public struct CheckpointDifference: Sendable, Hashable {
  /// What kind of difference there is.
  public enum Verdict: Sendable, Hashable {
    /// The same type, shape and bits.
    case equal
    /// The elements differ.
    case values
    /// The types differ; the elements are compared all the same.
    case elementType(ElementType, ElementType)
    /// The shapes differ.
    case shape(Shape, Shape)
    /// Only the first has it.
    case onlyFirst
    /// Only the second has it.
    case onlySecond
  }

  /// The tensor's name.
  public let name: String
  /// What kind of difference there is.
  public let verdict: Verdict
  /// How far the elements are apart, where the shapes are the same.
  public let values: TensorDistance?

  /// The differences of all tensors of two checkpoints, by name: those of the first in its order,
  /// then those only the second has. A block of a tensor of each is in memory at a time, or a whole
  /// one of a source that gives whole tensors only.
  /// - Throws: What reading throws.
  public static func all(
    _ a: any CheckpointSource, _ b: any CheckpointSource
  ) throws -> [CheckpointDifference] {
    // Names are told apart by their bytes.
    let second = Dictionary(b.entries.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    var differences = try a.entries.map { entry in
      guard let other = second[Array(entry.name.utf8)] else {
        return CheckpointDifference(name: entry.name, verdict: .onlyFirst, values: nil)
      }
      guard entry.shape == other.shape else {
        return CheckpointDifference(
          name: entry.name, verdict: .shape(entry.shape, other.shape), values: nil)
      }
      return try CheckpointDifference(
        name: entry.name, try TensorBlocks(of: entry, in: a), try TensorBlocks(of: other, in: b))
    }
    let first = Set(a.entries.map { Array($0.name.utf8) })
    differences += b.entries.filter { !first.contains(Array($0.name.utf8)) }.map {
      CheckpointDifference(name: $0.name, verdict: .onlySecond, values: nil)
    }
    return differences
  }

  private init(name: String, verdict: Verdict, values: TensorDistance?) {
    self.name = name
    self.verdict = verdict
    self.values = values
  }

  private init(name: String, _ a: TensorBlocks, _ b: TensorBlocks) throws {
    let (first, second) = (a.entry.elementType, b.entry.elementType)
    // A complex number has no distance to one that is not.
    guard (first == .complex64) == (second == .complex64) else {
      self.init(name: name, verdict: .elementType(first, second), values: nil)
      return
    }
    let values = try TensorDistance(
      count: a.entry.shape.count, first, second,
      first: { range throws(any Error) in try a.bytes(ofElements: range) },
      second: { range throws(any Error) in try b.bytes(ofElements: range) })
    let verdict: Verdict =
      first != second
      ? .elementType(first, second) : values.differing == 0 ? .equal : .values
    self.init(name: name, verdict: verdict, values: values)
  }
}

extension CheckpointDifference.Verdict {
  /// The verdict in a few words.
  public var text: String {
    switch self {
    case .equal: "equal"
    case .values: "values"
    case .elementType(let a, let b): "type \(a.rawValue), \(b.rawValue)"
    case .shape(let a, let b): "shape \(a), \(b)"
    case .onlyFirst: "only in the first"
    case .onlySecond: "only in the second"
    }
  }
}
