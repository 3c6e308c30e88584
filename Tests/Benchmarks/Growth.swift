// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import LCWReport

/// How time grows with what a user makes larger: samples, hidden units, points of a path, and networks.
///
/// Networks have one hidden layer, random weights and random bytes as samples; each piece of work runs once to warm
/// up and three times for its time.
struct Growth {
  /// What is made larger, and the work that is timed at each size.
  private struct Question: Sendable {
    var name: String
    var title: String
    var axis: String
    var sizes: [Int]
    var works: [Work]
  }

  private struct Work: Sendable {
    var name: String
    /// The largest size at which it is timed.
    var limit = Int.max
    /// Sets up for a size, and returns what to time.
    var prepare: @Sendable (Int) throws -> () throws -> Void
  }

  private struct Measurement {
    var size: Int
    var seconds: Double
  }

  /// The input of all networks.
  private static let shape = [3, 16, 16]

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

  private static let questions = [
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
        Work(name: "linear paths of all pairs", limit: 16) { count in
          let network = try network(500)
          let samples = try samples(5000)
          let all = try (1...count).map { try Weights(randomFor: network, seed: UInt64($0)) }
          let linear = try PluginRegistry.linked().connection(MethodExpression("linear"))
          return {
            for (first, a) in all.enumerated() {
              for b in all[(first + 1)...] {
                let path = try linear.path(from: a, to: b, in: ConnectionContext())
                _ = try PathEvaluator().evaluate(
                  path, at: (0...20).map { Double($0) / 20 }, on: samples)
              }
            }
          }
        },
        Work(name: "ensemble of one layer") { count in
          let network = try network(500)
          let samples = try samples(5000)
          let all = try (1...count).map { try Weights(randomFor: network, seed: UInt64($0)) }
          return { _ = try Ensemble(of: all, head: 1, samples: samples, workers: .available) }
        },
      ]),
  ]

  /// Measures all, and writes `growth.md` and its charts into a folder.
  static func write(to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var text = """
      # Growth

      Written by `make bench-growth`. How the time of whole pieces of work grows with what you make larger. \
      Networks have one hidden layer and random weights; samples are random bytes of \(shape.map(String.init).joined(separator: "×")). \
      Each figure is the median of three runs after one to warm up. *Growth* is the exponent of the size, from the two largest sizes: 1 is linear, 2 is quadratic.

      To expect: time is linear in samples and points. In hidden units, a pass over samples is linear, the Gram matrix of an \
      adjusted layer quadratic and its solution cubic, and an assignment at most cubic. All pairs of n networks are n (n − 1) / 2 paths.

      Machine: \(Workers.available.count) threads, OpenBLAS with the kernels \(BLAS.coreType)\
      \(MatrixPrecision.hasTiles ? ", products on bfloat16 tiles" : "").


      """
    for question in questions {
      text += try section(for: question, in: folder)
    }
    try text.write(
      to: folder.appendingPathComponent("growth.md"), atomically: true, encoding: .utf8)
  }

  private static func section(for question: Question, in folder: URL) throws -> String {
    var found: [(work: Work, measurements: [Measurement])] = []
    for work in question.works {
      var measurements: [Measurement] = []
      for size in question.sizes where size <= work.limit {
        let timing = try Benchmark(
          name: "\(work.name), \(size) \(question.axis)", work: question.title,
          prepare: { try work.prepare(size) }, runs: 3
        ).measure()
        print("\(timing.name): \(rounded(timing.median)) s, \(Int(timing.peakGrowthMB)) MB")
        measurements.append(
          Measurement(size: size, seconds: timing.median))
      }
      found.append((work, measurements))
    }
    let chart = LineChart(
      title: "Seconds against \(question.axis)", xLabel: question.axis, yLabel: "seconds",
      xFormat: .powerOfTen, yFormat: .powerOfTen,
      series: found.map { work, measurements in
        LineChart.Series(
          name: work.name,
          points: measurements.map { ChartPoint(log10(Double($0.size)), log10($0.seconds)) })
      })
    let file = "growth-\(question.name).svg"
    try chart.svg().write(
      to: folder.appendingPathComponent(file), atomically: true, encoding: .utf8)
    var columns = [Table.Column("work")]
    columns += question.sizes.map { Table.Column("\($0)", alignment: .number) }
    columns.append(Table.Column("growth of time", alignment: .number))
    var table = Table(columns: columns)
    for (work, measurements) in found {
      var row: [Table.Cell] = [.text(work.name)]
      row += question.sizes.map { size in
        measurements.first { $0.size == size }.map { .text("\(rounded($0.seconds)) s") } ?? .empty
      }
      row.append(.text(exponent(of: measurements)))
      table.append(row)
    }
    return """
      ## \(question.axis.prefix(1).uppercased() + question.axis.dropFirst())

      \(question.title.prefix(1).uppercased() + question.title.dropFirst()).

      \(table.markdown)

      ![Seconds against \(question.axis), both axes logarithmic](\(file))


      """
  }

  /// The slope of the two largest sizes on logarithmic axes.
  private static func exponent(of measurements: [Measurement]) -> String {
    guard measurements.count > 1 else { return "–" }
    let (a, b) = (measurements[measurements.count - 2], measurements[measurements.count - 1])
    let slope = log(b.seconds / a.seconds) / log(Double(b.size) / Double(a.size))
    return String(format: "%.1f", slope)
  }
}
