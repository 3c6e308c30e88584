// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Makes a network of a graph, node by node.
///
/// Constants and shapes are computed. Functions of one number are kept as they are until something else
/// reads them, and become one operation if they are one. Axes in another order, and other shapes of the
/// same elements, are views until something needs the elements. What has no counterpart is collected.
struct GraphImport {
  /// The version of the operators.
  let version: Int
  /// The elements of tensors.
  let data: TensorData
  /// The graphs that nodes hold.
  private let graphs: [ONNXGraph]
  /// The file's path.
  private let path: String

  /// The network so far.
  var draft: NetworkDraft
  /// What names stand for.
  private var values: [String: GraphValue] = [:]
  /// How many nodes and outputs read a name.
  private var consumers: [String: Int] = [:]
  /// The names that the graph puts out.
  /// The output that is read: the first.
  private var outputName: String?
  private var expressions: [Expression] = []
  /// Values that were computed in other sizes.
  private var reshaped: [ReshapedValue: Int] = [:]
  /// Means that were computed.
  var means: [MeanValue: Activation] = [:]
  private var problems: [ONNXError.UnsupportedNode] = []
  /// The elements of constants that were computed so far.
  private var computed = 0
  /// The number of samples as the graph has it.
  let samples: Count
  /// The node that is read.
  private var current = ONNXNode()

  /// What a person should know.
  var notes: [String] = []
  /// What the graph does with the network's output at last, which is left out here.
  var final: String?

  private struct ReshapedValue: Hashable {
    var value: Int
    var sizes: [Int]
  }

  /// A mean that was asked for.
  struct MeanValue: Hashable {
    var value: Int
    var form: Activation.Form
    var axes: [Int]
    var keepsAxes: Bool
  }

  /// A network that was made.
  struct Result {
    var network: Network
    var recipes: [TensorRecipe]
    var notes: [String]
    /// What the graph does at last, such as `Softmax`.
    var final: String?
    var input: String
    var output: String
  }

  // MARK: From start to end

  /// The network of a model.
  /// - Parameter sizes: The sizes of a sample, if they are given.
  /// - Throws: ``ONNXError``, `NetworkError`, and what reading throws.
  static func network(
    of model: ONNXModel, data: TensorData, path: String, sizes: [Int], operations: OperationCatalog
  ) throws -> Result {
    guard let graph = model.graph else {
      throw ONNXError.model(file: path, reason: "it has no graph")
    }
    let version = model.operatorSet
    guard (7...24).contains(version) else {
      throw ONNXError.model(
        file: path,
        reason:
          "its operators are of version \(version), and 7 to 24 can be read; export it again with "
          + "opset_version=17")
    }
    let constants = Set(graph.initializers.map { model.tensors[$0].name })
    let inputs = graph.inputs.filter { !constants.contains($0.name) }
    guard let input = inputs.first, inputs.count == 1 else {
      throw ONNXError.model(
        file: path,
        reason: "its graph has \(inputs.count) inputs, and a network here has one: "
          + inputs.prefix(5).map { "‘\($0.name)’" }.joined(separator: ", "))
    }
    let (samples, shape) = try sampleShape(of: input, given: sizes, path: path)
    var work = try GraphImport(
      model: model, graph: graph, data: data, path: path, samples: samples, shape: shape,
      isTurned: isTurned(input, shape, graph), operations: operations, input: input.name)
    try work.read(graph)
    return try work.result(of: graph, input: input.name)
  }

