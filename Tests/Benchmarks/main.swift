// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFlows
import LCWNumerics

// lcw-bench [--json FILE] [--checkpoint FILE]… [NAME…]: times the work and prints a table. A name
// that is none's stands for all whose names it begins. The archive is measured on the checkpoints' weights,
// and so are assignments of neurons.
// lcw-bench --write-flow FILE writes samples for peers of transformations, and lcw-bench --fit-flow
// KIND fits one to them and prints each epoch's seconds and likelihood.
// lcw-bench [--checkpoint FILE]… --write-costs FOLDER writes the assignment problems for peers, and
// lcw-bench --solve-costs FILE solves one of them, once to warm up and once for its time.
// lcw-bench --solve-adjustment FOLDER solves a least-squares problem that a peer wrote.
// lcw-bench --growth FOLDER measures how time and memory grow, and writes a page with charts.
// lcw-bench --match A B STARTS ORDERS matches networks by their weights; see MatchingBenchmarks.

// As the program does.
let slowness = Machine.prepareProgram()

var names: [String] = []
var jsonFile: String?
var checkpoints: [URL] = []
var costsFolder: String?
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
  let options = [
    "--json", "--checkpoint", "--write-costs", "--solve-costs", "--solve-adjustment",
    "--write-flow", "--fit-flow", "--match", "--growth",
    "--growth-measure",
  ]
  guard options.contains(argument) else {
    names.append(argument)
    continue
  }
  guard let file = arguments.popFirst() else {
    FileHandle.standardError.write(Data("error: \(argument) takes a path\n".utf8))
    exit(64)
  }
  if argument == "--json" {
    jsonFile = file
  } else if argument == "--write-costs" {
    costsFolder = file
  } else if argument == "--solve-adjustment" {
    try AdjustmentBenchmarks.solve(in: URL(fileURLWithPath: file))
    exit(0)
  } else if argument == "--growth" {
    refuseCrippledKernels()
    try GrowthPage.write(to: URL(fileURLWithPath: file))
    exit(0)
  } else if argument == "--growth-measure" {
    try GrowthPage.measure(file)
    exit(0)
  } else if argument == "--write-flow" {
    try FlowBenchmarks.write(to: URL(fileURLWithPath: file))
    exit(0)
  } else if argument == "--fit-flow" {
    guard let kind = TransformationKind(rawValue: file) else {
      FileHandle.standardError.write(Data("error: there are realnvp and iaf, not \(file)\n".utf8))
      exit(64)
    }
    try FlowBenchmarks.fit(kind, epochs: 5)
    exit(0)
  } else if argument == "--match" {
    let rest = (0..<3).compactMap { _ in arguments.popFirst() }
    guard rest.count == 3, let starts = Int(rest[1]), let orders = Int(rest[2]) else {
      FileHandle.standardError.write(Data("error: --match takes A B STARTS ORDERS\n".utf8))
      exit(64)
    }
    try MatchingBenchmarks.match(
      URL(fileURLWithPath: file), URL(fileURLWithPath: rest[0]), starts: starts, orders: orders)
    exit(0)
  } else if argument == "--solve-costs" {
    try AssignmentBenchmarks.solve(URL(fileURLWithPath: file))
    exit(0)
  } else if FileManager.default.fileExists(atPath: file) {
    checkpoints.append(URL(fileURLWithPath: file))
  } else {
    print("note: there is no checkpoint \(file)")
  }
}
let assignments = AssignmentBenchmarks(files: checkpoints)
if let costsFolder {
  try assignments.write(to: URL(fileURLWithPath: costsFolder))
  exit(0)
}
if checkpoints.isEmpty {
  print("note: the archive is not measured, for want of --checkpoint FILE with trained weights")
}
let known =
  DenseBenchmarks.all + ConvolutionBenchmarks.all + AdjustmentBenchmarks.all + assignments.all
  + FlowBenchmarks.all + ArchiveBenchmarks(files: checkpoints).all
extension Benchmark {
  func isNamed(_ name: String) -> Bool {
    known.contains { $0.name == name } ? name == self.name : self.name.hasPrefix(name)
  }
}
if let wrong = names.first(where: { name in !known.contains { $0.isNamed(name) } }) {
  let list = known.map(\.name).joined(separator: ", ")
  FileHandle.standardError.write(Data("error: no benchmark ‘\(wrong)’; there are \(list)\n".utf8))
  exit(64)
}

refuseCrippledKernels()
print("BLAS \(BLAS.coreType) (\(BLAS.configuration)), \(Workers.available.count) threads")
print("products of networks on \(MatrixPrecision.unit)")
for variable in ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"] {
  // The program itself sets what fits the vectors, where OpenBLAS does not know the processor.
  if let value = ProcessInfo.processInfo.environment[variable], value != BLAS.coreTypeOfVectors {
    print("note: \(variable)=\(value) is set; figures are not comparable with others")
  }
}
var timings: [Timing] = []
for benchmark in known
where names.isEmpty || names.contains(where: benchmark.isNamed) {
  let timing = try benchmark.measure()
  timings.append(timing)
  let range = "\(rounded(timing.seconds.min() ?? 0)) – \(rounded(timing.seconds.max() ?? 0))"
  let speed = timing.speed.map { "\(Int($0.rounded())) MB/s, " } ?? ""
  let ratio = timing.ratio.map { String(format: "%.4f of the bytes, ", $0) } ?? ""
  print(
    "\(timing.name): \(rounded(timing.median)) s (\(range)), \(speed)\(ratio)"
      + "\(Int(timing.peakGrowthMB.rounded())) MB beyond the data  [\(timing.work)]")
}
if let jsonFile {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
  try encoder.encode(timings).write(to: URL(fileURLWithPath: jsonFile))
}

func refuseCrippledKernels() {
  guard slowness != nil || BLAS.fittingCoreType != nil else { return }
  let text = slowness ?? "OpenBLAS has the kernels of \(BLAS.coreType), far below this processor's"
  FileHandle.standardError.write(Data("error: \(text); figures would mean nothing\n".utf8))
  exit(69)
}

func rounded(_ seconds: Double) -> String {
  seconds.formatted(
    .number.precision(.significantDigits(3)).locale(Locale(identifier: "en_US_POSIX")))
}
