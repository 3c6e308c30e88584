// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Where data are and how many threads may be used.
struct ComputeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder of the data sets.",
      discussion: "By default that of LCW_DATA, or else ./data and ~/.local/share/lcw/data.",
      valueName: "folder"), completion: .directory)
  var data: String?

  @Option(help: "Number of threads; by default one per processor.")
  var threads: Int?

  func validate() throws {
    if let threads, threads < 1 || threads > 1024 {
      throw ValidationError("--threads takes a number from 1 to 1024.")
    }
  }
}