  private init(
    model: ONNXModel, graph: ONNXGraph, data: TensorData, path: String, samples: Count,
    shape: Shape, isTurned: Bool, operations: OperationCatalog, input: String
  ) throws {
    version = model.operatorSet
    self.data = data
    self.path = path
    self.samples = samples
    graphs = model.graphs
    let form: Activation.Form = isTurned ? .turned([1, 2, 0]) : .plain
    draft = NetworkDraft(
      inputShape: isTurned ? [shape[2], shape[0], shape[1]] : shape, operations: operations)
    for name in ([graph] + graphs).flatMap({ $0.nodes.flatMap(\.inputs) + $0.outputs.map(\.name) })
    {
      consumers[name, default: 0] += 1
    }
    // What a graph in a node reads or puts out is read by that node as well.
    for name in graphs.flatMap({ $0.nodes.flatMap(\.inputs) + $0.outputs.map(\.name) }) {
      consumers[name, default: 0] += 1
    }
    outputName = graph.outputs.first?.name
    if isTurned {
      notes.append("the samples are [height, width, channels] there, and channels first here")
    }
    values[input] = .activation(
      Activation(
        expression: base(0), form: form, sizes: shape.dimensions, isExclusive: false))
  }

  /// The number of samples and the shape of one.
  private static func sampleShape(
    of input: ONNXValueInfo, given: [Int], path: String
  ) throws -> (samples: Count, shape: Shape) {
    func fault(_ reason: String) -> ONNXError {
      .model(file: path, reason: "its input ‘\(input.name)’ \(reason)")
    }
    guard [0, 1, 10, 11, 16].contains(input.elementType) else {
      throw fault(
        "has elements of type \(ElementType.onnxName(of: input.elementType)), and a network here reads "
          + "floating-point numbers")
    }
    let sizes = input.sizes ?? []
    let known = sizes.dropFirst().compactMap { size in
      if case .known(let size) = size, size > 0 { size } else { nil }
    }
    if !given.isEmpty {
      guard input.sizes == nil || sizes.count == given.count + 1,
        zip(sizes.dropFirst(), given).allSatisfy({ size, given in
          if case .known(let size) = size, size > 0 { size == given } else { true }
        })
      else {
        throw fault("is not of the sizes \(given.operationWord) that are given for it")
      }
    }
    let own = given.isEmpty ? known : given
    guard !own.isEmpty, given.isEmpty ? own.count == sizes.count - 1 : true else {
      throw fault(
        input.sizes.map { $0.count < 2 } == true
          ? "has no axis of samples; export the model with a batch in front"
          : "has axes without a size; say those of a sample, as with --input-format "
            + "onnx:input=3x224x224, or export it with fixed ones")
    }
    guard let shape = try? Shape(checking: own), shape.count > 0 else {
      throw fault("has sizes \(own) that are too large")
    }
    // What is no number stands for any, and so does 0 in some files.
    if case .known(let count)? = sizes.first, count > 0 { return (Count(count), shape) }
    return (Count(1, isBatch: true), shape)
  }

  /// Whether samples have their channels last: all that read them turn them at once.
  private static func isTurned(
    _ input: ONNXValueInfo, _ shape: Shape, _ graph: ONNXGraph
  ) -> Bool {
    let readers = graph.nodes.filter { $0.inputs.contains(input.name) }
    return shape.rank == 3 && !readers.isEmpty
      && readers.allSatisfy {
        $0.type == "Transpose" && $0.attributes["perm"]?.integers == [0, 3, 1, 2]
      }
  }

  /// Reads all nodes of a graph.
  mutating func read(_ graph: ONNXGraph) throws {
    for index in graph.initializers {
      values[data[index].name] = .constant(try constant(ofTensor: index))
    }
    let needed = graph.needed
    for node in graph.nodes where !needed.isDisjoint(with: node.outputs) { try read(node) }
  }

