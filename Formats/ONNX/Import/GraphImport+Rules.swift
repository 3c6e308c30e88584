// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension GraphImport {
  /// What is done with a node.
  typealias Rule = @Sendable (inout GraphImport, NodeCall) throws -> [GraphValue]

  /// The operators that are read; a node of another is refused.
  static let rules: [String: Rule] = [
    // Constants; what they do with values of each sample is below.
    "Constant": { try $0.constantNode($1) },
    "ConstantOfShape": { try $0.onlyConstant($1) }, "Shape": { try $0.shape($1) },
    "Size": { try $0.onlyConstant($1) }, "Range": { try $0.onlyConstant($1) },
    "Gather": { try $0.onlyConstant($1) }, "Expand": { try $0.expand($1) },
    "Where": { try $0.onlyConstant($1) }, "Equal": { try $0.onlyConstant($1) },
    "Greater": { try $0.onlyConstant($1) }, "Less": { try $0.onlyConstant($1) },
    "And": { try $0.onlyConstant($1) }, "Or": { try $0.onlyConstant($1) },
    "Not": { try $0.onlyConstant($1) }, "Mod": { try $0.onlyConstant($1) },
    "ReduceProd": { try $0.onlyConstant($1) }, "If": { try $0.branch($1) },
    // Linear.
    "Conv": { try $0.convolution($1) }, "Gemm": { try $0.gemm($1) },
    "MatMul": { try $0.matrixProduct($1) },
    // Functions of numbers.
    "Relu": { try $0.unary($1, ["relu"]) { max($0, 0) } },
    "Sigmoid": { try $0.unary($1, ["sigmoid"], ScalarFunction.logistic) },
    "Tanh": { try $0.unary($1, ["tanh"], ScalarFunction.tangent) },
    "Erf": { try $0.unary($1, nil, ScalarFunction.error) },
    "Exp": { try $0.unary($1, nil, ScalarFunction.exponential) },
    "Log": { try $0.unary($1, nil, ScalarFunction.logarithm) },
    "Sqrt": { try $0.squareRoot($1) },
    "Abs": { try $0.unary($1, nil) { abs($0) } },
    "Neg": { try $0.negated($1) }, "Reciprocal": { try $0.reciprocal($1) },
    "Softplus": {
      try $0.unary($1, nil) { ScalarFunction.logarithm(1 + ScalarFunction.exponential($0)) }
    },
    "LeakyRelu": { try $0.leaky($1) }, "PRelu": { try $0.parametricLeaky($1) },
    "Elu": { try $0.exponentialUnit($1) }, "Clip": { try $0.clip($1) },
    "HardSigmoid": { try $0.hardSigmoid($1) }, "HardSwish": { try $0.hardSwish($1) },
    "Gelu": { try $0.gelu($1) }, "Swish": { try $0.swish($1) },
    "Pow": { try $0.power($1) }, "Max": { try $0.extreme($1, max) },
    "Min": { try $0.extreme($1, min) },
    "Softmax": { try $0.softmax($1) }, "LogSoftmax": { try $0.logSoftmax($1) },
    // Two values, or one and a constant.
    "Add": { try $0.combine($1, .sum) }, "Sub": { try $0.combine($1, .difference) },
    "Mul": { try $0.combine($1, .product) }, "Div": { try $0.combine($1, .quotient) },
    "Sum": { try $0.sum($1) }, "Concat": { try $0.concatenate($1) },
    // Normalisations.
    "BatchNormalization": { try $0.batchNormalisation($1) },
    "InstanceNormalization": { try $0.instanceNormalisation($1) },
    "GroupNormalization": { try $0.groupNormalisation($1) },
    "LayerNormalization": { try $0.layerNormalisation($1) }, "LRN": { try $0.localResponse($1) },
    // Poolings.
    "MaxPool": { try $0.pool($1, "maxpool") }, "AveragePool": { try $0.pool($1, "avgpool") },
    "GlobalAveragePool": { try $0.globalAverage($1) },
    "GlobalMaxPool": { try $0.globalMaximum($1) },
    "ReduceMean": { try $0.reduceMean($1) },
    // Shapes.
    "Identity": { try $0.identity($1) }, "Cast": { try $0.identity($1) },
    "CastLike": { try $0.castLike($1) },
    "Dropout": { try $0.dropout($1) }, "Flatten": { try $0.flatten($1) },
    "Reshape": { try $0.reshapeNode($1) }, "Squeeze": { try $0.squeeze($1) },
    "Unsqueeze": { try $0.unsqueeze($1) }, "Transpose": { try $0.transpose($1) },
    "Pad": { try $0.pad($1) }, "Slice": { try $0.slice($1) },
  ]

  /// The operators by name, for the documents and the tests.
  static var operators: [String] { rules.keys.sorted() }

  /// A node that is understood only where all of its inputs are constants.
  func onlyConstant(_ call: NodeCall) throws -> [GraphValue] {
    throw Unsupported("it is supported only where it computes shapes and constants")
  }

  /// `Constant`
  mutating func constantNode(_ call: NodeCall) throws -> [GraphValue] {
    if let index = try call.tensor("value") { return [.constant(try constant(ofTensor: index))] }
    if let number = try call.integer("value_int") {
      return [.constant(Constant([Count(number)], []))]
    }
    if let number = try call.float("value_float") {
      return [.constant(Constant(TensorRecipe([number], [])))]
    }
    if call.node.attributes["value_ints"] != nil {
      return [.constant(Constant((try call.integers("value_ints") ?? []).map { Count($0) }))]
    }
    if let numbers = try call.floats("value_floats") {
      return [.constant(Constant(TensorRecipe(numbers, [numbers.count])))]
    }
    throw Unsupported("it has no value that can be read")
  }

  /// `Shape` of a value of each sample.
  mutating func shape(_ call: NodeCall) throws -> [GraphValue] {
    let sizes: [Count]
    switch try call.required(0) {
    case .activation(let activation): sizes = [samples] + activation.sizes.map { Count($0) }
    case .moment(let moment):
      sizes = [samples] + self.sizes(of: moment).map { Count($0) }
    case .constant(let constant): sizes = constant.shape.dimensions.map { Count($0) }
    case .unknown: return []
    }
    let start = clamp(try call.integer("start", default: 0), sizes.count)
    let end = clamp(try call.integer("end", default: sizes.count), sizes.count)
    return [.constant(Constant(start < end ? Array(sizes[start..<end]) : []))]
  }

  private func clamp(_ index: Int, _ count: Int) -> Int {
    min(max(index < 0 ? index + count : index, 0), count)
  }

  /// `If` with a condition that is known: the branch stands in its place.
  mutating func branch(_ call: NodeCall) throws -> [GraphValue] {
    guard let condition = try call.integers(0, "its condition")?.first,
      let graph = try call.graph(condition != 0 ? "then_branch" : "else_branch")
    else { throw Unsupported("its condition is not known from the shapes") }
    return try inline(graph)
  }
}
