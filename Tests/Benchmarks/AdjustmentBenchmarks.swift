// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics

/// The least-squares problem of weight adjustment, beside a pseudo-inverse.
enum AdjustmentBenchmarks {
  static let all: [Benchmark] = [adjustment]

  private static let (samples, features, outputs, block) = (50_000, 2000, 10, 2000)

  static let adjustment = Benchmark(
    name: "weight adjustment", work: "2000 features over 50,000 samples, 10 outputs",
    prepare: {
      var random = RandomStream(seed: 1)
      var blocks: [(features: Tensor, targets: Tensor)] = []
      for _ in 0..<samples / block {
        // As behind a ReLU: half of the values are zero.
        var x = random.normal([block, features])
        x.relu()
        blocks.append((x, random.normal([block, outputs])))
      }
      let all = blocks
      return {
        var problem = LeastSquares(features: features, targets: outputs, solvingBias: true)
        for part in all { problem.add(part.features, targets: part.targets, workers: .available) }
        _ = try problem.solution(ridge: 1e-5, workers: .available)
      }
    }, runs: 3)

  /// Solves the problem in a folder's `features.f32` and `targets.f32`, little-endian, row by row,
  /// and writes what the solution makes of the features to `fitted.f32`.
  static func solve(in folder: URL) throws {
    func blocks(_ name: String, _ width: Int) throws -> [Tensor] {
      let data = try Data(contentsOf: folder.appendingPathComponent(name))
      let values = data.withUnsafeBytes { [Float]($0.bindMemory(to: Float.self)) }
      return try stride(from: 0, to: values.count, by: block * width).map { start in
        let part = Array(values[start..<min(start + block * width, values.count)])
        return try Tensor(part, shape: [part.count / width, width])
      }
    }
    let x = try blocks("features.f32", features)
    var problem = LeastSquares(features: features, targets: outputs, solvingBias: true)
    for (x, y) in zip(x, try blocks("targets.f32", outputs)) {
      problem.add(x, targets: y, workers: .available)
    }
    let solution = try problem.solution(ridge: 1e-5, workers: .available)
    let fitted = x.flatMap { x in
      var result = Tensor(zeros: [x.shape.rows, outputs])
      result.assignProduct(x.matrix, solution.weights.transposed, workers: .available)
      return result.elements.indices.map { index in
        result.elements[index] + (solution.bias?.elements[index % outputs] ?? 0)
      }
    }
    try fitted.withUnsafeBytes {
      try Data($0).write(to: folder.appendingPathComponent("fitted.f32"))
    }
  }
}
