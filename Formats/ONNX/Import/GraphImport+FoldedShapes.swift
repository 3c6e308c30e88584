// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension GraphImport {
  func reshaped(_ call: NodeCall, _ constant: Constant) throws -> Constant {
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

  func transposed(_ call: NodeCall, _ constant: Constant) throws -> Constant {
    let rank = constant.shape.rank
    let order = try call.integers("perm") ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else {
      throw Unsupported("its perm is not a permutation of the axes")
    }
    if constant.counts != nil, rank < 2 { return constant }
    return Constant(try numbers(constant).transposed(order))
  }

  func joined(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant {
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

  func gathered(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant {
    guard inputs.count == 2, let indices = inputs[1].counts else {
      throw Unsupported("its indices are not whole numbers")
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

  func sliced(_ call: NodeCall, _ source: Constant) throws -> Constant {
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

  func spread(_ call: NodeCall, _ inputs: [Constant]) throws -> Constant {
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

  func range(_ inputs: [Constant]) throws -> Constant {
    let bounds = try inputs.map { try $0.counts?.first.map(known) }.compactMap(\.self)
    guard bounds.count == 3, bounds[2] != 0, bounds.allSatisfy({ $0.magnitude < 1 << 32 }) else {
      throw Unsupported("its bounds are not whole numbers")
    }
    let numbers = stride(from: bounds[0], to: bounds[1], by: bounds[2])
      .prefix(ONNXLimits.smallCount + 1)
    return Constant(numbers.map { Count($0) })
  }

  func chosen(_ inputs: [Constant]) throws -> Constant {
    guard inputs.count == 3, let conditions = inputs[0].counts, let a = inputs[1].counts,
      let b = inputs[2].counts, let pair = Shape.broadcast(inputs[1].shape, inputs[2].shape),
      let shape = Shape.broadcast(inputs[0].shape, pair), shape.count <= ONNXLimits.smallCount
    else { throw Unsupported("it is supported for a few whole numbers only") }
    let spread = [(conditions, inputs[0].shape), (a, inputs[1].shape), (b, inputs[2].shape)].map {
      GraphImport.spread($0, $1, to: shape)
    }
    return Constant(
      try (0..<shape.count).map { try known(spread[0][$0]) != 0 ? spread[1][$0] : spread[2][$0] },
      shape)
  }

  func product(_ call: NodeCall, _ source: Constant) throws -> Constant {
    guard let counts = source.counts, source.shape.rank <= 1 else {
      throw Unsupported("it is supported for lists of whole numbers only")
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
