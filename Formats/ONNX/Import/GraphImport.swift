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
  let graphs: [ONNXGraph]
  /// The file's path.
  let path: String

  /// The network so far.
  var draft: NetworkDraft
  /// What names stand for.
  var values: [String: GraphValue] = [:]
  /// How many nodes and outputs read a name.
  var consumers: [String: Int] = [:]
  /// The names that the graph puts out.
  /// The output that is read: the first.
  var outputName: String?
  var expressions: [Expression] = []
  /// Values that were computed in other sizes.
  var reshaped: [ReshapedValue: Int] = [:]
  /// Means that were computed.
  var means: [MeanValue: Activation] = [:]
  var problems: [ONNXError.UnsupportedNode] = []
  /// The elements of constants that were computed so far.
  var computed = 0
  /// The number of samples as the graph has it.
  let samples: Count
  /// The node that is read.
  var current = ONNXNode()

  /// What a person should know.
  var notes: [String] = []
  /// What the graph does with the network's output at last, which is left out here.
  var final: String?

  struct ReshapedValue: Hashable {
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

  /// Reads all nodes of a graph.
  mutating func read(_ graph: ONNXGraph) throws {
    for index in graph.initializers {
      values[data[index].name] = .constant(try constant(ofTensor: index))
    }
    let needed = graph.needed
    for node in graph.nodes where !needed.isDisjoint(with: node.outputs) { try read(node) }
  }

  mutating func read(_ node: ONNXNode) throws {
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
      note(Unsupported(error.sentence))
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

  mutating func note(_ error: Unsupported) {
    let node = error.node ?? (current.type, current.label)
    let problem = ONNXError.UnsupportedNode(
      type: node.type, name: node.name, reason: error.reason)
    if !problems.contains(problem) { problems.append(problem) }
  }

  mutating func result(of graph: ONNXGraph, input: String) throws -> Result {
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
        note(Unsupported(error.sentence))
      }
    }
    guard problems.isEmpty else { throw ONNXError.unsupported(file: path, problems) }
    guard last > 0 else {
      throw ONNXError.model(file: path, reason: "its output is its input; it has no layers")
    }
    let (network, recipes) = try draft.network(puttingOut: last)
    for (parameter, recipe) in zip(network.parameters, recipes) {
      guard let index = recipe.storedIndex, data[index].type.isInteger else { continue }
      throw ONNXError.tensor(
        file: path, tensor: data[index].name,
        reason: "it holds whole numbers (\(data[index].type.rawValue)), and is read as the "
          + "\(parameter.role.rawValue) of a layer; export the model in floating point")
    }
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
}
