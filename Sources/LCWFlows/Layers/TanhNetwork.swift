// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A network of tanh layers that gives scales and shifts: what is trained in a transformation.
///
/// Its parameters are, for each matrix, the panels of its layout and then the bias.
struct TanhNetwork: Sendable {
  /// The columns of a block of rows that it reads.
  let inputs: Range<Int>
  /// The layouts, those of the hidden layers first.
  let matrices: [StaircaseLayout]

  var depth: Int { matrices.count - 1 }

  /// What the network computes for a block of rows.
  struct Values: Sendable {
    /// Of each hidden layer, `[rows, units]`.
    var hidden: [Tensor]
    /// The last layer's products, without its bias.
    var outputs: Tensor
  }

  var parameterCount: Int { outputBias + 1 }

  /// The values of all panels and biases.
  var valueCount: Int {
    matrices.reduce(0) { sum, matrix in
      matrix.panels.reduce(sum + matrix.rows) { $0 + $1.rows.count * $1.columns }
    }
  }

  /// Where the panels of a matrix are among the parameters, and behind them the bias.
  func place(of matrix: Int) -> Range<Int> {
    let first = matrices[..<matrix].reduce(0) { $0 + $1.panels.count + 1 }
    return first..<first + matrices[matrix].panels.count
  }

  var outputBias: Int { place(of: depth).upperBound }

  /// Hidden weights and biases uniform on ±1/√inputs, the outputs' zero: at first all scales and
  /// shifts are zero.
  func initialParameters(_ random: inout RandomStream) -> [Tensor] {
    var result: [Tensor] = []
    for (index, matrix) in matrices.enumerated() {
      for panel in matrix.panels {
        guard index < depth else {
          result.append(Tensor(zeros: [panel.rows.count, panel.columns]))
          continue
        }
        var elements = [Float](repeating: 0, count: panel.rows.count * panel.columns)
        for (offset, row) in panel.rows.enumerated() {
          let bound = 1 / Float(max(1, matrix.limits[row])).squareRoot()
          for column in 0..<matrix.limits[row] {
            elements[offset * panel.columns + column] = (2 * random.uniform() - 1) * bound
          }
        }
        result.append(Tensor(elements).reshaped([panel.rows.count, panel.columns]))
      }
      if index < depth {
        let bound = 1 / Float(max(1, matrix.columns)).squareRoot()
        result.append(random.uniform([matrix.rows], bound: bound))
      } else {
        result.append(Tensor(zeros: [matrix.rows]))
      }
    }
    return result
  }

  func values(
    for rows: Tensor, _ parameters: [Tensor], precision: MatrixPrecision
  ) -> Values {
    var hidden: [Tensor] = []
    for (index, matrix) in matrices.enumerated() {
      let start = index == 0 ? inputs.lowerBound : 0
      let place = place(of: index)
      var result = Tensor(unspecified: [rows.shape.rows, matrix.rows])
      for (panel, parameter) in zip(matrix.panels, place) {
        result.assignProduct(
          (index == 0 ? rows : hidden[index - 1]).matrix(columns: start..<start + panel.columns),
          parameters[parameter].transposed, columns: panel.rows, precision: precision)
      }
      guard index < depth else { return Values(hidden: hidden, outputs: result) }
      result.addBiasTanh(parameters[place.upperBound])
      hidden.append(result)
    }
    preconditionFailure("a network has an output layer")
  }

  /// The gradients before each hidden layer's tanh, from those of the outputs; `sign` times the
  /// gradient of the inputs is added to `gradient`.
  func backward(
    outputs: Tensor, hidden: [Tensor], _ parameters: [Tensor], adding sign: Float,
    to gradient: inout Tensor
  ) -> [Tensor] {
    var units: [Tensor] = []
    for index in (1...depth).reversed() {
      let matrix = matrices[index]
      var result = Tensor(unspecified: hidden[index - 1].shape)
      let pairs = Array(zip(matrix.panels, place(of: index))).reversed()
      // The last panel has all columns, so that it comes first and overwrites.
      for (order, (panel, parameter)) in pairs.enumerated() {
        result.assignProduct(
          (units.first ?? outputs).matrix(columns: panel.rows), parameters[parameter].matrix,
          beta: order == 0 ? 0 : 1, columns: 0..<panel.columns, precision: .standard)
      }
      result.tanhBackward(output: hidden[index - 1])
      units.insert(result, at: 0)
    }
    for (panel, parameter) in zip(matrices[0].panels, place(of: 0)) {
      gradient.assignProduct(
        units[0].matrix(columns: panel.rows), parameters[parameter].matrix, alpha: sign, beta: 1,
        columns: inputs.lowerBound..<inputs.lowerBound + panel.columns, precision: .standard)
    }
    return units
  }

  /// Adds `sign` times the gradients of the parameters from the records of all chunks to `gradients`,
  /// which are first scaled by `carry`, from index `first` on.
  func addGradients(
    of records: [LayerRecord], sign: Float, carry: Float, to gradients: inout [Tensor],
    from first: Int, workers: Workers
  ) {
    for (index, matrix) in matrices.enumerated() {
      let start = index == 0 ? inputs.lowerBound : 0
      let place = place(of: index)
      for (panel, parameter) in zip(matrix.panels.indices, place) {
        let columns = start..<start + matrix.panels[panel].columns
        for (chunk, record) in records.enumerated() {
          let inputs = index == 0 ? record.input : record.hidden[index - 1]
          let outputs = index < depth ? record.units[index] : record.outputs
          gradients[first + parameter].assignProduct(
            outputs.transposed(columns: matrix.panels[panel].rows),
            inputs.matrix(columns: columns), alpha: sign, beta: chunk == 0 ? carry : 1,
            precision: .standard, workers: workers)
        }
        matrix.clear(&gradients[first + parameter], panel: panel)
      }
      for (chunk, record) in records.enumerated() {
        gradients[first + place.upperBound].assignColumnSums(
          of: index < depth ? record.units[index] : record.outputs,
          plus: chunk == 0 ? carry : 1, factor: sign)
      }
    }
  }
}
