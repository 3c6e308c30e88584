// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWPaths
import LCWReport

/// How the samples were prepared that something was measured on.
struct SamplePreparation: Hashable {
  var dataset: PluginReference
  /// What is done to them, in the data set's words.
  var preprocessing: String
  /// The samples that were measured, if a limit was given.
  var measured: Counts?

  /// The numbers of samples of both parts.
  struct Counts: Hashable {
    var train: Int
    var test: Int
  }

  /// The line under a table.
  var note: String {
    "samples of \(dataset): \(preprocessing)"
      + (measured.map {
        "; measured on the first \($0.train) training and \($0.test) test samples"
      } ?? "")
  }

  /// The fields beside figures.
  var json: [String: JSONValue] {
    var fields = [
      "dataset": .string("\(dataset)"), "preprocessing": JSONValue.string(preprocessing),
    ]
    fields.merge(countFields) { $1 }
    return fields
  }
}

extension SamplePreparation {
  /// The numbers of samples, if a limit was given.
  var countFields: [String: JSONValue] {
    guard let measured else { return [:] }
    return ["train_samples": .integer(measured.train), "test_samples": .integer(measured.test)]
  }
}

extension Session {
  /// How the samples of a data set are prepared.
  /// - Parameters:
  ///   - data: What is measured.
  ///   - limit: The most samples of each part that may be measured; nothing is said of their numbers if there is none.
  func preparation(
    of dataset: PluginReference, measuring data: EvaluationData? = nil, limit: Int? = nil
  ) throws -> SamplePreparation {
    SamplePreparation(
      dataset: dataset, preprocessing: try self.data(dataset).preprocessing,
      measured: limit.flatMap { limit in
        data.map { .init(train: min(limit, $0.train.count), test: min(limit, $0.test.count)) }
      })
  }

  /// Says if networks that are measured on one data set were made for several, or for one that was
  /// prepared in several ways: some of the figures are then not what their networks can do.
  func warnOfOtherData(_ networks: [TrainedNetwork], files: [String], given: String?) {
    if let given { return warnOfOtherPreparation(networks, files: files, given: given) }
    guard let first = networks.first?.dataset else { return }
    for (file, network) in zip(files, networks) {
      guard let dataset = network.dataset, dataset != first, !arePreparedAlike(dataset, first)
      else { continue }
      Console.printError(
        "warning: \(file) was made for \(dataset), \(files[0]) for \(first); both are measured on "
          + "\(first), unless --dataset names another")
      return
    }
  }

  /// Says if a network was made for the data set that is given, but prepared otherwise. One that is given
  /// another data set is meant to be.
  private func warnOfOtherPreparation(
    _ networks: [TrainedNetwork], files: [String], given: String
  ) {
    for (file, network) in zip(files, networks)
    where isWarned(of: file, madeFor: network.dataset, given: given) { return }
  }

  /// Says if what a file holds was made for the data set that is given, but prepared otherwise; and whether it did.
  @discardableResult
  func isWarned(of file: String, madeFor dataset: PluginReference?, given: String?) -> Bool {
    guard let dataset, let given, let reference = try? PluginReference(given),
      dataset.name == reference.name,
      let plugin = registry.plugins(of: .dataset).first(where: { $0.name == reference.name })
    else { return false }
    let places = Set(plugin.options.filter(\.namesFile).map(\.key))
    func prepared(_ reference: PluginReference) -> [String: String] {
      reference.options.filter { !places.contains($0.key) }
    }
    guard prepared(dataset) != prepared(reference), !arePreparedAlike(dataset, reference) else {
      return false
    }
    Console.printError("warning: \(file) was made for \(dataset), and is measured on \(given)")
    return true
  }

  /// Whether two spellings of one data set stand for the same preparation, such as a named normalisation
  /// and its numbers.
  private func arePreparedAlike(_ first: PluginReference, _ second: PluginReference) -> Bool {
    guard first.name == second.name, let one = try? preparation(of: unopened(first, in: nil)),
      let other = try? preparation(of: unopened(second, in: nil))
    else { return false }
    return one.preprocessing == other.preprocessing
  }
}

extension Table {
  /// The table in a format. Where it is prepared for machines, objects of JSON get each row's fields as well.
  func text(as format: OutputFormat, fields: [[String: JSONValue]]) -> String {
    guard format == .json, case .array(let rows) = json else { return text(as: format) }
    return JSONValue.array(
      zip(rows, fields).map { row, fields in
        .object((row.object ?? [:]).merging(fields) { own, _ in own })
      }
    ).prettyText
  }
}
