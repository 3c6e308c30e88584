// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// How files of weights are read.
struct ReadingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Options for reading a file format, such as lcw:limits=2; may be repeated.",
      discussion: "The format of a file is still detected from its content.",
      valueName: "format"), completion: .references(to: .format))
  var inputFormat: [String] = []
}
