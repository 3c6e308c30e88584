// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What determines a run of training, besides the network and the data.
public struct TrainingPlan: Sendable, Hashable {
  /// Number of epochs.
  public var epochs: Int
  /// Batch size.
  public var batch: Int
  /// The learning rate at the start.
  public var rate: Double
  /// How the rate changes.
  public var schedule: Schedule
  /// How gradients become steps.
  public var rule: OptimiserRule
  /// Scale factor of the initial weights. Layers with the paper's ±1/√n let signals shrink by 1/√6 each:
  /// √6 ≈ 2.45 keeps their size through any number of layers with ReLU (He et al. 2015).
  public var gain: Double
  /// The seed of the initial weights, the order of samples, dropout and augmentation.
  public var seed: UInt64

  /// A plan; the defaults are the paper's.
  public init(
    epochs: Int = 30, batch: Int = 128, rate: Double = 0.01, schedule: Schedule = .paper,
    rule: OptimiserRule = .sgd(momentum: 0.9, decay: 1e-4), gain: Double = 1, seed: UInt64 = 0
  ) {
    self.epochs = epochs
    self.batch = batch
    self.rate = rate
    self.schedule = schedule
    self.rule = rule
    self.gain = gain
    self.seed = seed
  }
}

extension TrainingPlan {
  /// A setting as it is written: in an archive's record, in the key of a result, on a command line.
  public struct Setting: Sendable, Hashable {
    /// Its name, in JSON and as an option of a command.
    public let name: String
    /// Its value.
    public let value: JSONValue
    /// What archives and keys of before there was the setting stand for. It is left out where it has this
    /// value.
    let implied: JSONValue?

    /// Whether it is written.
    public var isWritten: Bool { value != implied }

    /// The value as people write it.
    public var text: String {
      if case .integer(let integer) = value { return "\(integer)" }
      return value.string ?? value.double.map { "\($0)" } ?? value.compactText
    }
  }

  /// All settings but the seed, each once: what else writes, compares or shows a plan goes through them.
  public var settings: [Setting] {
    [
      Setting(name: "epochs", value: .integer(epochs), implied: nil),
      Setting(name: "batch", value: .integer(batch), implied: nil),
      Setting(name: "rate", value: JSONValue(rate), implied: nil),
      Setting(name: "schedule", value: .string("\(schedule)"), implied: nil),
      Setting(name: "optimiser", value: .string("\(rule)"), implied: nil),
      Setting(name: "gain", value: gain == 1 ? 1 : JSONValue(gain), implied: 1),
    ]
  }

  /// The settings that are written, and the seed.
  public var written: [String: JSONValue] {
    let settings = settings.filter(\.isWritten).map { ($0.name, $0.value) }
    return Dictionary(uniqueKeysWithValues: settings + [("seed", .string("\(seed)"))])
  }

  /// Requires what was written of a plan to be this one.
  /// - Throws: ``TrainingError/otherRun(field:expected:found:)`` that names a setting that differs, and
  ///   ``TrainingError/notResumable`` if one is missing.
  func require(_ found: [String: JSONValue]) throws(TrainingError) {
    let seed = Setting(name: "seed", value: .string("\(seed)"), implied: nil)
    for setting in [seed] + settings {
      guard let other = found[setting.name] ?? setting.implied else { throw .notResumable }
      guard setting.value.means(other) else {
        throw .otherRun(
          field: setting.name, expected: setting.value.compactText, found: other.compactText)
      }
    }
  }
}
