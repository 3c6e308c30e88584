// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What a description says: an experiment at full scale, and by name the scales at which less of it
/// is done.
///
/// ```json
/// {
///   "name": "digits-two-layer", "title": "Digits, 64-100-10",
///   "dataset": "digits", "architecture": "mlp:hidden=100",
///   "training": {"epochs": 20}, "networks": 3, "methods": ["linear", "arc", "ot+wa"],
///   "scales": {"quick": {"training": {"epochs": 2}, "networks": 2}}
/// }
/// ```
public struct ExperimentDescription: Sendable, Hashable {
  /// The name of the scale at which nothing is left out.
  public static let fullScale = "paper"

  /// The experiment at full scale.
  public let whole: Experiment
  /// The experiment at its other scales.
  public let scales: [String: Experiment]

  /// Reads a description.
  ///
  /// All scales are read, so that a slip does not wait for the day one is used.
  /// - Parameter description: A JSON object; its `scales` are objects by name whose fields replace
  ///   others.
  /// - Throws: ``ExperimentError`` that names the field, and what a reference, a schedule or an
  ///   optimiser that can't be read throws.
  public init(_ description: JSONValue) throws {
    guard case .object(var members) = description else {
      throw ExperimentError.field("experiment", expected: "a JSON object")
    }
    let replacements = try Self.scales(members.removeValue(forKey: "scales"))
    let full = JSONValue.object(members)
    scales = try replacements.mapValues { try Experiment(fields: full.replacing($0)) }
    whole = try Experiment(fields: full)
  }

  /// The names of all scales, in order.
  public var scaleNames: [String] { (scales.keys + [Self.fullScale]).sorted() }

  /// The experiment at a scale.
  /// - Throws: ``ExperimentError/unknownScale(_:known:)``.
  public func experiment(at scale: String = fullScale) throws(ExperimentError) -> Experiment {
    if scale == Self.fullScale { return whole }
    guard let experiment = scales[scale] else {
      throw .unknownScale(scale, known: scaleNames)
    }
    return experiment
  }

  private static func scales(_ value: JSONValue?) throws(ExperimentError) -> [String: JSONValue] {
    guard let value else { return [:] }
    guard let scales = value.object, scales.values.allSatisfy({ $0.object != nil }),
      scales[fullScale] == nil
    else {
      throw .field("scales", expected: "objects by the scale's name, none called \(fullScale)")
    }
    guard scales.count <= Experiment.mostNames else {
      throw .field("scales", expected: "at most \(Experiment.mostNames) objects")
    }
    // They become a part of the names of folders and of a record's comments.
    guard scales.keys.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Experiment.isNameByte) })
    else {
      throw .field("scales", expected: "named with lower-case letters, digits and hyphens")
    }
    return scales
  }
}

extension JSONValue {
  /// The value with another's fields in the place of its own, object by object.
  fileprivate func replacing(_ other: JSONValue) -> JSONValue {
    guard case .object(let members) = self, case .object(let others) = other else { return other }
    return .object(members.merging(others) { $0.replacing($1) })
  }
}
