// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks
import LCWNumerics

/// Loss and accuracy on a grid over a plane of weight space.
public struct LossSurface: Sendable {
  /// The plane.
  public let plane: WeightPlane
  /// The x of each column, ascending.
  public let columns: [Double]
  /// The y of each row, ascending.
  public let rows: [Double]
  /// What was measured: rows, each from the left.
  public let metrics: [[Metrics]]

  /// Measures a plane.
  ///
  /// A row is a line in weight space, along which the first layer's weights are a combination of two: the
  /// evaluator computes their products once for all points of the row.
  ///
  /// - Parameters:
  ///   - plane: The plane.
  ///   - columns: The x of each column, ascending: one or more.
  ///   - rows: The y of each row, ascending: one or more.
  ///   - samples: The samples.
  ///   - moments: Measures running statistics anew at each point; without it they move as the plane has
  ///     them.
  ///   - evaluator: Measures each row; its progress is told of every row.
  /// - Throws: ``DataError`` if the samples do not fit, and what measuring throws.
  public init(
    of plane: WeightPlane, columns: [Double], rows: [Double], on samples: SampleSet,
    measuring moments: MeasuredMoments? = nil, by evaluator: PathEvaluator
  ) throws {
    precondition(
      !columns.isEmpty && !rows.isEmpty && zip(columns, columns.dropFirst()).allSatisfy(<),
      "a grid has columns that ascend, and rows")
    let (left, span) = (columns[0], columns[columns.count - 1] - columns[0])
    let times = columns.map { span > 0 ? ($0 - left) / span : 0 }
    var metrics: [[Metrics]] = []
    for (index, y) in rows.enumerated() {
      let line = try plane.line(
        from: WeightPlane.Point(x: left, y: y), to: WeightPlane.Point(x: left + span, y: y),
        label: "row \(index + 1)")
      var measuring = evaluator
      // No two rows share weights.
      measuring.keptProducts = nil
      measuring.progress = { progress in
        try evaluator.progress(
          ConnectionProgress(
            "row \(index + 1) of \(rows.count)",
            share: (Double(index) + progress.share) / Double(rows.count)))
      }
      let path: any ConnectionPath = moments?.path(measuring: line, by: measuring) ?? line
      metrics.append(try measuring.evaluate(path, at: times, on: samples))
    }
    self.plane = plane
    self.columns = columns
    self.rows = rows
    self.metrics = metrics
  }

  /// So many places with equal gaps from one number to another.
  public static func grid(_ range: ClosedRange<Double>, count: Int) -> [Double] {
    guard count > 1 else { return [range.lowerBound] }
    return (0..<count).map {
      range.lowerBound + (range.upperBound - range.lowerBound) * Double($0) / Double(count - 1)
    }
  }

  /// The ranges of x and y that hold some places with room around them.
  ///
  /// - Parameters:
  ///   - places: The places: one or more.
  ///   - margin: The room, as a share of the larger side.
  public static func bounds(
    of places: [WeightPlane.Point], margin: Double
  ) -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
    func range(_ values: [Double]) -> (Double, Double) { (values.min() ?? 0, values.max() ?? 0) }
    let (x, y) = (range(places.map(\.x)), range(places.map(\.y)))
    let room = margin * max(x.1 - x.0, y.1 - y.0)
    return (x.0 - room...x.1 + room, y.0 - room...y.1 + room)
  }
}
