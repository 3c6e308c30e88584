// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWPaths

/// `lcw export`
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a point of a path as a checkpoint.")

  @Argument(help: "The path's archive.", completion: .file())
  var path: String

  @Option(help: "The point's t, from 0 to the number of stages.")
  var at: Double

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @Option(
    help: "The data set, for paths that are computed from one; by default the recorded one.",
    completion: .references(to: .dataset))
  var dataset: String?

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var overwriting: OverwriteOption

  @OptionGroup var recipe: RecipeOptions

  @OptionGroup var reading: ReadingOptions

  @OptionGroup var compute: ComputeOptions

  func run() throws {
    let session = try Session(compute, reading)
    let file = try session.reserve(
      output, inputs: [path], existing: overwriting.overwrite ? .replacedIfAlike : .refused)
    let source = try session.open(path)
    let archive = try session.naming(path) {
      try PathArchive(reading: source, registry: session.registry)
    }
    guard at >= 0, at <= Double(archive.stages.count) else {
      throw SessionError.wrongUse(
        "t runs from 0 to \(archive.stages.count) on this path; \(at) is outside")
    }
    // A point of some paths takes as long as the joining: the watch lasts until there is one.
    let watch = InterruptionWatch()
    let weights = try withExtendedLifetime(watch) {
      try session.path(
        of: archive, limits: DescriptionLimits(of: source), in: self.path, dataset: dataset,
        recipe: recipe, isQuiet: quiet, until: watch
      ).weights(at: at)
    }
    var record: [String: JSONValue] = [
      "program": .string(LCWVersion.program), "method": .string("\(archive.method)"),
      "t": JSONValue(at),
    ]
    // What runs the point elsewhere has to prepare samples alike. The data set may be of a plugin that
    // is not here, or of files that an archive may not name; it is not needed.
    if let dataset = archive.dataset,
      let preparation = try? session.preparation(of: session.unopened(dataset))
    {
      record["preprocessing"] = .string(preparation.preprocessing)
    }
    let point = TrainedNetwork(
      architecture: archive.architecture, weights: weights, dataset: archive.dataset,
      record: record)
    try file.write(Checkpoint(point))
    try StandardOutput.line("\(output): the point at t = \(at) of \(self.path)")
  }
}
