// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// How files of weights are read.
struct ReadingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Options for reading a file format, such as lcw:limits=2; once for each format.",
      discussion: "The format of a file is told from its content all the same.",
      valueName: "format"), completion: .references(to: .format))
  var inputFormat: [String] = []
}
