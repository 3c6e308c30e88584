// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Where data are and how many threads may be used.
struct ComputeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder of the data sets.",
      discussion: "Else that of LCW_DATA, else ./data and ~/.local/share/lcw/data.",
      valueName: "folder"))
  var data: String?

  @Option(help: "The threads to use; by default one for each processor.")
  var threads: Int?

  func validate() throws {
    if let threads, threads < 1 || threads > 1024 {
      throw ValidationError("--threads takes a number from 1 to 1024.")
    }
  }
}

/// What a foreign file does not say of itself.
struct ForeignOptions: ParsableArguments {
  @Option(help: "The architecture of networks in foreign files, such as mlp:hidden=2000.")
  var architecture: String?

  @Option(help: "The data set, where it is not the one the file names.")
  var dataset: String?
}

/// How a path is evaluated.
struct EvaluationOptions: ParsableArguments {
  @Option(help: "The points of the grid on each unit of a path, both ends counted.")
  var points: Int = 21

  @Flag(inversion: .prefixedNo, help: "Look for the worst points between those of the grid.")
  var refine = true

  @Option(help: "Use only this many samples of each part of the data.")
  var samples: Int?

  @Option(help: "How points are evaluated: structured or point-by-point.")
  var strategy: StrategyChoice = .structured

  func validate() throws {
    if points < 2 || points > 100_000 {
      throw ValidationError("--points takes a number from 2 to 100000.")
    }
    if let samples, samples < 1 {
      throw ValidationError("--samples takes a positive number.")
    }
  }
}

/// The strategies, as an option's values.
enum StrategyChoice: String, ExpressibleByArgument, CaseIterable {
  case structured
  case pointByPoint = "point-by-point"
}

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, json, markdown
}
