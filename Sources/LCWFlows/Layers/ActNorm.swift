// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A trained scale and shift of each coordinate, x · eᵃ + b (Kingma and Dhariwal 2018).
///
/// It starts as the identity: the coordinates come standardised, so that statistics of a first
/// batch would say nothing new.
struct ActNorm: InvertibleLayer {
  let dimension: Int

  var parameterCount: Int { 2 }
  var valueCount: Int { 2 * dimension }

  func initialParameters(_ random: inout RandomStream) -> [Tensor] {
    [Tensor(zeros: [dimension]), Tensor(zeros: [dimension])]
  }

  private func scales(_ parameters: [Tensor]) -> [Float] { parameters[0].elements.map { exp($0) } }

  private func apply(_ rows: Tensor, before: [Float], scale: [Float], after: [Float]) -> Tensor {
    rows.gathered(
      rows: 0..<rows.shape.rows, order: (0..<dimension).map(Int32.init), before: before,
      scale: scale, after: after)
  }

  private var zeros: [Float] { [Float](repeating: 0, count: dimension) }

  func forward(
    _ rows: inout Tensor, logs: inout [Double], _ parameters: [Tensor],
    precision: MatrixPrecision
  ) -> LayerRecord {
    let input = rows
    rows = apply(
      rows, before: zeros, scale: scales(parameters), after: parameters[1].elements)
    let log = parameters[0].elements.reduce(0) { $0 + Double($1) }
    for index in logs.indices { logs[index] += log }
    return LayerRecord(input: input, hidden: [], outputs: Tensor(zeros: [2, dimension]))
  }

  func inverse(
    _ rows: inout Tensor, _ parameters: [Tensor], precision: MatrixPrecision
  ) -> LayerRecord {
    rows = apply(
      rows, before: parameters[1].elements, scale: scales(parameters).map { 1 / $0 },
      after: zeros)
    return LayerRecord(input: rows, hidden: [], outputs: Tensor(zeros: [2, dimension]))
  }

  func backward(
    _ gradient: inout Tensor, logGradients: [Float], record: inout LayerRecord,
    _ parameters: [Tensor]
  ) {
    let scale = scales(parameters)
    let log = logGradients.reduce(0, +)
    var sums = [Float](repeating: log, count: dimension) + zeros
    add(gradient, record.input, scale, to: &sums)
    gradient = apply(gradient, before: zeros, scale: scale, after: zeros)
    record.outputs = Tensor(sums).reshaped([2, dimension])
  }

  func inverseBackward(
    _ gradient: inout Tensor, record: inout LayerRecord, _ parameters: [Tensor]
  ) {
    let scale = scales(parameters)
    gradient = apply(gradient, before: zeros, scale: scale.map { 1 / $0 }, after: zeros)
    var sums = zeros + zeros
    add(gradient, record.input, scale, to: &sums)
    record.outputs = Tensor(sums).reshaped([2, dimension])
  }

  private func add(
    _ gradient: Tensor, _ input: Tensor, _ scale: [Float], to sums: inout [Float]
  ) {
    for row in 0..<gradient.shape.rows {
      let (g, x) = (gradient.row(row), input.row(row))
      for column in 0..<dimension {
        let value = g[g.startIndex + column]
        sums[column] += value * x[x.startIndex + column] * scale[column]
        sums[dimension + column] += value
      }
    }
  }

  func addGradients(
    of records: [LayerRecord], sign: Float, carry: Float, to gradients: inout [Tensor],
    from first: Int, workers: Workers
  ) {
    for (chunk, record) in records.enumerated() {
      for part in 0..<2 {
        let sums = Tensor(Array(record.outputs.row(part)))
        gradients[first + part].assign(
          sign, times: sums, plus: chunk == 0 ? carry : 1)
      }
    }
  }

  func namedTensors(_ parameters: [Tensor]) -> [(name: String, tensor: Tensor)] {
    [("log-scale", parameters[0]), ("offset", parameters[1])]
  }

  func parameters(named tensor: (String, Shape) throws -> Tensor) throws -> [Tensor] {
    [try tensor("log-scale", [dimension]), try tensor("offset", [dimension])]
  }
}
