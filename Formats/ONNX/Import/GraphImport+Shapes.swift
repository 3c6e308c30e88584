// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// What changes how values are seen, and none of them.
extension GraphImport {
  mutating func identity(_ call: NodeCall) throws -> [GraphValue] {
    if call.node.type == "Cast", let type = try call.integer("to"),
      ![1, 10, 11, 16].contains(type)
    {
      throw Unsupported("it makes whole numbers of values")
    }
    return [try call.required(0)]
  }

  /// `CastLike`: the type of another value, which is a floating-point one where that is of each sample.
  mutating func castLike(_ call: NodeCall) throws -> [GraphValue] {
    let value = try call.required(0)
    guard case .constant(let constant) = value else {
      if case .constant(let like)? = call.input(1), like.counts != nil {
        throw Unsupported("it makes whole numbers of values")
      }
      return [value]
    }
    guard let recipe = constant.recipe else { return [value] }
    return [.constant(Constant(recipe))]
  }

  mutating func expand(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    let sizes = try call.constant(1, "its shape")?.counts ?? []
    let tail = sizes.suffix(source.sizes.count)
    let repeatsSamples =
      sizes.count > source.sizes.count && sizes.first?.isBatch == false && sizes.first?.known != 1
    guard sizes.count <= source.sizes.count + 1, !repeatsSamples,
      zip(tail.reversed(), source.sizes.reversed()).allSatisfy({ $0.known == 1 || $0.known == $1 })
    else { throw Unsupported("it repeats values") }
    return [.activation(source)]
  }

  mutating func dropout(_ call: NodeCall) throws -> [GraphValue] {
    let rate: Double
    if call.version < 12 {
      rate = Double(try call.float("ratio", default: 0.5))
    } else {
      rate = try call.input(1) == nil ? 0.5 : scalar(try call.numbers(1, "its ratio")) ?? 0.5
    }
    if call.version >= 12, call.input(2) != nil,
      try call.constant(2, "its training mode")?.counts?.first?.known != 0
    {
      throw Unsupported("it is in training mode; export the model in evaluation")
    }
    guard rate > 0, rate < 1 else { return [try call.required(0)] }
    let source = try activation(try call.required(0))
    let word = ScalarFunction.word(rate)
    if case .turned = source.form {
      let value = try draft.add(["dropout", word], reading: [try value(of: source.expression)])
      return [output(value, form: source.form, sizes: source.sizes)]
    }
    return [output(try draft.add(["dropout", word], reading: [try plain(source)]))]
  }

  // MARK: Sizes

  mutating func flatten(_ call: NodeCall) throws -> [GraphValue] {
    let value = try call.required(0)
    let source = try activation(value)
    let axis = try call.integer("axis", default: 1)
    let place = axis < 0 ? axis + source.sizes.count + 1 : axis
    guard place == 1 || (place == 0 && samples.known == 1) else {
      throw Unsupported("it merges the batch axis with others")
    }
    return [try seen(source, as: [source.sizes.reduce(1, *)])]
  }

  mutating func reshapeNode(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    guard let counts = try call.constant(1, "its shape")?.counts else {
      throw Unsupported("its shape is not known")
    }
    guard let first = counts.first else {
      throw Unsupported("it merges the batch axis with others")
    }
    let copies = try call.integer("allowzero", default: 0) == 0
    let keepsSamples = first == samples || (first.known == 0 && copies)
    var rest: [Int] = []
    for (place, count) in counts.dropFirst().enumerated() {
      guard let size = count.known else { throw Unsupported("it mixes samples") }
      // A zero stands for the size that is there.
      rest.append(size == 0 && copies && place < source.sizes.count ? source.sizes[place] : size)
    }
    let shape = Shape(source.sizes)
    if keepsSamples {
      return [
        try seen(source, as: try GraphImport.sizes(rest, of: shape, zeroCopies: false).dimensions)
      ]
    }
    // The axis of the samples may be the one that is left open, where the others say all of a sample.
    guard first.known == -1, let sizes = try? Shape(checking: rest), sizes.count == shape.count
    else {
      throw Unsupported(
        "it makes \(counts.map { $0.known.map(String.init) ?? "samples" }) of [samples] + \(source.sizes), "
          + "which joins or parts samples")
    }
    return [try seen(source, as: rest)]
  }

