// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
import LCWCore
public import LCWPaths

/// How a path is evaluated.
struct EvaluationOptions: ParsableArguments {
  @Option(
    name: .customLong("points"),
    help: ArgumentHelp(
      """
      Grid points per stage of a path, both ends included. The search for worse points adds more. \
      CSV and JSON list all points and mark grid points with on_grid; tables list only grid \
      points. (default: 21)
      """,
      valueName: "points"))
  var givenPoints: Int?

  @Flag(
    name: .customLong("refine"), inversion: .prefixedNo,
    help: "Search for worse points between the grid points. (default: --refine)")
  var givenRefine: Bool?

  @Option(
    help: """
      Measure on only the first N training and N test samples. This does not limit what a \
      method uses to join networks; for that see the method's own options, such as \
      ot+wa:samples=1000.
      """)
  var samples: Int?

  @Option(
    name: .customLong("strategy"),
    help: ArgumentHelp(
      "How points are evaluated: structured or point-by-point. (default: structured)",
      valueName: "strategy"))
  var givenStrategy: PathEvaluator.Strategy?

  /// The points of the grid on each unit of a path.
  var points: Int { givenPoints ?? 21 }

  /// Whether the worst points are looked for between those of the grid.
  var refine: Bool { givenRefine ?? true }

  /// How points are evaluated.
  var strategy: PathEvaluator.Strategy { givenStrategy ?? .structured }

  /// Whether something was said of how to evaluate.
  var isGiven: Bool {
    givenPoints != nil || samples != nil || givenRefine != nil || givenStrategy != nil
  }

  /// The samples to evaluate on.
  func limited(_ data: EvaluationData) -> EvaluationData {
    guard let samples else { return data }
    return EvaluationData(train: data.train.prefix(samples), test: data.test.prefix(samples))
  }

  func validate() throws {
    if points < 2 || points > 10_000 {
      throw ValidationError("--points takes a number from 2 to 10000.")
    }
    if let samples, samples < 1 {
      throw ValidationError("--samples takes a positive number.")
    }
  }
}

extension PathEvaluator.Strategy: ExpressibleByArgument {}
