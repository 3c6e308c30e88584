// SPDX-License-Identifier: Apache-2.0
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
}
