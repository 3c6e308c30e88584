// SPDX-License-Identifier: Apache-2.0
import LCWCore
public import LCWNetworks
import LCWPaths
public import LCWReport

/// A part of the data.
public enum DataPart: Sendable {
  /// The samples the networks were trained on.
  case train
  /// The samples they were not.
  case test

  /// Its name in a column's title.
  var name: String { self == .train ? "train" : "test" }

  /// The figures of a path.
  var summary: any KeyPath<PathEvaluation, PathEvaluation.Summary> & Sendable {
    self == .train ? \.train : \.test
  }

  /// What was measured at a point.
  var metrics: any KeyPath<PathEvaluation.Point, Metrics> & Sendable {
    self == .train ? \.train : \.test
  }
}

/// A network that paths end at, as they measured it.
public struct EndPoint: Sendable, Hashable {
  /// On the training samples.
  public var train: Metrics
  /// On the test samples.
  public var test: Metrics

  /// An end point.
  public init(train: Metrics, test: Metrics) {
    self.train = train
    self.test = test
  }

  /// What was measured on a part.
  func metrics(on part: DataPart) -> Metrics { part == .train ? train : test }
}

/// A column of a table of measured paths: what a cell shows of one path, of several by their mean and
/// deviation, and of end points.
///
/// All tables of paths choose among these, so that a figure has one title, one key and one way of being printed.
public struct PathColumn: Sendable {
  /// What stands above it.
  public var heading: Table.Column
  /// What a row shows.
  let cell: @Sendable (PathRow) -> Table.Cell

  private init(
    _ title: String, key: String? = nil, note: String? = nil, _ style: FigureStyle,
    _ value: @escaping @Sendable (MeasuredPath) -> Double?,
    end: (@Sendable (EndPoint) -> Double)? = nil
  ) {
    heading = Table.Column(title, key: key, alignment: .number, note: note)
    cell = { row in
      switch row.content {
      case .path(let path): value(path).map(style.cell) ?? .empty
      case .mean(let paths): style.mean(of: paths, value, always: row.alwaysHasDeviation)
      case .ends(let ends):
        end.map { style.mean(of: ends.map($0), always: row.alwaysHasDeviation) } ?? .empty
      }
    }
  }

  private init(_ heading: Table.Column, _ cell: @escaping @Sendable (PathRow) -> Table.Cell) {
    self.heading = heading
    self.cell = cell
  }

  /// The column with another key for machines.
  public func keyed(_ key: String) -> PathColumn {
    var result = self
    result.heading.key = key
    return result
  }

  /// The column with nothing in the rows of end points.
  public var withoutEnds: PathColumn {
    PathColumn(heading) { [cell] row in
      if case .ends = row.content { .empty } else { cell(row) }
    }
  }

  /// The published accuracy that stands beside.
  static func published(_ part: DataPart) -> PathColumn {
    PathColumn(
      Table.Column("published", key: "published_\(part.name)", alignment: .number)
    ) { row in
      guard let figure = part == .train ? row.published?.train : row.published?.test else {
        return .empty
      }
      return figure.deviation.map {
        .percentMeanDeviation(mean: figure.mean / 100, deviation: $0 / 100, decimals: 2)
      } ?? .percent(figure.mean / 100, decimals: 2)
    }
  }
}

/// How the values of a column are printed.
private enum FigureStyle {
  /// An accuracy; several with their deviation.
  case percent
  /// A number; several with their deviation.
  case number(decimals: Int)
  /// A number; of several the mean alone.
  case mean(decimals: Int)
  /// The t of a point, of twelve digits at most.
  case time
  /// A count.
  case integer
  /// Seconds, which may be thousands for a curve that is learned and thousandths for a formula; of several the
  /// mean of those that were not interrupted.
  case seconds(decimals: Int?)

  func cell(_ value: Double) -> Table.Cell {
    switch self {
    case .percent: .percent(value, decimals: 2)
    case .number(let decimals), .mean(let decimals): .number(value, decimals: decimals)
    case .time: .time(value)
    case .integer: .integer(Int(value))
    case .seconds(let decimals): .number(value, decimals: decimals ?? (value < 1 ? 3 : 1))
    }
  }

  /// - Parameter always: Whether a single value has a deviation too.
  func mean(
    of paths: [MeasuredPath], _ value: (MeasuredPath) -> Double?, always: Bool
  ) -> Table.Cell {
    if case .seconds = self {
      return Moments.ofTimes(paths, value).map { cell($0.mean) } ?? .empty
    }
    let values = paths.compactMap(value)
    return values.count == paths.count ? mean(of: values, always: always) : .empty
  }

