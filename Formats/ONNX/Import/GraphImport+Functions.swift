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

  private mutating func applied(
    _ source: Activation, _ words: [String]?, _ formula: (Double) -> Double
  ) throws -> GraphValue {
    let part = try shallow(source.expression)
    let function = expression(part).function.then(formula)
    return view(of: source, as: add(function, .unary(part, words: words), of: [part]))
  }

  /// An expression that is not too deep.
  private mutating func shallow(_ index: Int) throws -> Int {
    guard expression(index).depth >= Self.deepest else { return index }
    return base(try value(of: index))
  }

  private func view(of source: Activation, as expression: Int) -> GraphValue {
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

  // MARK: Two values

  /// `Add`, `Sub`, `Mul`, `Div`
  mutating func combine(
    _ call: NodeCall, _ operation: Expression.Operator
  ) throws -> [GraphValue] {
    let (a, b) = (try call.required(0), try call.required(1))
    if let moment = try combinedMoment(a, b, operation) { return [moment] }
    switch (a, b) {
    case (_, .constant(let constant)):
      return [try combine(try activation(a), constant, operation, isFirst: true)]
    case (.constant(let constant), _):
      return [try combine(try activation(b), constant, operation, isFirst: false)]
    default:
      return [try combine(try activation(a), try activation(b), operation)]
    }
  }

  private mutating func combine(
    _ a: Activation, _ b: Activation, _ operation: Expression.Operator
  ) throws -> GraphValue {
    let (x, y) = (try shallow(a.expression), try shallow(b.expression))
    if expression(x).base == expression(y).base, a.form == b.form, a.sizes == b.sizes {
      let function = expression(x).function.with(expression(y).function) { x, y in
        switch operation {
        case .sum: x + y
        case .difference: x - y
        case .product: x * y
        case .quotient: x / y
        }
      }
      return view(of: a, as: add(function, .combined(x, y, operation), of: [x, y]))
    }
    guard operation != .quotient else { throw Unsupported("no operation divides two values") }
    if a.form == b.form, case .turned = a.form, a.sizes == b.sizes {
      return output(
        try joined(try value(of: x), try value(of: y), operation), form: a.form, sizes: a.sizes)
    }
    // ONNX aligns sizes from the last one, and what is multiplied here from the first.
    guard a.sizes == b.sizes || isGate(a.sizes, of: b.sizes) || isGate(b.sizes, of: a.sizes) else {
      throw Unsupported("it combines values of \(a.sizes) and \(b.sizes) for each sample")
    }
    return output(try joined(try plain(a), try plain(b), operation))
  }

  /// Whether sizes are one number for each channel of others.
  private func isGate(_ sizes: [Int], of others: [Int]) -> Bool {
    sizes.count == others.count && sizes.first == others.first
      && sizes.dropFirst().allSatisfy { $0 == 1 }
  }

  private mutating func joined(_ a: Int, _ b: Int, _ operation: Expression.Operator) throws -> Int {
    switch operation {
    case .sum: return try draft.add(["add"], reading: [a, b])
    case .difference:
      let minus = try draft.add(
        ["scalar"], reading: [b], parameters: ["factor": TensorRecipe([-1], [1])])
      return try draft.add(["add"], reading: [a, minus])
    default: return try draft.add(["multiply"], reading: [a, b])
    }
  }

  /// `Sum` of any number of values.
  mutating func sum(_ call: NodeCall) throws -> [GraphValue] {
    guard var result = call.input(0) else { throw Unsupported("it reads nothing") }
    for next in call.inputs.dropFirst().compactMap(\.self) {
      let pair = NodeCall(node: call.node, inputs: [result, next], version: call.version)
      result = try foldedOutputs(of: pair)?.first ?? combine(pair, .sum)[0]
    }
    return [result]
  }

  // MARK: A value and a constant

  private mutating func multiplied(_ source: Activation, by factor: Double) throws -> GraphValue {
    let part = try shallow(source.expression)
    let function = expression(part).function.then { $0 * factor }
    return view(of: source, as: add(function, .factor(part, factor), of: [part]))
  }

  private mutating func combine(
    _ source: Activation, _ constant: Constant, _ operation: Expression.Operator, isFirst: Bool
  ) throws -> GraphValue {
    guard let recipe = constant.recipe else {
      throw Unsupported("it reads a constant that depends on the number of samples")
    }
    // One number is a function of each value; but one for the only channel belongs to the channel.
    let isOne = recipe.shape.count == 1 && (recipe.shape.rank == 0 || source.sizes.first != 1)
    if isOne, let number = try scalar(recipe) {
      let part = try shallow(source.expression)
      let function = expression(part).function
      switch operation {
      case .sum:
        return view(
          of: source, as: add(function.then { $0 + number }, .summand(part, number), of: [part]))
      case .difference where isFirst:
        return view(
          of: source, as: add(function.then { $0 - number }, .summand(part, -number), of: [part]))
      case .difference:
        let minus = add(function.then { -$0 }, .factor(part, -1), of: [part])
        return view(
          of: source, as: add(function.then { number - $0 }, .summand(minus, number), of: [minus]))
      case .product: return try multiplied(source, by: number)
      case .quotient where isFirst:
        let part = try shallow(source.expression)
        return view(
          of: source,
          as: add(
            expression(part).function.then { $0 / number }, .factor(part, 1 / number), of: [part]))
      case .quotient: return try applied(source, nil) { number / $0 }
      }
    }
    switch operation {
    case .sum: return try affine(source, factor: nil, summand: recipe)
    case .difference where isFirst:
      return try affine(source, factor: nil, summand: try settled(recipe.mapped(.negated)))
    case .difference:
      guard case .activation(let minus) = try multiplied(source, by: -1) else { return .unknown }
      return try affine(minus, factor: nil, summand: recipe)
    case .product: return try affine(source, factor: recipe, summand: nil)
    case .quotient where isFirst:
      return try affine(source, factor: try settled(recipe.mapped(.reciprocal)), summand: nil)
    case .quotient: throw Unsupported("no operation divides by a value")
    }
  }

  /// A value times numbers, or and numbers: part of the operation before it, or one of its own.
  private mutating func affine(
    _ source: Activation, factor: TensorRecipe?, summand: TensorRecipe?
  ) throws -> GraphValue {
    var source = source
    let value: Int
    if case .reshaped = source.form {
      value = try plain(source)
      source.form = .plain
    } else {
      value = try self.value(of: source.expression)
    }
    let shape = draft.shapes[value]
    guard let constant = try (factor ?? summand).map({ try own($0, source, shape) }) else {
      return .unknown
    }
    let isOwn = source.isExclusive && value > 0 && expression(source.expression).base == value
    if isOwn, try merge(constant, isFactor: factor != nil, into: value, shape) {
      return output(value, form: source.form, sizes: source.sizes)
    }
    let channels: Shape = [shape.rows]
    guard let numbers = try perChannel(constant, shape) else {
      throw Unsupported(
        "its constant \(constant.shape) has numbers for each place, and affine has one for each channel"
      )
    }
    let result = try draft.add(
      ["affine"], reading: [value],
      parameters: [
        "scale": factor == nil ? TensorRecipe(filled: 1, channels) : numbers,
        "shift": factor == nil ? numbers : TensorRecipe(filled: 0, channels),
      ])
    return output(result, form: source.form, sizes: source.sizes)
  }

  /// A constant with the axes of the network's value: as many, sizes of one where it is the same.
  private func own(
    _ constant: TensorRecipe, _ source: Activation, _ shape: Shape
  ) throws -> TensorRecipe {
    let sizes = constant.shape.dimensions
    let rank = source.sizes.count
    guard sizes.count <= rank + 1, sizes.count <= rank || sizes[0] == 1 else {
      throw Unsupported("its constant has the shape \(constant.shape), with an axis of samples")
    }
    let tail = sizes.count > rank ? Array(sizes.dropFirst()) : sizes
    let padded = [Int](repeating: 1, count: rank - tail.count) + tail
    guard zip(padded, source.sizes).allSatisfy({ $0 == 1 || $0 == $1 }) else {
      throw Unsupported("its constant \(constant.shape) does not fit a sample of \(source.sizes)")
    }
    let flat = constant.reshaped(Shape(padded))
    guard case .turned(let order) = source.form else { return flat }
    return flat.transposed(shape.dimensions.indices.map { order.firstIndex(of: $0) ?? $0 })
  }

  /// A constant as one number for each channel; nothing if it differs along other axes.
  private func perChannel(_ constant: TensorRecipe, _ shape: Shape) throws -> TensorRecipe? {
    guard constant.shape.rank > 0, constant.shape.dimensions.dropFirst().allSatisfy({ $0 == 1 })
    else { return nil }
    if constant.shape.count == shape.rows { return constant.reshaped([shape.rows]) }
    guard let number = try scalar(constant) else { return nil }
    return TensorRecipe(filled: Float(number), [shape.rows])
  }

  /// Makes numbers part of the operation that computes a value: of a normalisation's scales and shifts, or
  /// a bias that it has not yet.
  private mutating func merge(
    _ constant: TensorRecipe, isFactor: Bool, into value: Int, _ shape: Shape
  ) throws -> Bool {
    let line = draft.lines[value - 1]
    let channels = try perChannel(constant, shape)
    if let scale = line.parameters["scale"], let shift = line.parameters["shift"] {
      let fits = constant.shape == scale.shape ? constant : channels
      guard let fits, fits.shape == scale.shape else { return false }
      var parameters = line.parameters
      let parts = isFactor ? ["scale": scale, "shift": shift] : ["shift": shift]
      for (role, recipe) in parts {
        guard let changed = GraphImport.merged(recipe, fits, isFactor: isFactor) else {
          return false
        }
        parameters[role] = try settled(changed)
      }
      try draft.change(value, parameters: parameters)
      return true
    }
    guard !isFactor, let channels, line.parameters["weight"] != nil,
      line.parameters["bias"] == nil, line.words.last == "no-bias"
    else { return false }
    var parameters = line.parameters
    parameters["bias"] = channels
    try draft.change(value, words: line.words.dropLast(), parameters: parameters)
    return true
  }

  /// Scales or shifts with a factor or summand. Those that do nothing leave the file's tensors as they are.
  private static func merged(
    _ own: TensorRecipe, _ other: TensorRecipe, isFactor: Bool
  ) -> TensorRecipe? {
    if own.filledValue == (isFactor ? 1 : 0) { return other }
    if other.filledValue == (isFactor ? 1 : 0) { return own }
    if isFactor, own.filledValue == 0 { return own }
    return TensorRecipe.combined(own, other, isFactor ? .product : .sum)
  }
}
