// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension GraphImport {
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

  mutating func made(_ expression: Expression) throws -> Int {
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
  mutating func scale(_ value: Int, by factor: Double) throws -> Int {
    try draft.add(
      ["scalar"], reading: [value], parameters: ["factor": TensorRecipe([Float(factor)], [1])])
  }

  mutating func shift(_ value: Int, by summand: Double, factor: Double) throws -> Int {
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
