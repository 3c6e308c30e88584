// SPDX-License-Identifier: Apache-2.0
package import LCWReport

/// What runs to the right in charts of several paths: t, which counts stages; or, where one path has many more
/// stages than another, the share of each path, so that short paths do not vanish beside a long one.
package struct PathAxis {
  /// From this number of stages on, they are neither marked nor compared one by one.
  package static let mostStages = 12

  /// The parts of the axis in which no path that reaches them does anything but keep its network's function.
  package let narrow: [ClosedRange<Double>]
  private let isShare: Bool
  private let hasStages: Bool

  /// The axis of some paths, given whether each stage of each keeps the network's function.
  package init(keepsFunction paths: [[Bool]]) {
    let counts = paths.map(\.count)
    let (fewest, most) = (counts.min() ?? 0, counts.max() ?? 0)
    isShare = most > Self.mostStages && most > 3 * fewest
    hasStages = most > 1
    narrow =
      isShare
      ? []
      : (0..<most).filter { index in
        paths.allSatisfy { $0.count <= index || $0[index] }
      }.map { Double($0)...Double($0 + 1) }
  }

  /// What stands under the axis.
  package var label: String {
    if isShare { return "share of the path" }
    if !hasStages { return "t" }
    return "t (one unit per stage)"
      + (narrow.isEmpty ? "" : "; stages that keep the function are narrow")
  }

  /// How its numbers are written.
  package var format: AxisTicks.Format { isShare ? .percent : .number }

  /// The place of a time of a path of so many stages.
  package func place(_ time: Double, stages: Int) -> Double {
    isShare ? time / Double(max(stages, 1)) : time
  }
}
