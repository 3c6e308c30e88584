// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWReport

/// How the samples were prepared that something was measured on.
struct SamplePreparation: Hashable {
  var dataset: PluginReference
  /// What is done to them, in the data set's words.
  var preprocessing: String
  /// The most samples of each part that were measured, if not all were.
  var limit: Int?

  /// The line under a table.
  var note: String {
    "samples of \(dataset): \(preprocessing)"
      + (limit.map { "; measured on the first \($0) of each part" } ?? "")
  }

  /// The fields beside figures.
  var json: [String: JSONValue] {
    var fields = [
      "dataset": .string("\(dataset)"), "preprocessing": JSONValue.string(preprocessing),
    ]
    fields["samples"] = limit.map(JSONValue.integer)
    return fields
  }
}

extension Session {
  /// How the samples of a data set are prepared.
  /// - Parameter limit: The most samples of each part that are measured, if not all are.
  func preparation(of dataset: PluginReference, limit: Int? = nil) throws -> SamplePreparation {
    SamplePreparation(
      dataset: dataset, preprocessing: try data(dataset).preprocessing, limit: limit)
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
    guard let reference = try? PluginReference(given),
      let plugin = registry.plugins(of: .dataset).first(where: { $0.name == reference.name })
    else { return }
    let places = Set(plugin.options.filter(\.namesFile).map(\.key))
    func prepared(_ reference: PluginReference) -> [String: String] {
      reference.options.filter { !places.contains($0.key) }
    }
    for (file, network) in zip(files, networks) {
      guard let dataset = network.dataset, dataset.name == reference.name,
        prepared(dataset) != prepared(reference), !arePreparedAlike(dataset, reference)
      else { continue }
      Console.printError("warning: \(file) was made for \(dataset), and is measured on \(given)")
      return
    }
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
