// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// The plane of the two directions in which rows vary most, to look at populations in.
public struct PrincipalPlane: Sendable {
  /// The mean of the rows.
  public let center: [Double]
  /// Two orthonormal directions, the one of largest variance first.
  public let directions: [[Double]]
  /// Beyond this many dimensions the eigenvectors take minutes rather than seconds.
  public static let practicalDimension = 4096

  /// The share of the rows' variance in the plane.
  public let explained: Double

  /// The plane of all rows of the given tensors, `[n, d]` each with the same d of at least 2.
  /// - Throws: `NumericsError` if a value is not finite.
  public init(of populations: [Tensor], workers: Workers = .available) throws {
    let dimension = populations.first?.shape.rowCount ?? 0
    let count = populations.reduce(0) { $0 + $1.shape.rows }
    precondition(dimension >= 2 && count > 0, "a plane needs rows of two values or more")
    let (mean, covariance) = SymmetricMatrix.covariance(
      of: populations, columns: dimension, workers: workers)
    let (values, vectors) = try covariance.eigendecomposition()
    center = mean
    directions = vectors.suffix(2).reversed().map(PrincipalPlane.oriented)
    let total = values.reduce(0, +)
    explained = total > 0 ? values.suffix(2).reduce(0, +) / total : 1
  }

  /// The coordinates of rows in the plane.
  public func coordinates(of rows: Tensor) -> [(x: Double, y: Double)] {
    (0..<rows.shape.rows).map { index in
      var point = [0.0, 0.0]
      for (column, value) in rows.row(index).enumerated() {
        let offset = Double(value) - center[column]
        point[0] += offset * directions[0][column]
        point[1] += offset * directions[1][column]
      }
      return (point[0], point[1])
    }
  }

  // An eigenvector's sign is arbitrary; the largest component is made positive, so that the same
  // populations give the same picture on every machine.
  private static func oriented(_ direction: [Double]) -> [Double] {
    let largest = direction.max { abs($0) < abs($1) } ?? 1
    return largest < 0 ? direction.map { -$0 } : direction
  }
}
