// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics

// lcw-bench [--json FILE] [NAME…]: times the work TARGETS names and prints a table.

var names = Array(CommandLine.arguments.dropFirst())
var jsonFile: String?
if let index = names.firstIndex(of: "--json") {
  guard index + 1 < names.count else {
    FileHandle.standardError.write(Data("error: --json takes a file\n".utf8))
    exit(64)
  }
  jsonFile = names[index + 1]
  names.removeSubrange(index...index + 1)
}
let known = DenseBenchmarks.all
if let wrong = names.first(where: { name in !known.contains { $0.name == name } }) {
  let list = known.map(\.name).joined(separator: ", ")
  FileHandle.standardError.write(Data("error: no benchmark ‘\(wrong)’; there are \(list)\n".utf8))
  exit(64)
}

print("BLAS \(BLAS.coreType) (\(BLAS.configuration)), \(Workers.available.count) threads")
for variable in ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"] {
  if let value = ProcessInfo.processInfo.environment[variable] {
    print("note: \(variable)=\(value) is set; figures are not comparable with others")
  }
}
var timings: [Timing] = []
for benchmark in known where names.isEmpty || names.contains(benchmark.name) {
  let timing = try benchmark.measure()
  timings.append(timing)
  let range = "\(rounded(timing.seconds.min() ?? 0)) – \(rounded(timing.seconds.max() ?? 0))"
  print(
    "\(timing.name): \(rounded(timing.median)) s (\(range)), "
      + "\(Int(timing.peakGrowthMB.rounded())) MB beyond the data  [\(timing.work)]")
}
if let jsonFile {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
  try encoder.encode(timings).write(to: URL(fileURLWithPath: jsonFile))
}

func rounded(_ seconds: Double) -> String {
  seconds.formatted(
    .number.precision(.significantDigits(3)).locale(Locale(identifier: "en_US_POSIX")))
}