  func mean(of values: [Double], always: Bool) -> Table.Cell {
    guard !values.isEmpty else { return .empty }
    let moments = Moments(values)
    switch self {
    case .percent where always || values.count > 1:
      return .percentMeanDeviation(mean: moments.mean, deviation: moments.deviation, decimals: 2)
    case .number(let decimals) where always || values.count > 1:
      return .meanDeviation(mean: moments.mean, deviation: moments.deviation, decimals: decimals)
    default: return cell(moments.mean)
    }
  }
}

extension PathColumn {
  /// The worst accuracy along the path; of end points theirs.
  public static func worstAccuracy(_ part: DataPart) -> PathColumn {
    PathColumn(
      "worst \(part.name)", key: "worst_\(part.name)_accuracy", .percent,
      { $0.evaluation[keyPath: part.summary].worstAccuracy },
      end: { $0.metrics(on: part).accuracy })
  }

  /// Where that is.
  /// - Parameter isRounded: Whether machines get twelve digits: more tell only how the arithmetic rounded.
  public static func worstTime(_ part: DataPart, isRounded: Bool = false) -> PathColumn {
    PathColumn(
      "at t", key: "worst_\(part.name)_t", isRounded ? .time : .number(decimals: 3)
    ) {
      $0.evaluation[keyPath: part.summary].worstAccuracyTime
    }
  }

  /// The accuracy in the path's middle; of end points theirs.
  public static func middleAccuracy(_ part: DataPart) -> PathColumn {
    PathColumn(
      "middle \(part.name)", key: "middle_\(part.name)_accuracy", .percent,
      { $0.middle?[keyPath: part.metrics].accuracy }, end: { $0.metrics(on: part).accuracy })
  }

  /// The largest excess of the loss over the straight line between the ends' losses.
  public static func barrier(_ part: DataPart) -> PathColumn {
    PathColumn("barrier \(part.name)", key: "\(part.name)_barrier", .number(decimals: 4)) {
      $0.evaluation[keyPath: part.summary].barrier
    }
  }

  /// The mean loss by the path's length; of end points their loss.
  public static func meanLoss(_ part: DataPart) -> PathColumn {
    PathColumn(
      "mean loss \(part.name)", key: "\(part.name)_mean_loss", .number(decimals: 4),
      { $0.evaluation[keyPath: part.summary].meanLoss },
      end: { $0.metrics(on: part).crossEntropy })
  }

  /// The largest loss along the path; of end points theirs.
  public static func largestLoss(_ part: DataPart) -> PathColumn {
    PathColumn(
      "largest loss \(part.name)", key: "largest_\(part.name)_loss", .number(decimals: 4),
      { $0.evaluation[keyPath: part.summary].worstLoss },
      end: { $0.metrics(on: part).crossEntropy })
  }

  /// The length in weight space.
  public static func length(decimals: Int) -> PathColumn {
    PathColumn("length", .mean(decimals: decimals)) { $0.evaluation.length }
  }

  /// The distance of the end points.
  public static func distance(_ title: String = "distance", decimals: Int) -> PathColumn {
    PathColumn(title, key: "distance", .mean(decimals: decimals)) { $0.evaluation.distance }
  }

  /// The number of stages.
  public static var stages: PathColumn {
    PathColumn("stages", .integer) { Double($0.stages.count) }
  }

  /// The number of points of the grid.
  public static var gridPoints: PathColumn {
    PathColumn("grid points", key: "grid_points", .integer) { Double($0.evaluation.grid.count) }
  }

  /// The number of all points.
  public static var points: PathColumn {
    PathColumn("all points", key: "points", .integer) { Double($0.evaluation.points.count) }
  }

  /// Whether the seconds are those since an interruption alone.
  static var isResumed: PathColumn {
    PathColumn(Table.Column("resumed")) { row in
      guard case .path(let path) = row.content else { return .empty }
      return .text(path.isResumed ? "yes" : "no")
    }
  }

  /// All seconds.
  public static func seconds(decimals: Int? = nil, note: String? = nil) -> PathColumn {
    PathColumn("seconds", note: note, .seconds(decimals: decimals)) { $0.seconds }
  }

  /// The seconds to construct the path, if it was constructed.
  public static func construction(
    _ title: String = "to construct", key: String = "construction_seconds", decimals: Int? = nil
  ) -> PathColumn {
    PathColumn(title, key: key, .seconds(decimals: decimals)) { $0.constructionSeconds }
  }

  /// The seconds to measure it.
  public static func measuring(
    _ title: String = "to measure", key: String = "measuring_seconds", decimals: Int? = nil
  ) -> PathColumn {
    PathColumn(title, key: key, .seconds(decimals: decimals)) { $0.measuringSeconds }
  }
}

extension Table.Cell {
  /// A point's t. Machines get twelve digits: more tell only how the arithmetic rounded.
  public static func time(_ t: Double) -> Table.Cell {
    .number(Double(String(t, significantDigits: 12)) ?? t, decimals: 3)
  }
}
