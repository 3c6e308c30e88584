// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// What a foreign file does not say of itself.
struct ForeignOptions: ParsableArguments {
  @Option(
    help: """
      The architecture of networks in files that name none, such as mlp:hidden=2000. auto stands for \
      the one that the tensors' names and shapes fit. A file that names its network keeps it.
      """,
    completion: .references(to: .architecture))
  var architecture: String?

  @Option(
    help: "The data set, if it is not the one that the file names.",
    completion: .references(to: .dataset))
  var dataset: String?
}
