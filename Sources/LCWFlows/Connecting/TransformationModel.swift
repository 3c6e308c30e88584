// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics
public import LCWPaths

/// A learned connection: a transformation for each hidden layer that moves, fitted for networks of
/// one chain of layers. What an archive of kind `connection-model` holds.
public struct TransformationModel: Sendable {
  /// The name of the method that fitted it.
  public var method: String
  /// The networks it joins, as text, with the shape of a sample.
  public var network: String
  /// The transformations by the name of the layer, such as `dense1`.
  public var transformations: [String: Transformation]
  /// More metadata.
  public var record: [String: JSONValue]

  /// A model for networks like `network`.
  public init(
    method: String, network: Network, transformations: [String: Transformation],
    record: [String: JSONValue] = [:]
  ) {
    self.method = method
    self.network = Self.text(of: network)
    self.transformations = transformations
    self.record = record
  }

  private static func text(of network: Network) -> String {
    "\(network.inputShape.dimensions.map(String.init).joined(separator: "x")): \(network)"
  }

  /// The archive's content.
  public var checkpoint: Checkpoint {
    var metadata = record
    metadata["fitted-by"] = .string(method)
    metadata["fitted-for"] = .string(network)
    metadata["designs"] = .object(transformations.mapValues(\.design.json))
    return Checkpoint(
      kind: .connectionModel, metadata: metadata, tensors: namedTensors(prefix: ""))
  }

  /// The tensors of all transformations.
  func namedTensors(prefix: String) -> [NamedTensor] {
    transformations.sorted { $0.key < $1.key }.flatMap { layer, transformation in
      transformation.namedTensors.map { NamedTensor("\(prefix)\(layer)/\($0.name)", $0.tensor) }
    }
  }

  /// The transformations that a source describes under `designs`.
  static func transformations(
    in source: any CheckpointSource, prefix: String
  ) throws -> [String: Transformation] {
    guard let designs = source.metadata["designs"]?.object, !designs.isEmpty else {
      throw CheckpointError.metadata(field: "designs", expected: "an object of designs")
    }
    var transformations: [String: Transformation] = [:]
    for (layer, json) in designs {
      do {
        transformations[layer] = try Transformation(TransformationDesign(json: json)) {
          try source.tensor(named: "\(prefix)\(layer)/\($0)")
        }
      } catch let error as FlowError {
        throw CheckpointError.recorded(field: "designs/\(layer.asOneLine)", problem: "\(error)")
      }
    }
    return transformations
  }

  /// The model that a source holds.
  /// - Parameter method: The method it must have been fitted by.
  /// - Throws: ``CheckpointError`` if the kind or the metadata are others,
  ///   ``FlowError/otherModel(method:found:)``, and what reading throws.
  public init(reading source: any CheckpointSource, fittedBy method: String) throws {
    guard source.kind == .connectionModel else {
      throw FlowError.otherModel(method: method, found: "a \(source.kind.rawValue)")
    }
    guard let found = source.metadata["fitted-by"]?.string, found == method else {
      throw FlowError.otherModel(
        method: method,
        found: "one of \(source.metadata["fitted-by"]?.string ?? "another program")")
    }
    guard let network = source.metadata["fitted-for"]?.string else {
      throw CheckpointError.metadata(field: "fitted-for", expected: "a chain of layers")
    }
    self.method = method
    self.network = network
    record = source.metadata
    transformations = try Self.transformations(in: source, prefix: "")
  }

  /// The transformation of the neurons of a layer, and the neurons' place in the network.
  /// - Throws: ``FlowError/otherNetwork(expected:found:)``,
  ///   ``FlowError/noTransformation(layer:known:)``, or ``PopulationError``.
  public func transformation(
    ofUnitsIn layer: Int, of network: Network
  ) throws -> (transformation: Transformation, population: HiddenPopulation) {
    let text = Self.text(of: network)
    guard text == self.network else {
      throw FlowError.otherNetwork(expected: self.network, found: text)
    }
    let population = try HiddenPopulation(of: network, layer: layer)
    let name = population.name
    guard let transformation = transformations[name] else {
      throw FlowError.noTransformation(layer: name, known: transformations.keys.sorted())
    }
    guard transformation.design.dimension == population.dimension else {
      throw FlowError.dimension(
        expected: transformation.design.dimension, found: population.dimension)
    }
    return (transformation, population)
  }
}
