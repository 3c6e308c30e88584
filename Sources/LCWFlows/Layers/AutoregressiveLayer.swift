// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// An autoregressive layer as METHODS.md's IAF has it: z_i = θ_i · exp(s_i(θ_<i)) + m_i(θ_<i), with
/// s and m from a masked network (Kingma et al. 2016; Germain et al. 2015), then the order of the
/// coordinates reversed.
///
/// A hidden unit of degree d sees the first d coordinates; units are sorted by degree, so that
/// every matrix is a staircase. Coordinates and units come in panels and blocks: a panel's
/// coordinates are those of a few blocks, and its units those that are known once its coordinates
/// are.
struct AutoregressiveLayer: InvertibleLayer {
  let network: TanhNetwork
  let affine: AffineKernel
  let dimension: Int
  /// The number of units of degree d or less, for d from 0 to `dimension`.
  let unitsUpTo: [Int]

  /// The coordinates that are solved for one after the other in the inverse; more of them mean
  /// longer products of earlier blocks and slower loops within.
  static let block = 32
  /// The coordinates of a panel, whole blocks: products are cut off at its end, and in the inverse
  /// take in what earlier panels contribute.
  static let panel = 96

  init(dimension: Int, hidden: Int, depth: Int, bound: Float) {
    self.dimension = dimension
    // Degrees go from 1 to D − 1, evenly: no coordinate sees the last.
    let degrees = (0..<hidden).map { 1 + $0 * (dimension - 1) / hidden }
    var counts = [Int](repeating: 0, count: dimension + 1)
    for degree in degrees { counts[degree] += 1 }
    for degree in 1...dimension { counts[degree] += counts[degree - 1] }
    let unitsUpTo = counts
    self.unitsUpTo = unitsUpTo
    let ends = stride(from: 0, to: dimension, by: Self.panel).map {
      min($0 + Self.panel, dimension)
    }
    let unitLimits = degrees.map { unitsUpTo[$0] }
    var matrices = [
      StaircaseLayout(limits: degrees, panels: ends.map { (unitsUpTo[$0], $0) })
    ]
    for _ in 1..<depth {
      matrices.append(
        StaircaseLayout(limits: unitLimits, panels: ends.map { (unitsUpTo[$0], unitsUpTo[$0]) }))
    }
    // Scales and shifts of a block lie one after the other, and both see the units of lower
    // degrees than their coordinate's place.
    let outputLimits = stride(from: 0, to: dimension, by: Self.block).flatMap { start in
      let limits = (start..<min(start + Self.block, dimension)).map { unitsUpTo[$0] }
      return limits + limits
    }
    matrices.append(
      StaircaseLayout(limits: outputLimits, panels: ends.map { (2 * $0, unitsUpTo[$0]) }))
    network = TanhNetwork(inputs: 0..<dimension, matrices: matrices)
    affine = AffineKernel(columns: 0..<dimension, block: Self.block, bound: bound)
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
    rows.reverseColumns()
    return LayerRecord(input: input, hidden: values.hidden, outputs: values.outputs)
  }

  func backward(
    _ gradient: inout Tensor, logGradients: [Float], record: inout LayerRecord,
    _ parameters: [Tensor]
  ) {
    gradient.reverseColumns()
    affine.backward(
      &gradient, outputs: &record.outputs, input: record.input, logGradients: logGradients)
    record.units = network.backward(
      outputs: record.outputs, hidden: record.hidden, parameters, adding: 1, to: &gradient)
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
