// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import Synchronization

/// The model that an option of a method names, read when it is first wanted.
public final class ModelFile: Sendable {
  private let path: String
  private let method: String
  private let model = Mutex<TransformationModel?>(nil)

  /// The file of a model of a method; an empty path is none.
  public init(_ path: String, of method: String) {
    self.path = path
    self.method = method
  }

  /// Whether no file is named.
  public var isEmpty: Bool { path.isEmpty }

  /// Refuses options that are given beside a model: they are for a fit, and would name a row of a table
  /// by what the model is not.
  /// - Throws: `PluginError.misplacedOption`.
  public func refuseOthers(than key: String, in values: OptionValues) throws(PluginError) {
    guard !isEmpty else { return }
    if let option = values.given.keys.sorted().first(where: { $0 != key }) {
      throw .misplacedOption(
        plugin: method, option: option,
        reason: "it is for a fit, and the model of ‘\(key)’ is fitted")
    }
  }

  /// The model.
  /// - Throws: ``FlowError/needsModel(method:)``, ``FlowError/cannotOpen(method:)``,
  ///   ``FlowError/unusableModel(file:problem:)`` where the file's content can't be used, and what
  ///   opening and ``TransformationModel/init(reading:fittedBy:)`` throw.
  public func model(in context: ConnectionContext) throws -> TransformationModel {
    try model.withLock { model in
      if let model { return model }
      guard !path.isEmpty else { throw FlowError.needsModel(method: method) }
      guard let open = context.open else { throw FlowError.cannotOpen(method: method) }
      let source = try open(path)
      do {
        let read = try TransformationModel(reading: source, fittedBy: method)
        model = read
        return read
      } catch let error as CheckpointError {
        throw FlowError.unusableModel(file: path, problem: error.description)
      }
    }
  }
}
