// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths

/// How time and memory grow with what a user makes larger: samples, hidden units, points of a path, and
/// networks.
///
/// Networks have one hidden layer, random weights and random bytes as samples.
enum Growth {
  /// What is made larger, and the work that is measured at each size.
  struct Question: Sendable {
    var name: String
    var title: String
    var axis: String
    var sizes: [Int]
    var works: [Work]
  }

  struct Work: Sendable {
    var name: String
    /// The largest size at which it is measured.
    var limit = Int.max
    /// Sets up for a size, and returns what to time.
    var prepare: @Sendable (Int) throws -> () throws -> Void
  }

  /// The input of all networks.
  static let shape = [3, 16, 16]

  private static func network(_ hidden: Int) throws -> Network {
    try Network(
      inputShape: Shape([shape.reduce(1, *)]),
      layers: [.dense(outputs: hidden, bias: true), .relu, .dense(outputs: 10, bias: true)])
  }

  private static func samples(_ count: Int) throws -> SampleSet {
    var random = RandomStream(seed: 1)
    let words = (0..<(count * shape.reduce(1, *) + 3) / 4).map { _ in random.nextWord() }
    return try SampleSet(
      name: "random", sampleShape: Shape(shape), classes: 10,
      labels: (0..<count).map { Int32($0 % 10) },
      values: .bytes(
        words.withUnsafeBytes { [UInt8]($0.prefix(count * shape.reduce(1, *))) },
        [Double](repeating: 0.45, count: 3).map { .init(mean: $0, deviation: 0.225) }))
  }

  /// A path of a method and its evaluation at so many points of each stage.
  private static func path(
    _ method: String, hidden: Int, samples count: Int, points: Int
  ) throws -> () throws -> Void {
    let samples = try samples(count)
    let network = try network(hidden)
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    let connection = try PluginRegistry.linked().connection(MethodExpression(method))
    return {
      let path = try connection.path(from: a, to: b, in: ConnectionContext(samples: samples))
      let stages = path.stages.count
      let times = (0...stages * (points - 1)).map { Double($0) / Double(points - 1) }
      _ = try PathEvaluator().evaluate(path, at: times, on: samples)
    }
  }

  /// The linear paths between all pairs of networks, their products kept up to a number of bytes.
  private static func pairs(of count: Int, keeping limit: Int?) throws -> () throws -> Void {
    let network = try network(500)
    let samples = try samples(5000)
    let all = try (1...count).map { try Weights(randomFor: network, seed: UInt64($0)) }
    let linear = try PluginRegistry.linked().connection(MethodExpression("linear"))
    return {
      let evaluator = PathEvaluator(keeping: limit.map(KeptProducts.init))
      for (first, a) in all.enumerated() {
        for b in all[(first + 1)...] {
          let path = try linear.path(from: a, to: b, in: ConnectionContext())
          _ = try evaluator.evaluate(path, at: (0...20).map { Double($0) / 20 }, on: samples)
        }
      }
    }
  }

  static let questions = [
    Question(
      name: "samples", title: "paths of 21 points between two networks 768-500-10",
      axis: "samples", sizes: [1250, 2500, 5000, 10_000, 20_000, 40_000],
      works: ["linear", "arc", "linear+wa", "ot", "exchange"].map { method in
        Work(name: method) { try path(method, hidden: 500, samples: $0, points: 21) }
      }),
    Question(
      name: "width", title: "paths of 5 points between two networks 768-n-10, 5000 samples",
      axis: "hidden units n", sizes: [125, 250, 500, 1000, 2000, 4000],
      works: ["linear", "linear+wa", "ot", "exchange"].map { method in
        Work(name: method, limit: method == "exchange" ? 2000 : Int.max) {
          try path(method, hidden: $0, samples: 5000, points: 5)
        }
      }),
    Question(
      name: "points", title: "paths between two networks 768-500-10, 5000 samples",
      axis: "points of each stage", sizes: [6, 11, 21, 41, 81, 161],
      works: ["linear", "arc", "linear+wa", "ot"].map { method in
        Work(name: method) { try path(method, hidden: 500, samples: 5000, points: $0) }
      }),
    Question(
      name: "networks", title: "many networks 768-500-10, 5000 samples",
      axis: "networks n", sizes: [2, 4, 8, 16, 32],
      works: [
        Work(name: "linear paths of all pairs", limit: 16) { try pairs(of: $0, keeping: nil) },
        Work(name: "the same, products kept", limit: 16) {
          try pairs(of: $0, keeping: 1 << 30)
        },
        Work(name: "ensemble of one layer") { count in
          let network = try network(500)
          let samples = try samples(5000)
          let all = try (1...count).map { try Weights(randomFor: network, seed: UInt64($0)) }
          return { _ = try Ensemble(of: all, head: 1, samples: samples, workers: .available) }
        },
      ]),
  ]
}
