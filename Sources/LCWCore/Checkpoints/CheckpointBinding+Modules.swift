// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The tensors whose modules are called as a network's nodes, behind one prefix: of the file's
/// `module.layer1.0.bn1.running_mean` the parameter `layer1.0.bn1.mean`.
struct ModuleNames {
  /// What stands before the nodes' names, with its dot; nothing if nothing does.
  let prefix: String
  /// Another prefix under which as many parameters have tensors, if there is one.
  let rival: String?
  /// The tensor of each parameter, whatever its shape.
  let found: [TensorEntry?]
  /// The tensors under the prefix that are no parameter's.
  let left: [TensorEntry]
  private let parameters: [Parameter]

  /// Looks for the prefix under which the most parameters have tensors; nothing if none has any.
  ///
  /// - Parameters:
  ///   - entries: The tensors that may be weights.
  ///   - network: The network.
  ///   - areTransposed: Whether matrices were `[inputs, outputs]`.
  init?(_ entries: [TensorEntry], of network: Network, areTransposed: Bool) {
    let parameters = network.parameters
    // By bytes: Unicode has letters that are equal to ASCII's and are no node's.
    var nodes: [[UInt8]: [(leafs: [String], parameter: Int)]] = [:]
    for (index, parameter) in parameters.enumerated() {
      let leafs =
        network.foreignNames(of: parameter, areTransposed: areTransposed)
        + [parameter.role.rawValue]
      nodes[Array(parameter.layerName.utf8), default: []].append((leafs, index))
    }
    let longest = nodes.keys.reduce(0) { max($0, $1.count) }
    let dot = UInt8(ascii: ".")
    var places: [[UInt8]: [Int: Int]] = [:]
    for (place, entry) in entries.enumerated() {
      let name = Array(entry.name.utf8)
      guard let end = name.lastIndex(of: dot) else { continue }
      let leaf = String(decoding: name[(end + 1)...], as: UTF8.self)
      let first = max(0, end - longest)
      for start in first..<end where start == 0 || name[start - 1] == dot {
        let parameter = nodes[Array(name[start..<end])]?.first { $0.leafs.contains(leaf) }?
          .parameter
        guard let parameter else { continue }
        let prefix = Array(name[..<start])
        // Of two tensors for one parameter the first is it, and the other is left.
        if places[prefix]?[parameter] == nil { places[prefix, default: [:]][parameter] = place }
      }
    }
    // The shorter one of two prefixes first, and then by bytes, so that the answer is always the same.
    let ranked = places.sorted { a, b in
      if a.value.count != b.value.count { return a.value.count > b.value.count }
      if a.key.count != b.key.count { return a.key.count < b.key.count }
      return a.key.lexicographicallyPrecedes(b.key)
    }
    guard let best = ranked.first else { return nil }
    self.parameters = parameters
    prefix = String(decoding: best.key, as: UTF8.self)
    rival = ranked.dropFirst().first.flatMap {
      $0.value.count == best.value.count ? String(decoding: $0.key, as: UTF8.self) : nil
    }
    found = parameters.indices.map { index in best.value[index].map { entries[$0] } }
    let used = Set(best.value.values)
    left = entries.indices.filter { place in
      !used.contains(place) && entries[place].shape.rank > 0
        && entries[place].name.utf8.starts(with: best.key)
    }.map { entries[$0] }
  }

  /// Whether every parameter has a tensor.
  var isComplete: Bool { found.allSatisfy { $0 != nil } }

  /// Whether at least half of the parameters have a tensor, so that the names mean something.
  var isLikely: Bool { 2 * found.count { $0 != nil } >= found.count }

  /// The tensors' names; nothing if a parameter has none or one of another shape.
  var names: [String]? {
    let fitting = zip(found, parameters).compactMap { entry, parameter in
      entry.flatMap { $0.shape == parameter.shape ? $0.name : nil }
    }
    return fitting.count == parameters.count ? fitting : nil
  }

  /// Whether a binding found otherwise gives each parameter that has a tensor here the same.
  func agrees(with names: [String]) -> Bool {
    zip(found, names).allSatisfy { entry, name in
      entry.map { $0.name.utf8.elementsEqual(name.utf8) } ?? true
    }
  }

  /// What keeps the names from being those of this network; nothing if nothing does.
  var problem: String? {
    let place = prefix.isEmpty ? "" : ", behind ‘\(prefix)’,"
    let missing = zip(found, parameters).filter { $0.0 == nil }.map {
      "‘\($0.1.name)’ \($0.1.shape)"
    }
    let unfit = zip(found, parameters).compactMap { entry, parameter in
      entry.flatMap {
        $0.shape == parameter.shape
          ? nil : "‘\($0.name)’ is \($0.shape) where ‘\(parameter.name)’ needs \(parameter.shape)"
      }
    }
    let over = left.map { "‘\($0.name)’ \($0.shape)" }
    var reasons: [String] = []
    if !missing.isEmpty { reasons.append("no tensor has the name of " + missing.listed) }
    if !over.isEmpty { reasons.append("the network has no place for " + over.listed) }
    if !unfit.isEmpty { reasons.append(unfit.listed) }
    if reasons.isEmpty, let rival {
      return "the modules are called as the network's nodes in two parts of the file, behind "
        + "‘\(prefix)’ and behind ‘\(rival)’"
    }
    return reasons.isEmpty
      ? nil
      : "modules are called\(place) as nodes of the network are, but "
        + reasons.joined(separator: "; ")
  }
}

extension Network {
  /// Whether some node has a name of its own: then names say which module it is.
  var hasOwnNames: Bool {
    zip(nodes, defaultNames).contains { $0.name != $1 }
  }

  /// The last part of the names that other software gives a parameter. Keras's `kernel` only of transposed
  /// matrices: a square one would else be bound without a word.
  func foreignNames(of parameter: Parameter, areTransposed: Bool) -> [String] {
    nodes[parameter.layer].operation.foreignNames(of: parameter.role)
      + (areTransposed && parameter.role == .weight ? ["kernel"] : [])
  }
}

extension [String] {
  /// The first few, with commas, and how many more there are.
  fileprivate var listed: String {
    let more = count > 4 ? ["\(count - 3) more"] : []
    let shown = (more.isEmpty ? self : Array(prefix(3))) + more
    guard let last = shown.last, shown.count > 1 else { return joined() }
    return shown.dropLast().joined(separator: ", ") + " and " + last
  }
}
