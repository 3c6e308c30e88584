// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
import LCWCore
import LCWNumerics
public import LCWPaths
import LCWReport

/// `lcw landscape`
struct LandscapeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "landscape",
    abstract: "Measures loss and accuracy around a network.",
    discussion: """
      The landscape is drawn along one or two directions from the first network: random ones, or \
      those to one or two other networks (--directions ends). --normalise filter scales each \
      filter of a direction to the norm of the network's filter and fixes biases and \
      normalisations, so that landscapes of different networks can be compared (Li et al. 2018).
      """ + CommandExamples.text(of: "landscape"))

  @Argument(
    help: "The network in the middle; for --directions ends one or two more.", completion: .file())
  var networks: [String]

  @Option(help: "The directions: random or ends.")
  var directions: LandscapeDirections = .random

  @Option(help: "The number of random directions: 1 or 2. (default: 2)")
  var dimensions: Int?

  @Option(help: "How directions are scaled: filter or none. (default: filter)")
  var normalise: WeightDirection.Normalisation = .filter

  @Option(help: "How far to go in each direction, in multiples of its length.")
  var radius = 1.0

  @Option(help: "The seed of random directions. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @OptionGroup var grid: GridOptions
  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    switch directions {
    case .random:
      if networks.count != 1 {
        throw ValidationError("Name one network, or add --directions ends.")
      }
    case .ends:
      if networks.count != 2, networks.count != 3 {
        throw ValidationError("Name two or three networks; the first is in the middle.")
      }
      if dimensions != nil {
        throw ValidationError("--dimensions is for random directions; leave it out.")
      }
    }
    if let dimensions, dimensions != 1, dimensions != 2 {
      throw ValidationError("--dimensions takes 1 or 2.")
    }
    if !(radius > 0 && radius <= 1000) {
      throw ValidationError("--radius takes a number above 0, to 1000.")
    }
  }

  func run() throws {
    try StandardInput.check(networks)
    let session = try Session(compute, reading)
    try OutputCheck.checkReport(grid.report)
    let loaded = try networks.map {
      try session.network(in: $0, architecture: foreign.architecture, dataset: foreign.dataset)
    }
    try session.requireOneNetwork(loaded, files: networks)
    session.warnOfOtherData(loaded, files: networks, given: foreign.dataset)
    let data = try session.data(
      given: foreign.dataset, recorded: loaded[0].dataset, in: networks[0])
    try session.require(data.samples, fit: loaded[0], in: networks[0])
    let center = loaded[0].weights
    try grid.requireMoments(
      of: center.network, in: networks[0], areMoved: directions == .ends)
    let found = try found(from: loaded.map(\.weights)).map { $0.normalised(normalise, to: center) }
    guard found.allSatisfy({ $0.norm > 0 }) else { throw LandscapeError.noDirection }
    let plane = WeightPlane(through: center, right: found[0], up: found[found.count - 1])
    let range = -radius...radius
    var study = try SurfaceStudy(
      title: "The landscape around \(networks[0])", command: commandLineText(), plane: plane,
      x: range, y: found.count > 1 ? range : nil, grid: grid, data: data, session: session)
    study.marks = [(networks[0], WeightPlane.Point(x: 0, y: 0))]
    // A direction that was scaled leads to no network.
    if directions == .ends, normalise == .none {
      let places = [WeightPlane.Point(x: 1, y: 0), WeightPlane.Point(x: 0, y: 1)]
      study.marks += zip(networks.dropFirst(), places).map { ($0, $1) }
    }
    let words =
      directions == .random
      ? ["first direction", "second direction"]
      : ["way to the second network", "way to the third network"]
    study.labels = (words[0], words[1])
    try study.publish(grid)
  }

  private func found(from networks: [Weights]) throws -> [WeightDirection] {
    let network = networks[0].network
    switch directions {
    case .random:
      var random = RandomStream(seed: seed)
      return (0..<(dimensions ?? 2)).map { _ in
        WeightDirection(randomFor: network, using: &random)
      }
    case .ends:
      return networks.dropFirst().map {
        // Moments that are measured anew are no part of a direction.
        WeightDirection(
          from: networks[0], to: grid.reset ? $0.withRunningMoments(of: networks[0]) : $0)
      }
    }
  }
}

/// Where directions lead, as an option names it.
enum LandscapeDirections: String, ExpressibleByArgument, CaseIterable {
  case random, ends
}

extension WeightDirection.Normalisation: ExpressibleByArgument {}
