// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWExperiments
import LCWNetworks
import LCWPaths
import LCWReport

extension ConnectionStudy {
  /// The paths of more than one stage.
  private var staged: [Entry] { entries.filter { $0.path.stages.count > 1 } }

  /// What each stage of each path of several stages costs.
  var stageTable: Table? { stageTable { entry in entry.path.stages.indices.map { [$0] } } }

  /// The same for people: of a path of many stages, those that do the same share a row.
  var foldedStageTable: Table? { stageTable(grouping: \.stageKinds) }

  /// A row for each group of a path's stages.
  private func stageTable(grouping groups: (Entry) -> [[Int]]) -> Table? {
    guard !staged.isEmpty else { return nil }
    var table = Table(columns: [
      .init("path"), .init("stage", alignment: .number), .init("what happens", key: "label"),
      .init("worst train", key: "worst_train_accuracy", alignment: .number),
      .init("worst test", key: "worst_test_accuracy", alignment: .number),
      .init("largest loss train", key: "train_loss", alignment: .number),
      .init("largest loss test", key: "test_loss", alignment: .number),
    ])
    for entry in staged {
      for group in groups(entry) {
        // A whole t belongs to the stages on both sides.
        let points = entry.evaluation.points.filter { point in
          group.contains { point.t >= Double($0) && point.t <= Double($0 + 1) }
        }
        let label = entry.path.stages[group[0]].label
        table.append([
          .text(entry.name), .integer(group[0] + 1),
          .text(group.count == 1 ? label : "\(label), and \(group.count - 1) more like it"),
          .percent(points.map(\.train.accuracy).min() ?? .nan, decimals: 2),
          .percent(points.map(\.test.accuracy).min() ?? .nan, decimals: 2),
          .number(points.map(\.train.crossEntropy).max() ?? .nan, decimals: 4),
          .number(points.map(\.test.crossEntropy).max() ?? .nan, decimals: 4),
        ])
      }
    }
    return table
  }

  /// The largest losses of paths whose stages bound the loss within them: no point has a larger one.
  var proofTable: Table? {
    let proven = entries.filter { $0.evaluation.provenStates != nil }
    guard !proven.isEmpty else { return nil }
    var table = Table(columns: [
      .init("path"), .init("states", alignment: .number),
      .init("proven largest loss train", key: "proven_train_loss", alignment: .number),
      .init("at t", key: "proven_train_t", alignment: .number),
      .init("proven largest loss test", key: "proven_test_loss", alignment: .number),
      .init("at t", key: "proven_test_t", alignment: .number),
    ])
    for entry in proven {
      let (train, test) = (entry.evaluation.train, entry.evaluation.test)
      table.append([
        .text(entry.name), .integer(entry.evaluation.provenStates ?? 0),
        .number(train.worstLoss, decimals: 5), .number(train.worstLossTime, decimals: 1),
        .number(test.worstLoss, decimals: 5), .number(test.worstLossTime, decimals: 1),
      ])
    }
    table.notes.append(
      "Between two states the outputs stay or move along a straight line, and cross-entropy is convex in "
        + "the outputs. So no point of the path has a larger loss on these samples.")
    return table
  }

  /// What the paths tell of their making, such as how well adjusted layers fit.
  var remarkTable: Table? {
    guard entries.contains(where: { !$0.path.remarks.isEmpty }) else { return nil }
    var table = Table(columns: [
      .init("path"), .init("figure", key: "subject"), .init("value", alignment: .number),
    ])
    for entry in entries {
      for remark in entry.path.remarks {
        let isWhole = remark.value == remark.value.rounded() && abs(remark.value) < 1e9
        table.append([
          .text(entry.name), .text(remark.subject),
          isWhole ? .integer(Int(remark.value)) : .number(remark.value, decimals: 5),
        ])
      }
    }
    return table
  }

  /// The methods by the properties of the paper's overview, with what they took here.
  var overviewTable: Table {
    var table = Table(columns: [
      .init("path"), .init("compute"), .init("complexity"), .init("explicit"),
      .init("loss"), .init("learnable"), .init("needs data", key: "needs_data"),
      .init("worst test", key: "worst_test_accuracy", alignment: .number),
      .init("total seconds", key: "seconds", alignment: .number),
    ])
    func cells(_ traits: MethodTraits?) -> [Table.Cell] {
      func text(_ flag: Bool) -> Table.Cell { .text(flag ? "yes" : "no") }
      guard let traits else { return Array(repeating: .empty, count: 6) }
      return [
        .text(traits.compute.rawValue), .text(traits.complexity.rawValue), text(traits.isExplicit),
        .text(traits.loss.rawValue), text(traits.isLearnable), text(traits.needsData),
      ]
    }
    for entry in entries {
      let measured: [Table.Cell] = [
        .percent(entry.evaluation.test.worstAccuracy, decimals: 2),
        .number(entry.measured.seconds, decimals: 2),
      ]
      table.append([.text(entry.name)] + cells(entry.traits) + measured)
    }
    return table
  }

  /// A chart for each path of several stages; a few stages are marked on its axis.
  var stageCharts: [Report.Block] {
    staged.map { entry in
      func series(
        _ name: String, _ value: (PathEvaluation.Point) -> Double
      ) -> LineChart.Series {
        LineChart.Series(
          name: name, points: entry.evaluation.points.map { ChartPoint($0.t, value($0)) })
      }
      let narrow = entry.path.stages.enumerated().filter(\.element.keepsFunction).map {
        Double($0.offset)...Double($0.offset + 1)
      }
      let isMarked = entry.path.stages.count <= PathAxis.mostStages
      let boundaries = (isMarked ? entry.path.stages : []).enumerated().map { index, stage in
        LineChart.Boundary(stage.label, x: Double(index))
      }
      return .chart(
        LineChart(
          title: "Accuracy along the stages of \(entry.name)",
          xLabel: narrow.isEmpty ? "t" : "t; stages that keep the function are narrow",
          yLabel: "accuracy", yFormat: .percent,
          series: [
            series("train") { $0.train.accuracy }, series("test") { $0.test.accuracy },
          ], boundaries: boundaries, narrow: narrow))
    }
  }
}

extension ConnectionStudy.Entry {
  /// The stages by what they do, as their labels without numbers tell, in the order of the first of each.
  fileprivate var stageKinds: [[Int]] {
    guard path.stages.count > PathAxis.mostStages else { return path.stages.indices.map { [$0] } }
    var kinds: [(label: String, stages: [Int])] = []
    for (index, stage) in path.stages.enumerated() {
      let label = String(stage.label.filter { !$0.isNumber })
      if let known = kinds.firstIndex(where: { $0.label == label }) {
        kinds[known].stages.append(index)
      } else {
        kinds.append((label, [index]))
      }
    }
    return kinds.map(\.stages)
  }
}
