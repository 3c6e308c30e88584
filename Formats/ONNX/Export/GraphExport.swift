// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Makes nodes of ONNX of a network's operations, by their words.
struct GraphExport {
  /// What a node is told beside its inputs.
  enum Attribute {
    case integer(Int)
    case integers([Int])
    case float(Float)
    case text(String)
  }

  /// A node of the graph.
  struct Node {
    var type: String
    var inputs: [String]
    var output: String
    var attributes: [(name: String, Attribute)] = []
  }

  /// A constant that belongs to no parameter.
  struct Constant {
    var name: String
    var shape: [Int]
    var content: Content

    enum Content {
      case floats([Float])
      case integers([Int])
    }
  }

  private(set) var nodes: [Node] = []
  private(set) var constants: [Constant] = []
  /// The shapes that parameters have in the graph, by index; their own where there is none.
  private(set) var shapes: [Int: [Int]] = [:]
  /// The operations that have no counterpart.
  private(set) var problems: [String] = []

  private let network: Network
  /// The names of parameters in the graph.
  private let parameterNames: [String]
  private var valueNames: [String]
  private var taken: Set<String>
  /// The node of the network that is written.
  private var index = 0

  /// The nodes of a network.
  init(_ network: Network, input: String, parameterNames: [String]) {
    self.network = network
    self.parameterNames = parameterNames
    taken = Set(parameterNames + [input])
    valueNames = [input]
    for node in network.nodes.indices {
      index = node
      do throws(OperationProblem) {
        valueNames.append(try write(network.nodes[node]))
      } catch {
        problems.append("\(network.describe(node: node)) \(error.sentence)")
        valueNames.append("")
      }
    }
  }

  /// The name of what the network puts out.
  var output: String { valueNames[network.nodes.count] }

  /// Adds a last node behind the network.
  mutating func finish(with type: String) {
    valueNames[network.nodes.count] = add(type, [output], [("axis", .integer(1))])
  }

  // MARK: Parts