  private mutating func read(_ node: ONNXNode) throws {
    var inputs: [GraphValue?] = []
    for name in node.inputs {
      guard !name.isEmpty else {
        inputs.append(nil)
        continue
      }
      guard let value = values[name] else {
        throw ONNXError.model(
          file: path,
          reason:
            "the node ‘\(node.label)’ (\(node.type)) reads ‘\(name)’, which no node before it "
            + "computes")
      }
      inputs.append(value)
    }
    if let name = node.outputs.first(where: { !$0.isEmpty && values[$0] != nil }) {
      throw ONNXError.model(
        file: path,
        reason: "the node ‘\(node.label)’ (\(node.type)) computes ‘\(name)’, which is there already"
      )
    }
    var outputs: [GraphValue] = []
    current = node
    do {
      guard node.domain.isEmpty else {
        throw Unsupported("it is an operator of the domain \(node.domain)")
      }
      guard let rule = GraphImport.rules[node.type] else {
        throw Unsupported("there is no such operation")
      }
      let isKnown = inputs.allSatisfy { if case .unknown? = $0 { false } else { true } }
      if isKnown {
        let call = NodeCall(node: node, inputs: inputs, version: version)
        outputs = try foldedOutputs(of: call) ?? rule(&self, call)
        let extra = node.outputs.dropFirst(outputs.count).filter {
          consumers[$0, default: 0] > 0 && !$0.isEmpty
        }
        if let name = extra.first {
          throw Unsupported("its output ‘\(name)’ is read, and only the first is computed")
        }
      }
    } catch let error as Unsupported {
      note(error)
      outputs = []
    } catch let error as OperationProblem {
      note(Unsupported("an operation here \(error.sentence)"))
      outputs = []
    }
    for (place, name) in node.outputs.enumerated() where !name.isEmpty {
      guard place < outputs.count else {
        values[name] = .unknown
        continue
      }
      if case .activation(var activation) = outputs[place] {
        activation.isExclusive = activation.isExclusive && consumers[name, default: 0] == 1
        values[name] = .activation(activation)
      } else {
        values[name] = outputs[place]
      }
    }
  }

  private mutating func note(_ error: Unsupported) {
    let node = error.node ?? (current.type, current.label)
    let problem = ONNXError.UnsupportedNode(
      type: node.type, name: node.name, reason: error.reason)
    if !problems.contains(problem) { problems.append(problem) }
  }

  private mutating func result(of graph: ONNXGraph, input: String) throws -> Result {
    guard let output = graph.outputs.first else {
      throw ONNXError.model(file: path, reason: "its graph has no output")
    }
    guard let value = values[output.name] else {
      throw ONNXError.model(
        file: path, reason: "no node computes the graph's output ‘\(output.name)’")
    }
    if graph.outputs.count > 1 {
      notes.append(
        "of its \(graph.outputs.count) outputs only the first, ‘\(output.name)’, is read")
    }
    var last = 0
    if problems.isEmpty {
      current = ONNXNode(type: "the output", name: output.name)
      do {
        let activation = try activation(value)
        last = try plain(activation)
        let shape = draft.shapes[last]
        if shape.rank > 1 {
          notes.append("its output is \(shape) for each sample, and flat here")
          last = try reshape(last, to: [shape.count])
        }
      } catch let error as Unsupported {
        note(error)
      } catch let error as OperationProblem {
        note(Unsupported("an operation here \(error.sentence)"))
      }
    }
    guard problems.isEmpty else { throw ONNXError.unsupported(file: path, problems) }
    guard last > 0 else {
      throw ONNXError.model(file: path, reason: "its output is its input; it has no layers")
    }
    let (network, recipes) = try draft.network(puttingOut: last)
    return Result(
      network: network, recipes: recipes, notes: notes, final: final, input: input,
      output: output.name)
  }

  // MARK: What nodes need

  /// The nodes of a graph that a node holds, as if they stood in its place.
  mutating func inline(_ index: Int) throws -> [GraphValue] {
    let (graph, outer) = (graphs[index], current)
    try read(graph)
    current = outer
    return try graph.outputs.map { output in
      guard let value = values[output.name] else {
        throw Unsupported("no node computes ‘\(output.name)’")
      }
      return value
    }
  }

  /// Whether the node that is read computes the network's output, and nothing else reads it.
  var isLast: Bool {
    guard let name = current.outputs.first else { return false }
    return name == outputName && consumers[name] == 1
  }

