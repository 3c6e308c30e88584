// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// What combines two values, or a value with a constant.
extension GraphImport {
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

  mutating func combine(
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

  mutating func joined(_ a: Int, _ b: Int, _ operation: Expression.Operator) throws -> Int {
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

  mutating func multiplied(_ source: Activation, by factor: Double) throws -> GraphValue {
    let part = try shallow(source.expression)
    let function = expression(part).function.then { $0 * factor }
    return view(of: source, as: add(function, .factor(part, factor), of: [part]))
  }

  mutating func combine(
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
  mutating func affine(
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
  func own(
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
  func perChannel(_ constant: TensorRecipe, _ shape: Shape) throws -> TensorRecipe? {
    guard constant.shape.rank > 0, constant.shape.dimensions.dropFirst().allSatisfy({ $0 == 1 })
    else { return nil }
    if constant.shape.count == shape.rows { return constant.reshaped([shape.rows]) }
    guard let number = try scalar(constant) else { return nil }
    return TensorRecipe(filled: Float(number), [shape.rows])
  }

  /// Makes numbers part of the operation that computes a value: of a normalisation's scales and shifts, or
  /// a bias that it has not yet.
  mutating func merge(
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
