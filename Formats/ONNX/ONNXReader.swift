// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// A file of ONNX that has become a network; its tensors are read, and computed where they have to be, when
/// they are asked for.
struct ONNXReader: CheckpointSource {
  let entries: [TensorEntry]
  let metadata: [String: JSONValue]
  let notes: [String]
  private let data: TensorData
  private let recipes: [TensorRecipe]
  private let indices: [[UInt8]: Int]

  /// - Throws: ``ONNXError``, `NetworkError` and `FileError`.
  static func open(
    _ url: URL, sizes: [Int], operations: OperationCatalog
  ) throws -> ONNXReader {
    let file = try InputFile(url)
    let model = try ONNXParser(file).model
    let data = try TensorData(of: model.tensors, in: file, at: url)
    let kept =
      (try? JSONValue(parsing: model.metadata, limits: JSONLimits(depth: 64)))?.object ?? [:]
    if let graph = model.graph, graph.nodes.isEmpty {
      return try ONNXReader(
        tensors: graph.initializers, data: data, metadata: kept, path: file.path)
    }
    let result = try GraphImport.network(
      of: model, data: data, path: file.path, sizes: sizes, operations: operations)
    return ONNXReader(result, of: model, data: data, kept: kept)
  }

  /// A network.
  private init(
    _ result: GraphImport.Result, of model: ONNXModel, data: TensorData, kept: [String: JSONValue]
  ) {
    self.data = data
    recipes = result.recipes
    notes = result.notes
    let network = result.network
    entries = zip(network.parameters, result.recipes).map { parameter, recipe in
      let stored = recipe.storedIndex.map { data[$0] }
      return TensorEntry(
        name: parameter.name, elementType: stored?.type ?? .float32, shape: parameter.shape,
        storedBytes: recipe.storedIndices.reduce(0) { $0 + data.storedBytes(of: $1) })
    }
    indices = Dictionary(
      entries.enumerated().map { (Array($1.name.utf8), $0) },
      uniquingKeysWith: { first, _ in first })
    var names: [String: JSONValue] = [:]
    for (parameter, recipe) in zip(network.parameters, result.recipes) {
      // Sums and products are no tensors of the file.
      guard let index = recipe.storedIndex, !data[index].name.isEmpty,
        data[index].shape == parameter.shape
      else { continue }
      names[parameter.name] = .string(data[index].name)
    }
    var record: [String: JSONValue] = [
      "input": .string(result.input), "output": .string(result.output),
      "names": .object(names), "operators": .integer(model.operatorSet),
    ]
    if let final = result.final { record["final"] = .string(final) }
    if !model.producer.isEmpty {
      record["producer"] = .string("\(model.producer) \(model.producerVersion)")
    }
    // What the file says of its network counts, not what was said when it was written.
    var metadata = kept.merging(
      Checkpoint.description(
        of: network,
        architecture: PluginReference(name: "sequential", options: ["layers": "\(network)"]),
        dataset: nil)
    ) { $1 }
    metadata["onnx"] = .object(record)
    self.metadata = metadata
  }

  /// Tensors without a graph.
  private init(
    tensors: [Int], data: TensorData, metadata: [String: JSONValue], path: String
  ) throws {
    self.data = data
    self.metadata = metadata
    notes = []
    recipes = tensors.map { TensorRecipe(stored: $0, data[$0].shape) }
    let entries = tensors.map { index in
      TensorEntry(
        name: data[index].name, elementType: data[index].type, shape: data[index].shape,
        storedBytes: data.storedBytes(of: index))
    }
    self.entries = entries
    indices = try Dictionary(entries.enumerated().map { (Array($1.name.utf8), $0) }) { _, second in
      throw ONNXError.tensor(
        file: path, tensor: entries[second].name, reason: "there are two of that name")
    }
  }

  var kind: CheckpointKind { .checkpoint }
  var hasChecksums: Bool? { false }

  /// The names of initialisers, where one is a parameter as it stands.
  var originalNames: [String: String] {
    let record = entries.isEmpty ? nil : metadata["onnx"]?.object
    return record?["names"]?.object?.compactMapValues(\.string) ?? [:]
  }

  func tensor(named name: String) throws -> StoredTensor {
    let index = try index(of: name)
    let (recipe, shape) = (recipes[index], entries[index].shape)
    if let stored = recipe.storedIndex {
      let tensor = try data.tensor(stored)
      return try StoredTensor(elementType: tensor.elementType, shape: shape, bytes: tensor.bytes)
    }
    return StoredTensor(try Tensor(recipe.elements(from: data), shape: shape))
  }

  func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? {
    guard let stored = recipes[try index(of: name)].storedIndex else { return nil }
    return try data.contiguousBytes(of: stored, in: elements)
  }

  private func index(of name: String) throws -> Int {
    guard let index = indices[Array(name.utf8)] else {
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    return index
  }
}
