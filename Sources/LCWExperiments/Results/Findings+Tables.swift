// SPDX-License-Identifier: Apache-2.0
import LCWNetworks
public import LCWReport

extension Findings {
  /// A row for each method, mean ± deviation over the pairs, with the published figures beside.
  public var accuracyTable: Table {
    var table = Table(
      caption:
        "\(experiment.scaledTitle): worst accuracy along the path, mean ± deviation over the pairs",
      columns: [
        .init("method"), .init("pairs", alignment: .number),
        .init("worst train", key: "worst_train_accuracy", alignment: .number),
        .init("published", key: "published_train", alignment: .number),
        .init("worst test", key: "worst_test_accuracy", alignment: .number),
        .init("published", key: "published_test", alignment: .number),
        .init("barrier train", key: "train_barrier", alignment: .number),
        .init("barrier test", key: "test_barrier", alignment: .number),
        .init("length", alignment: .number),
        .init(
          "seconds", alignment: .number,
          note: "to construct a path and to measure along it; of those that were not interrupted"),
        .init("to construct", key: "construction_seconds", alignment: .number),
        .init("to measure", key: "measuring_seconds", alignment: .number),
      ])
    if !experiment.published.isEmpty {
      table.notes.append(publishedNote)
    }
    table.notes += (paths.isEmpty ? [] : measuredNotes) + scaleNotes
    for method in experiment.methods {
      let found = paths(by: method)
      guard !found.isEmpty else { continue }
      let published = experiment.published["\(method)"]
      table.append([
        .text("\(method)"), .integer(found.count), percent(found.map(\.train.worstAccuracy)),
        cell(published?.train), percent(found.map(\.test.worstAccuracy)), cell(published?.test),
        number(found.map(\.train.barrier)), number(found.map(\.test.barrier)),
        .number(Moments(found.map(\.length)).mean, decimals: 1),
        time(found) { $0.seconds }, time(found) { $0.parts?.construction },
        time(found) { $0.parts?.measuring },
      ])
    }
    if !ends.isEmpty {
      let published = experiment.published[Experiment.endPoints]
      table.append([
        .text("end points (\(ends.count))"), .empty, percent(ends.map(\.train.accuracy)),
        cell(published?.train), percent(ends.map(\.test.accuracy)), cell(published?.test), .empty,
        .empty, .empty, .empty, .empty, .empty,
      ])
    }
    return table
  }

  /// A row for each method: the path's middle, and its largest and mean loss.
  public var alongTable: Table {
    var table = Table(
      caption: "\(experiment.scaledTitle): along the path, mean ± deviation over the pairs",
      columns: [
        .init("method"), .init("pairs", alignment: .number),
        .init("middle train", key: "middle_train_accuracy", alignment: .number),
        .init("middle test", key: "middle_test_accuracy", alignment: .number),
        .init("largest loss train", key: "largest_train_loss", alignment: .number),
        .init("largest loss test", key: "largest_test_loss", alignment: .number),
        .init("mean loss train", key: "mean_train_loss", alignment: .number),
        .init("mean loss test", key: "mean_test_loss", alignment: .number),
      ])
    table.notes += (paths.isEmpty ? [] : measuredNotes) + scaleNotes
    for method in experiment.methods {
      let found = paths(by: method)
      guard !found.isEmpty else { continue }
      func all(_ values: [Double?], _ cell: ([Double]) -> Table.Cell) -> Table.Cell {
        values.contains(nil) ? .empty : cell(values.compactMap(\.self))
      }
      table.append([
        .text("\(method)"), .integer(found.count),
        all(found.map(\.middle?.train.accuracy), percent),
        all(found.map(\.middle?.test.accuracy), percent),
        all(found.map(\.train.worstLoss), number), all(found.map(\.test.worstLoss), number),
        number(found.map(\.train.meanLoss)), number(found.map(\.test.meanLoss)),
      ])
    }
    if !ends.isEmpty {
      table.append([
        .text("end points (\(ends.count))"), .empty, percent(ends.map(\.train.accuracy)),
        percent(ends.map(\.test.accuracy)), number(ends.map(\.train.crossEntropy)),
        number(ends.map(\.test.crossEntropy)), .empty, .empty,
      ])
    }
    return table
  }

