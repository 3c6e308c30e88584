// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWPaths
public import LCWReport

extension Findings {
  /// A picture, the name of its file, and what is said of it.
  public struct Figure: Sendable {
    /// The name of its file, without the ending.
    public var name: String
    /// The picture.
    public var picture: any Chart
    /// A sentence.
    public var note: String
  }

  /// The pictures for which there are results.
  public var figures: [Figure] {
    var figures: [Figure] = []
    if !paths.isEmpty {
      figures += [
        alongPath("accuracy-test", "Test accuracy", \.test.accuracy, .percent),
        alongPath("accuracy-train", "Train accuracy", \.train.accuracy, .percent),
        alongPath("loss-test", "Test loss", \.test.crossEntropy, .number),
        alongPath("loss-train", "Train loss", \.train.crossEntropy, .number),
      ]
      if let tradeOff { figures.append(tradeOff) }
      if paths.contains(where: { $0.measured.stages.count > 1 }) { figures.append(stagedError) }
    }
    if !ensembles.isEmpty { figures.append(ensembleFigure) }
    if let middles { figures.append(figure(of: middles)) }
    return figures + planes.map(figure) + fits.flatMap { self.figures(of: $0) }
  }

  private var pairNote: String {
    "mean over the pairs whose paths have as many stages as the first pair's path; with several "
      + "pairs, the band shows ± one standard deviation"
  }

  private func axis(of paths: [MeasuredPath]) -> PathAxis {
    PathAxis(keepsFunction: paths.map { $0.stages.map(\.keepsFunction) })
  }

  /// A line for each method, with a band over the pairs.
  private func alongPath(
    _ name: String, _ label: String, _ value: KeyPath<PathEvaluation.Point, Double>,
    _ format: AxisTicks.Format
  ) -> Figure {
    let axis = axis(of: experiment.methods.compactMap { paths(by: $0).first })
    let series = experiment.methods.compactMap { method -> LineChart.Series? in
      let found = paths(by: method)
      guard let stages = found.first?.stages.count else { return nil }
      let grids = found.map(\.evaluation.grid)
      // Paths of one method can differ in their number of stages, as where a permutation is none.
      let same = grids.filter { $0.count == grids[0].count }
      let line = grids[0].indices.map { index in
        (
          x: axis.place(grids[0][index].t, stages: stages),
          moments: Moments(same.map { $0[index][keyPath: value] })
        )
      }
      return LineChart.Series(
        name: "\(method)", points: line.map { ChartPoint($0.x, $0.moments.mean) },
        band: same.count > 1
          ? line.map {
            LineChart.BandPoint(
              x: $0.x, lower: $0.moments.mean - $0.moments.deviation,
              upper: $0.moments.mean + $0.moments.deviation)
          } : [])
    }
    return Figure(
      name: name,
      picture: LineChart(
        title: "\(experiment.scaledTitle): \(label.lowercased()) along the path",
        xLabel: axis.label, yLabel: label.lowercased(), xFormat: axis.format, yFormat: format,
        series: series, narrow: axis.narrow),
      note: pairNote)
  }

  /// The test error along the stages.
  private var stagedError: Figure {
    let staged = experiment.methods.compactMap { method in
      paths(by: method).first { $0.stages.count > 1 }.map { (method: method, path: $0) }
    }
    let longest = staged.map(\.path).max { $0.stages.count < $1.stages.count }
    let axis = axis(of: staged.map(\.path))
    let marked = (longest?.stages ?? []).enumerated().dropFirst()
    let isMarked = marked.count < PathAxis.mostStages
    return Figure(
      name: "error-stages",
      picture: LineChart(
        title: "\(experiment.scaledTitle): test error along the stages",
        xLabel: axis.label, yLabel: "error", xFormat: axis.format, yFormat: .percent,
        series: staged.map { method, path in
          LineChart.Series(
            name: "\(method)",
            points: path.evaluation.grid.map {
              ChartPoint(axis.place($0.t, stages: path.stages.count), 1 - $0.test.accuracy)
            })
        },
        boundaries: isMarked ? marked.map { LineChart.Boundary($1.label, x: Double($0)) } : [],
        narrow: axis.narrow),
      note: "the first pair whose path has stages"
        + (isMarked ? "; vertical lines mark the stages of the longest path" : ""))
  }

