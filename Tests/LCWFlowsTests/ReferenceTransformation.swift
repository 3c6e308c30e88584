// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNumerics

/// ν in double precision from the definition, one coordinate after the other: what the fast one is
/// held against.
struct ReferenceTransformation {
  let design: TransformationDesign
  private let tensors: [String: StoredTensor]

  init(_ transformation: Transformation) {
    design = transformation.design
    tensors = Dictionary(
      uniqueKeysWithValues: transformation.namedTensors.map { ($0.name, $0.tensor) })
  }

  private func values(_ name: String) -> [Double] { tensors[name]?.doubles ?? [] }

  /// The row ν(θ), in the order of the coordinates that the layers leave.
  func forward(_ row: [Double]) -> [Double] {
    let (mean, deviation) = (values("mean"), values("deviation"))
    let turned = reflected(row)
    let standard = turned.indices.map { (turned[$0] - mean[$0]) / deviation[$0] }
    // With axes, what is not incoming comes first, then the axes; other incoming ones do not move.
    let (axes, incoming) = (design.axes, design.incoming)
    var x =
      axes == 0 ? standard : Array(standard[incoming...]) + Array(standard[..<axes])
    let rest = axes == 0 ? [] : Array(standard[axes..<incoming])
    if design.kind == .realnvp {
      x =
        stride(from: 0, to: x.count, by: 2).map { x[$0] }
        + stride(from: 1, to: x.count, by: 2).map { x[$0] }
    }
    var layer = 0
    for index in 0..<design.layers {
      if design.normalisation == .actnorm {
        layer += 1
        let (scale, offset) = (
          values("layer\(layer)/log-scale"), values("layer\(layer)/offset")
        )
        x = x.indices.map { x[$0] * exp(scale[$0]) + offset[$0] }
      }
      layer += 1
      x = design.kind == .iaf ? autoregressive(x, layer) : coupling(x, layer, index % 2 == 0)
    }
    return x + rest
  }

  /// The row behind the reflections, one after the other.
  private func reflected(_ row: [Double]) -> [Double] {
    let vectors = values("reflections")
    var x = row
    for k in 0..<(vectors.isEmpty ? 0 : design.axes) {
      let v = vectors[k * design.incoming..<(k + 1) * design.incoming].map(\.self)
      let share =
        2 * v.indices.reduce(0.0) { $0 + v[$1] * x[$1] } / v.reduce(0.0) { $0 + $1 * $1 }
      for column in v.indices { x[column] -= share * v[column] }
    }
    return x
  }

  private func coupling(_ x: [Double], _ layer: Int, _ movesLast: Bool) -> [Double] {
    let half = (x.count + 1) / 2
    let still = movesLast ? 0..<half : half..<x.count
    let moving = movesLast ? half..<x.count : 0..<half
    let (s, m) = network(Array(x[still]), layer, outputs: moving.count)
    var result = x
    for (index, column) in moving.enumerated() {
      result[column] = x[column] * exp(s[index]) + m[index]
    }
    return result
  }

  // The masks are in the weights: those that may not be used are zero.
  private func autoregressive(_ x: [Double], _ layer: Int) -> [Double] {
    let (s, m) = network(x, layer, outputs: x.count)
    return x.indices.map { x[$0] * exp(s[$0]) + m[$0] }.reversed()
  }

  private func network(
    _ inputs: [Double], _ layer: Int, outputs: Int
  ) -> (s: [Double], m: [Double]) {
    var h = inputs
    for index in 1...design.depth {
      h = dense(h, "layer\(layer)/hidden\(index)").map { tanh($0) }
    }
    let bound = design.bound
    return (
      dense(h, "layer\(layer)/scale").map { bound * tanh($0 / bound) },
      dense(h, "layer\(layer)/shift")
    )
  }

  private func dense(_ x: [Double], _ name: String) -> [Double] {
    let (weights, bias) = (values("\(name).weight"), values("\(name).bias"))
    return bias.indices.map { row in
      bias[row] + x.indices.reduce(0.0) { $0 + weights[row * x.count + $1] * x[$1] }
    }
  }

  /// The logarithm of |det ∂ν/∂θ|, from central differences.
  func logDeterminant(at row: [Double]) -> Double {
    let step = 1e-5
    var jacobian = row.indices.map { column -> [Double] in
      var (up, down) = (row, row)
      up[column] += step
      down[column] -= step
      return zip(forward(up), forward(down)).map { ($0 - $1) / (2 * step) }
    }
    // Gaussian elimination with pivots.
    var log = 0.0
    for k in jacobian.indices {
      let pivot = (k..<jacobian.count).max { abs(jacobian[$0][k]) < abs(jacobian[$1][k]) } ?? k
      jacobian.swapAt(k, pivot)
      log += Foundation.log(abs(jacobian[k][k]))
      for i in k + 1..<jacobian.count {
        let factor = jacobian[i][k] / jacobian[k][k]
        for j in k..<jacobian.count { jacobian[i][j] -= factor * jacobian[k][j] }
      }
    }
    return log
  }
}

/// A transformation with random weights everywhere, and rows it is standardised on.
func randomTransformation(
  _ design: TransformationDesign, rows count: Int = 200, strength: Float = 0.7, seed: UInt64 = 1
) throws -> (nu: Transformation, rows: Tensor) {
  var random = RandomStream(seed: seed, stream: 99)
  var rows = random.normal([count, design.dimension])
  for index in 0..<rows.count {
    rows.elements[index] = rows.elements[index] * 0.1 + Float(index % design.dimension % 5) * 0.02
  }
  let plain = try Transformation(design, standardisedOn: [rows], seed: seed)
  return (try randomised(plain, strength: strength, &random), rows)
}

/// The transformation with the same standardisation and random weights everywhere.
func randomised(
  _ plain: Transformation, strength: Float, _ random: inout RandomStream
) throws -> Transformation {
  var tensors = Dictionary(uniqueKeysWithValues: plain.namedTensors.map { ($0.name, $0.tensor) })
  for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) where name.contains("/") {
    let inputs = Float(max(1, tensor.shape.rank == 2 ? tensor.shape[1] : 4))
    tensors[name] = StoredTensor(
      random.normal(tensor.shape, deviation: strength / inputs.squareRoot()))
  }
  return try Transformation(plain.design) { name in
    guard let tensor = tensors[name] else {
      throw CheckpointError.missingTensor(name, nearest: nil)
    }
    return tensor
  }
}
