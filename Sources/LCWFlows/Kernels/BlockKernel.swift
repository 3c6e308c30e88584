// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics

/// The inverse of an autoregressive layer within one block of coordinates; see `flow.h`.
struct BlockKernel: Sendable {
  /// The block's coordinates.
  let coordinates: Int
  /// The hidden units of each layer that become known with them.
  let units: Int
  /// The hidden layers.
  let layers: Int
  private let known: [Int32]
  private let weights: [Float]
  private let bound: Float

  /// - Parameters:
  ///   - known: How many units are known once 0, 1, … coordinates are.
  ///   - weights: For each hidden layer weights and biases, then those of the outputs.
  init(layers: Int, known: [Int], weights: [Float], bound: Float) {
    coordinates = known.count - 1
    units = known[known.count - 1]
    self.layers = layers
    let inputs = coordinates * units + (layers - 1) * units * units
    precondition(
      weights.count == inputs + layers * units + 2 * coordinates * (units + 1)
        && (1...Int(LCW_FLOW_LAYERS)).contains(layers),
      "\(weights.count) weights are not those of a block")
    self.known = known.map(Int32.init)
    self.weights = weights
    self.bound = bound
  }

  /// Solves for columns of `rows` from `column` on; `hidden` and `outputs` hold the columns from
  /// `unit` and `output` on that belong to the block.
  func solve(
    _ rows: inout Tensor, column: Int, hidden: inout [Tensor], unit: Int, outputs: inout Tensor,
    output: Int
  ) {
    let height = rows.shape.rows
    check(rows, column, hidden, unit, outputs, output)
    let (leading, leadingOutputs) = (rows.shape.rowCount, outputs.shape.rowCount)
    let leadingHidden = hidden[0].shape.rowCount
    withBlock { block, scratch in
      withMutablePointers(to: &hidden, offset: unit) { hidden in
        rows.elements.withUnsafeMutableBufferPointer { x in
          outputs.elements.withUnsafeMutableBufferPointer { y in
            guard let x = x.baseAddress, let y = y.baseAddress else { return }
            lcw_flow_solve(
              x + column, leading, hidden, leadingHidden, y + output, leadingOutputs, block,
              height, scratch)
          }
        }
      }
    }
  }

  /// Solves with the transposed derivative; `result` is what ``solve(_:column:hidden:unit:outputs:output:)`` gave.
  func solveTransposed(
    _ gradient: inout Tensor, result: Tensor, column: Int, unitGradients: inout [Tensor],
    unit: Int, hidden: [Tensor], hiddenUnit: Int, outputs: inout Tensor, output: Int
  ) {
    let height = gradient.shape.rows
    check(gradient, column, unitGradients, unit, outputs, output)
    precondition(
      result.shape == gradient.shape && hidden.count == layers
        && hidden.allSatisfy { $0.shape.rows == height && hiddenUnit + units <= $0.shape.rowCount },
      "the units' values do not fit")
    let (leading, leadingOutputs) = (gradient.shape.rowCount, outputs.shape.rowCount)
    let (leadingGradients, leadingHidden) = (
      unitGradients[0].shape.rowCount, hidden[0].shape.rowCount
    )
    withBlock { block, scratch in
      withMutablePointers(to: &unitGradients, offset: unit) { gradients in
        withReadPointers(to: hidden[...], offset: hiddenUnit) { hidden in
          gradient.elements.withUnsafeMutableBufferPointer { g in
            outputs.elements.withUnsafeMutableBufferPointer { y in
              result.elements.withUnsafeBufferPointer { x in
                guard let g = g.baseAddress, let y = y.baseAddress, let x = x.baseAddress else {
                  return
                }
                lcw_flow_solve_transposed(
                  g + column, leading, x + column, leading, gradients, leadingGradients, hidden,
                  leadingHidden, y + output, leadingOutputs, block, height, scratch)
              }
            }
          }
        }
      }
    }
  }

  private func check(
    _ rows: Tensor, _ column: Int, _ hidden: [Tensor], _ unit: Int, _ outputs: Tensor,
    _ output: Int
  ) {
    let height = rows.shape.rows
    precondition(
      column >= 0 && column + coordinates <= rows.shape.rowCount
        && hidden.count == layers && unit >= 0
        && hidden.allSatisfy { $0.shape.rows == height && unit + units <= $0.shape.rowCount }
        && outputs.shape.rows == height && output >= 0
        && output + 2 * coordinates <= outputs.shape.rowCount,
      "a block of \(coordinates) coordinates does not fit \(rows.shape)")
  }

  private func withBlock(
    _ body: (UnsafePointer<lcw_flow_block_t>, UnsafeMutablePointer<Float>) -> Void
  ) {
    known.withUnsafeBufferPointer { known in
      weights.withUnsafeBufferPointer { weights in
        guard let known = known.baseAddress, let weights = weights.baseAddress else { return }
        var block = lcw_flow_block_t(
          coordinates: coordinates, units: units, layers: layers, known: known,
          weights: weights, bound: bound)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: lcw_flow_scratch(&block)) {
          guard let scratch = $0.baseAddress else { return }
          body(&block, scratch)
        }
      }
    }
  }
}

/// Calls `body` with the addresses of the tensors' elements from `offset` on.
private func withMutablePointers(
  to tensors: inout [Tensor], offset: Int, _ collected: [UnsafeMutablePointer<Float>] = [],
  _ body: (UnsafePointer<UnsafeMutablePointer<Float>>) -> Void
) {
  // Each tensor leaves the array while its address is used: the array may not be changed then.
  guard var last = tensors.popLast() else {
    collected.withUnsafeBufferPointer { $0.baseAddress.map(body) }
    return
  }
  last.elements.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    withMutablePointers(to: &tensors, offset: offset, [base + offset] + collected, body)
  }
  tensors.append(last)
}

/// Calls `body` with the addresses of the tensors' elements from `offset` on.
private func withReadPointers(
  to tensors: ArraySlice<Tensor>, offset: Int, _ collected: [UnsafePointer<Float>] = [],
  _ body: (UnsafePointer<UnsafePointer<Float>>) -> Void
) {
  guard let first = tensors.first else {
    collected.withUnsafeBufferPointer { $0.baseAddress.map(body) }
    return
  }
  first.elements.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    withReadPointers(to: tensors.dropFirst(), offset: offset, collected + [base + offset], body)
  }
}
