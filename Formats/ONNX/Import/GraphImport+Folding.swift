// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension GraphImport {
  /// What a node computes from constants alone; nothing if it reads values of each sample, or is of an
  /// operator that is not computed.
  mutating func foldedOutputs(of call: NodeCall) throws -> [GraphValue]? {
    let given = call.inputs.compactMap(\.self)
    let constants = given.compactMap {
      if case .constant(let constant) = $0 { constant } else { nil }
    }
    guard !given.isEmpty, constants.count == given.count, call.node.type != "If" else { return nil }
    guard let folded = try folded(call, constants) else { return nil }
    if case .numbers(let recipe) = folded.content {
      return [.constant(Constant(try settled(recipe)))]
    }
    guard folded.shape.count <= ONNXLimits.smallCount else {
      throw Unsupported("it computes too many whole numbers")
    }
    try charge(folded.shape.count)
    return [.constant(folded)]
  }

  func folded(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant? {
    let first = inputs[0]
    switch call.node.type {
    case "Identity", "Dropout": return first
    case "Cast": return try cast(first, to: try call.integer("to", default: 1))
    case "CastLike":
      guard inputs.count == 2 else { return nil }
      return try cast(first, to: inputs[1].counts == nil ? 1 : 7)
    case "Shape", "Size":
      if call.node.type == "Size" { return Constant([Count(first.shape.count)], []) }
      return nil
    case "Add", "Sub", "Mul", "Div", "Mod", "Equal", "Greater", "Less", "And", "Or", "Min", "Max",
      "Pow", "Sum":
      return try combined(call.node.type, inputs)
    case "Not":
      guard let counts = first.counts else { return nil }
      return Constant(try counts.map { Count(try known($0) == 0 ? 1 : 0) }, first.shape)
    case "Neg": return try mapped(first, .negated) { Count(0) - $0 }
    case "Abs":
      return try mapped(first, .absolute) {
        $0.isBatch ? nil : Int(exactly: $0.number.magnitude).map { Count($0) }
      }
    case "Sqrt": return try mapped(first, .squareRoot)
    case "Reciprocal": return try mapped(first, .reciprocal)
    case "Exp": return try mapped(first, .exponential)
    case "Log": return try mapped(first, .logarithm)
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze": return try reshaped(call, first)
    case "Transpose": return try transposed(call, first)
    case "Concat": return try joined(call, inputs)
    case "Gather": return try gathered(call, inputs)
    case "Slice": return try sliced(call, first)
    case "Expand", "ConstantOfShape": return try spread(call, inputs)
    case "Range": return try range(inputs)
    case "Where": return try chosen(inputs)
    case "ReduceProd": return try product(call, first)
    default: return nil
    }
  }

  func known(_ count: Count) throws -> Int {
    guard let known = count.known else { throw Unsupported("it depends on the number of samples") }
    return known
  }

  func numbers(_ constant: Constant) throws -> TensorRecipe {
    guard let recipe = constant.recipe else {
      throw Unsupported("it depends on the number of samples")
    }
    return recipe
  }

  // MARK: Numbers

  func mapped(
    _ constant: Constant, _ mapping: TensorRecipe.Mapping, counts: ((Count) -> Count?)? = nil
  ) throws -> Constant {
    if let own = constant.counts, let counts {
      return Constant(
        try own.map { count in
          guard let result = counts(count) else {
            throw Unsupported("it depends on the number of samples")
          }
          return result
        }, constant.shape)
    }
    return Constant(try numbers(constant).mapped(mapping))
  }

  /// Checks that whole numbers fit a narrow type, in which they would wrap around.
  static func requireRange(_ counts: [Count], of type: ElementType) throws {
    guard type.isInteger, type.width < 8, let range = type.integerRange,
      let outside = counts.compactMap(\.known).first(where: { !range.contains(Int128($0)) })
    else { return }
    throw Unsupported("it makes a number of type \(type.rawValue) of \(outside)")
  }

  func cast(_ constant: Constant, to type: Int) throws -> Constant {
    guard let target = ElementType(onnxNumber: type) else {
      throw Unsupported("it makes numbers of type \(ElementType.onnxName(of: type))")
    }
    let isWhole = target.isInteger || target == .bool
    if let counts = constant.counts {
      if target == .bool {
        return Constant(counts.map { Count($0.number == 0 ? 0 : 1) }, constant.shape)
      }
      // A number of samples as a floating-point number is a number of samples still.
      if isWhole { try GraphImport.requireRange(counts, of: target) }
      return isWhole || constant.recipe == nil ? constant : Constant(try numbers(constant))
    }
    // A tensor of whole numbers that become floating-point ones is no longer what the file has.
    guard isWhole else {
      return holdsWholeNumbers(constant)
        ? Constant(try numbers(constant).converted) : constant
    }
    guard constant.shape.count <= ONNXLimits.smallCount else {
      throw Unsupported("it makes whole numbers of \(constant.shape.count) values of a constant")
    }
    return Constant(
      try numbers(constant).elements(from: data).map { value in
        guard let whole = Int(exactly: Double(value).rounded(.towardZero)) else {
          throw Unsupported("it makes a whole number of \(value)")
        }
        if target != .bool { try GraphImport.requireRange([Count(whole)], of: target) }
        return Count(target == .bool ? (value == 0 ? 0 : 1) : whole)
      }, constant.shape)
  }

  /// Whether a constant is a tensor of the file with whole numbers.
  private func holdsWholeNumbers(_ constant: Constant) -> Bool {
    guard let index = constant.recipe?.storedIndex else { return false }
    return data[index].type.isInteger || data[index].type == .bool
  }

  func combined(_ type: String, _ inputs: [Constant]) throws -> Constant {
    var result = inputs[0]
    for other in inputs.dropFirst() { result = try combined(type, result, other) }
    return result
  }

  func combined(_ type: String, _ a: Constant, _ b: Constant) throws -> Constant {
    if let x = a.counts, let y = b.counts, type != "Pow" {
      guard let shape = Shape.broadcast(a.shape, b.shape), shape.count <= ONNXLimits.smallCount
      else {
        throw Unsupported("it combines constants of shapes \(a.shape) and \(b.shape)")
      }
      let left = GraphImport.spread(x, a.shape, to: shape)
      let right = GraphImport.spread(y, b.shape, to: shape)
      return Constant(
        try zip(left, right).map { x, y in
          guard let value = GraphImport.count(type, x, y) else {
            throw Unsupported("it can't be computed without the number of samples")
          }
          return value
        }, shape)
    }
    guard type != "Div" || !holdsWholeNumbers(a) && !holdsWholeNumbers(b) else {
      throw Unsupported("it divides whole numbers, of which there are more than are computed here")
    }
    let combination: TensorRecipe.Combination
    switch type {
    case "Add", "Sum": combination = .sum
    case "Sub": combination = .difference
    case "Mul": combination = .product
    case "Div": combination = .quotient
    case "Pow": combination = .power
    case "Min": combination = .least
    case "Max": combination = .greatest
    default: throw Unsupported("it is supported for whole numbers only")
    }
    guard let recipe = TensorRecipe.combined(try numbers(a), try numbers(b), combination) else {
      throw Unsupported("it combines constants of shapes \(a.shape) and \(b.shape)")
    }
    return Constant(recipe)
  }

  static func count(_ type: String, _ x: Count, _ y: Count) -> Count? {
    func truth(_ value: Bool) -> Count { Count(value ? 1 : 0) }
    switch type {
    case "Add", "Sum": return x + y
    case "Sub": return x - y
    case "Mul": return x * y
    case "Div": return x / y
    // A number of samples is none of the marks that shapes have, 0, 1 and −1.
    case "Equal": return truth(x == y)
    default: break
    }
    guard let a = x.known, let b = y.known else { return nil }
    switch type {
    case "Mod":
      // Of negative numbers there are two remainders.
      guard a >= 0, b > 0 else { return nil }
      return Count(a % b)
    case "Greater": return truth(a > b)
    case "Less": return truth(a < b)
    case "And": return truth(a != 0 && b != 0)
    case "Or": return truth(a != 0 || b != 0)
    case "Min": return Count(min(a, b))
    case "Max": return Count(max(a, b))
    default: return nil
    }
  }

  /// Counts repeated along axes of one.
  static func spread(_ counts: [Count], _ own: Shape, to shape: Shape) -> [Count] {
    guard own != shape else { return counts }
    let (target, steps) = (shape.strides, own.strides)
    let missing = shape.rank - own.rank
    return (0..<shape.count).map { index in
      var place = 0
      for axis in missing..<shape.rank where own[axis - missing] != 1 {
        place += index / target[axis] % shape[axis] * steps[axis - missing]
      }
      return counts[place]
    }
  }
}
