// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import LCWFiles
import LCWNetworks
import LCWNumerics
import LCWPaths
import LCWReport

extension ConnectionStudy {
  /// Writes the study as one HTML file.
  func writeReport(to file: String) throws {
    try AtomicFile.write(Array(try sorted.report.html.utf8), to: URL(fileURLWithPath: file))
    Console.printError("\(file): report of \(entries.count.counted("path"))")
  }

  /// The study as a report: figures, curves along t, and the neurons in the plane.
  private var report: Report {
    get throws {
      var sections = [
        Report.Section(
          title: "Figures",
          blocks: [
            .table(summaryTable.captioned("Worst points and means of each path")),
            .paragraph(explanation), .table(costTable.captioned("Length and time")),
            .table(overviewTable.captioned("The methods and what they cost here")),
          ]),
        Report.Section(title: "Accuracy along the path", blocks: accuracyCharts),
        Report.Section(title: "Loss along the path", blocks: lossCharts),
      ]
      if let proofTable {
        sections.append(
          Report.Section(
            title: "Proven bounds on the loss",
            blocks: [.table(proofTable.captioned("The proven largest loss of each path"))]))
      }
      if let diagnosticsTable {
        sections.append(
          Report.Section(
            title: "Predictions",
            blocks: [
              .table(diagnosticsTable.captioned("Predictions along each path"))
            ]))
      }
      if let layerTable {
        sections.append(
          Report.Section(
            title: "Layers",
            blocks: [
              .table(
                layerTable.captioned("What each layer's hidden units do along the paths"))
            ]))
      }
      if let foldedStageTable {
        sections.append(
          Report.Section(
            title: "Stages",
            blocks: stageCharts + [.table(foldedStageTable.captioned("What each stage costs"))]))
      }
      if let remarkTable {
        sections.append(
          Report.Section(
            title: "How the paths were made",
            blocks: [.table(remarkTable.captioned("Values that the methods report"))]))
      }
      sections.append(try planeSection)
      if let normalised = try normalisedSection { sections.append(normalised) }
      sections.append(
        Report.Section(
          title: "Every point of the grid",
          blocks: [
            .folded(
              "Show all points",
              [.table(gridTable.captioned("Accuracy and loss along t"))])
          ]))
      sections.append(
        Report.Section(
          title: "The command",
          blocks: [.commands([command])]
            + (seedNote.map { [.paragraph("With \($0).")] } ?? [])))
      return Report(
        title: "Paths between two networks on \(dataset)",
        introduction: [verdict.joined(separator: " ")] + [
          "Two independently trained networks (\(network)) joined by "
            + "\(entries.map(\.name).joined(separator: ", ")). A path is good if its worst point "
            + "is close to its end points."
        ],
        sections: sections, footer: LCWVersion.program)
    }
  }

  /// The study with its paths in the order of their largest loss.
  var sorted: ConnectionStudy {
    var study = self
    study.entries = ranked
    return study
  }

  private var explanation: String {
    "“Worst” is the lowest accuracy on the path, also between grid points; rings mark "
      + "the worst point of each line. Paths are sorted by their largest loss. The "
      + "barrier is the largest excess of the mean cross-entropy over the straight line between "
      + "the end points' losses, in nats; the mean loss is weighted by length in weight "
      + "space."
  }

  private var accuracyCharts: [Report.Block] {
    [
      .chart(
        chart(
          "Accuracy on the training samples", "accuracy", .percent, \.train, \.accuracy,
          worst: \.train.worstAccuracyTime)),
      .chart(
        chart(
          "Accuracy on the test samples", "accuracy", .percent, \.test, \.accuracy,
          worst: \.test.worstAccuracyTime)),
    ]
  }

  private var lossCharts: [Report.Block] {
    [
      .chart(
        chart(
          "Mean cross-entropy on the training samples", "nats", .number, \.train, \.crossEntropy,
          worst: \.train.worstLossTime)),
      .chart(
        chart(
          "Mean cross-entropy on the test samples", "nats", .number, \.test, \.crossEntropy,
          worst: \.test.worstLossTime)),
    ]
  }

  private var axis: PathAxis {
    PathAxis(keepsFunction: entries.map { $0.path.stages.map(\.keepsFunction) })
  }

