// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks

extension ResolvedExperiment {
  private var isWhole: Bool { scale == ExperimentDescription.fullScale }

  /// The name, and the scale's behind it unless that is full scale: what results, records and figures
  /// are called by, so that those of one scale do not take the place of another's.
  public var scaledName: String { isWhole ? plan.name : "\(plan.name)-\(scale)" }

  /// The title, and behind it the scale unless that is full scale, with the architecture if that is
  /// another than the full one; at full scale whether an option has changed what is trained.
  var scaledTitle: String {
    guard isWhole else {
      let other = whole.architecture == plan.architecture ? "" : ": \(plan.architecture)"
      return "\(plan.title) (\(scale)\(other))"
    }
    if plan.networks.patterns != whole.networks.patterns {
      return "\(plan.title) (networks of files)"
    }
    return scaledDown.contains { $0.hasPrefix("training.") }
      ? "\(plan.title) (changed)" : plan.title
  }

  /// What differs from the experiment at full scale, a line for each field, such as
  /// `training.epochs: 3 instead of 20`.
  ///
  /// What is compared is what runs, with all that scales and options have put in the place of the
  /// description's fields, and with the values of fields that nobody named.
  public var scaledDown: [String] {
    let wholeCount: Int =
      switch whole.networks {
      case .trained(let count): count
      case .files(let patterns): whole.networks == plan.networks ? networks : patterns.count
      }
    let (own, full) = (plan.fields(networks), whole.fields(wholeCount))
    return zip(own, full).compactMap { own, full in
      // How the networks of files were trained is said by the files.
      guard !plan.networks.isOfFiles || !own.name.hasPrefix("training.") else { return nil }
      return own.text == full.text ? nil : "\(own.name): \(own.text) instead of \(full.text)"
    }
  }

  /// The architecture that published figures are of, where that is another than this scale's.
  ///
  /// A scale that names figures of its own names those of its architecture. One that only repeats the
  /// full scale's, perhaps under other methods, has figures of the full scale's architecture.
  public var publishedArchitecture: PluginReference? {
    guard whole.architecture != plan.architecture,
      Set(plan.published.values).isSubset(of: whole.published.values)
    else { return nil }
    return whole.architecture
  }
}

extension Experiment.NetworkSource {
  /// The patterns of files; none if networks are trained.
  fileprivate var patterns: [String] {
    if case .files(let patterns) = self { patterns } else { [] }
  }
}

extension Experiment {
  /// The fields that results depend on, as people read them, for a number of networks.
  fileprivate func fields(_ networkCount: Int) -> [(name: String, text: String)] {
    func list(_ values: [some CustomStringConvertible]) -> String {
      values.isEmpty ? "none" : values.map(\.description).joined(separator: ", ")
    }
    let fitted = usedFits.map { fit in
      "\(fit.name) = \(fit.method) of \(fit.networks.count) networks, \(fit.heldOut) held out"
    }
    // Without folders: those are of this machine.
    let names = networks.patterns.map { String($0.split(separator: "/").last ?? "") }
    let joined = networks.isOfFiles ? "those of \(list(names))" : "\(networkCount)"
    let training = training.settings.map { ("training.\($0.name)", $0.text) }
    return [("dataset", "\(dataset)"), ("architecture", "\(architecture)")] + training + [
      ("networks", joined), ("fits", list(fitted)), ("methods", list(methods)),
      ("pairs", "\(pairs(of: networkCount).count)"),
      ("points", evaluation.isMiddleAlone ? "middle" : "\(evaluation.points)"),
      ("refine", "\(evaluation.refines)"),
      ("samples", evaluation.samples.map { "\($0)" } ?? "all"), ("heads", list(heads)),
      ("middles", list(middles)), ("planes", list(planes)),
    ]
  }
}
