// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks

extension Experiment {
  /// An experiment from the fields of one scale.
  /// - Throws: As ``ExperimentDescription/init(_:)``.
  init(fields: JSONValue) throws {
    var reader = try FieldReader(fields, of: "")
    name = try reader.text("name")
    guard !name.isEmpty, name.utf8.allSatisfy(Experiment.isNameByte) else {
      throw ExperimentError.field("name", expected: "lower-case letters, digits and hyphens")
    }
    title = try reader.text("title", default: name)
      .split(whereSeparator: \.isNewline).joined(separator: " ")
    dataset = try PluginReference(try reader.text("dataset"))
    architecture = try PluginReference(try reader.text("architecture"))
    var training = try FieldReader(try reader.value("training") ?? .object([:]), of: "training.")
    self.training = TrainingPlan(
      epochs: try training.integer("epochs", default: 30, in: 1...10_000),
      batch: try training.integer("batch", default: 128, in: 1...1 << 30),
      rate: try training.number("rate", default: 0.01, in: 1e-12...1000),
      schedule: try Schedule(try training.text("schedule", default: "paper")),
      rule: try OptimiserRule(try training.text("optimiser", default: "sgd")),
      gain: try training.number("gain", default: 1, in: 1e-3...1000), seed: 0)
    try training.finish()
    networks = try reader.networks("networks")
    fits = try reader.fits("fits")
    methods = try reader.methods("methods")
    pairLimit =
      try reader.value("pairs") == nil
      ? nil : try reader.integer("pairs", default: 1, in: 1...1_000_000)
    let isMiddleAlone = try reader.value("points")?.string == "middle"
    evaluation = Evaluation(
      points: isMiddleAlone ? 2 : try reader.integer("points", default: 21, in: 2...10_000),
      isMiddleAlone: isMiddleAlone,
      refines: try reader.truth("refine", default: true),
      samples: try reader.value("samples") == nil
        ? nil : try reader.integer("samples", default: 1, in: 1...1 << 40))
    heads = []
    for head in try reader.integers("heads", in: 1...Experiment.mostHead)
    where !heads.contains(head) {
      heads.append(head)
    }
    middles = try reader.methods("middles")
    planes = try reader.methods("planes")
    source = try reader.value("source") == nil ? nil : try reader.text("source")
    published = try reader.published("published")
    try reader.finish()
    try check()
  }

  private static let mostHead = 1000
  /// The networks that an experiment joins at most.
  static let mostNetworks = 1000
  /// The methods of a list, the fits and the scales that a description has at most.
  static let mostNames = 100

  static func isNameByte(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (48...57).contains(byte) || byte == 45
  }
}
