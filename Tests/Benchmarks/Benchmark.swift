// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A piece of work that is timed several times.
struct Benchmark: Sendable {
  /// The name under which a peer's figure stands beside it.
  var name: String
  /// What one run is.
  var work: String
  /// Sets up, and returns what to time.
  var prepare: @Sendable () throws -> () throws -> Void
  /// The counted runs.
  var runs = 5
  /// Whether one run that is not counted comes first.
  var warmsUp = true
  /// The bytes that one run works on, where a speed is wanted.
  var bytes: (@Sendable () throws -> Int)?
  /// The bytes that these become, where a ratio is wanted.
  var stored: (@Sendable () throws -> Int)?
}

/// What timing a benchmark gave.
struct Timing: Codable {
  var name: String
  var work: String
  var seconds: [Double]
  /// The processors' time, of all threads: it tells more where others use the machine.
  var processorSeconds: [Double]
  /// The growth of the process's peak memory over what it was once the input stood, in MB.
  var peakGrowthMB: Double
  /// The bytes that one run works on.
  var bytes: Int?
  /// The bytes that these become.
  var stored: Int?

  var fastest: Double { seconds.min() ?? 0 }

  /// What a run does in a second, in MB, by the fastest one.
  var speed: Double? { bytes.map { Double($0) / 1e6 / fastest } }

  /// How much is left of the bytes.
  var ratio: Double? {
    guard let bytes, let stored else { return nil }
    return Double(stored) / Double(bytes)
  }

  var median: Double {
    let sorted = seconds.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

extension Benchmark {
  /// Runs once to warm up, unless that is not wanted, then counts.
  func measure() throws -> Timing {
    let body = try prepare()
    ProcessMemory.resetPeak()
    let before = ProcessMemory.resident
    if warmsUp { try body() }
    var seconds: [Double] = []
    var processorSeconds: [Double] = []
    for _ in 0..<runs {
      let processorStart = clock()
      let start = ContinuousClock.now
      try body()
      let duration = ContinuousClock.now - start
      seconds.append(
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18)
      processorSeconds.append(Double(clock() - processorStart) / Double(CLOCKS_PER_SEC))
    }
    return Timing(
      name: name, work: work, seconds: seconds, processorSeconds: processorSeconds,
      peakGrowthMB: Double(ProcessMemory.peak - before) / 1e6, bytes: try bytes?(),
      stored: try stored?())
  }
}

/// The memory of this process, as Linux tells it.
enum ProcessMemory {
  /// The bytes in memory now.
  static var resident: Int { field("VmRSS:") }
  /// The most there were since the last reset.
  static var peak: Int { field("VmHWM:") }

  /// Makes the peak what is in memory now.
  static func resetPeak() {
    try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .ascii)
  }

  private static func field(_ name: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return kilobytes * 1024
  }
}
