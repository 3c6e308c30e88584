// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWPaths

/// `lcw export`
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a point of a path as a checkpoint.",
    discussion: """
      The middle is halfway through the stages in which units move from the first network to the \
      second. Stages that only bring units back to their places, such as the last ones of ot, do \
      not count, and neither do stages that keep the network's function.
      """ + CommandExamples.text(of: "export"))

  @Argument(help: "The path's archive.", completion: .file())
  var path: String

  @Option(help: "The point's t, from 0 to the number of stages, or middle.")
  var at: PathPlace

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
    let archive = try session.pathArchive(source, in: path)
    if case .time(let t) = at, !(0...Double(archive.stages.count)).contains(t) {
      throw SessionError.wrongUse(
        "t runs from 0 to \(archive.stages.count) on this path; \(t) is outside")
    }
    // A point of some paths takes as long as the joining: the watch lasts until there is one.
    let watch = InterruptionWatch()
    let (t, weights) = try withExtendedLifetime(watch) {
      let path = try session.path(
        of: archive, limits: DescriptionLimits(of: source), in: self.path, dataset: dataset,
        recipe: recipe, isQuiet: quiet, until: watch)
      let t = at.time(on: path)
      return (t, try session.inFile(self.path) { try path.weights(at: t) })
    }
    // Small weights may be what the path comes to.
    if !weights.isFinite, let fault = weights.fault {
      throw SessionError.inFile(path, problem: "at t = \(t), \(fault)")
    }
    var record: [String: JSONValue] = [
      "program": .string(LCWVersion.program), "method": .string("\(archive.method)"),
      "t": JSONValue(t),
    ]
    for field in [FoldedOrigin.field, Session.classNamesField] {
      record[field] = archive.record[field]
    }
    // What runs the point elsewhere has to prepare samples alike. The data set may be of a plugin that
    // is not here, or of files that an archive may not name; it is not needed.
    if let dataset = archive.dataset,
      let preparation = try? session.preparation(of: session.unopened(dataset, in: nil))
    {
      record["preprocessing"] = .string(preparation.preprocessing)
    }
    let point = TrainedNetwork(
      architecture: archive.architecture, weights: weights, dataset: archive.dataset,
      record: record)
    try file.write(Checkpoint(point))
    try StandardOutput.line("\(output): the point at t = \(t) of \(path)")
  }
}

/// A place on a path, as an option names it.
enum PathPlace: ExpressibleByArgument {
  case time(Double)
  /// Half of the time in which units move.
  case middle

  init?(argument: String) {
    if argument == "middle" {
      self = .middle
    } else if let t = Double(argument) {
      self = .time(t)
    } else {
      return nil
    }
  }

  func time(on path: any ConnectionPath) -> Double {
    switch self {
    case .time(let t): t
    case .middle: path.middle
    }
  }
}
