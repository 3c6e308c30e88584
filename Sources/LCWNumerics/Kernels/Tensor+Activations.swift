// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// self ← max(self, 0); NaN stays NaN.
  public mutating func relu(workers: Workers = .serial) {
    update(workers) { lcw_relu($0, $1.count) }
  }

  /// The gradient before a ReLU from the one behind it: kept where the output is positive.
  public mutating func reluBackward(output: Tensor, workers: Workers = .serial) {
    update(with: output, workers) { lcw_relu_backward($0, $1, $2.count) }
  }

  /// self ← tanh(self), to 6 units in the last place and within ±1; NaN stays NaN.
  public mutating func tanh(workers: Workers = .serial) {
    update(workers) { lcw_tanh($0, $1.count) }
  }

  /// The gradient before a tanh from the one behind it: times 1 − output².
  public mutating func tanhBackward(output: Tensor, workers: Workers = .serial) {
    update(with: output, workers) { lcw_tanh_backward($0, $1, $2.count) }
  }

  /// self ← self · factor, element by element.
  public mutating func multiply(by factor: Tensor, workers: Workers = .serial) {
    update(with: factor, workers) { lcw_multiply($0, $1, $2.count) }
  }

  /// self ← scale · self + factor · other; with a scale of 0 the old values are not read.
  public mutating func assign(
    _ factor: Float, times other: Tensor, plus scale: Float, workers: Workers = .serial
  ) {
    update(with: other, workers) { lcw_axpby($0, factor, $1, scale, $2.count) }
  }

  /// Adds `bias` to every row, and clips at zero if `clipping` is set.
  public mutating func addBias(_ bias: Tensor, clipping: Bool = false, workers: Workers = .serial) {
    let width = shape.rowCount
    precondition(bias.count == width, "a bias \(bias.shape) does not fit \(shape)")
    bias.elements.withUnsafeBufferPointer { bias in
      updateRows(workers) { pointer, rows in
        guard let bias = bias.baseAddress else { return }
        lcw_add_bias(pointer, bias, rows.count, width, clipping ? 1 : 0)
      }
    }
  }

  /// self ← scale · self + the sums of the columns of `rows`, `[n, self.count]`.
  public mutating func assignColumnSums(of rows: Tensor, plus scale: Float) {
    precondition(rows.shape.rowCount == count, "\(rows.shape) has not \(count) columns")
    let height = rows.shape.rows
    update(with: rows.elements, count: count) { lcw_column_sums($0, scale, $1, height, $2) }
  }

  /// The sum of the squared differences, in double precision.
  public func squaredDistance(to other: Tensor) -> Double {
    precondition(shape == other.shape, "\(shape) and \(other.shape) differ")
    return elements.withUnsafeBufferPointer { x in
      other.elements.withUnsafeBufferPointer { y in
        guard let x = x.baseAddress, let y = y.baseAddress else { return 0 }
        return lcw_squared_distance(x, y, count)
      }
    }
  }
}

extension Tensor {
  private mutating func update(
    with source: [Float], count: Int,
    _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
  ) {
    source.withUnsafeBufferPointer { source in
      elements.withUnsafeMutableBufferPointer { target in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        body(target, source, count)
      }
    }
  }

  private mutating func updateRows(
    _ workers: Workers, _ body: (UnsafeMutablePointer<Float>, Range<Int>) -> Void
  ) {
    let width = shape.rowCount
    guard width > 0 else { return }
    let rows = shape.rows
    elements.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      workers.forEachRange(of: rows, grain: max(1, elementGrain / width)) {
        body(base + $0.lowerBound * width, $0)
      }
    }
  }
}
