// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Whether predictions and layers along paths are looked at.
struct DiagnosticsOption: ParsableArguments {
  @Flag(
    help: """
      Also measure predictions along each path (both usual barriers, calibration error, \
      disagreement with the ends, the ensemble of the path's points) and each layer (variance of \
      its units, correlation of matched units). Slower: every grid point is evaluated separately.
      """)
  var diagnostics = false

  /// - Throws: `ValidationError` if the format has no place for what is found.
  func check(format: OutputFormat?) throws {
    guard diagnostics, format == .csv else { return }
    throw ValidationError(
      "--format csv prints the points alone; use --format json with --diagnostics.")
  }
}
