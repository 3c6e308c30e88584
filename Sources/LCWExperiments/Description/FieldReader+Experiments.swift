// SPDX-License-Identifier: Apache-2.0
import LCWCore

extension FieldReader {
  /// A number of networks, or the files that hold them.
  mutating func networks(
    _ key: String
  ) throws(ExperimentError) -> Experiment.NetworkSource {
    guard let found = try value(key), found.object != nil else {
      return .trained(try integer(key, default: 2, in: 1...Experiment.mostNetworks))
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
    return .files(files.compactMap(\.self))
  }

  mutating func methods(_ key: String) throws -> [MethodExpression] {
    guard let texts = (try value(key) ?? .array([])).array?.map(\.string),
      !texts.contains(nil)
    else {
      throw ExperimentError.field(prefix + key, expected: "a list of methods such as arc")
    }
    let methods = try MethodExpression.distinct(texts.compactMap(\.self))
    guard methods.count <= Experiment.mostNames else {
      throw ExperimentError.field(
        prefix + key, expected: "a list of at most \(Experiment.mostNames) methods")
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
}
