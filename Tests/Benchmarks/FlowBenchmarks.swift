// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFlows
import LCWNumerics

/// Transformations of rows as long as MNIST's neurons: both directions, and fits beside a peer's.
enum FlowBenchmarks {
  static let all: [Benchmark] = TransformationKind.allCases.flatMap { kind in
    [forward(kind), inverse(kind), epoch(kind)]
  }

  private static let dimension = 795
  /// The units of each hidden layer: two for each coordinate, as the paper has them.
  private static let hidden = 1590

  private static func design(_ kind: TransformationKind, layers: Int) -> TransformationDesign {
    // The peer's masked network has three matrices, its coupling network two.
    TransformationDesign(
      kind: kind, dimension: dimension, layers: layers, hidden: hidden,
      depth: kind == .iaf ? 2 : 1)
  }

  /// Samples xₖ = 0.8 xₖ₋₁ + 0.6 εₖ: the true density is known.
  private static func samples(_ count: Int, seed: UInt64) -> Tensor {
    var random = RandomStream(seed: seed)
    var rows = random.normal([count, dimension])
    for row in 0..<count {
      for column in 1..<dimension {
        let place = row * dimension + column
        rows.elements[place] = 0.8 * rows.elements[place - 1] + 0.6 * rows.elements[place]
      }
    }
    return rows
  }

  private static func transformation(
    _ kind: TransformationKind, layers: Int, on rows: Tensor
  ) throws -> Transformation {
    try Transformation(design(kind, layers: layers), standardisedOn: [rows], seed: 1)
  }

  private static func forward(_ kind: TransformationKind) -> Benchmark {
    Benchmark(
      name: "flow \(kind.rawValue) forward", work: "2000 rows of 795, 1 layer, depth 1, 1590 units",
      prepare: {
        let (nu, rows) = try oneLayer(kind)
        return { _ = try nu.forward(rows) }
      })
  }

  private static func inverse(_ kind: TransformationKind) -> Benchmark {
    Benchmark(
      name: "flow \(kind.rawValue) inverse", work: "2000 rows of 795, 1 layer, depth 1, 1590 units",
      prepare: {
        let (nu, rows) = try oneLayer(kind)
        let z = try nu.forward(rows).rows
        return { _ = try nu.inverse(z) }
      })
  }

  private static func oneLayer(
    _ kind: TransformationKind
  ) throws -> (nu: Transformation, rows: Tensor) {
    let rows = samples(2000, seed: 1)
    let design = TransformationDesign(kind: kind, dimension: dimension, layers: 1, hidden: hidden)
    return (try Transformation(design, standardisedOn: [rows], seed: 1), rows)
  }

  private static func epoch(_ kind: TransformationKind) -> Benchmark {
    Benchmark(
      name: "flow \(kind.rawValue) epoch",
      work: "likelihood, 8192 rows of 795, 2 layers, 1590 units, batch 512",
      prepare: {
        let rows = samples(8192, seed: 1)
        var fit = try LikelihoodFit(
          transformation(kind, layers: 2, on: rows), to: rows, heldOut: nil, batch: 512,
          plan: FitPlan(epochs: 100, rate: 1e-3), workers: .available)
        return { try fit.runEpoch(workers: .available) }
      }, runs: 3)
  }

  // MARK: Beside a peer

  /// Writes the samples, rows of `float32`, for a peer: first those to fit to, then as many a
  /// quarter that are held out.
  static func write(to file: URL) throws {
    var bytes = samples(8192, seed: 1).elements.withUnsafeBytes { Data($0) }
    bytes.append(samples(2048, seed: 2).elements.withUnsafeBytes { Data($0) })
    try bytes.write(to: file)
  }

  /// Fits to the samples, and prints a line of JSON: the seconds of each epoch, the processors' of all
  /// threads, and the held-out samples' likelihood after it, in nats per coordinate.
  static func fit(_ kind: TransformationKind, epochs: Int) throws {
    let (rows, heldOut) = (samples(8192, seed: 1), samples(2048, seed: 2))
    var fit = try LikelihoodFit(
      transformation(kind, layers: 2, on: rows), to: rows, heldOut: nil, batch: 512,
      plan: FitPlan(epochs: epochs, rate: 1e-3), workers: .available)
    var (seconds, processor, likelihoods) = ([Double](), [Double](), [Double]())
    for _ in 0..<epochs {
      let (start, processorStart) = (ContinuousClock.now, clock())
      try fit.runEpoch(workers: .available)
      let duration = (ContinuousClock.now - start).components
      seconds.append(Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
      processor.append(Double(clock() - processorStart) / Double(CLOCKS_PER_SEC))
      likelihoods.append(
        try LikelihoodFit.likelihood(fit.training.current, heldOut, .available))
    }
    print(
      String(
        decoding: try JSONEncoder().encode([
          "seconds": seconds, "processor": processor, "likelihoods": likelihoods,
        ]),
        as: UTF8.self))
  }
}
