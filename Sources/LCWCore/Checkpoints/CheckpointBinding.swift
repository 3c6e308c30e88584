// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Which tensor of a foreign checkpoint is which parameter of a network.
public struct CheckpointBinding: Sendable, Hashable {
  /// How the tensors were told apart.
  public enum Rule: String, Sendable {
    /// The names are the parameters' own, or the modules are called as the nodes are.
    case name = "by name"
    /// The modules or tensors, in the order of their numbers, are the layers or parameters.
    case order = "by order and shape"
    /// Each parameter's shape is that of one tensor only.
    case shape = "by shape"
  }

  /// How the tensors were told apart.
  public let rule: Rule
  /// The tensor's name for each parameter, in the order of the parameters.
  public let names: [String]
  /// Whose names they are, where a ``NameTable`` told that they are another program's.
  public let program: String?

  /// A binding from its parts.
  init(rule: Rule, names: [String], program: String?) {
    (self.rule, self.names, self.program) = (rule, names, program)
  }

  /// Finds the tensors of a network's parameters among those of a checkpoint.
  ///
  /// Tried in turn: equal names; modules that are called as the nodes are, all behind one prefix such as
  /// `module.`, with tensors called by ``NetworkOperation/foreignNames(of:)``; modules in natural order (`fc.0`, `fc.2`, `fc.10`), then in the
  /// order of the file, of which the k-th must fit the k-th layer with parameters; the natural order
  /// within parts such as `features` and `classifier`, which may then stand in any order, if only one
  /// fits; unique shapes; the numbers at the end of names without dots, which are those of layers
  /// (`W1`, `b1`, `W2`, …) or of all parameters (`arr_0`, `arr_1`, …).
  ///
  /// Where two layers could change places, for their shapes are alike, an order counts only if it
  /// means something: the modules' names differ in numbers alone, or it is that of a file which is not
  /// sorted by name. Safetensors are sorted, so that `hidden` would come before `input` in these.
  ///
  /// Where nodes have names of their own, such as `layer1.0.conv1`, names are claims: a tensor beside those
  /// of the parameters is then an error that names it, and no order counts that contradicts a name.
  ///
  /// Tensors with integers, such as counters of batches, those of types that are only passed through,
  /// single numbers and an optimiser's moments are left out; one of these types that has a
  /// parameter's name and shape, or with which all would fit, is an error that names it.
  ///
  /// - Parameters:
  ///   - entries: The checkpoint's tensors.
  ///   - network: The network.
  ///   - areTransposed: Whether the tensors are those of a ``TransposedCheckpoint``, so that a weight
  ///     may also be called `kernel`, as where weights are `[inputs, outputs]`.
  ///   - table: What other programs call the nodes, tried where the names are not the network's own.
  /// - Throws: ``CheckpointError/binding(reason:parameters:tensors:)`` with both lists, if none of
  ///   these fits or two orders fit in different ways.
  public init(
    of entries: [TensorEntry], to network: Network, areTransposed: Bool = false,
    table: NameTable = NameTable()
  ) throws(CheckpointError) {
    let own = Result { () throws(CheckpointError) in
      try CheckpointBinding(asNamed: entries, to: network, areTransposed: areTransposed)
    }
    if case .success(let binding) = own, binding.rule == .name {
      self = binding
    } else if let binding = table.binding(of: entries, to: network, areTransposed: areTransposed) {
      self = binding
    } else {
      self = try own.get()
    }
  }

  /// Finds the tensors under the names that they have.
  init(
    asNamed entries: [TensorEntry], to network: Network, areTransposed: Bool
  ) throws(CheckpointError) {
    do {
      try self.init(floating: entries, to: network, areTransposed: areTransposed)
    } catch {
      // What would fit but for its type is what is wrong.
      let shapes = Set(network.parameters.map(\.shape))
      let asWeights = entries.filter {
        $0.elementType.isFloatingPoint || shapes.contains($0.shape)
      }
      if asWeights.contains(where: { !$0.elementType.isFloatingPoint }),
        let binding = try? CheckpointBinding(
          floating: asWeights.map(\.asFloats), to: network, areTransposed: areTransposed)
      {
        let used = Set(binding.names.map { Array($0.utf8) })
        if let wrong = asWeights.first(where: {
          !$0.elementType.isFloatingPoint && used.contains(Array($0.name.utf8))
        }) {
          throw CheckpointBinding.failure(wrong.isNoWeight, entries, network)
        }
      }
      throw error
    }
  }

