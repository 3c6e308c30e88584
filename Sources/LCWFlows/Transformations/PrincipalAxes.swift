// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The principal axes of neurons' incoming weights (Jolliffe 2002, "Principal Component Analysis").
///
/// Training moves a neuron's weights in few directions, those in which the inputs vary; along the
/// others they are what they were drawn as, and a layer that moves them learns from noise.
enum PrincipalAxes {
  /// The leading axes of the first columns of samples, `[count, columns]`, the largest variance
  /// first.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - columns: The columns that they are of.
  ///   - samples: Rows in parts.
  ///   - workers: The threads.
  /// - Throws: ``FlowError/notFinite(rows:)`` if there are none.
  static func leading(
    _ count: Int, ofColumns columns: Int, of samples: [Tensor], workers: Workers
  ) throws(FlowError) -> Tensor {
    let (_, covariance) = SymmetricMatrix.covariance(
      of: RowBlocks(tensors: samples).lazy.map { $0.columns(0..<columns) }, columns: columns,
      workers: workers)
    do {
      let vectors = try covariance.eigendecomposition().vectors.suffix(count).reversed()
      return Tensor(vectors.flatMap { $0.map { Float($0) } }).reshaped([count, columns])
    } catch {
      throw .notFinite(rows: "the samples' covariances")
    }
  }
}
