// SPDX-License-Identifier: Apache-2.0

/// The plugins a program has: a value, found once and passed along.
///
/// ```swift
/// let registry = try PluginRegistry.linked()
/// let method = try registry.method("arc")
/// ```
public struct PluginRegistry: Sendable {
  /// The plugins' types, by kind and then by name.
  public let plugins: [any Plugin.Type]

  /// A registry of the given types.
  /// - Throws: ``PluginError`` if two of a kind have one name, or a name or an option's default is
  ///   malformed.
  public init(_ types: [any Plugin.Type]) throws(PluginError) {
    var known: [String: any Plugin.Type] = [:]
    for type in types {
      guard let kind = PluginKind(of: type) else {
        throw .withoutKind(type: String(reflecting: type))
      }
      guard PluginReference.isName(type.name) else {
        throw .malformedName(type.name, type: String(reflecting: type))
      }
      let key = "\(kind.rawValue) \(type.name)"
      if let other = known[key] {
        throw .duplicateName(
          type.name, kind: kind, types: [Self.origin(of: other), Self.origin(of: type)])
      }
      known[key] = type
      for option in type.options {
        if let reason = option.problem(withText: option.defaultText) {
          throw .invalidOption(
            plugin: type.name, option: option.key, value: option.defaultText, reason: reason)
        }
      }
    }
    plugins = types.sorted {
      (order($0), $0.name) < (order($1), $1.name)
    }
    func order(_ type: any Plugin.Type) -> Int {
      PluginKind(of: type).flatMap(PluginKind.allCases.firstIndex(of:)) ?? 0
    }
  }

  /// A type and where it came from.
  private static func origin(of type: any Plugin.Type) -> String {
    let place = sharedObject(of: type).map { "from \($0)" } ?? "linked into this program"
    return "\(String(reflecting: type)), \(place)"
  }

  /// The plugins linked into this program.
  /// - Throws: ``PluginError`` as ``init(_:)`` does.
  public static func linked() throws(PluginError) -> PluginRegistry {
    try PluginRegistry(PluginSink.linkedPlugins())
  }

  /// The plugins of a kind, by name.
  public func plugins(of kind: PluginKind) -> [any Plugin.Type] {
    plugins.filter { PluginKind(of: $0) == kind }
  }

  /// The operations that networks are made of.
  public var operations: OperationCatalog {
    OperationCatalog(plugins(of: .operation).compactMap { $0 as? any NetworkOperation.Type })
  }

  /// The method a reference such as `arc` names.
  /// - Throws: ``PluginError`` for an unknown name or a wrong option.
  public func method(_ reference: PluginReference) throws -> any ConnectionMethod {
    try instance(of: .method, reference)
  }

  /// The architecture a reference such as `mlp:hidden=2000` names.
  /// - Throws: ``PluginError`` for an unknown name or a wrong option.
  public func architecture(_ reference: PluginReference) throws -> any Architecture {
    try instance(of: .architecture, reference)
  }

  /// The data set a reference such as `mnist` names.
  /// - Throws: ``PluginError`` for an unknown name or a wrong option, and ``DataError/unopened(dataset:)``
  ///   for a ``FileDataset``.
  public func dataset(_ reference: PluginReference) throws -> any Dataset {
    let found: any Plugin = try instance(of: .dataset, reference)
    guard let dataset = found as? any Dataset else {
      throw DataError.unopened(dataset: reference.name)
    }
    return dataset
  }

  /// What is known of the data set that a reference such as `mnist` or `table:train=x.csv` names; the
  /// files that the options name are opened.
  /// - Throws: ``PluginError`` for an unknown name or a wrong option, and what opening the files throws.
  public func data(
    _ reference: PluginReference, in context: DataContext
  ) throws -> any LabelledData {
    let found: any Plugin = try instance(of: .dataset, reference)
    if let files = found as? any FileDataset { return try files.data(in: context) }
    guard let dataset = found as? any Dataset else {
      throw PluginError.withoutKind(type: String(reflecting: Swift.type(of: found)))
    }
    return dataset
  }

  /// The files that a data set's options name, as they are written.
  /// - Throws: ``PluginError`` for an unknown name.
  public func files(namedByDataset reference: PluginReference) throws -> [FileName] {
    try type(of: .dataset, named: reference.name).options.filter(\.namesFile).compactMap { option in
      reference.options[option.key].flatMap { $0.isEmpty ? nil : FileName($0) }
    }
  }

  /// The checkpoint format a reference such as `safetensors` names.
  /// - Throws: ``PluginError`` for an unknown name or a wrong option.
  public func format(_ reference: PluginReference) throws -> any CheckpointFormat {
    try instance(of: .format, reference)
  }

  /// Refuses a reference that was read from a file of weights if one of its options names a file: what
  /// such a file says must not decide which others are opened.
  /// - Parameter field: The field of the metadata, for the error.
  /// - Throws: ``CheckpointError/namesFile(field:option:file:)``, or ``PluginError`` for an unknown
  ///   name.
  public func refuseFiles(
    namedBy reference: PluginReference, of kind: PluginKind, recordedAs field: String
  ) throws {
    for option in try type(of: kind, named: reference.name).options where option.namesFile {
      if let file = reference.options[option.key], !file.isEmpty {
        throw CheckpointError.namesFile(field: field, option: option.key, file: file)
      }
    }
  }

  func type(of kind: PluginKind, named name: String) throws -> any Plugin.Type {
    let candidates = plugins(of: kind)
    guard let type = candidates.first(where: { $0.name == name }) else {
      if let slip = slip(kind, name) { throw slip }
      throw PluginError.unknownPlugin(name: name, kind: kind, known: candidates.map { $0.name })
    }
    return type
  }

  func instance<P>(of kind: PluginKind, _ reference: PluginReference) throws -> P {
    let type = try type(of: kind, named: reference.name)
    let values = try OptionValues(reference, declaredBy: type, operations: operations)
    guard let instance = try type.init(options: values) as? P else {
      throw PluginError.withoutKind(type: String(reflecting: type))
    }
    return instance
  }
}
