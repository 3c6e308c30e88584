// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// Functions of one number, and what combines two values or a value and a constant.
extension GraphImport {
  /// Expressions this deep become operations, so that none is followed too far.
  private static let deepest = 24

  /// A function of a value.
  mutating func unary(
    _ call: NodeCall, _ words: [String]?, _ formula: (Double) -> Double
  ) throws -> [GraphValue] {
    [try applied(try activation(try call.required(0)), words, formula)]
  }

  mutating func applied(
    _ source: Activation, _ words: [String]?, _ formula: (Double) -> Double
  ) throws -> GraphValue {
    let part = try shallow(source.expression)
    let function = expression(part).function.then(formula)
    return view(of: source, as: add(function, .unary(part, words: words), of: [part]))
  }

  /// An expression that is not too deep.
  mutating func shallow(_ index: Int) throws -> Int {
    guard expression(index).depth >= Self.deepest else { return index }
    return base(try value(of: index))
  }

  func view(of source: Activation, as expression: Int) -> GraphValue {
    var result = source
    result.expression = expression
    return .activation(result)
  }

  mutating func leaky(_ call: NodeCall) throws -> [GraphValue] {
    try leaky(call, slope: Double(try call.float("alpha", default: 0.01)))
  }

  private mutating func leaky(_ call: NodeCall, slope: Double) throws -> [GraphValue] {
    try unary(call, ["leaky-relu", ScalarFunction.word(slope)]) { $0 >= 0 ? $0 : slope * $0 }
  }

  mutating func parametricLeaky(_ call: NodeCall) throws -> [GraphValue] {
    let recipe = try call.numbers(1, "its slopes")
    guard recipe.shape.count <= ONNXLimits.smallCount else {
      throw Unsupported("it has \(recipe.shape.count) slopes, more than are accepted")
    }
    let slopes = try recipe.elements(from: data)
    if let slope = slopes.first, slopes.allSatisfy({ $0 == slope }) {
      return try leaky(call, slope: Double(slope))
    }
    // Relu(x) − slope · Relu(−x), with a slope for each channel.
    let source = try activation(try call.required(0))
    let isTurned = if case .turned = source.form { true } else { false }
    let value = try isTurned ? self.value(of: source.expression) : plain(source)
    let shape = draft.shapes[value]
    var seen = source
    if !isTurned { seen.form = .plain }
    guard let own = try perChannel(own(recipe, seen, shape), shape) else {
      throw Unsupported("its slopes \(recipe.shape) differ from place to place")
    }
    let positive = try draft.add(["relu"], reading: [value])
    let negative = try draft.add(["relu"], reading: [scale(value, by: -1)])
    let sloped = try draft.add(
      ["affine"], reading: [negative],
      parameters: [
        "scale": try settled(own.mapped(.negated)),
        "shift": TensorRecipe(filled: 0, [shape.rows]),
      ], hint: hint(call.input(1)))
    let sum = try draft.add(["add"], reading: [positive, sloped])
    return [output(sum, form: seen.form, sizes: source.sizes)]
  }

  mutating func exponentialUnit(_ call: NodeCall) throws -> [GraphValue] {
    let alpha = Double(try call.float("alpha", default: 1))
    return try unary(call, alpha == 1 ? ["elu"] : ["elu", ScalarFunction.word(alpha)]) {
      $0 >= 0 ? $0 : alpha * (ScalarFunction.exponential($0) - 1)
    }
  }

  mutating func clip(_ call: NodeCall) throws -> [GraphValue] {
    let bounds: [Double?]
    if call.version < 11 {
      bounds = [try call.float("min"), try call.float("max")].map { $0.map(Double.init) }
    } else {
      bounds = try [1, 2].map { index in
        try call.input(index) == nil ? nil : scalar(try call.numbers(index, "its bound"))
      }
    }
    let lower =
      bounds[0].flatMap { $0.isFinite ? $0 : nil } ?? -Double(Float.greatestFiniteMagnitude)
    let upper =
      bounds[1].flatMap { $0.isFinite ? $0 : nil } ?? Double(Float.greatestFiniteMagnitude)
    return try unary(call, ["clip", ScalarFunction.word(lower), ScalarFunction.word(upper)]) {
      ScalarFunction.clip($0, lower, upper)
    }
  }

  mutating func hardSigmoid(_ call: NodeCall) throws -> [GraphValue] {
    let alpha = Double(try call.float("alpha", default: 0.2))
    let beta = Double(try call.float("beta", default: 0.5))
    return try unary(call, nil) { ScalarFunction.clip(alpha * $0 + beta, 0, 1) }
  }

  mutating func hardSwish(_ call: NodeCall) throws -> [GraphValue] {
    try unary(call, ["hard-swish"]) { $0 * ScalarFunction.clip($0 / 6 + 0.5, 0, 1) }
  }

  mutating func gelu(_ call: NodeCall) throws -> [GraphValue] {
    try call.text("approximate") == "tanh"
      ? unary(call, ["gelu", "tanh"], ScalarFunction.geluTangent)
      : unary(call, ["gelu"], ScalarFunction.gelu)
  }

  mutating func swish(_ call: NodeCall) throws -> [GraphValue] {
    let alpha = Double(try call.float("alpha", default: 1))
    return try unary(call, alpha == 1 ? ["silu"] : nil) { $0 * ScalarFunction.logistic(alpha * $0) }
  }

  mutating func power(_ call: NodeCall) throws -> [GraphValue] {
    let exponents = try call.numbers(1, "its exponent")
    guard let exponent = try scalar(exponents) else {
      throw Unsupported("its exponents differ from place to place")
    }
    if case .moment(var moment) = try call.required(0) {
      if case .centred = moment.step, exponent == 2 {
        moment.step = .square
        return [.moment(moment)]
      }
      if case .raised(let epsilon) = moment.step, abs(exponent) == 0.5 {
        moment.step = exponent > 0 ? .deviation(epsilon) : .inverse(epsilon)
        return [.moment(moment)]
      }
    }
    return try unary(call, nil) { ScalarFunction.power($0, exponent) }
  }

  mutating func squareRoot(_ call: NodeCall) throws -> [GraphValue] {
    if case .moment(var moment) = try call.required(0), case .raised(let epsilon) = moment.step {
      moment.step = .deviation(epsilon)
      return [.moment(moment)]
    }
    return try unary(call, nil) { $0.squareRoot() }
  }

  mutating func reciprocal(_ call: NodeCall) throws -> [GraphValue] {
    if case .moment(var moment) = try call.required(0), case .deviation(let epsilon) = moment.step {
      moment.step = .inverse(epsilon)
      return [.moment(moment)]
    }
    return try unary(call, nil) { 1 / $0 }
  }

  mutating func negated(_ call: NodeCall) throws -> [GraphValue] {
    [try multiplied(try activation(try call.required(0)), by: -1)]
  }

  /// `Max` and `Min` of a value and numbers.
  mutating func extreme(
    _ call: NodeCall, _ choose: (Double, Double) -> Double
  ) throws -> [GraphValue] {
    var result: Activation?
    var bounds: [Double] = []
    for input in call.inputs.compactMap(\.self) {
      if case .constant(let constant) = input {
        guard let bound = try constant.recipe.flatMap({ try scalar($0) }) else {
          throw Unsupported("its bounds differ from place to place")
        }
        bounds.append(bound)
      } else if result == nil {
        result = try activation(input)
      } else {
        throw Unsupported("no operation chooses between two values")
      }
    }
    guard let result else { throw Unsupported("it reads nothing") }
    return [try applied(result, nil) { x in bounds.reduce(x, choose) }]
  }
}
