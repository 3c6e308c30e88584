// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWPaths
import LCWReport

/// `lcw plane`
struct PlaneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plane",
    abstract: "Measures loss and accuracy over the plane through three networks.",
    discussion: """
      Give three networks, or the archive of one path: then the plane goes through its ends and \
      its middle, and the path is drawn over it. Lengths in the plane are those of weight space \
      (Garipov et al. 2018). The table has the corners and the grid's extremes; --format csv and \
      json have every point; --report draws the contours. Networks with batch normalisation need \
      --reset or must be folded.
      """ + CommandExamples.text(of: "plane"))

  @Argument(help: "Three networks, or a path.", completion: .file())
  var files: [String]

  @Option(help: "The margin around the three points, as a share of their distance.")
  var margin = 0.25

  @OptionGroup var grid: GridOptions
  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if files.count != 1, files.count != 3 {
      throw ValidationError("Name three networks, or one path.")
    }
    if !(0...10).contains(margin) {
      throw ValidationError("--margin takes a number from 0 to 10.")
    }
  }

  func run() throws {
    try StandardInput.check(files)
    let session = try Session(compute, reading)
    try OutputCheck.checkReport(grid.report)
    let sources = try files.map { try session.open($0) }
    if sources.count == 1 {
      try measurePath(sources[0], session)
    } else {
      try measureNetworks(sources, session)
    }
  }

  private func measureNetworks(_ sources: [any CheckpointSource], _ session: Session) throws {
    let networks = try zip(files, sources).map { file, source in
      try session.network(
        of: source, path: file, architecture: foreign.architecture, dataset: foreign.dataset)
    }
    try session.requireOneNetwork(networks, files: files)
    session.warnOfOtherData(networks, files: files, given: foreign.dataset)
    let data = try session.data(
      given: foreign.dataset, recorded: networks[0].dataset, in: files[0])
    try session.require(data.samples, fit: networks[0], in: files[0])
    try measure(
      networks.map(\.weights), names: files, path: nil, data, session,
      title: "The plane through three networks")
  }

  private func measurePath(_ source: any CheckpointSource, _ session: Session) throws {
    guard source.kind == .path else {
      throw SessionError.wrongUse(
        "\(files[0]) holds a \(source.kind.rawValue); a plane goes through three networks, or through "
          + "the ends and the middle of a path")
    }
    let archive = try session.pathArchive(source, in: files[0])
    let data = try session.data(
      given: foreign.dataset, recorded: archive.dataset, in: files[0])
    let watch = InterruptionWatch()
    let (points, line) = try withExtendedLifetime(watch) {
      let path = try session.path(
        of: archive, limits: DescriptionLimits(of: source), in: files[0],
        dataset: foreign.dataset, recipe: recipe, isQuiet: grid.quiet, until: watch)
      return try session.inFile(files[0]) {
        let end = path.domain.upperBound
        let points = try path.weights(atEach: [0, end, path.middle])
        let times = LossSurface.grid(0...end, count: 20 * path.stages.count + 1)
        return (points, try path.weights(atEach: times))
      }
    }
    try measure(
      points, names: ["start", "end", "middle"], path: ("\(archive.method)", line), data, session,
      title: "The plane through the ends and the middle of \(archive.method)")
  }

  private func measure(
    _ points: [Weights], names: [String], path: (name: String, points: [Weights])?,
    _ data: (reference: PluginReference, samples: EvaluationData), _ session: Session,
    title: String
  ) throws {
    try grid.requireMoments(of: points[0].network, in: files[0])
    // Moments that are measured anew are no part of the plane.
    let points = grid.reset ? points.map { $0.withRunningMoments(of: points[0]) } : points
    let plane = try WeightPlane(through: points[0], points[1], points[2])
    let places = points.map(plane.coordinates)
    let (x, y) = LossSurface.bounds(of: places, margin: margin)
    var study = try SurfaceStudy(
      title: title, command: commandLineText(), plane: plane, x: x, y: y, grid: grid, data: data,
      session: session)
    study.marks = zip(names, places).map { ($0, $1) }
    if let path {
      study.lines = [(path.name, path.points.map(plane.coordinates))]
    }
    study.labels = ("distance in weight space", "distance in weight space")
    try study.publish(grid)
  }
}