  /// A row for each pair and method.
  public var pairTable: Table {
    var table = Table(
      caption: "Each pair",
      columns: [
        .init("method"), .init("first", alignment: .number), .init("second", alignment: .number),
        .init("worst train", key: "worst_train_accuracy", alignment: .number),
        .init("at t", key: "worst_train_t", alignment: .number),
        .init("worst test", key: "worst_test_accuracy", alignment: .number),
        .init("at t", key: "worst_test_t", alignment: .number),
        .init("barrier train", key: "train_barrier", alignment: .number),
        .init("barrier test", key: "test_barrier", alignment: .number),
        .init("mean loss train", key: "train_mean_loss", alignment: .number),
        .init("mean loss test", key: "test_mean_loss", alignment: .number),
        .init("length", alignment: .number), .init("distance", alignment: .number),
        .init("seconds", alignment: .number, note: "since the last interruption, if resumed"),
        .init("to construct", key: "construction_seconds", alignment: .number),
        .init("to measure", key: "measuring_seconds", alignment: .number), .init("resumed"),
      ])
    table.notes += measuredNotes + scaleNotes
    for path in paths {
      table.append([
        .text("\(path.method)"), .integer(path.pair.first), .integer(path.pair.second),
        .percent(path.train.worstAccuracy, decimals: 2),
        .number(path.train.worstTime, decimals: 3),
        .percent(path.test.worstAccuracy, decimals: 2), .number(path.test.worstTime, decimals: 3),
        .number(path.train.barrier, decimals: 4), .number(path.test.barrier, decimals: 4),
        .number(path.train.meanLoss, decimals: 4), .number(path.test.meanLoss, decimals: 4),
        .number(path.length, decimals: 1), .number(path.distance, decimals: 1),
        .number(path.seconds, decimals: 1),
        time(path.parts?.construction), time(path.parts?.measuring),
        .text(path.isResumed ? "yes" : "no"),
      ])
    }
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
      ? ["measured at the ends and in the middle alone: a point between may be worse"] : []
    return places
      + (experiment.evaluation.samples.map {
        ["measured on the first \($0) samples of each part, or all where there are fewer"]
      } ?? [])
  }

  private func time(_ paths: [JoinedPair], _ seconds: (JoinedPair) -> Double?) -> Table.Cell {
    time(Moments.ofTimes(paths, seconds)?.mean)
  }

  /// Seconds, which may be thousands for a curve that is learned and thousandths for a formula.
  private func time(_ seconds: Double?) -> Table.Cell {
    seconds.map { .number($0, decimals: $0 < 1 ? 3 : 1) } ?? .empty
  }

  /// A row for each fitted model, if there are any.
  public var fitTable: Table? {
    guard !fits.isEmpty else { return nil }
    var table = Table(
      caption: "The models that methods name",
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
        .init(experiment.filePatterns.isEmpty ? "seed" : "network", alignment: .number),
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
        .init("stored numbers", key: "stored_values", alignment: .number),
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

  private func percent(_ values: [Double]) -> Table.Cell {
    let moments = Moments(values)
    return values.count > 1
      ? .percentMeanDeviation(mean: moments.mean, deviation: moments.deviation, decimals: 2)
      : .percent(moments.mean, decimals: 2)
  }

  private func number(_ values: [Double]) -> Table.Cell {
    let moments = Moments(values)
    return values.count > 1
      ? .meanDeviation(mean: moments.mean, deviation: moments.deviation, decimals: 4)
      : .number(moments.mean, decimals: 4)
  }

  private func cell(_ figure: PublishedFigures.Figure?) -> Table.Cell {
    guard let figure else { return .empty }
    return figure.deviation.map {
      .percentMeanDeviation(mean: figure.mean / 100, deviation: $0 / 100, decimals: 2)
    } ?? .percent(figure.mean / 100, decimals: 2)
  }
}