  private mutating func name(_ wanted: String) -> String {
    var name = wanted
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(wanted)_\(number)"
    }
    return name
  }

  private mutating func add(
    _ type: String, _ inputs: [String], _ attributes: [(name: String, Attribute)] = []
  ) -> String {
    let output = name("\(network.nodes[index].name)/\(type)")
    nodes.append(Node(type: type, inputs: inputs, output: output, attributes: attributes))
    return output
  }

  private mutating func constant(_ what: String, _ shape: [Int], _ content: Constant.Content)
    -> String
  {
    let name = name("\(network.nodes[index].name)/\(what)")
    constants.append(Constant(name: name, shape: shape, content: content))
    return name
  }

  private mutating func number(_ what: String, _ value: Double) -> String {
    constant(what, [], .floats([Float(value)]))
  }

  private mutating func list(_ what: String, _ values: [Int]) -> String {
    constant(what, [values.count], .integers(values))
  }

  /// The name of the node's parameter of a role, with one number for each channel of images where that is asked.
  private mutating func parameter(_ role: String, spreadOver rank: Int = 0) -> String? {
    guard
      let place = network.parameterIndices(ofLayer: index).first(where: {
        network.parameters[$0].role.rawValue == role
      })
    else { return nil }
    if rank > 1 {
      shapes[place] = [network.parameters[place].shape.count] + Array(repeating: 1, count: rank - 1)
    }
    return parameterNames[place]
  }

  // MARK: Operations

  /// Writes a node.
  /// - Returns: The name of what it computes.
  private mutating func write(_ node: Network.Node) throws(OperationProblem) -> String {
    let inputs = node.inputs.map { valueNames[$0.index] }
    let shape = network.inputShapes(of: index)[0]
    var words = OperationWords(node.operation.words)
    let x = inputs[0]
    switch type(of: node.operation).name {
    case "conv": return try convolution(&words, x)
    case "dense":
      return add(
        "Gemm", [x] + ["weight", "bias"].compactMap { parameter($0) }, [("transB", .integer(1))])
    case "batchnorm":
      let (epsilon, momentum) = try numbers(
        &words, ["epsilon": 1e-5, "momentum": 0.1], "epsilon", "momentum")
      return add(
        "BatchNormalization",
        [x] + ["scale", "shift", "mean", "variance"].compactMap { parameter($0) },
        [("epsilon", .float(Float(epsilon))), ("momentum", .float(Float(1 - momentum)))])
    case "relu": return add("Relu", [x])
    case "sigmoid": return add("Sigmoid", [x])
    case "tanh": return add("Tanh", [x])
    case "silu": return add("Mul", [x, add("Sigmoid", [x])])
    case "gelu": return gelu(x, byTangent: words.take("tanh"))
    case "hard-sigmoid": return hardSigmoid(x)
    case "hard-swish": return add("HardSwish", [x])
    case "elu": return add("Elu", [x], [("alpha", .float(Float(words.numberIfPresent() ?? 1)))])
    case "leaky-relu":
      return add("LeakyRelu", [x], [("alpha", .float(Float(try words.number("a slope"))))])
    case "clip":
      let (lower, upper) = (try words.number("a bound"), try words.number("a bound"))
      return add("Clip", [x, number("lower", lower), number("upper", upper)])
    case "softmax": return add("Softmax", [x], [("axis", .integer(1))])
    case "dropout": return add("Dropout", [x, number("ratio", try words.number("a rate"))])
    case "identity": return add("Identity", [x])
    case "maxpool", "avgpool": return try pooling(&words, x, type(of: node.operation).name)
    case "global-avgpool":
      guard shape.rank == 3 else { throw OperationProblem("is over \(shape), not an image") }
      return add("Flatten", [add("GlobalAveragePool", [x])], [("axis", .integer(1))])
    case "adaptive-avgpool": return try adaptive(&words, x, shape)
    case "add": return inputs.count == 2 ? add("Add", inputs) : add("Sum", inputs)
    case "multiply": return multiply(inputs)
    case "concat": return add("Concat", inputs, [("axis", .integer(1))])
    case "affine":
      let product = add("Mul", [x, parameter("scale", spreadOver: shape.rank) ?? ""])
      return add("Add", [product, parameter("shift", spreadOver: shape.rank) ?? ""])
    case "scalar": return add("Mul", [x, parameter("factor") ?? ""])
    case "layernorm": return try layerNorm(&words, x, shape)
    case "groupnorm": return try groupNorm(&words, x, shape)
    case "instancenorm":
      let epsilon = try numbers(&words, ["epsilon": 1e-5], "epsilon", "epsilon").0
      return add(
        "InstanceNormalization", [x] + ["scale", "shift"].compactMap { parameter($0) },
        [("epsilon", .float(Float(epsilon)))])
    case "shuffle": return try shuffle(&words, x, shape)
    case "lrn": return try localResponse(&words, x)
    case "pad": return try pad(&words, x, shape)
    case "flatten", "reshape":
      let target = network.shapes[index + 1].dimensions
      return target.count == 1
        ? add("Flatten", [x], [("axis", .integer(1))])
        : add("Reshape", [x, list("shape", [0] + target)])
    default: throw OperationProblem("has no counterpart in ONNX that is known here")
    }
  }

  /// Two numbers behind their words.
  private func numbers(
    _ words: inout OperationWords, _ usual: [String: Double], _ first: String, _ second: String
  ) throws(OperationProblem) -> (Double, Double) {
    var found = usual
    try words.clauses(Set(usual.keys)) { (key, words) throws(OperationProblem) in
      found[key] = try words.number("a number after \(key)")
    }
    return (found[first] ?? 0, found[second] ?? 0)
  }

  /// Strides, paddings, dilations and flags behind their words.
  private struct Windows {
    var strides: [Int]?
    var padding = [0, 0, 0, 0]
    var dilations = [1, 1]
    var groups = 1
    var flags: Set<String> = []

    init(_ words: inout OperationWords) throws(OperationProblem) {
      var found = Windows()
      try words.clauses([
        "stride", "pad", "dilation", "groups", "ceil", "exclude-pad", "no-bias",
      ]) { (key, words) throws(OperationProblem) in
        switch key {
        case "stride": found.strides = try words.integers(2, "strides")
        case "pad": found.padding = try words.integers(4, "a padding", atLeast: 0)
        case "dilation": found.dilations = try words.integers(2, "dilations")
        case "groups": found.groups = try words.integer("groups")
        default: found.flags.insert(key)
        }
      }
      self = found
    }

    private init() {}

    func attributes(_ kernel: [Int], usualStrides: [Int]) -> [(name: String, Attribute)] {
      [
        ("kernel_shape", .integers(kernel)), ("strides", .integers(strides ?? usualStrides)),
        ("pads", .integers(padding)),
      ]
    }
  }

  private mutating func convolution(
    _ words: inout OperationWords, _ x: String
  ) throws(OperationProblem) -> String {
    _ = try words.integer("filters")
    let kernel = try words.integers(2, "a kernel")
    let windows = try Windows(&words)
    return add(
      "Conv", [x] + ["weight", "bias"].compactMap { parameter($0) },
      windows.attributes(kernel, usualStrides: [1, 1]) + [
        ("dilations", .integers(windows.dilations)), ("group", .integer(windows.groups)),
      ])
  }

  private mutating func pooling(
    _ words: inout OperationWords, _ x: String, _ name: String
  ) throws(OperationProblem) -> String {
    let kernel = try words.integers(2, "a window")
    let windows = try Windows(&words)
    var attributes = windows.attributes(kernel, usualStrides: kernel)
    attributes.append(("ceil_mode", .integer(windows.flags.contains("ceil") ? 1 : 0)))
    guard name == "maxpool" else {
      attributes.append(
        ("count_include_pad", .integer(windows.flags.contains("exclude-pad") ? 0 : 1)))
      return add("AveragePool", [x], attributes)
    }
    attributes.append(("dilations", .integers(windows.dilations)))
    return add("MaxPool", [x], attributes)
  }

  private mutating func adaptive(
    _ words: inout OperationWords, _ x: String, _ shape: Shape
  ) throws(OperationProblem) -> String {
    guard shape.rank == 3 else { throw OperationProblem("is over \(shape), not an image") }
    let bins = Array(network.shapes[index + 1].dimensions.dropFirst())
    if bins == [1, 1] { return add("GlobalAveragePool", [x]) }
    guard shape[1] % bins[0] == 0, shape[2] % bins[1] == 0 else {
      throw OperationProblem("has bins that differ in size, which ONNX has not")
    }
    let kernel = [shape[1] / bins[0], shape[2] / bins[1]]
    return add(
      "AveragePool", [x], [("kernel_shape", .integers(kernel)), ("strides", .integers(kernel))])
  }

  private mutating func gelu(_ x: String, byTangent: Bool) -> String {
    let inner: String
    if byTangent {
      let square = add("Mul", [x, x])
      let cube = add("Mul", [square, x])
      let sum = add("Add", [x, add("Mul", [cube, number("cubic", 0.044715)])])
      inner = add("Tanh", [add("Mul", [sum, number("slope", (2 / Double.pi).squareRoot())])])
    } else {
      inner = add("Erf", [add("Div", [x, number("root", 2.0.squareRoot())])])
    }
    let product = add("Mul", [x, add("Add", [inner, number("one", 1)])])
    return add("Mul", [product, number("half", 0.5)])
  }

  private mutating func hardSigmoid(_ x: String) -> String {
    add("HardSigmoid", [x], [("alpha", .float(1.0 / 6)), ("beta", .float(0.5))])
  }

  private mutating func multiply(_ inputs: [String]) -> String {
    let shapes = network.inputShapes(of: index)
    var names = inputs
    for (place, shape) in shapes.enumerated() where shape.rank == 1 && shapes[1 - place].rank > 1 {
      let axes = Array(2...shapes[1 - place].rank)
      names[place] = add("Unsqueeze", [names[place], list("axes", axes)])
    }
    return add("Mul", names)
  }

  private mutating func layerNorm(
    _ words: inout OperationWords, _ x: String, _ shape: Shape
  ) throws(OperationProblem) -> String {
    let overChannels = words.take("channels") && shape.rank > 1
    let epsilon = try numbers(&words, ["epsilon": 1e-5], "epsilon", "epsilon").0
    let own = ["scale", "shift"].compactMap { parameter($0) }
    let number = ("epsilon", Attribute.float(Float(epsilon)))
    guard overChannels else {
      return add("LayerNormalization", [x] + own, [("axis", .integer(1)), number])
    }
    guard shape.rank == 3 else { throw OperationProblem("is over \(shape), not an image") }
    let turned = add("Transpose", [x], [("perm", .integers([0, 2, 3, 1]))])
    let normal = add("LayerNormalization", [turned] + own, [("axis", .integer(-1)), number])
    return add("Transpose", [normal], [("perm", .integers([0, 3, 1, 2]))])
  }

  private mutating func groupNorm(
    _ words: inout OperationWords, _ x: String, _ shape: Shape
  ) throws(OperationProblem) -> String {
    let groups = try words.integer("groups")
    let epsilon = try numbers(&words, ["epsilon": 1e-5], "epsilon", "epsilon").0
    let parts = add("Reshape", [x, list("groups", [0, groups, -1])])
    let ones = constant("ones", [groups], .floats(Array(repeating: 1, count: groups)))
    let zeros = constant("zeros", [groups], .floats(Array(repeating: 0, count: groups)))
    let normal = add(
      "InstanceNormalization", [parts, ones, zeros], [("epsilon", .float(Float(epsilon)))])
    let whole = add("Reshape", [normal, list("shape", [0] + shape.dimensions)])
    let product = add("Mul", [whole, parameter("scale", spreadOver: shape.rank) ?? ""])
    return add("Add", [product, parameter("shift", spreadOver: shape.rank) ?? ""])
  }

  private mutating func shuffle(
    _ words: inout OperationWords, _ x: String, _ shape: Shape
  ) throws(OperationProblem) -> String {
    let groups = try words.integer("groups")
    let rest = shape.dimensions.dropFirst()
    let parts = [0, groups, shape.rows / groups] + rest
    let apart = add("Reshape", [x, list("groups", parts)])
    let order = [0, 2, 1] + (3..<parts.count)
    let turned = add("Transpose", [apart], [("perm", .integers(order))])
    return add("Reshape", [turned, list("shape", [0] + shape.dimensions)])
  }

  private mutating func localResponse(
    _ words: inout OperationWords, _ x: String
  ) throws(OperationProblem) -> String {
    let size = try words.integer("a size")
    guard size % 2 == 1 else {
      throw OperationProblem("has an even size, and LRN of ONNX has odd ones alone")
    }
    var found = ["alpha": 1e-4, "beta": 0.75, "k": 1]
    try words.clauses(["alpha", "beta", "k"]) { (key, words) throws(OperationProblem) in
      found[key] = try words.number("a number after \(key)")
    }
    return add(
      "LRN", [x],
      [
        ("size", .integer(size)), ("alpha", .float(Float(found["alpha"] ?? 0))),
        ("beta", .float(Float(found["beta"] ?? 0))), ("bias", .float(Float(found["k"] ?? 0))),
      ])
  }

  private mutating func pad(
    _ words: inout OperationWords, _ x: String, _ shape: Shape
  ) throws(OperationProblem) -> String {
    guard shape.rank == 3 else { throw OperationProblem("is over \(shape), not an image") }
    let sizes: [Int]
    if words.take("channels") {
      let sides = try words.integers(2, "channels", atLeast: 0)
      sizes = [0, sides[0], 0, 0, 0, sides[1], 0, 0]
    } else {
      let sides = try words.integers(4, "a padding", atLeast: 0)
      sizes = [0, 0, sides[0], sides[1], 0, 0, sides[2], sides[3]]
    }
    return add("Pad", [x, list("pads", sizes)])
  }
}
