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

  private func folded(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant? {
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

  private func known(_ count: Count) throws -> Int {
    guard let known = count.known else { throw Unsupported("it depends on the number of samples") }
    return known
  }

  private func numbers(_ constant: Constant) throws -> TensorRecipe {
    guard let recipe = constant.recipe else {
      throw Unsupported("it depends on the number of samples")
    }
    return recipe
  }

  // MARK: Numbers

  private func mapped(
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
  private static func requireRange(_ counts: [Count], of type: ElementType) throws {
    let range: ClosedRange<Int>? =
      switch type {
      case .int8: -128...127
      case .uint8: 0...255
      case .int16: -32_768...32_767
      case .uint16: 0...65_535
      case .int32: Int(Int32.min)...Int(Int32.max)
      case .uint32: 0...Int(UInt32.max)
      default: nil
      }
    guard let range, let outside = counts.compactMap(\.known).first(where: { !range.contains($0) })
    else { return }
    throw Unsupported("it makes a number of type \(type.rawValue) of \(outside)")
  }

  private func cast(_ constant: Constant, to type: Int) throws -> Constant {
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
    guard isWhole else { return constant }
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

  private func combined(_ type: String, _ inputs: [Constant]) throws -> Constant {
    var result = inputs[0]
    for other in inputs.dropFirst() { result = try combined(type, result, other) }
    return result
  }

  private func combined(_ type: String, _ a: Constant, _ b: Constant) throws -> Constant {
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
    let combination: TensorRecipe.Combination
    switch type {
    case "Add", "Sum": combination = .sum
    case "Sub": combination = .difference
    case "Mul": combination = .product
    case "Div": combination = .quotient
    case "Pow": combination = .power
    case "Min": combination = .least
    case "Max": combination = .greatest
    default: throw Unsupported("it is understood of whole numbers only")
    }
    guard let recipe = TensorRecipe.combined(try numbers(a), try numbers(b), combination) else {
      throw Unsupported("it combines constants of shapes \(a.shape) and \(b.shape)")
    }
    return Constant(recipe)
  }

  private static func count(_ type: String, _ x: Count, _ y: Count) -> Count? {
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
  private static func spread(_ counts: [Count], _ own: Shape, to shape: Shape) -> [Count] {
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

  // MARK: Shapes

  private func reshaped(_ call: NodeCall, _ constant: Constant) throws -> Constant {
    let shape: Shape
    switch call.node.type {
    case "Reshape":
      let wanted = try call.integers(1, "its shape") ?? call.integers("shape") ?? []
      shape = try GraphImport.sizes(
        wanted, of: constant.shape, zeroCopies: try call.integer("allowzero", default: 0) == 0)
    case "Flatten":
      let axis = try call.integer("axis", default: 1)
      let place = axis < 0 ? axis + constant.shape.rank : axis
      guard (0...constant.shape.rank).contains(place) else { throw Unsupported("its axis is none") }
      let front = constant.shape.dimensions.prefix(place).reduce(1, *)
      let back = constant.shape.dimensions.dropFirst(place).reduce(1, *)
      shape = [front, back]
    case "Squeeze":
      let axes = try call.axes(inputFrom: 13)?.map { try call.axis($0, of: constant.shape.rank) }
      let removed = axes ?? constant.shape.dimensions.indices.filter { constant.shape[$0] == 1 }
      guard removed.allSatisfy({ constant.shape[$0] == 1 }) else {
        throw Unsupported("an axis to be removed has more than one element")
      }
      shape = Shape(
        constant.shape.dimensions.indices.filter { !removed.contains($0) }.map {
          constant.shape[$0]
        })
    default:
      let axes = try call.axes(inputFrom: 13) ?? []
      let rank = constant.shape.rank + axes.count
      let places = Set(try axes.map { try call.axis($0, of: rank) })
      guard places.count == axes.count, rank <= ONNXLimits.rank else {
        throw Unsupported("its axes are none")
      }
      var rest = constant.shape.dimensions[...]
      shape = Shape((0..<rank).map { places.contains($0) ? 1 : rest.removeFirst() })
    }
    guard shape.count == constant.shape.count else {
      throw Unsupported("\(constant.shape) has not as many elements as \(shape)")
    }
    if let counts = constant.counts { return Constant(counts, shape) }
    return Constant(try numbers(constant).reshaped(shape))
  }

  /// The sizes that a Reshape asks for.
  static func sizes(_ wanted: [Int], of shape: Shape, zeroCopies: Bool) throws -> Shape {
    var sizes = wanted
    guard sizes.count <= ONNXLimits.rank, sizes.allSatisfy({ $0 >= -1 }),
      sizes.count(where: { $0 == -1 }) <= 1
    else { throw Unsupported("it asks for the shape \(wanted.prefix(ONNXLimits.rank))") }
    for axis in sizes.indices where sizes[axis] == 0 && zeroCopies && axis < shape.rank {
      sizes[axis] = shape[axis]
    }
    if let open = sizes.firstIndex(of: -1) {
      sizes[open] = 1
      guard let rest = try? Shape(checking: sizes), rest.count > 0, shape.count % rest.count == 0
      else {
        throw Unsupported("\(shape) does not become \(wanted)")
      }
      sizes[open] = shape.count / rest.count
    }
    guard let result = try? Shape(checking: sizes), result.count == shape.count else {
      throw Unsupported("\(shape) does not become \(wanted)")
    }
    return result
  }

  private func transposed(_ call: NodeCall, _ constant: Constant) throws -> Constant {
    let rank = constant.shape.rank
    let order = try call.integers("perm") ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else { throw Unsupported("its order of axes is none") }
    if constant.counts != nil, rank < 2 { return constant }
    return Constant(try numbers(constant).transposed(order))
  }

  private func joined(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant {
    let rank = inputs[0].shape.rank
    let axis = try call.axis(try call.integer("axis", default: 0), of: rank)
    var sizes = inputs[0].shape.dimensions
    var length = 0
    for input in inputs {
      var others = input.shape.dimensions
      guard others.count == rank else { throw Unsupported("it joins constants of several ranks") }
      let (sum, overflow) = length.addingReportingOverflow(others[axis])
      guard !overflow else { throw Unsupported("it joins too much") }
      length = sum
      others[axis] = sizes[axis]
      guard others == sizes else { throw Unsupported("it joins constants whose shapes do not fit") }
    }
    sizes[axis] = length
    guard let shape = try? Shape(checking: sizes) else { throw Unsupported("it joins too much") }
    let counts = inputs.compactMap(\.counts)
    if counts.count == inputs.count, rank == 1 { return Constant(counts.flatMap(\.self)) }
    return Constant(TensorRecipe.joined(try inputs.map(numbers), axis: axis, shape))
  }

  private func gathered(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant {
    guard inputs.count == 2, let indices = inputs[1].counts else {
      throw Unsupported("its indices are no whole numbers")
    }
    let source = inputs[0]
    let axis = try call.axis(try call.integer("axis", default: 0), of: source.shape.rank)
    let places = try indices.map { index in
      let place = try known(index)
      let wrapped = place < 0 ? place + source.shape[axis] : place
      guard (0..<source.shape[axis]).contains(wrapped) else {
        throw Unsupported("its index \(place) is none of \(source.shape)")
      }
      return wrapped
    }
    if let counts = source.counts, source.shape.rank == 1 {
      return Constant(places.map { counts[$0] }, inputs[1].shape)
    }
    let sizes =
      source.shape.dimensions[..<axis] + inputs[1].shape.dimensions
      + source.shape.dimensions[(axis + 1)...]
    guard let shape = try? Shape(checking: Array(sizes)) else {
      throw Unsupported("it is too large")
    }
    return Constant(try numbers(source).rows(places, axis: axis).reshaped(shape))
  }

  private func sliced(_ call: NodeCall, _ source: Constant) throws -> Constant {
    var result = source
    for part in try GraphImport.slices(of: call, rank: source.shape.rank) {
      let indices = part.indices(of: result.shape[part.axis])
      if let counts = result.counts, result.shape.rank == 1 {
        result = Constant(indices.map { counts[$0] })
      } else {
        result = Constant(try numbers(result).rows(indices, axis: part.axis))
      }
    }
    return result
  }

  private func spread(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant {
    let isFill = call.node.type == "ConstantOfShape"
    guard let wanted = inputs.last?.counts, isFill || inputs.count == 2 else {
      throw Unsupported("its shape is no list of whole numbers")
    }
    if isFill {
      let value = try call.tensor("value").map { try constant(ofTensor: $0) }
      let isWhole = value?.counts != nil
      // As many zeros as there are samples are as good as one.
      let sizes = wanted.map { $0.isBatch ? 1 : $0.number }
      guard let shape = try? Shape(checking: sizes) else {
        throw Unsupported("its shape \(sizes) is negative or too large")
      }
      let number = try value.map { try numbers($0).elements(from: data).first ?? 0 } ?? 0
      if isWhole, shape.count <= ONNXLimits.smallCount, let count = value?.counts?.first {
        return Constant([Count](repeating: count, count: shape.count), shape)
      }
      return Constant(TensorRecipe(filled: number, shape))
    }
    let sizes = wanted.map { $0.isBatch ? 1 : $0.number }
    guard let target = try? Shape(checking: sizes),
      let shape = Shape.broadcast(inputs[0].shape, target)
    else { throw Unsupported("\(inputs[0].shape) does not spread to \(sizes)") }
    if let counts = inputs[0].counts {
      guard shape.count <= ONNXLimits.smallCount else { throw Unsupported("it is too large") }
      return Constant(GraphImport.spread(counts, inputs[0].shape, to: shape), shape)
    }
    guard
      let recipe = TensorRecipe.combined(
        try numbers(inputs[0]), TensorRecipe(filled: 1, shape), .product)
    else { throw Unsupported("\(inputs[0].shape) does not spread to \(sizes)") }
    return Constant(recipe)
  }

  private func range(_ inputs: [Constant]) throws -> Constant {
    let bounds = try inputs.map { try $0.counts?.first.map(known) }.compactMap(\.self)
    guard bounds.count == 3, bounds[2] != 0, bounds.allSatisfy({ $0.magnitude < 1 << 32 }) else {
      throw Unsupported("its bounds are no whole numbers")
    }
    let numbers = stride(from: bounds[0], to: bounds[1], by: bounds[2])
      .prefix(ONNXLimits.smallCount + 1)
    return Constant(numbers.map { Count($0) })
  }

  private func chosen(_ inputs: [Constant]) throws -> Constant {
    guard inputs.count == 3, let conditions = inputs[0].counts, let a = inputs[1].counts,
      let b = inputs[2].counts, let pair = Shape.broadcast(inputs[1].shape, inputs[2].shape),
      let shape = Shape.broadcast(inputs[0].shape, pair), shape.count <= ONNXLimits.smallCount
    else { throw Unsupported("it is understood of a few whole numbers only") }
    let spread = [(conditions, inputs[0].shape), (a, inputs[1].shape), (b, inputs[2].shape)].map {
      GraphImport.spread($0, $1, to: shape)
    }
    return Constant(
      try (0..<shape.count).map { try known(spread[0][$0]) != 0 ? spread[1][$0] : spread[2][$0] },
      shape)
  }

  private func product(_ call: NodeCall, _ source: Constant) throws -> Constant {
    guard let counts = source.counts, source.shape.rank <= 1 else {
      throw Unsupported("it is understood of lists of whole numbers only")
    }
    var product = Count(1)
    for count in counts {
      guard let next = product * count else { throw Unsupported("its product is too large") }
      product = next
    }
    let keeps = try call.integer("keepdims", default: 1) != 0
    return Constant([product], keeps ? [1] : [])
  }

  /// What a Slice takes of one axis.
  struct AxisSlice {
    var axis: Int
    var start: Int
    var end: Int
    var step: Int

    /// The indices of an axis of a length.
    func indices(of length: Int) -> [Int] {
      func clamp(_ index: Int, _ low: Int, _ high: Int) -> Int {
        min(max(index < 0 ? index.addingReportingOverflow(length).partialValue : index, low), high)
      }
      return step > 0
        ? Array(stride(from: clamp(start, 0, length), to: clamp(end, 0, length), by: step))
        : Array(
          stride(
            from: clamp(start, -1, length - 1),
            to: end < -length ? -1 : clamp(end, -1, length - 1), by: step))
    }
  }

  /// The parts of a Slice.
  static func slices(of call: NodeCall, rank: Int) throws -> [AxisSlice] {
    let isOld = call.version < 10
    let starts = isOld ? try call.integers("starts") : try call.integers(1, "its starts")
    let ends = isOld ? try call.integers("ends") : try call.integers(2, "its ends")
    let axes = isOld ? try call.integers("axes") : try call.integers(3, "its axes")
    let steps = isOld ? nil : try call.integers(4, "its steps")
    guard let starts, let ends, starts.count == ends.count,
      axes.map({ $0.count == starts.count }) ?? true,
      steps.map({ $0.count == starts.count }) ?? true,
      steps.map({ !$0.contains(0) && $0.allSatisfy { $0.magnitude < 1 << 32 } }) ?? true
    else { throw Unsupported("its starts, ends, axes and steps do not fit") }
    return try starts.indices.map { index in
      AxisSlice(
        axis: try call.axis(axes?[index] ?? index, of: rank), start: starts[index],
        end: ends[index],
        step: steps?[index] ?? 1)
    }
  }
}