  /// A tensor of the file as a constant: few whole numbers are read at once.
  func constant(ofTensor index: Int) throws -> Constant {
    let tensor = data[index]
    let isWhole = tensor.type.isInteger && tensor.type != .uint64 || tensor.type == .bool
    guard isWhole, tensor.shape.count <= ONNXLimits.smallCount else {
      return Constant(TensorRecipe(stored: index, tensor.shape))
    }
    return Constant(try data.tensor(index).integers.map { Count(Int($0)) }, tensor.shape)
  }

  /// A recipe whose numbers are computed now, if they are few.
  /// - Throws: ``Unsupported`` if it takes too many steps.
  mutating func settled(_ recipe: TensorRecipe) throws -> TensorRecipe {
    guard recipe.depth <= ONNXLimits.recipeDepth, recipe.cost <= ONNXLimits.recipeCost else {
      throw Unsupported("it computes too much from constants; fold them when the model is exported")
    }
    guard recipe.shape.count <= ONNXLimits.smallCount, recipe.storedIndex == nil,
      recipe.filledValue == nil, recipe.depth > 1, recipe.cost <= 0x1p20
    else { return recipe }
    try charge(recipe.shape.count)
    return TensorRecipe(try recipe.elements(from: data), recipe.shape)
  }

  /// Counts elements that are computed and kept.
  /// - Throws: ``Unsupported`` if they are too many.
  mutating func charge(_ count: Int) throws {
    computed += count
    guard computed <= ONNXLimits.smallTotal else {
      throw Unsupported("it computes too much from constants; fold them when the model is exported")
    }
  }

  /// The one number of a constant; nothing if it has several.
  func scalar(_ recipe: TensorRecipe) throws -> Double? {
    guard recipe.shape.count == 1 else { return nil }
    return try recipe.elements(from: data).first.map(Double.init)
  }

  // MARK: Expressions

  /// The expression that is a value of the network.
  mutating func base(_ value: Int) -> Int {
    expressions.append(
      Expression(
        base: value, function: .identity, tree: .base, depth: 0,
        node: (current.type, current.label),
        value: value))
    return expressions.count - 1
  }

  /// What an expression is.
  func expression(_ index: Int) -> Expression { expressions[index] }

  /// A new expression of those that exist.
  mutating func add(_ function: ScalarFunction, _ tree: Expression.Tree, of parts: [Int]) -> Int {
    let depth = 1 + (parts.map { expressions[$0].depth }.max() ?? 0)
    expressions.append(
      Expression(
        base: expressions[parts[0]].base, function: function, tree: tree, depth: depth,
        node: (current.type, current.label), value: nil))
    return expressions.count - 1
  }

  /// The value of the network that an expression is; operations are added if there is none yet.
  /// - Throws: ``Unsupported`` and `OperationProblem`.
  mutating func value(of index: Int) throws -> Int {
    let expression = expressions[index]
    if let value = expression.value { return value }
    let value = try made(expression)
    expressions[index].value = value
    return value
  }

  private mutating func made(_ expression: Expression) throws -> Int {
    switch expression.function.meaning {
    case .identity?: return expression.base
    case .operation(let words)?: return try draft.add(words, reading: [expression.base])
    case .factor(let factor)?: return try scale(expression.base, by: factor)
    case .line(let factor, let summand)?:
      return try shift(expression.base, by: summand, factor: factor)
    case nil: break
    }
    switch expression.tree {
    case .base: return expression.base
    case .unary(let part, let words):
      guard let words else {
        throw Unsupported("there is no such operation", node: expression.node)
      }
      return try draft.add(words, reading: [try value(of: part)])
    case .factor(let part, let factor): return try scale(try value(of: part), by: factor)
    case .summand(let part, let summand):
      return try shift(try value(of: part), by: summand, factor: 1)
    case .combined(let a, let b, let combination):
      let (x, y) = (try value(of: a), try value(of: b))
      switch combination {
      case .sum: return try draft.add(["add"], reading: [x, y])
      case .difference: return try draft.add(["add"], reading: [x, try scale(y, by: -1)])
      case .product: return try draft.add(["multiply"], reading: [x, y])
      case .quotient:
        throw Unsupported("no operation divides two values", node: expression.node)
      }
    }
  }

