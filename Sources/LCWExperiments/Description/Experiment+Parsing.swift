// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
import LCWReport

extension Experiment {
  /// The scale at which nothing is left out.
  public static let fullScale = "paper"

  /// An experiment from its description.
  ///
  /// - Parameters:
  ///   - description: A JSON object; its `scales` are objects by name whose fields replace others.
  ///   - scale: A name among those, or ``fullScale``.
  /// - Throws: ``ExperimentError`` that names the field, and what a reference, a schedule or an
  ///   optimiser that can't be read throws.
  public init(_ description: JSONValue, scale: String = Experiment.fullScale) throws {
    guard case .object(var members) = description else {
      throw ExperimentError.field("experiment", expected: "a JSON object")
    }
    let scales = try Experiment.scales(members.removeValue(forKey: "scales"))
    let full = JSONValue.object(members)
    // All are checked, so that a slip does not wait for the day a scale is used.
    for replacements in scales.values { _ = try Experiment(fields: full.replacing(replacements)) }
    let whole = try Experiment(fields: full)
    guard scale != Experiment.fullScale else {
      self = whole
      fullScale = [whole]
      return
    }
    guard let replacements = scales[scale] else {
      throw ExperimentError.unknownScale(
        scale, known: (scales.keys + [Experiment.fullScale]).sorted())
    }
    self = try Experiment(fields: full.replacing(replacements))
    self.scale = scale
    fullScale = [whole]
  }

  private static func scales(_ value: JSONValue?) throws(ExperimentError) -> [String: JSONValue] {
    guard let value else { return [:] }
    guard let scales = value.object, scales.values.allSatisfy({ $0.object != nil }),
      scales[fullScale] == nil
    else {
      throw .field("scales", expected: "objects by the scale's name, none called \(fullScale)")
    }
    // It becomes a part of the names of folders and of a record's comments.
    guard scales.count <= mostNames else {
      throw .field("scales", expected: "at most \(mostNames) objects")
    }
    guard scales.keys.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) }) else {
      throw .field("scales", expected: "called by lower-case letters, digits and hyphens")
    }
    return scales
  }

  private init(fields: JSONValue) throws {
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
    (networks, filePatterns) = try reader.networks("networks")
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
    learned = []
    fullScale = []
    describedMethods = methods
    try reader.finish()
    try check()
  }

  /// Checks that fields agree with each other; an option may have changed one.
  /// - Throws: ``ExperimentError``.
  public func check() throws {
    // How many networks there are in files is not known before they are looked for.
    if filePatterns.isEmpty || !files.isEmpty { try checkNetworks() }
    var known: [String] = []
    for fit in fits {
      try Experiment.check(fit.method, known: known)
      known.append(fit.name)
    }
    for method in methods + middles + planes { try Experiment.check(method, known: known) }
  }

  private func checkNetworks() throws(ExperimentError) {
    // Before there are any: each is a value with a digest, and a folder.
    guard stepCount <= Double(Experiment.mostSteps) else {
      throw ExperimentError.field(
        "pairs",
        expected: "so few that there are at most \(Experiment.mostSteps) steps, but there would be "
          + "\(String(stepCount, decimals: 0))")
    }
    guard joined.count > 1 || (methods + middles + planes).isEmpty else {
      throw ExperimentError.field(
        "networks",
        expected: (files.isEmpty ? "2 or more" : "2 or more different files")
          + (fits.isEmpty ? "" : " that no fit has seen")
          + ", for there are methods or pictures of them")
    }
    if !files.isEmpty, let fit = usedFits.first(where: { $0.networks.contains { $0 > networks } }) {
      throw ExperimentError.field(
        "fits.\(fit.name).networks",
        expected:
          "numbers of the files, from 1 to \(networks); choose methods that need no model fitted to "
          + "other networks, or name more files")
    }
  }

  private static let mostHead = 1000
  /// The networks that an experiment joins at most.
  static let mostNetworks = 1000
  /// The steps that an experiment has at most.
  static let mostSteps = 100_000
  /// The methods of a list, the fits and the scales that a description has at most.
  static let mostNames = 100

  /// How many steps there are at most, before they are made.
  private var stepCount: Double {
    let count = Double(joined.count)
    let pairs = min(count * max(0, count - 1) / 2, pairLimit.map(Double.init) ?? .infinity)
    let pictures = 2 * (middles.count + planes.count) + 1
    // A path may be learned by a step of its own.
    return Double(trained.count + usedFits.count + heads.count + pictures)
      + 2 * pairs * Double(methods.count)
  }

  private static func check(
    _ method: MethodExpression, known: [String]
  ) throws(ExperimentError) {
    if let name = method.fitNames.first(where: { !known.contains($0) }) {
      throw .unknownFit(name, known: known)
    }
  }

  static func isNameByte(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (48...57).contains(byte) || byte == 45
  }
}

