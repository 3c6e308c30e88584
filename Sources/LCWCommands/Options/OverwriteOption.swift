// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Whether a file that is there may be replaced.
struct OverwriteOption: ParsableArguments {
  @Flag(help: "Replace an existing output file.")
  var overwrite = false
}
