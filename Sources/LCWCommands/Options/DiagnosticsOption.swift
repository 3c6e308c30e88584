// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Whether predictions along paths are looked at.
struct DiagnosticsOption: ParsableArguments {
  @Flag(
    help: """
      Look at the predictions along each path too: both usual barriers, calibration, disagreement with \
      the end points, and the ensemble of the path's points. Every point of the grid runs by itself.
      """)
  var diagnostics = false
}