/// Reads an object's fields and refuses those that nobody asked for.
private struct FieldReader {
  private let members: [String: JSONValue]
  private let prefix: String
  private var known: Set<String> = []

  init(_ value: JSONValue, of prefix: String) throws(ExperimentError) {
    guard let members = value.object else {
      throw .field(String(prefix.dropLast()), expected: "a JSON object")
    }
    self.members = members
    self.prefix = prefix
  }

  mutating func value(_ key: String) throws(ExperimentError) -> JSONValue? {
    known.insert(key)
    return members[key]
  }

  mutating func text(_ key: String, default text: String? = nil) throws(ExperimentError) -> String {
    guard let found = try value(key)?.string ?? (members[key] == nil ? text : nil) else {
      throw .field(prefix + key, expected: "a text")
    }
    return found
  }

  mutating func integer(
    _ key: String, default number: Int, in range: ClosedRange<Int>
  ) throws(ExperimentError) -> Int {
    let value = try value(key) ?? .integer(number)
    guard let integer = value.integer, range.contains(integer) else {
      throw .field(
        prefix + key, expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  mutating func number(
    _ key: String, default number: Double, in range: ClosedRange<Double>
  ) throws(ExperimentError) -> Double {
    let value = try value(key) ?? .number(number)
    guard let number = value.double, range.contains(number) else {
      throw .field(
        prefix + key, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  mutating func truth(_ key: String, default truth: Bool) throws(ExperimentError) -> Bool {
    guard let found = (try value(key) ?? .bool(truth)).bool else {
      throw .field(prefix + key, expected: "true or false")
    }
    return found
  }

  mutating func integers(
    _ key: String, in range: ClosedRange<Int>
  ) throws(ExperimentError) -> [Int] {
    let values = (try value(key) ?? .array([])).array?.map(\.integer)
    guard let values, values.allSatisfy({ $0.map(range.contains) ?? false }) else {
      throw .field(
        prefix + key, expected: "a list of integers from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return values.compactMap(\.self)
  }

  /// A number of networks, or the files that hold them.
  mutating func networks(
    _ key: String
  ) throws(ExperimentError) -> (count: Int, files: [String]) {
    guard let found = try value(key), found.object != nil else {
      return (try integer(key, default: 2, in: 1...Experiment.mostNetworks), [])
    }
    var reader = try FieldReader(found, of: "\(prefix)\(key).")
    let files = (try reader.value("files"))?.array?.map(\.string) ?? []
    guard (1...Experiment.mostNetworks).contains(files.count),
      files.allSatisfy({ !($0 ?? "").isEmpty })
    else {
      throw .field(
        "\(prefix)\(key).files",
        expected:
          "a list of files or patterns such as nets/*.lcw, at most \(Experiment.mostNetworks)")
    }
    try reader.finish()
    return (files.count, files.compactMap(\.self))
  }

  mutating func methods(_ key: String) throws -> [MethodExpression] {
    guard let texts = (try value(key) ?? .array([])).array?.map(\.string),
      !texts.contains(nil)
    else {
      throw ExperimentError.field(prefix + key, expected: "a list of methods such as arc")
    }
    var methods: [MethodExpression] = []
    for text in texts.compactMap(\.self) {
      let method = try MethodExpression(text)
      if !methods.contains(method) { methods.append(method) }
      guard methods.count <= Experiment.mostNames else {
        throw ExperimentError.field(
          prefix + key, expected: "a list of at most \(Experiment.mostNames) methods")
      }
    }
    return methods
  }

  mutating func fits(_ key: String) throws -> [Experiment.Fit] {
    guard let values = (try value(key) ?? .array([])).array else {
      throw ExperimentError.field(prefix + key, expected: "a list of fits")
    }
    guard values.count <= Experiment.mostNames else {
      throw ExperimentError.field(
        prefix + key, expected: "a list of at most \(Experiment.mostNames) fits")
    }
    var fits: [Experiment.Fit] = []
    for (index, value) in values.enumerated() {
      let place = "\(prefix)\(key)[\(index)]"
      var reader = try FieldReader(value, of: place + ".")
      let name = try reader.text("name")
      guard !name.isEmpty, name.utf8.allSatisfy(Experiment.isNameByte),
        !fits.contains(where: { $0.name == name })
      else {
        throw ExperimentError.field(
          place + ".name", expected: "lower-case letters, digits and hyphens, and no other fit's")
      }
      let networks = try reader.integers("networks", in: 1...1_000_000)
      guard (1...Experiment.mostNetworks).contains(networks.count),
        Set(networks).count == networks.count
      else {
        throw ExperimentError.field(
          place + ".networks",
          expected: "a list of different seeds, at most \(Experiment.mostNetworks)")
      }
      fits.append(
        Experiment.Fit(
          name: name, method: try MethodExpression(try reader.text("method")), networks: networks,
          heldOut: try reader.integer("hold-out", default: 0, in: 0...networks.count - 1)))
      try reader.finish()
    }
    return fits
  }

  mutating func published(_ key: String) throws(ExperimentError) -> [String: PublishedFigures] {
    guard let rows = (try value(key) ?? .object([:])).object else {
      throw .field(prefix + key, expected: "an object with a row for each method")
    }
    var figures: [String: PublishedFigures] = [:]
    guard rows.count <= 10 * Experiment.mostNames else {
      throw .field(prefix + key, expected: "at most \(10 * Experiment.mostNames) rows")
    }
    for (method, row) in rows {
      var reader = try FieldReader(row, of: "\(prefix)\(key).\(method).")
      let name = (try? MethodExpression(method)).map { "\($0)" } ?? method
      figures[name] = PublishedFigures(
        train: try reader.figure("train"), test: try reader.figure("test"))
      try reader.finish()
    }
    return figures
  }

  private mutating func figure(_ key: String) throws(ExperimentError) -> PublishedFigures.Figure? {
    guard let value = try value(key) else { return nil }
    let numbers = value.array?.compactMap(\.double) ?? value.double.map { [$0] } ?? []
    guard (1...2).contains(numbers.count), numbers.count == value.array?.count ?? 1 else {
      throw .field(prefix + key, expected: "[mean, deviation] in percent")
    }
    return PublishedFigures.Figure(
      mean: numbers[0], deviation: numbers.count == 2 ? numbers[1] : nil)
  }

  func finish() throws(ExperimentError) {
    if let key = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw .unknownField(
        prefix + key, nearest: nearestName(to: key, among: known.sorted()).map { prefix + $0 })
    }
  }
}

extension JSONValue {
  /// The value with another's fields in the place of its own, object by object.
  fileprivate func replacing(_ other: JSONValue) -> JSONValue {
    guard case .object(let members) = self, case .object(let others) = other else { return other }
    return .object(members.merging(others) { $0.replacing($1) })
  }
}
