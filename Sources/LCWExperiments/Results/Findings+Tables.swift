// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
public import LCWReport

extension Findings {
  /// A row for each method, mean ± standard deviation over the pairs, with the published figures beside.
  public var accuracyTable: Table {
    var table = methodTable(
      "worst accuracy along the path",
      [
        .worstAccuracy(.train), .published(.train), .worstAccuracy(.test), .published(.test),
        .barrier(.train), .barrier(.test), .length(decimals: 1),
        .seconds(
          note: "to construct a path and to measure along it; only paths that were not interrupted"),
        .construction(), .measuring(),
      ])
    if !experiment.published.isEmpty { table.notes.append(publishedNote) }
    table.notes += (paths.isEmpty ? [] : measuredNotes) + scaleNotes
    return table
  }

  /// A row for each method: the path's middle, and its largest and mean loss.
  public var alongTable: Table {
    var table = methodTable(
      "along the path",
      [
        .middleAccuracy(.train), .middleAccuracy(.test), .largestLoss(.train), .largestLoss(.test),
        .meanLoss(.train).keyed("mean_train_loss").withoutEnds,
        .meanLoss(.test).keyed("mean_test_loss").withoutEnds,
      ])
    table.notes += (paths.isEmpty ? [] : measuredNotes) + scaleNotes
    return table
  }

  /// A row for each method, mean ± standard deviation over the pairs, and one for the end points.
  private func methodTable(_ subject: String, _ figures: [PathColumn]) -> Table {
    var rows = experiment.methods.compactMap { method -> PathRow? in
      let found = paths(by: method)
      guard !found.isEmpty else { return nil }
      var row = PathRow([.text("\(method)"), .integer(found.count)], .mean(found))
      row.published = experiment.published["\(method)"]
      return row
    }
    let ends = ends.map { EndPoint(train: $0.train, test: $0.test) }
    if !ends.isEmpty {
      var row = PathRow([.text("end points (\(ends.count))"), .empty], .ends(ends))
      row.published = experiment.published[Experiment.endPoints]
      rows.append(row)
    }
    return Table(
      caption: "\(experiment.scaledTitle): \(subject), mean ± standard deviation over the pairs",
      names: [.init("method"), .init("pairs", alignment: .number)], figures: figures, rows: rows)
  }

  /// A row for each pair and method.
  public var pairTable: Table {
    var table = Table(
      caption: "Each pair",
      names: [
        .init("method"), .init("first", alignment: .number), .init("second", alignment: .number),
      ],
      figures: [
        .worstAccuracy(.train), .worstTime(.train), .worstAccuracy(.test), .worstTime(.test),
        .barrier(.train), .barrier(.test), .meanLoss(.train), .meanLoss(.test),
        .length(decimals: 1), .distance(decimals: 1),
        .seconds(decimals: 1, note: "since the last interruption, if resumed"), .construction(),
        .measuring(), .isResumed,
      ],
      rows: paths.map {
        PathRow(
          [.text("\($0.method)"), .integer($0.pair.first), .integer($0.pair.second)],
          .path($0.measured))
      })
    table.notes += measuredNotes + scaleNotes
    return table
  }

  /// Whose figures stand beside, and of what.
  private var publishedNote: String {
    "published: \(experiment.source ?? "elsewhere"), at full scale"
      + (experiment.publishedArchitecture.map { ", of \($0)" } ?? "")
  }

  /// A line for each way in which this is not the experiment at full scale.
  var scaleNotes: [String] { experiment.scaledDown.map { "scaled down or changed: \($0)" } }

  /// On what all but the networks are measured, where it is not everything.
  private var measuredNotes: [String] {
    let places =
      experiment.evaluation.isMiddleAlone
      ? ["measured at the ends and in the middle only: a point between may be worse"] : []
    return places
      + (experiment.evaluation.samples.map {
        ["measured on the first \($0) samples of each set, or all where there are fewer"]
      } ?? [])
  }

  /// A row for each fitted model, if there are any.
  public var fitTable: Table? {
    guard !fits.isEmpty else { return nil }
    var table = Table(
      caption: "The models that methods use",
      columns: [
        .init("model"), .init("method"),
        .init("learned from", key: "learned_from", alignment: .number),
        .init("held out", key: "held_out", alignment: .number),
        .init("seconds", alignment: .number),
      ])
    for finding in fits {
      let fit = finding.fit
      table.append([
        .text("@\(fit.name)"), .text("\(fit.method)"),
        .integer(fit.networks.count - fit.heldOut), .integer(fit.heldOut),
        finding.seconds.map { .number($0, decimals: 1) } ?? .empty,
      ])
      table.notes += finding.warnings.map { "@\(fit.name): \($0)" }
    }
    return table
  }

  /// A row for each network.
  public var networkTable: Table {
    var table = Table(
      caption: "The networks",
      columns: [
        .init(experiment.files.isEmpty ? "seed" : "network", alignment: .number),
        .init("train accuracy", key: "train_accuracy", alignment: .number),
        .init("train loss", key: "train_loss", alignment: .number),
        .init("test accuracy", key: "test_accuracy", alignment: .number),
        .init("test loss", key: "test_loss", alignment: .number),
      ])
    if experiment.evaluation.samples != nil { table.notes.append("measured on all samples") }
    table.notes += scaleNotes
    for (network, train, test) in networks {
      table.append([
        .integer(network), .percent(train.accuracy, decimals: 2),
        .number(train.crossEntropy, decimals: 5), .percent(test.accuracy, decimals: 2),
        .number(test.crossEntropy, decimals: 5),
      ])
      if let origin = origins[network] {
        table.notes.append(
          "\(network): \(origin.file), SHA-256 \(origin.digest.prefix(16))…"
            + (origin.training.map { "; \($0)" } ?? ""))
      }
    }
    return table
  }

  /// A row for each head and number of networks, if there are ensembles.
  public var ensembleTable: Table? {
    guard !ensembles.isEmpty else { return nil }
    var table = Table(
      caption: "Ensembles",
      columns: [
        .init("ensemble"), .init("networks", alignment: .number),
        .init("train accuracy", key: "train_accuracy", alignment: .number),
        .init("test accuracy", key: "test_accuracy", alignment: .number),
        .init("stored values", key: "stored_values", alignment: .number),
        .init("multiply-adds", key: "multiply_adds", alignment: .number),
      ])
    table.notes += measuredNotes + scaleNotes
    for ensemble in ensembles {
      for index in ensemble.test.indices {
        table.append([
          .text("WA(\(ensemble.head))"), .integer(index + 1),
          .percent(ensemble.train[index].accuracy, decimals: 2),
          .percent(ensemble.test[index].accuracy, decimals: 2),
          .integer(ensemble.storedValues[index]), .integer(ensemble.multiplyAdds[index]),
        ])
      }
    }
    return table
  }

  /// The tables that have rows.
  public var tables: [(name: String, table: Table)] {
    [
      ("accuracy", accuracyTable), ("along", alongTable), ("pairs", pairTable),
      ("networks", networkTable),
      ("ensembles", ensembleTable), ("fits", fitTable),
    ].compactMap { name, table in
      table.flatMap { $0.rows.isEmpty ? nil : (name, $0) }
    }
  }
}
