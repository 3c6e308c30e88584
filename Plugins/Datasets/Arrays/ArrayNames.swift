// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// The names by which arrays of samples and labels are known.
enum ArrayRole: String {
  case samples, labels

  /// What such arrays are usually called, in lower case. NumPy calls arrays without a name `arr_0`, `arr_1`.
  var usualNames: [String] {
    switch self {
    case .samples:
      ["x", "data", "images", "image", "samples", "features", "inputs", "input", "arr_0"]
    case .labels: ["y", "labels", "label", "targets", "target", "classes", "arr_1"]
    }
  }

  /// Which of these names mean this role in a split: those that say the split, such as `x_train`, before
  /// those that say none.
  func candidates(among names: [String], for split: DataSplit) -> [String] {
    let specific = self.specific(among: names, for: split)
    return specific.isEmpty
      ? names.filter { usualNames.contains(Self.plain($0)) } : specific
  }

  /// Which of these names mean this role in a split and say so.
  func specific(among names: [String], for split: DataSplit) -> [String] {
    let part = split.rawValue
    let wanted = Set(usualNames.flatMap { ["\($0)_\(part)", "\(part)_\($0)"] })
    return names.filter { wanted.contains(Self.plain($0)) }
  }

  private static func plain(_ name: String) -> String {
    String(name.lowercased().map { "-. /".contains($0) ? "_" : $0 })
  }
}
