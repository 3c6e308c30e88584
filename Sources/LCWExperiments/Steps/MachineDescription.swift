// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics

/// The machine that this process runs on, for the record: figures in seconds mean nothing without it.
enum MachineDescription {
  /// The processor's model, how many of it there are, and the core type of OpenBLAS's kernels.
  static let current: String = {
    let count = ProcessInfo.processInfo.activeProcessorCount
    let name = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)).flatMap(
      MachineDescription.model(in:))
    let tiles =
      MatrixPrecision.hasTiles ? ", tiles of \(MatrixPrecision.standard.rawValue) precision" : ""
    return
      "\(count) × \(name ?? "processor of an unknown model"), OpenBLAS for \(BLAS.coreType)\(tiles)"
  }()

  /// The first processor's model in what Linux tells of them.
  static func model(in information: String) -> String? {
    for line in information.split(separator: "\n") {
      let sides = line.split(separator: ":", maxSplits: 1)
      guard sides.count == 2, sides[0].hasPrefix("model name") else { continue }
      return sides[1].split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    return nil
  }
}
