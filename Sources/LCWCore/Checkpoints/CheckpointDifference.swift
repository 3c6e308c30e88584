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
  /// then those only the second has. One tensor of each is in memory at a time.
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
      return CheckpointDifference(
        name: entry.name, try a.tensor(named: entry.name), try b.tensor(named: other.name))
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

  private init(name: String, _ a: StoredTensor, _ b: StoredTensor) {
    let values = TensorDistance(a, b)
    let verdict: Verdict
    if a.elementType != b.elementType {
      verdict = .elementType(a.elementType, b.elementType)
    } else {
      verdict = a.bytes == b.bytes ? .equal : .values
    }
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
