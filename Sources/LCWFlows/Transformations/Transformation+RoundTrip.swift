// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Rows there and back through a transformation.
struct RoundTrip: Sendable {
  /// ν(θ).
  let image: Tensor
  /// ν⁻¹(ν(θ)).
  let back: Tensor
  /// |θ − ν⁻¹ν(θ)| / |θ|: what rounding leaves.
  let rounding: Double
}

extension Transformation {
  /// Beyond it a path would be more of its correction's than of the transformation's making; real
  /// models have a thousandth of it.
  private static let largestRounding = 0.01

  /// Sends rows there and back.
  /// - Parameter name: What the rows are, for messages.
  /// - Throws: ``FlowError/notFinite(rows:)`` or ``FlowError/notInverted(rows:share:)`` if what comes
  ///   back is not the rows: no network could be joined by the transformation then.
  func roundTrip(of rows: Tensor, named name: String, workers: Workers) throws -> RoundTrip {
    let image = try forward(rows, workers: workers).rows
    let back = try inverse(image, workers: workers)
    guard image.isFinite, back.isFinite else {
      throw FlowError.notFinite(rows: "\(name) behind the transformation")
    }
    let norm = rows.squaredDistance(to: Tensor(zeros: rows.shape))
    let rounding = norm > 0 ? (rows.squaredDistance(to: back) / norm).squareRoot() : 0
    guard rounding < Self.largestRounding else {
      throw FlowError.notInverted(rows: name, share: rounding)
    }
    return RoundTrip(image: image, back: back, rounding: rounding)
  }

  /// The rows that are sent there and back at the end of an epoch: enough to notice, few enough to cost
  /// little.
  private static let checkedRows = 256

  /// Requires the transformation to be one: finite, and undone by its inverse, as far as the first of
  /// some rows tell.
  /// - Throws: ``FlowError/notFinite(rows:)`` or ``FlowError/notInverted(rows:share:)``.
  func requireInverse(on rows: Tensor, workers: Workers) throws {
    guard parameters.allSatisfy(\.isFinite) else {
      throw FlowError.notFinite(rows: "the transformation's parameters")
    }
    let first = rows.rows(0..<min(rows.shape.rows, Self.checkedRows))
    _ = try roundTrip(of: first, named: "neurons of the fit", workers: workers)
  }
}