  private init(
    floating entries: [TensorEntry], to network: Network, areTransposed: Bool
  ) throws(CheckpointError) {
    program = nil
    let parameters = network.parameters
    let named = Dictionary(entries.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    let byName = parameters.map { parameter in
      named[Array(parameter.name.utf8)].flatMap { $0.shape == parameter.shape ? $0 : nil }
    }
    if let counts = byName.compactMap({ $0 }).first(where: { !$0.elementType.isFloatingPoint }) {
      throw CheckpointBinding.failure(counts.isNoWeight, entries, network)
    }
    let isByName = !parameters.isEmpty && byName.allSatisfy { $0 != nil }
    if isByName, !network.hasOwnNames {
      (rule, names) = (.name, byName.compactMap { $0?.name })
      return
    }
    // A single number, such as an accuracy that a program kept beside the weights, is no parameter.
    let hasScalars = parameters.contains { $0.shape.rank == 0 }
    let candidates = entries.filter {
      $0.elementType.isFloatingPoint && !$0.isOptimiserState && (hasScalars || $0.shape.rank > 0)
    }
    let modules = ModuleNames(candidates, of: network, areTransposed: areTransposed)
    if let modules, let named = modules.names {
      if let problem = modules.problem {
        throw CheckpointBinding.failure(problem, entries, network)
      }
      (rule, names) = (.name, named)
      return
    }
    // Names that are given are claims, and what contradicts them is no other way to read the file.
    let claims = network.hasOwnNames ? modules : nil
    if let claims, claims.isComplete, let problem = claims.problem {
      throw CheckpointBinding.failure(problem, entries, network)
    }
    do {
      (rule, names) = try CheckpointBinding.byOrderOrShape(
        candidates, of: entries, to: network, areTransposed: areTransposed)
    } catch {
      guard let modules, modules.isLikely, let problem = modules.problem else { throw error }
      throw CheckpointBinding.failure(problem, entries, network)
    }
    if let claims, !claims.agrees(with: names), let problem = claims.problem {
      throw CheckpointBinding.failure(problem, entries, network)
    }
  }

  /// The tensors of the parameters by the order of modules, by unique shapes or by numbers.
  private static func byOrderOrShape(
    _ candidates: [TensorEntry], of entries: [TensorEntry], to network: Network, areTransposed: Bool
  ) throws(CheckpointError) -> (Rule, [String]) {
    func bind(_ candidates: [TensorEntry]) -> [String]? {
      CheckpointBinding.bind(candidates, to: network, areTransposed: areTransposed)
    }
    let inFile = bind(candidates)
    var orders = [bind(candidates.naturallySorted()), inFile].compactMap(\.self)
    if orders.isEmpty {
      orders = candidates.naturallySorted().ordersOfParts.compactMap(bind)
    }
    if let first = orders.first {
      let pair = CheckpointBinding.exchangeable(first, in: network)
      let isSorted = candidates.areSortedByName
      if pair != nil, let inFile, !isSorted {
        return (.order, inFile)
      }
      guard orders.allSatisfy({ $0.elementsEqual(first) { $0.utf8.elementsEqual($1.utf8) } }) else {
        throw CheckpointBinding.failure(
          "several orders of the tensors fit, by their names, by the file, or of their parts",
          entries, network)
      }
      if let pair {
        throw CheckpointBinding.failure(
          "‘\(pair.0)’ and ‘\(pair.1)’ have the same shapes, and neither their names nor the file"
            + (isSorted ? ", which is sorted by them," : "") + " tell which comes first", entries,
          network)
      }
      return (.order, first)
    }
    let byShape = network.parameters.map { parameter in
      candidates.filter { $0.shape == parameter.shape }
    }
    let isUnique =
      byShape.allSatisfy { $0.count == 1 } && candidates.count == network.parameters.count
    guard isUnique, Set(byShape.map { Array($0[0].name.utf8) }).count == network.parameters.count
    else {
      if let numbered = CheckpointBinding.namesByNumbers(
        candidates, to: network, areTransposed: areTransposed)
      {
        return (.order, numbered)
      }
      throw CheckpointBinding.failure(
        CheckpointBinding.reason(candidates, of: entries, network), entries, network)
    }
    return (.shape, byShape.map { $0[0].name })
  }

  /// The weights that a source holds under this binding.
  /// - Throws: What reading throws, or ``NetworkError``.
  public func weights(of network: Network, from source: any CheckpointSource) throws -> Weights {
    try Weights(
      network: network, tensors: try names.map { try source.floats(named: $0) })
  }

  /// Two modules that were told apart by the file's order alone: their layers have parameters of the
  /// same shapes, and their names no numbers that tell an order. None if names told all.
  public func modulesToldByTheFile(of network: Network) -> (first: String, second: String)? {
    guard rule == .order, let pair = Self.exchangeable(names, in: network) else { return nil }
    return (String(pair.0), String(pair.1))
  }

  /// The layers, by name, whose parameters have the same shapes as those of others and were told apart by
  /// their order alone; none if names told all. A network that skips or joins layers can have tensors of
  /// the same shapes, so these deserve a look.
  public func layersToldByOrder(of network: Network) -> [[String]] {
    guard rule != .name else { return [] }
    var groups: [(shapes: [Parameter.Role: Shape], layers: [String])] = []
    for layer in network.layers.indices {
      let parameters = network.parameterIndices(ofLayer: layer).map { network.parameters[$0] }
      guard let name = parameters.first?.layerName else { continue }
      let shapes = Dictionary(parameters.map { ($0.role, $0.shape) }) { first, _ in first }
      if let index = groups.firstIndex(where: { $0.shapes == shapes }) {
        groups[index].layers.append(name)
      } else {
        groups.append((shapes, [name]))
      }
    }
    return groups.map(\.layers).filter { $0.count > 1 }
  }

  /// The tensors of each module against the parameters of each layer, in order.
  private static func bind(
    _ entries: [TensorEntry], to network: Network, areTransposed: Bool
  ) -> [String]? {
    var modules: [[TensorEntry]] = []
    var indices: [[UInt8]: Int] = [:]
    for entry in entries {
      let module = Array(entry.moduleName.utf8)
      if let index = indices[module] {
        modules[index].append(entry)
      } else {
        indices[module] = modules.count
        modules.append([entry])
      }
    }
    let layers = network.layers.indices.filter { !network.parameterIndices(ofLayer: $0).isEmpty }
    guard modules.count == layers.count else { return nil }
    var names: [String] = []
    for (module, layer) in zip(modules, layers) {
      let indices = network.parameterIndices(ofLayer: layer)
      guard module.count == indices.count else { return nil }
      for index in indices {
        let parameter = network.parameters[index]
        let leafNames = network.foreignNames(of: parameter, areTransposed: areTransposed)
        let fits = module.filter {
          leafNames.contains(String($0.leafName)) && $0.shape == parameter.shape
        }
        guard fits.count == 1 else { return nil }
        names.append(fits[0].name)
      }
    }
    return names
  }

  /// Two modules that could change places, for their layers have parameters of the same shapes and
  /// their names no numbers that tell an order; none if there are no such.
  private static func exchangeable(
    _ names: [String], in network: Network
  ) -> (Substring, Substring)? {
    var layers: [(module: Substring, parameters: [Parameter.Role: Shape])] = []
    for layer in network.layers.indices {
      let indices = network.parameterIndices(ofLayer: layer)
      guard let first = indices.first else { continue }
      let shapes = indices.map { (network.parameters[$0].role, network.parameters[$0].shape) }
      // A name such as W1 is itself what tells the layer.
      let module = names[first].contains(".") ? names[first].moduleName : names[first][...]
      layers.append(
        (module, Dictionary(shapes) { first, _ in first }))
    }
    for (index, layer) in layers.enumerated() {
      for other in layers[..<index]
      where other.parameters == layer.parameters
        && !NaturalKey(other.module).differsInNumbers(from: NaturalKey(layer.module))
      {
        return (other.module, layer.module)
      }
    }
    return nil
  }
}

extension String {
  /// What stands before the name's last dot.
  fileprivate var moduleName: Substring { lastIndex(of: ".").map { self[..<$0] } ?? "" }
}

extension TensorEntry {
  /// Why its elements can't be weights.
  fileprivate var isNoWeight: String {
    elementType.isInteger || elementType == .bool
      ? "‘\(name)’ holds integers (\(elementType.rawValue)), which are no weights"
      : "‘\(name)’ has elements of type \(elementType.rawValue), which are kept as they are and not "
        + "computed with; \(elementType.adviceForWeights)"
  }

  /// The description with a type that weights have.
  fileprivate var asFloats: TensorEntry {
    TensorEntry(name: name, elementType: .float32, shape: shape, storedBytes: storedBytes)
  }

  /// What stands before the name's last dot.
  fileprivate var moduleName: Substring { name.moduleName }

  /// Whether it is what PyTorch's optimisers keep of a parameter: `state.0.exp_avg` and the like.
  var isOptimiserState: Bool {
    let parts = name.split(separator: ".")
    guard parts.count >= 3, let leaf = parts.last else { return false }
    return parts[parts.count - 3] == "state" && parts[parts.count - 2].allSatisfy(\.isNumber)
      && !["weight", "bias"].contains(leaf)
  }

  /// The bytes of what stands before the name's first dot.
  var firstPart: [UInt8] {
    Array(name.utf8.prefix { $0 != UInt8(ascii: ".") })
  }

  /// What stands behind the name's last dot.
  fileprivate var leafName: Substring {
    name.lastIndex(of: ".").map { name[name.index(after: $0)...] } ?? name[...]
  }
}
