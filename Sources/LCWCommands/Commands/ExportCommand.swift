// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWPaths

/// `lcw export`
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a point of a path as a checkpoint.")

  @Argument(help: "The path's archive.")
  var path: String

  @Option(help: "The point's t, from 0 to the number of stages.")
  var at: Double

  @Option(name: .shortAndLong, help: "The file to write.")
  var output: String

  @OptionGroup var compute: ComputeOptions

  func run() throws {
    let session = try Session(compute)
    try session.checkOutput(output, inputs: [path])
    let archive = try PathArchive(reading: try session.open(path), registry: session.registry)
    guard archive.path.domain.contains(at) else {
      throw SessionError.wrongUse(
        "t runs from 0 to \(archive.path.stages.count) on this path; \(at) is outside")
    }
    let point = TrainedNetwork(
      architecture: archive.architecture, weights: try archive.path.weights(at: at),
      dataset: archive.dataset,
      record: [
        "program": .string(LCWVersion.program), "method": .string("\(archive.method)"),
        "t": JSONValue(at),
      ])
    try session.write(Checkpoint(point), to: output)
    print("\(output): the point at t = \(at) of \(path)")
  }
}