  private func chart(
    _ title: String, _ yLabel: String, _ format: AxisTicks.Format,
    _ part: KeyPath<PathEvaluation.Point, Metrics>, _ value: KeyPath<Metrics, Double>,
    worst: KeyPath<PathEvaluation, Double>
  ) -> LineChart {
    let axis = axis
    let series = entries.map { entry in
      let evaluation = entry.evaluation
      func place(_ point: PathEvaluation.Point) -> ChartPoint {
        ChartPoint(
          axis.place(point.t, stages: entry.path.stages.count),
          point[keyPath: part][keyPath: value])
      }
      // Of several paths the rings have no labels, which would all say the same.
      let marks = evaluation.points.filter { $0.t == evaluation[keyPath: worst] }.prefix(1).map {
        LineChart.Mark(place($0), label: entries.count == 1 ? "worst" : "")
      }
      return LineChart.Series(
        name: entry.name, points: evaluation.points.map(place), marks: Array(marks))
    }
    let references = sharedEnds.map {
      [
        LineChart.Reference("start", y: $0.first[keyPath: part][keyPath: value]),
        LineChart.Reference("end", y: $0.last[keyPath: part][keyPath: value]),
      ]
    }
    return LineChart(
      title: title, xLabel: axis.label, yLabel: yLabel, xFormat: axis.format, yFormat: format,
      series: series, references: references ?? [], narrow: axis.narrow)
  }

  /// The neurons of the first hidden layer at A, at B and in the middle of each path, on the two
  /// principal directions of A's and B's; or why they are not shown.
  private var planeSection: Report.Section {
    get throws {
      func section(_ blocks: [Report.Block]) -> Report.Section {
        Report.Section(title: "The neurons in the plane", blocks: blocks)
      }
      guard let first = entries.first, sharedEnds != nil else {
        return section([.paragraph("Not shown: the paths join different networks.")])
      }
      let population: HiddenPopulation
      do {
        population = try HiddenPopulation(firstOf: first.path.network)
      } catch {
        return section([.paragraph("Not shown: \(error).")])
      }
      guard population.dimension <= PrincipalPlane.practicalDimension else {
        return section([
          .paragraph(
            "Not shown: a neuron has \(population.dimension) numbers, and the principal directions "
              + "of more than \(PrincipalPlane.practicalDimension) would take minutes.")
        ])
      }
      let a = population.neurons(of: try first.path.weights(at: first.path.domain.lowerBound))
      let b = population.neurons(of: try first.path.weights(at: first.path.domain.upperBound))
      guard a.isFinite, b.isFinite else {
        return section([.paragraph("Not shown: a network has weights that are not finite.")])
      }
      return section(try planeBlocks(population, a, b))
    }
  }

  private func planeBlocks(
    _ population: HiddenPopulation, _ a: Tensor, _ b: Tensor
  ) throws -> [Report.Block] {
    let plane = try PrincipalPlane(of: [a, b])
    func points(_ neurons: Tensor) -> [ChartPoint] {
      plane.coordinates(of: neurons).map { ChartPoint($0.x, $0.y) }
    }
    var panels = [
      ScatterChart.Panel(title: "A", groups: [.init(name: "neurons of A", points: points(a))]),
      ScatterChart.Panel(title: "B", groups: [.init(name: "neurons of B", points: points(b))]),
    ]
    for entry in entries {
      let middle = entry.path.middle
      let neurons = population.neurons(of: try entry.path.weights(at: middle))
      panels.append(
        ScatterChart.Panel(
          title: entry.path.stages.count == 1
            ? "\(entry.name), middle" : "\(entry.name), middle (t = \(middle))",
          groups: [.init(name: "neurons in the middle", points: points(neurons))]))
    }
    return [
      .paragraph(
        "A neuron is a hidden unit's incoming weights, bias and outgoing weights "
          + "(\(population.dimension) numbers). The chart shows the neurons of the first hidden "
          + "layer, projected onto the first two principal components of A's and B's neurons "
          + "(\(String(plane.explained * 100, decimals: 1)) % of the variance). A straight line squeezes the "
          + "distribution in the middle; an arc preserves its spread. The middle is half-way, in t, "
          + "through the stages in which units move from A to B."),
      .chart(
        ScatterChart(
          title: "Distribution of the neurons at the ends and in the middle",
          xLabel: "first component", yLabel: "second component", panels: panels)),
    ]
  }
}

extension Table {
  /// The table under a caption.
  func captioned(_ caption: String) -> Table {
    var table = self
    table.caption = caption
    return table
  }
}
