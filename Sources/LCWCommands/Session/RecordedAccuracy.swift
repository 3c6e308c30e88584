// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The accuracy that a file says its network has.
struct RecordedAccuracy {
  /// The field that says it.
  let field: String
  /// From 0 to 1.
  let value: Double
  /// The data set that a file of lcw's own was made for; nothing in files of other programs.
  let dataset: String?

  /// What the metadata say of the test samples, or else of others that were not trained on. Files of lcw
  /// have `metrics`, foreign ones a field such as `test_accuracy`, `val_acc` or `best_acc1`, as a share or in
  /// percent.
  init?(_ metadata: [String: JSONValue]) {
    var fields = metadata
    if let metrics = RecordedAccuracy.members(of: metadata["metrics"]) {
      for (name, value) in metrics { fields["metrics.\(name)"] = value }
    }
    let ranked = fields.compactMap { name, value -> (rank: Int, name: String, value: Double)? in
      guard let rank = RecordedAccuracy.rank(of: name), let share = RecordedAccuracy.share(value)
      else { return nil }
      return (rank, name, share)
    }
    guard let best = ranked.min(by: { ($0.rank, $0.name) < ($1.rank, $1.name) }) else { return nil }
    (field, value) = (best.name, best.value)
    dataset = metadata["architecture"]?.string == nil ? nil : metadata["dataset"]?.string
  }

  /// What the metadata of a file say, or a tensor of a single number that stands beside its weights, as where
  /// a program saves `torch.tensor(96.0)` as `best_acc1`.
  init?(of source: any CheckpointSource) {
    var fields = source.metadata
    for entry in source.entries
    where entry.shape.rank == 0 && RecordedAccuracy.rank(of: entry.name) != nil {
      // What can't be read is no weight, and only a hint is lost.
      guard fields[entry.name] == nil,
        let value = (try? source.floats(named: entry.name))?.elements.first, value.isFinite
      else { continue }
      // Of 0.9629 in single precision these digits, not all of its double's.
      fields[entry.name] = JSONValue(Double("\(value)") ?? Double(value))
    }
    self.init(fields)
  }

  /// Objects, also those that formats of texts alone keep as JSON.
  private static func members(of value: JSONValue?) -> [String: JSONValue]? {
    if let text = value?.string { return (try? JSONValue(parsing: Array(text.utf8)))?.object }
    return value?.object
  }

  /// The place of a field's name among those that mean an accuracy; nothing if it means none, or that
  /// of the samples that were trained on.
  private static func rank(of name: String) -> Int? {
    let leaf = name.lowercased().split(separator: ".").last ?? ""
    var words = leaf.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    words.removeAll { ["best", "final", "last", "1", "top", "score", "metric"].contains($0) }
    words = words.map {
      switch $0 {
      case "accuracy", "acc1", "top1", "accuracy1": "acc"
      case "validation", "valid", "dev": "val"
      case "testing", "eval", "evaluation": "test"
      default: $0
      }
    }
    return [["test", "acc"], ["testacc"], ["val", "acc"], ["valacc"], ["acc"]]
      .firstIndex { $0 == words || $0 == words.reversed() }
  }

  /// A share, also one that is said in percent.
  private static func share(_ value: JSONValue) -> Double? {
    let number =
      value.double
      ?? value.string.flatMap { text in
        Double(text.trimmingSuffix(while: { $0 == "%" || $0 == " " }))
      }
    guard let number, number > 0, number <= 100 else { return nil }
    return number > 1 ? number / 100 : number
  }

  /// What to tell the user where a network is far worse here than its file says, which most often means that
  /// its samples were normalised otherwise; nothing where it is not.
  ///
  /// - Parameters:
  ///   - file: The network's file.
  ///   - metrics: What was measured.
  ///   - samples: On how many samples.
  ///   - dataset: On which.
  func hint(
    file: String, metrics: Metrics, samples: Int, of dataset: PluginReference, _ session: Session
  ) -> String? {
    // A point, and what chance does where only a part of the samples was measured.
    let chance = 3 * (value * (1 - value) / Double(max(1, samples))).squareRoot()
    guard value - metrics.accuracy > max(0.01, chance) else { return nil }
    let figures =
      "hint: \(file) says \(String(value * 100, decimals: 2)) % (\(field)), but here it has "
      + "\(String(metrics.accuracy * 100, decimals: 2)) %"
    if let made = self.dataset, made != "\(dataset)" {
      // What files hold is never opened because an archive names it.
      let isOfFiles = (try? PluginReference(made)).map { reference in
        session.registry.plugins(of: .dataset).contains {
          $0.name == reference.name && $0 is any FileDataset.Type
        }
      }
      return figures + ": it was made for \(made.asOneLine); "
        + (isOfFiles == true ? "give that with --dataset" : "leave out --dataset")
    }
    let known = session.registry.plugins(of: .dataset).first { $0.name == dataset.name }
    let canBeSaid = known?.options.contains { $0.key == "normalisation" } == true
    let advice =
      canBeSaid
      ? "say how, as in --dataset \(dataset.name):mean=0.5,deviation=0.25 "
        + "(lcw plugins \(dataset.name) lists the options)"
      : "name the data set that prepares them that way with --dataset"
    return figures + ": were its samples normalised differently? Then \(advice)"
  }
}

extension StringProtocol {
  fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> String {
    var text = String(self)
    while let last = text.last, isDropped(last) { text.removeLast() }
    return text
  }
}