  /// A value times a number.
  private mutating func scale(_ value: Int, by factor: Double) throws -> Int {
    try draft.add(
      ["scalar"], reading: [value], parameters: ["factor": TensorRecipe([Float(factor)], [1])])
  }

  private mutating func shift(_ value: Int, by summand: Double, factor: Double) throws -> Int {
    let channels: Shape = [draft.shapes[value].rows]
    return try draft.add(
      ["affine"], reading: [value],
      parameters: [
        "scale": TensorRecipe(filled: Float(factor), channels),
        "shift": TensorRecipe(filled: Float(summand), channels),
      ])
  }

  // MARK: Views

  /// An input that differs from sample to sample.
  mutating func activation(_ value: GraphValue) throws -> Activation {
    switch value {
    case .activation(let activation): return activation
    case .moment(let moment): return try mean(moment)
    case .constant:
      throw Unsupported("it reads a constant where a value of each sample is needed")
    case .unknown: throw Unsupported("it reads what is not known")
    }
  }

  /// The value of the network with the axes that the graph has.
  mutating func plain(_ activation: Activation) throws -> Int {
    let value = try value(of: activation.expression)
    switch activation.form {
    case .plain: return value
    case .reshaped: return try reshape(value, to: activation.sizes)
    case .turned:
      throw Unsupported(
        "it reads values whose axes a Transpose has put in another order, which can't be undone here"
      )
    }
  }

  /// The same elements in another shape.
  mutating func reshape(_ value: Int, to sizes: [Int]) throws -> Int {
    let shape = draft.shapes[value]
    guard shape.dimensions != sizes else { return value }
    let key = ReshapedValue(value: value, sizes: sizes)
    if let known = reshaped[key] { return known }
    let result: Int
    if sizes.count == 1 {
      // The mean of each channel as a vector has a name of its own.
      if value > 0, draft.lines[value - 1].words == ["adaptive-avgpool"] {
        result = try draft.add(["global-avgpool"], reading: draft.lines[value - 1].inputs)
      } else {
        result = try draft.add(["flatten"], reading: [value])
      }
    } else {
      guard !sizes.isEmpty else { throw Unsupported("it makes one number of a sample") }
      result = try draft.add(
        ["reshape", sizes.map(String.init).joined(separator: "x")], reading: [value])
    }
    reshaped[key] = result
    return result
  }

  /// What a new operation computes, as the graph sees it.
  mutating func output(_ value: Int, form: Activation.Form = .plain, sizes: [Int]? = nil)
    -> GraphValue
  {
    .activation(
      Activation(
        expression: base(value), form: form, sizes: sizes ?? draft.shapes[value].dimensions))
  }

  /// The first axis that the graph's value has for the network's axis.
  func axis(_ axis: Int, in form: Activation.Form) -> Int {
    if case .turned(let order) = form { order.firstIndex(of: axis) ?? axis } else { axis }
  }
}

extension ONNXGraph {
  /// The names that its first output depends on, itself among them: what other outputs alone need is not
  /// read. All of them in a graph with branches, whose nodes may read any.
  fileprivate var needed: Set<String> {
    let computed = nodes.flatMap(\.outputs).filter { !$0.isEmpty }
    guard let output = outputs.first, !nodes.contains(where: { $0.type == "If" }) else {
      return Set(computed)
    }
    var producers: [String: ONNXNode] = [:]
    for node in nodes {
      for name in node.outputs { producers[name] = node }
    }
    var needed: Set<String> = []
    var open = [output.name]
    while let name = open.popLast() {
      guard needed.insert(name).inserted, let node = producers[name] else { continue }
      open += node.inputs.filter { !$0.isEmpty && !needed.contains($0) }
    }
    return needed
  }
}