  mutating func squeeze(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    let rank = source.sizes.count + 1
    let axes =
      try call.axes(inputFrom: 13)?.map { try call.axis($0, of: rank) }
      ?? source.sizes.indices.filter { source.sizes[$0] == 1 }.map { $0 + 1 }
    guard axes.allSatisfy({ $0 > 0 && source.sizes[$0 - 1] == 1 }) else {
      throw Unsupported(
        "an axis to be removed has more than one element, or is that of the samples")
    }
    return [
      try seen(
        source,
        as: source.sizes.indices.filter { !axes.contains($0 + 1) }.map { source.sizes[$0] })
    ]
  }

  mutating func unsqueeze(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    guard let given = try call.axes(inputFrom: 13) else { throw Unsupported("it has no axes") }
    let rank = source.sizes.count + 1 + given.count
    let axes = Set(try given.map { try call.axis($0, of: rank) })
    guard !axes.contains(0), axes.count == given.count, rank <= ONNXLimits.rank else {
      throw Unsupported("it puts an axis before that of the samples")
    }
    var rest = source.sizes[...]
    return [try seen(source, as: (1..<rank).map { axes.contains($0) ? 1 : rest.removeFirst() })]
  }

  /// The elements of a value in other sizes.
  private mutating func seen(_ source: Activation, as sizes: [Int]) throws -> GraphValue {
    var result = source
    result.sizes = sizes
    guard sizes != source.sizes else { return .activation(result) }
    let shape = draft.shapes[expression(source.expression).base]
    if case .turned(let order) = source.form {
      // With one axis longer than 1, the order of axes means nothing.
      guard order.count(where: { shape[$0] > 1 }) <= 1 else {
        throw Unsupported(
          "it joins axes that a Transpose has put in another order; flatten [channels, height, width]"
        )
      }
    }
    result.form = sizes == shape.dimensions ? .plain : .reshaped
    return .activation(result)
  }

  /// Channels that are seen as groups, and the groups' channels put in turn; nothing for other orders.
  private mutating func shuffled(_ source: Activation, _ order: [Int]) throws -> GraphValue? {
    let sizes = source.sizes
    guard source.form == .reshaped, sizes.count >= 2, sizes[0] > 1, sizes[1] > 1,
      order == [1, 0] + Array(sizes.indices.dropFirst(2))
    else { return nil }
    let value = try value(of: source.expression)
    let shape = draft.shapes[value]
    guard shape.dimensions.dropFirst().reduce(1, *) == sizes.dropFirst(2).reduce(1, *) else {
      return nil
    }
    return output(
      try draft.add(["shuffle", "\(sizes[0])"], reading: [value]), form: .reshaped,
      sizes: order.map { sizes[$0] })
  }

  /// `Transpose`, which is a way to see a value until something undoes it.
  mutating func transpose(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    let rank = source.sizes.count + 1
    let given = try call.integers("perm") ?? Array((0..<rank).reversed())
    guard given.sorted() == Array(0..<rank), given.first == 0 else {
      throw Unsupported("it turns the axis of the samples")
    }
    let order = given.dropFirst().map { $0 - 1 }
    if let shuffled = try shuffled(source, order) { return [shuffled] }
    var result = source
    result.sizes = order.map { source.sizes[$0] }
    if source.form == .reshaped {
      let moved = order.filter { source.sizes[$0] > 1 }
      guard moved == moved.sorted() else {
        throw Unsupported(
          "it puts axes of \(source.sizes) in another order that no layer takes up"
        )
      }
      return [.activation(result)]
    }
    let before: [Int] =
      if case .turned(let order) = source.form { order } else { Array(source.sizes.indices) }
    let all = order.map { before[$0] }
    result.form = all == Array(all.indices) ? .plain : .turned(all)
    return [.activation(result)]
  }
}
