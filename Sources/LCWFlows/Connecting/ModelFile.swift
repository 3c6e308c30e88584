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

  /// The model.
  /// - Throws: ``FlowError/needsModel(method:)``, ``FlowError/cannotOpen(method:)``, and what
  ///   opening and ``TransformationModel/init(reading:fittedBy:)`` throw.
  public func model(in context: ConnectionContext) throws -> TransformationModel {
    try model.withLock { model in
      if let model { return model }
      guard !path.isEmpty else { throw FlowError.needsModel(method: method) }
      guard let open = context.open else { throw FlowError.cannotOpen(method: method) }
      let read = try TransformationModel(reading: try open(path), fittedBy: method)
      model = read
      return read
    }
  }
}
