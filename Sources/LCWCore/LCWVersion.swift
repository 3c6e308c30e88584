// SPDX-License-Identifier: Apache-2.0

/// The version of this package.
public enum LCWVersion {
  /// The version, as in `lcw --version`.
  public static let current = "0.2.0"
  /// The program and its version, as archives record it.
  public static let program = "lcw \(current)"
}
