// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWPaths

/// How a surface is measured and shown.
struct GridOptions: ParsableArguments {
  @Option(help: "Number of grid points in each direction.")
  var size = 25

  @Option(
    help: "Measure on only the first N training and N test samples; 0 for all.")
  var samples = 10_000

  @Flag(
    help: """
      Recompute batch normalisation's running statistics at each point, on at most 2000 training \
      samples; those of the given networks are wrong for points between them.
      """)
  var reset = false

  @Option(help: "Write a report with charts, one HTML file.", completion: .file())
  var report: String?

  @Option(help: "Output format.")
  var format: OutputFormat = .table

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws {
    if !(2...1001).contains(size) { throw ValidationError("--size takes a number from 2 to 1001.") }
    if samples < 0 { throw ValidationError("--samples takes 0 or a positive number.") }
  }

  /// - Parameter areMoved: Whether networks' running statistics would move with their weights.
  /// - Throws: ``LandscapeError`` if they would, and are not measured anew; ``SessionError`` if they
  ///   should be, and there are none.
  func requireMoments(of network: Network, in file: String, areMoved: Bool = true) throws {
    let layer = network.runningAverages.first
    if reset, layer == nil {
      throw SessionError.wrongUse(
        "--reset recomputes running statistics, and \(file) has none; leave it out")
    }
    if let layer, areMoved, !reset {
      throw LandscapeError.runningMoments(layer: network.nodes[layer].name)
    }
  }
}
