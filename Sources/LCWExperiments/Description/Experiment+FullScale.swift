// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks

extension Experiment {
  /// What differs from the experiment at full scale, a line for each field, such as
  /// `training.epochs: 3 in the place of 20`.
  ///
  /// What is compared is what runs, with all that scales and options have put in the place of the
  /// description's fields, and with the values of fields that nobody named.
  public var scaledDown: [String] {
    guard let whole = fullScale.first else { return [] }
    return zip(fields, whole.fields).compactMap { own, full in
      // How the networks of files were trained is said by the files.
      guard filePatterns.isEmpty || !own.name.hasPrefix("training.") else { return nil }
      return own.text == full.text ? nil : "\(own.name): \(own.text) in the place of \(full.text)"
    }
  }

  /// The architecture that published figures are of, where that is another than this scale's.
  ///
  /// A scale that names figures of its own names those of its architecture. One that only repeats the
  /// full scale's, perhaps under other methods, has figures of the full scale's architecture.
  public var publishedArchitecture: PluginReference? {
    guard let whole = fullScale.first, whole.architecture != architecture,
      Set(published.values).isSubset(of: whole.published.values)
    else { return nil }
    return whole.architecture
  }

  /// The fields that results depend on, as people read them.
  private var fields: [(name: String, text: String)] {
    func list(_ values: [some CustomStringConvertible]) -> String {
      values.isEmpty ? "none" : values.map(\.description).joined(separator: ", ")
    }
    let fitted = usedFits.map { fit in
      "\(fit.name) = \(fit.method) of \(fit.networks.count) networks, \(fit.heldOut) held out"
    }
    // Without folders: those are of this machine.
    let names = filePatterns.map { String($0.split(separator: "/").last ?? "") }
    let joined = filePatterns.isEmpty ? "\(networks)" : "those of \(list(names))"
    return [
      ("dataset", "\(dataset)"), ("architecture", "\(architecture)"),
      ("training.epochs", "\(training.epochs)"), ("training.batch", "\(training.batch)"),
      ("training.rate", "\(training.rate)"), ("training.schedule", "\(training.schedule)"),
      ("training.optimiser", "\(training.rule)"), ("training.gain", "\(training.gain)"),
      ("networks", joined),
      ("fits", list(fitted)), ("methods", list(methods)), ("pairs", "\(pairs.count)"),
      ("points", evaluation.isMiddleAlone ? "middle" : "\(evaluation.points)"),
      ("refine", "\(evaluation.refines)"),
      ("samples", evaluation.samples.map { "\($0)" } ?? "all"), ("heads", list(heads)),
      ("middles", list(middles)), ("planes", list(planes)),
    ]
  }
}
