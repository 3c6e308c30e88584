// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import LCWReport

/// Measures all of ``Growth``, each size in a process of its own, and writes a page with charts.
///
/// A process of its own, since memory that one measurement freed would hide what the next one needs.
struct GrowthPage {
  private struct Measurement {
    var size: Int
    var timing: Timing
  }

  /// Seconds from which on a single run is enough.
  private static let longRun = 2.0

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Measures one piece of work at one size, in this process, and prints the timing as JSON.
  /// - Parameter key: What ``key(_:_:_:)`` gave.
  static func measure(_ key: String) throws {
    let parts = key.split(separator: "/").map(String.init)
    guard parts.count == 3, let size = Int(parts[2]),
      let question = Growth.questions.first(where: { $0.name == parts[0] }),
      let work = question.works.first(where: { $0.name == parts[1] })
    else { throw Failure(description: "nothing to measure is called \(key)") }
    var benchmark = Benchmark(
      name: "\(work.name), \(size) \(question.axis)", work: question.title,
      prepare: { try work.prepare(size) }, runs: 1)
    benchmark.warmsUp = false
    var timing = try benchmark.measure()
    if timing.median < longRun {
      benchmark.runs = 3
      timing.seconds = try benchmark.measure().seconds
    }
    FileHandle.standardOutput.write(try JSONEncoder().encode(timing))
  }

  private static func key(_ question: Growth.Question, _ work: Growth.Work, _ size: Int) -> String {
    "\(question.name)/\(work.name)/\(size)"
  }

  /// Measures all, and writes `growth.md` and its charts into a folder.
  static func write(to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var text = """
      # Growth

      Written by `make bench-growth`. How time and memory of whole pieces of work grow with what you make larger. \
      Networks have one hidden layer and random weights; samples are random bytes of \
      \(Growth.shape.map(String.init).joined(separator: "×")). Times are the median of three runs after one to warm up; \
      of a single run where it takes more than \(Int(longRun)) seconds. Memory is the peak beyond networks and samples, each size in a \
      process of its own. *Growth* is the exponent of the size, from the two largest sizes: 1 is linear, 2 is quadratic.

      To expect: time is linear in samples and points. In hidden units, a pass over samples is linear, the Gram matrix of an \
      adjusted layer quadratic and its solution cubic, and an assignment at most cubic. All pairs of n networks are \
      n (n − 1) / 2 paths. Memory is that of the blocks that are worked on: it depends on threads and hidden units, not on the \
      number of samples. Two things grow, up to limits: solutions of adjusted layers are kept for each point, and products \
      for other pairs.

      Machine: \(Workers.available.count) threads, OpenBLAS with the kernels \(BLAS.coreType); products of networks on \
      \(MatrixPrecision.unit).


      """
    for question in Growth.questions {
      text += try section(for: question, in: folder)
    }
    try text.write(
      to: folder.appendingPathComponent("growth.md"), atomically: true, encoding: .utf8)
  }

  private static func section(for question: Growth.Question, in folder: URL) throws -> String {
    var found: [(name: String, measurements: [Measurement])] = []
    for work in question.works {
      var measurements: [Measurement] = []
      for size in question.sizes where size <= work.limit {
        let timing = try measureApart(key(question, work, size))
        print("\(timing.name): \(rounded(timing.median)) s, \(Int(timing.peakGrowthMB)) MB")
        measurements.append(Measurement(size: size, timing: timing))
      }
      found.append((work.name, measurements))
    }
    let chart = LineChart(
      title: "Seconds against \(question.axis)", xLabel: question.axis, yLabel: "seconds",
      xFormat: .powerOfTen, yFormat: .powerOfTen,
      series: found.map { name, measurements in
        LineChart.Series(
          name: name,
          points: measurements.map {
            ChartPoint(log10(Double($0.size)), log10($0.timing.median))
          })
      })
    let file = "growth-\(question.name).svg"
    try chart.svg().write(
      to: folder.appendingPathComponent(file), atomically: true, encoding: .utf8)
    let times = table(question, found, growing: "growth of time", by: \.median) {
      "\(rounded($0)) s"
    }
    let memory = table(question, found, growing: "growth of memory", by: \.peakGrowthMB) {
      "\(Int($0.rounded())) MB"
    }
    return """
      ## \(question.axis.prefix(1).uppercased() + question.axis.dropFirst())

      \(question.title.prefix(1).uppercased() + question.title.dropFirst()).

      \(times.markdown)

      \(memory.markdown)

      ![Seconds against \(question.axis), both axes logarithmic](\(file))


      """
  }

  private static func table(
    _ question: Growth.Question, _ found: [(name: String, measurements: [Measurement])],
    growing: String, by value: (Timing) -> Double, text: (Double) -> String
  ) -> Table {
    var columns = [Table.Column("work")]
    columns += question.sizes.map { Table.Column("\($0)", alignment: .number) }
    columns.append(Table.Column(growing, alignment: .number))
    var table = Table(columns: columns)
    for (name, measurements) in found {
      var row: [Table.Cell] = [.text(name)]
      row += question.sizes.map { size in
        measurements.first { $0.size == size }.map { .text(text(value($0.timing))) } ?? .empty
      }
      row.append(.text(exponent(of: measurements.map { ($0.size, value($0.timing)) })))
      table.append(row)
    }
    return table
  }

  /// The timing of one piece of work, by this program in another process.
  private static func measureApart(_ key: String) throws -> Timing {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--growth-measure", key]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "measuring \(key) ended with \(process.terminationStatus)")
    }
    return try JSONDecoder().decode(Timing.self, from: data)
  }

  /// The slope of the two largest sizes on logarithmic axes; of less than a megabyte it means nothing.
  private static func exponent(of values: [(size: Int, value: Double)]) -> String {
    guard values.count > 1 else { return "–" }
    let (a, b) = (values[values.count - 2], values[values.count - 1])
    guard a.value > 0, b.value > 0 else { return "–" }
    let slope = log(b.value / a.value) / log(Double(b.size) / Double(a.size))
    return String(format: "%.1f", slope)
  }
}