  /// The worst test accuracy against all seconds of a pair, on a logarithmic axis, since a formula takes
  /// hundredths and a trained curve minutes. Those to measure count too: adjusted weights are solved
  /// for then. Nothing if all paths were interrupted, which have no times to compare.
  private var tradeOff: Figure? {
    guard paths.contains(where: { !$0.measured.isResumed }) else { return nil }
    let series = experiment.methods.compactMap { method -> LineChart.Series? in
      let found = paths(by: method)
      guard let seconds = Moments.ofTimes(found, \.seconds)?.mean, seconds > 0 else { return nil }
      let point = ChartPoint(
        log10(seconds), Moments(found.map(\.evaluation.test.worstAccuracy)).mean)
      return LineChart.Series(
        name: "\(method)", points: [point], marks: [.init(point, label: "\(method)")])
    }
    return Figure(
      name: "trade-off",
      picture: LineChart(
        title: "\(experiment.scaledTitle): worst test accuracy against time",
        xLabel: "seconds per pair, to construct a path and to measure along it",
        yLabel: "worst test accuracy", xFormat: .powerOfTen, yFormat: .percent, series: series),
      note: "mean over the pairs; logarithmic time axis; solving for adjusted weights counts as "
        + "measuring")
  }

  private var ensembleFigure: Figure {
    Figure(
      name: "ensembles",
      picture: LineChart(
        title: "\(experiment.scaledTitle): test accuracy against the number of networks",
        xLabel: "networks", yLabel: "test accuracy", xFormat: .count, yFormat: .percent,
        series: ensembles.map { ensemble in
          LineChart.Series(
            name: "WA(\(ensemble.head))",
            points: ensemble.test.enumerated().map { ChartPoint(Double($0 + 1), $1.accuracy) })
        }),
      note: "WA(n) has n layers in its heads and shares the others")
  }

  private func figure(of middles: MiddlesFinding) -> Figure {
    Figure(
      name: "middles",
      picture: ScatterChart(
        title: "\(experiment.scaledTitle): neurons at the ends and in the middle",
        xLabel: "first principal direction", yLabel: "second principal direction",
        panels: middles.panels.map { panel in
          ScatterChart.Panel(
            title: ["A", "B"].contains(panel.name) ? panel.name : "\(panel.name), middle",
            groups: [
              .init(name: "neurons", points: panel.points.map { ChartPoint($0.x, $0.y) })
            ])
        }, hasEqualScales: true),
      note: "of the first hidden layer; the plane holds "
        + "\(String(middles.explained * 100, decimals: 0)) % of the variance")
  }

  private func figures(of finding: FitFinding) -> [Figure] {
    let charts = LineChart.histories(of: finding.record) {
      "\(experiment.scaledTitle): the fit \(finding.fit.name), \($0)"
    }
    return charts.enumerated().map { index, chart in
      Figure(
        name: "fit-\(finding.fit.name)" + (index > 0 ? "-\(index + 1)" : ""),
        picture: chart, note: "epoch by epoch, of \(finding.fit.method)")
    }
  }

  private func figure(of plane: PlaneFinding) -> Figure {
    Figure(
      name: "plane-\(String("\(plane.method)".map { $0.isLetter || $0.isNumber ? $0 : "-" }))",
      picture: ContourChart(
        title:
          "\(experiment.scaledTitle): train loss on the plane through A, B and the middle of "
          + "\(plane.method)",
        xLabel: "distance in weight space", yLabel: "distance in weight space",
        values: plane.losses, xRange: plane.x, yRange: plane.y,
        lines: [
          .init(name: "\(plane.method)", points: plane.path.map { ChartPoint($0.x, $0.y) }),
          .init(
            name: "straight line",
            points: [plane.path.first, plane.path.last].compactMap(\.self)
              .map { ChartPoint($0.x, $0.y) }),
        ]),
      note: "of the pair \(plane.pair), on \(plane.samples) samples; the path is projected")
  }
}
