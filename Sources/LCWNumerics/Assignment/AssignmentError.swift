// SPDX-License-Identifier: Apache-2.0

/// Why there is no assignment of given costs.
public enum AssignmentError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rows or the columns of a matrix of costs.
  public enum Side: String, Sendable {
    /// The first dimension.
    case rows
    /// The second dimension.
    case columns

    /// The other one.
    public var other: Side { self == .rows ? .columns : .rows }
  }

  /// The costs are not a matrix.
  case notAMatrix(Shape)
  /// The number of costs is not the shape's.
  case elementCount(shape: Shape, found: Int)
  /// The matrix has more rows or columns than the solver counts, 2³¹ − 1.
  case tooLarge(Shape)
  /// A cost is NaN or −infinity.
  case notFinite(row: Int, column: Int, value: Double)
  /// A cost is so large that sums of costs leave double precision.
  case overflow(magnitude: Double, limit: Double)
  /// Some members of the smaller side have, between them, too few partners of finite cost.
  ///
  /// By Hall's theorem such members exist wherever there is no assignment of finite cost.
  case infeasible(Side, members: [Int], partners: [Int])

  /// One line that says what was expected and what was found.
  public var description: String {
    switch self {
    case .notAMatrix(let shape):
      return "costs of shape \(shape) are no matrix [rows, columns]"
    case .elementCount(let shape, let found):
      return "costs of shape \(shape) are \(shape.count) numbers, but \(found) were given"
    case .tooLarge(let shape):
      return "costs of shape \(shape) have more than \(Int32.max) rows or columns"
    case .notFinite(let row, let column, let value):
      return "the cost at row \(row), column \(column) is \(value): "
        + "costs are finite, or +infinity where an assignment is forbidden"
    case .overflow(let magnitude, let limit):
      return "a cost of \(magnitude) is beyond \(limit), where sums overflow: scale the costs down"
    case .infeasible(let side, let members, let partners):
      let allowed =
        partners.isEmpty
        ? "no \(side.other.rawValue)" : "only \(counted(partners, side.other))"
      return "no assignment has a finite cost: \(counted(members, side)) may have \(allowed)"
    }
  }

  private func counted(_ indices: [Int], _ side: Side) -> String {
    let noun = indices.count == 1 ? String(side.rawValue.dropLast()) : side.rawValue
    return "\(indices.count) \(noun) (\(list(indices)))"
  }

  private func list(_ indices: [Int]) -> String {
    let shown = indices.prefix(8).map(String.init).joined(separator: ", ")
    return indices.count > 8 ? shown + ", …" : shown
  }
}
