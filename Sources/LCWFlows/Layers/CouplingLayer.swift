// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// An affine coupling layer of RealNVP (Dinh, Sohl-Dickstein and Bengio 2017): one half of the
/// coordinates stays, the other becomes x · eˢ + m with s and m from a network of the still half.
///
/// The halves are the first and the last columns, so that nothing is gathered: ``Standardisation``
/// puts the coordinates of even index first.
struct CouplingLayer: InvertibleLayer {
  private let network: TanhNetwork
  private let affine: AffineKernel

  /// - Parameter movesLast: Whether the last columns move, or the first.
  init(
    dimension: Int, movesLast: Bool, hidden: Int, depth: Int, bound: Float
  ) {
    let half = (dimension + 1) / 2
    let still = movesLast ? 0..<half : half..<dimension
    let moving = movesLast ? half..<dimension : 0..<half
    var matrices = [StaircaseLayout(dense: hidden, columns: still.count)]
    for _ in 1..<depth { matrices.append(StaircaseLayout(dense: hidden, columns: hidden)) }
    matrices.append(StaircaseLayout(dense: 2 * moving.count, columns: hidden))
    network = TanhNetwork(inputs: still, matrices: matrices)
    affine = AffineKernel(columns: moving, block: moving.count, bound: bound)
  }

  var parameterCount: Int { network.parameterCount }
  var valueCount: Int { network.valueCount }

  func initialParameters(_ random: inout RandomStream) -> [Tensor] {
    network.initialParameters(&random)
  }

  func forward(
    _ rows: inout Tensor, logs: inout [Double], _ parameters: [Tensor],
    precision: MatrixPrecision
  ) -> LayerRecord {
    let input = rows
    var values = network.values(for: rows, parameters, precision: precision)
    affine.apply(
      to: &rows, outputs: &values.outputs, bias: parameters[network.outputBias], logs: &logs)
    return LayerRecord(input: input, hidden: values.hidden, outputs: values.outputs)
  }

  func inverse(
    _ rows: inout Tensor, _ parameters: [Tensor], precision: MatrixPrecision
  ) -> LayerRecord {
    var values = network.values(for: rows, parameters, precision: precision)
    affine.applyInverse(
      to: &rows, outputs: &values.outputs, bias: parameters[network.outputBias])
    return LayerRecord(input: rows, hidden: values.hidden, outputs: values.outputs)
  }

  func backward(
    _ gradient: inout Tensor, logGradients: [Float], record: inout LayerRecord,
    _ parameters: [Tensor]
  ) {
    affine.backward(
      &gradient, outputs: &record.outputs, input: record.input, logGradients: logGradients)
    record.units = network.backward(
      outputs: record.outputs, hidden: record.hidden, parameters, adding: 1, to: &gradient)
  }

  func inverseBackward(
    _ gradient: inout Tensor, record: inout LayerRecord, _ parameters: [Tensor]
  ) {
    affine.inverseBackward(&gradient, outputs: &record.outputs, result: record.input)
    record.units = network.backward(
      outputs: record.outputs, hidden: record.hidden, parameters, adding: -1, to: &gradient)
  }

  func addGradients(
    of records: [LayerRecord], sign: Float, carry: Float, to gradients: inout [Tensor],
    from first: Int, workers: Workers
  ) {
    network.addGradients(
      of: records, sign: sign, carry: carry, to: &gradients, from: first, workers: workers)
  }

  func namedTensors(_ parameters: [Tensor]) -> [(name: String, tensor: Tensor)] {
    network.namedTensors(parameters, block: affine.block)
  }

  func parameters(named tensor: (String, Shape) throws -> Tensor) throws -> [Tensor] {
    try network.parameters(block: affine.block, named: tensor)
  }
}
