// SPDX-License-Identifier: Apache-2.0
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
      own.text == full.text ? nil : "\(own.name): \(own.text) in the place of \(full.text)"
    }
  }

  /// The fields that results depend on, as people read them.
  private var fields: [(name: String, text: String)] {
    func list(_ values: [some CustomStringConvertible]) -> String {
      values.isEmpty ? "none" : values.map(\.description).joined(separator: ", ")
    }
    let fitted = usedFits.map { fit in
      "\(fit.name) = \(fit.method) of \(fit.networks.count) networks, \(fit.heldOut) held out"
    }
    return [
      ("dataset", "\(dataset)"), ("architecture", "\(architecture)"),
      ("training.epochs", "\(training.epochs)"), ("training.batch", "\(training.batch)"),
      ("training.rate", "\(training.rate)"), ("training.schedule", "\(training.schedule)"),
      ("training.optimiser", "\(training.rule)"), ("networks", "\(networks)"),
      ("fits", list(fitted)), ("methods", list(methods)), ("pairs", "\(pairs.count)"),
      ("points", "\(evaluation.points)"), ("refine", "\(evaluation.refines)"),
      ("samples", evaluation.samples.map { "\($0)" } ?? "all"), ("heads", list(heads)),
      ("middles", list(middles)), ("planes", list(planes)),
    ]
  }
}
