// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWReport

extension LineChart {
  /// A chart for each layer of a model's `histories`, where `LAYER/FIGURE` is a list of a number for
  /// each epoch.
  ///
  /// - Parameters:
  ///   - record: The model's metadata; `figure` says what the numbers are.
  ///   - title: A chart's title, from the name of its layer.
  public static func histories(
    of record: [String: JSONValue], title: (String) -> String
  ) -> [LineChart] {
    var series: [String: [LineChart.Series]] = [:]
    let histories = record["histories"]?.object ?? [:]
    for (name, figures) in histories.sorted(by: { $0.key > $1.key }) {
      let parts = name.split(separator: "/", maxSplits: 1)
      let points = (figures.array ?? []).enumerated().compactMap { epoch, value in
        value.double.map { ChartPoint(Double(epoch), $0) }
      }
      series[String(parts.first ?? ""), default: []].append(
        LineChart.Series(name: String(parts.last ?? ""), points: points))
    }
    return series.sorted { $0.key < $1.key }.map { layer, series in
      LineChart(
        title: title(layer), xLabel: "epoch", yLabel: record["figure"]?.string ?? "figure",
        xFormat: .count, series: series)
    }
  }
}
