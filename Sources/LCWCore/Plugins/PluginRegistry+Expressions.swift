// SPDX-License-Identifier: Apache-2.0

extension PluginRegistry {
  /// The way of connecting an expression such as `arc`, `linear+wa` or `ot+wa+reset` names.
  ///
  /// A ``ConnectionModifier`` stands right behind a method that moves single layers; each
  /// ``PathModifier`` takes the path of what stands before it.
  ///
  /// - Throws: ``PluginError`` for an unknown name, a wrong option or modifiers in another order,
  ///   ``ConnectionError/notLayerwise(method:modifier:suited:)`` if the method can't be modified.
  public func connection(_ expression: MethodExpression) throws -> Connection {
    guard let first = expression.modifiers.first else {
      return Connection(expression, method: try method(expression.method))
    }
    var modifiers: [any MethodModifier] = []
    for reference in expression.modifiers { modifiers.append(try modifier(reference)) }
    let method = try method(expression.method)
    try refuseMisplacedModifiers(modifiers, in: expression)
    let along = modifiers.compactMap { $0 as? any PathModifier }
    guard let layerwise = modifiers.first as? any ConnectionModifier else {
      return Connection(expression, method: method, along: along)
    }
    guard let moving = method as? any LayerwiseMethod else {
      throw ConnectionError.notLayerwise(
        method: expression.method.name, modifier: first.name,
        suited: plugins(of: .method).filter { $0 is any LayerwiseMethod.Type }.map { $0.name })
    }
    return Connection(expression, method: moving, modifier: layerwise, along: along)
  }

  private func modifier(_ reference: PluginReference) throws -> any MethodModifier {
    try instance(of: .modifier, reference)
  }

  /// The likely slips where no plugin of a kind has a name: a modifier without its method, a plugin of another kind, or
  /// a method and its modifier without the plus sign.
  func slip(_ kind: PluginKind, _ name: String) -> PluginError? {
    let methods = plugins(of: .method).map { $0.name }
    let modifiers = plugins(of: .modifier).map { $0.name }
    if kind == .method, modifiers.contains(name) {
      return .malformedExpression(
        name, reason: "it is a modifier; write it after a method, such as linear+\(name)")
    }
    let found = PluginKind.allCases.first { other in
      other != kind && plugins(of: other).contains { $0.name == name }
    }
    if let found { return .otherKind(name: name, kind: kind, found: found) }
    let letters = name.filter(\.isLetter)
    for method in methods where kind == .method && letters.hasPrefix(method) {
      for modifier in modifiers where letters == method + modifier {
        return .unknownPlugin(name: name, kind: kind, known: ["\(method)+\(modifier)"])
      }
    }
    return nil
  }

  /// Only the first may build a path of its own, since it takes a method's motion and no path.
  private func refuseMisplacedModifiers(
    _ modifiers: [any MethodModifier], in expression: MethodExpression
  ) throws(PluginError) {
    let layerwise = zip(expression.modifiers, modifiers).filter { $0.1 is any ConnectionModifier }
      .map(\.0)
    if layerwise.count > 1 {
      let names = layerwise.map { "+\($0.name)" }.joined(separator: " and ")
      let either = layerwise.map { "\(expression.method.name)+\($0.name)" }
        .joined(separator: " or ")
      throw .malformedExpression(
        "\(expression)",
        reason: "each of \(names) builds a path of its own from the method; write \(either)")
    }
    guard let own = layerwise.first, own != expression.modifiers.first else { return }
    let right = MethodExpression(
      expression.method, modifiers: [own] + expression.modifiers.filter { $0 != own })
    throw .malformedExpression(
      "\(expression)",
      reason:
        "+\(own.name) builds a path of its own from the method and must come first; write "
        + "\(right)")
  }

  /// Requires of a method that someone asks for that no modifier undoes what another has done. What archives
  /// have recorded is computed as it was.
  /// - Throws: ``PluginError`` for an unknown modifier, and if one that replaces running statistics stands behind one
  ///   that measures them.
  public func requireUsefulModifiers(in expression: MethodExpression) throws {
    let all = try expression.modifiers.map { reference in
      (reference, try type(of: .modifier, named: reference.name) as? any PathModifier.Type)
    }
    guard let last = all.lastIndex(where: { $0.1?.replacesRunningMoments == true }),
      let undone = all[..<last].last(where: { $0.1?.measuresRunningMoments == true })
    else { return }
    let right = MethodExpression(
      expression.method, modifiers: expression.modifiers.filter { $0 != all[last].0 })
    throw PluginError.malformedExpression(
      "\(expression)",
      reason:
        "+\(all[last].0.name) replaces the statistics that +\(undone.0.name) has corrected; write "
        + "\(right)")
  }

  /// The names of the modifiers that measure running statistics anew along a path, sorted.
  public var momentModifiers: [String] {
    plugins(of: .modifier).compactMap { $0 as? any PathModifier.Type }
      .filter { $0.measuresRunningMoments }.map { $0.name }
  }

  /// A method's expression with every option that it and its modifiers have, those by default too: what
  /// a result depends on, whatever the defaults of another version are.
  /// - Throws: ``PluginError`` for an unknown name.
  public func completed(_ expression: MethodExpression) throws -> MethodExpression {
    func completed(_ reference: PluginReference, _ kind: PluginKind) throws -> PluginReference {
      let defaults = try type(of: kind, named: reference.name).options.map {
        ($0.key, $0.defaultText)
      }
      return PluginReference(
        name: reference.name,
        options: reference.options.merging(defaults) { given, _ in given })
    }
    return MethodExpression(
      try completed(expression.method, .method),
      modifiers: try expression.modifiers.map { try completed($0, .modifier) })
  }

  /// The files that a method's and its modifiers' options name.
  /// - Throws: ``PluginError`` for an unknown name.
  public func files(namedBy expression: MethodExpression) throws -> [String] {
    func files(_ reference: PluginReference, _ kind: PluginKind) throws -> [String] {
      try type(of: kind, named: reference.name).options.filter(\.namesFile).compactMap {
        reference.options[$0.key]
      }
    }
    return try files(expression.method, .method)
      + expression.modifiers.flatMap { try files($0, .modifier) }
  }
}
