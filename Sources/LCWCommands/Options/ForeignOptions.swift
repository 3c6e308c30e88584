// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// What a foreign file does not say of itself.
struct ForeignOptions: ParsableArguments {
  @Option(
    help: """
      The architecture for files that do not name one, such as mlp:hidden=2000. auto finds \
      one that fits the tensors' names and shapes. A file that names its network keeps it.
      """,
    completion: .references(to: .architecture))
  var architecture: String?

  @Option(
    help: "The data set, if it is not the one that the file names.",
    completion: .references(to: .dataset))
  var dataset: String?
}
