// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, json, markdown

  /// What to print behind a result: lines of CSV end in CR LF, the last as well.
  var terminator: String { self == .csv ? "" : "\n" }
}
