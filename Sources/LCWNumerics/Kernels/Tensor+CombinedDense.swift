// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// The most outputs of ``combinedDense(_:bias:shifts:range:clipping:weight:weightBias:)``.
  public static let combinedDenseOutputs = Int(LCW_COMBINED_DENSE_OUTPUTS)

  /// A dense layer of few outputs over some rows of a combination, in one pass: what a point of a
  /// path of a two-layer network costs once its products are there.
  ///
  /// - Parameters:
  ///   - terms: At least one block `[n, width]` and its factor.
  ///   - bias: A vector of `width` values added to the combination, or none.
  ///   - shifts: A value for each of the n rows that is added all along it, or none.
  ///   - range: The rows to compute.
  ///   - clipping: Whether negative values of the combination become zero.
  ///   - weight: `[outputs, width]`, with no more outputs than ``combinedDenseOutputs``.
  ///   - weightBias: `[outputs]`, or none.
  /// - Returns: `[range.count, outputs]`.
  public static func combinedDense(
    _ terms: [RowTerm], bias: Tensor?, shifts: [Float]?, range: Range<Int>, clipping: Bool,
    weight: Tensor, weightBias: Tensor?
  ) -> Tensor {
    let (outputs, width) = (weight.shape.rows, weight.shape.rowCount)
    checkRows(terms, bias: bias, shifts: shifts, range: range, width: width)
    precondition(
      outputs <= combinedDenseOutputs && (weightBias.map { $0.count == outputs } ?? true),
      "\(outputs) outputs are too many, or their bias has another number")
    var result = Tensor(unspecified: [range.count, outputs])
    result.elements.withUnsafeMutableBufferPointer { out in
      weight.elements.withUnsafeBufferPointer { weight in
        guard let out = out.baseAddress, let weight = weight.baseAddress else { return }
        withPointers(to: terms.map(\.rows)) { pointers in
          withBase(of: bias) { bias in
            withBase(of: weightBias) { weightBias in
              withBase(of: shifts) { shifts in
                let bases = terms.indices.map { pointers[$0] + range.lowerBound * width }
                lcw_combined_dense(
                  out, bases, terms.map(\.coefficient), terms.count,
                  shifts.map { $0 + range.lowerBound }, bias, clipping ? 1 : 0, weight,
                  weightBias, range.count, width, outputs)
              }
            }
          }
        }
      }
    }
    return result
  }
}
