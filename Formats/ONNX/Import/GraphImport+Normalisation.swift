// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// Normalisations, also those that a graph writes out step by step.
extension GraphImport {
  /// `epsilon E`, or nothing where it is the usual one.
  private func epsilonWords(_ epsilon: Double) -> [String] {
    epsilon == Double(Float(1e-5)) ? [] : ["epsilon", ScalarFunction.word(epsilon)]
  }

  mutating func batchNormalisation(_ call: NodeCall) throws -> [GraphValue] {
    let value = try plain(try activation(try call.required(0)))
    guard try call.integer("spatial", default: 1) == 1 else {
      throw Unsupported("it normalises each place apart; export it again with a newer opset")
    }
    if try call.integer("training_mode", default: 0) == 1 {
      notes.append(
        "‘\(call.node.label)’ normalises by the batch there; here it does so in training alone")
    }
    let roles = ["scale", "shift", "mean", "variance"]
    var parameters: [String: TensorRecipe] = [:]
    for (index, role) in roles.enumerated() {
      parameters[role] = try call.numbers(index + 1, "its \(role)")
    }
    let epsilon = Double(try call.float("epsilon", default: 1e-5))
    // There it is the share of the old, here that of the new.
    let kept = Double("\(try call.float("momentum", default: 0.9))") ?? 0.9
    let share = ((1 - kept) * 1e6).rounded() / 1e6
    let words =
      ["batchnorm"] + epsilonWords(epsilon)
      + (share == 0.1 ? [] : ["momentum", ScalarFunction.word(share)])
    return [
      output(
        try draft.add(words, reading: [value], parameters: parameters, hint: hint(call.input(1))))
    ]
  }

  mutating func instanceNormalisation(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    let scale = try call.numbers(1, "its scale")
    let shift = try call.numbers(2, "its shift")
    let epsilon = Double(try call.float("epsilon", default: 1e-5))
    if case .reshaped = source.form, source.sizes.count == 2 {
      // Groups of channels, which the graph joins before and parts behind.
      let value = try value(of: source.expression)
      let (shape, groups) = (draft.shapes[value], source.sizes[0])
      guard shape.rank == 3, groups > 0, shape[0] % groups == 0, scale.shape == [groups],
        shift.shape == [groups]
      else { throw Unsupported("it normalises parts of \(shape) that are no groups of channels") }
      let width = shape[0] / groups
      let spread = { (recipe: TensorRecipe) -> TensorRecipe in
        recipe.filledValue.map { TensorRecipe(filled: $0, [shape[0]]) }
          ?? recipe.rows((0..<shape[0]).map { $0 / width }, axis: 0)
      }
      let result = try draft.add(
        ["groupnorm", "\(groups)"] + epsilonWords(epsilon), reading: [value],
        parameters: ["scale": try filled(spread(scale)), "shift": try filled(spread(shift))])
      return [output(result, form: .reshaped, sizes: source.sizes)]
    }
    let value = try plain(source)
    return [
      output(
        try draft.add(
          ["instancenorm"] + epsilonWords(epsilon), reading: [value],
          parameters: ["scale": scale, "shift": shift], hint: hint(call.input(1))))
    ]
  }

  /// The recipe as one number everywhere, if that is what it comes to: so that what follows takes its place.
  private mutating func filled(_ recipe: TensorRecipe) throws -> TensorRecipe {
    guard recipe.shape.count <= ONNXLimits.smallCount else { return try settled(recipe) }
    let elements = try recipe.elements(from: data)
    guard let first = elements.first, elements.allSatisfy({ $0 == first }) else {
      return try settled(recipe)
    }
    return TensorRecipe(filled: first, recipe.shape)
  }

  mutating func groupNormalisation(_ call: NodeCall) throws -> [GraphValue] {
    let value = try plain(try activation(try call.required(0)))
    guard let groups = try call.integer("num_groups"), groups > 0 else {
      throw Unsupported("it has no number of groups")
    }
    let channels = draft.shapes[value].rows
    var parameters: [String: TensorRecipe] = [:]
    for (index, role) in ["scale", "shift"].enumerated() {
      let recipe = try call.numbers(index + 1, "its \(role)")
      // Up to version 20 they are those of groups.
      parameters[role] =
        recipe.shape == [groups] && groups != channels && channels % groups == 0
        ? try settled(recipe.rows((0..<channels).map { $0 / (channels / groups) }, axis: 0))
        : recipe
    }
    let epsilon = Double(try call.float("epsilon", default: 1e-5))
    return [
      output(
        try draft.add(
          ["groupnorm", "\(groups)"] + epsilonWords(epsilon), reading: [value],
          parameters: parameters, hint: hint(call.input(1))))
    ]
  }

  mutating func layerNormalisation(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    let rank = source.sizes.count + 1
    let first = try call.axis(try call.integer("axis", default: -1), of: rank)
    guard first > 0 else { throw Unsupported("it normalises over the samples") }
    return [
      try normalised(
        source, axes: Array(first - 1..<rank - 1),
        epsilon: Double(try call.float("epsilon", default: 1e-5)),
        scale: try call.numbers(1, "its scale"),
        shift: call.input(2) == nil ? nil : try call.numbers(2, "its shift"),
        hint: hint(call.input(1)))
    ]
  }

  /// A value less its mean over some axes, over its deviation.
  private mutating func normalised(
    _ source: Activation, axes: [Int], epsilon: Double, scale: TensorRecipe? = nil,
    shift: TensorRecipe? = nil, hint: String? = nil
  ) throws -> GraphValue {
    let value: Int
    var form = source.form
    if form == .reshaped {
      value = try plain(source)
      form = .plain
    } else {
      value = try self.value(of: source.expression)
    }
    let shape = draft.shapes[value]
    let channel = axis(0, in: form)
    let overChannels = axes == [channel] && shape.rank > 1
    guard overChannels || axes == Array(source.sizes.indices) else {
      throw Unsupported(
        "it normalises over the axes \(axes.map { $0 + 1 }) of [samples] + \(source.sizes); layernorm here "
          + "does over all of a sample, or over the channels of each position")
    }
    let own = overChannels ? [shape.rows] as Shape : shape
    func fitted(_ recipe: TensorRecipe?, _ usual: Float) throws -> TensorRecipe {
      guard let recipe else { return TensorRecipe(filled: usual, own) }
      let sizes = Shape(axes.map { source.sizes[$0] })
      guard let spread = TensorRecipe.combined(recipe, TensorRecipe(filled: 1, sizes), .product),
        spread.shape == sizes
      else { throw Unsupported("its scale or shift is \(recipe.shape), not \(sizes)") }
      let full = recipe.shape == sizes ? recipe : spread
      guard !overChannels, case .turned(let order) = form else {
        return try settled(full.reshaped(own))
      }
      return try settled(
        full.transposed(own.dimensions.indices.map { order.firstIndex(of: $0) ?? $0 }))
    }
    let result = try draft.add(
      ["layernorm"] + (overChannels ? ["channels"] : []) + epsilonWords(epsilon), reading: [value],
      parameters: ["scale": try fitted(scale, 1), "shift": try fitted(shift, 0)], hint: hint)
    return output(result, form: form, sizes: source.sizes)
  }

  mutating func localResponse(_ call: NodeCall) throws -> [GraphValue] {
    let value = try plain(try activation(try call.required(0)))
    guard let size = try call.integer("size"), size > 0 else { throw Unsupported("it has no size") }
    guard size % 2 == 1 else {
      throw Unsupported(
        "its size \(size) is even, and programs differ in which channels that takes; make it odd")
    }
    let numbers = try [("alpha", Float(0.0001)), ("beta", 0.75), ("bias", 1)].map {
      ScalarFunction.word(Double(try call.float($0, default: $1)))
    }
    return [
      output(
        try draft.add(
          ["lrn", "\(size)", "alpha", numbers[0], "beta", numbers[1], "k", numbers[2]],
          reading: [value]))
    ]
  }

  // MARK: Step by step

  /// The sizes that a step of a normalisation has, but for that of the samples.
  func sizes(of moment: Moment) -> [Int] {
    let sizes = moment.source.sizes
    switch moment.step {
    case .centred, .square: return sizes
    default:
      return sizes.indices.compactMap {
        moment.axes.contains($0) ? (moment.keepsAxes ? 1 : nil) : sizes[$0]
      }
    }
  }

  /// `ReduceMean` over axes of a sample.
  mutating func reduceMean(_ call: NodeCall) throws -> [GraphValue] {
    let keeps = try call.integer("keepdims", default: 1) != 0
    let value = try call.required(0)
    let sizes: [Int]
    switch value {
    case .moment(let moment): sizes = self.sizes(of: moment)
    default: sizes = try activation(value).sizes
    }
    let given = try call.axes(inputFrom: 18) ?? Array(0...sizes.count)
    let axes = try given.map { try call.axis($0, of: sizes.count + 1) - 1 }.sorted()
    guard !axes.isEmpty, axes.allSatisfy({ $0 >= 0 }), Set(axes).count == axes.count else {
      throw Unsupported("it takes the mean over the samples, or over no axis")
    }
    if case .moment(var moment) = value, case .square = moment.step, axes == moment.axes, keeps {
      moment.step = .variance
      moment.keepsAxes = true
      return [.moment(moment)]
    }
    return [
      .moment(
        Moment(source: try activation(value), axes: axes, keepsAxes: keeps, step: .mean))
    ]
  }

  /// A mean as a value of the network: that of each channel over all positions.
  mutating func mean(_ moment: Moment) throws -> Activation {
    guard case .mean = moment.step else {
      throw Unsupported("it is a step of a normalisation that is written in a way not known here")
    }
    var source = moment.source
    let value: Int
    if source.form == .reshaped {
      value = try plain(source)
      source.form = .plain
    } else {
      value = try self.value(of: source.expression)
    }
    let key = MeanValue(
      value: value, form: source.form, axes: moment.axes, keepsAxes: moment.keepsAxes)
    if let known = means[key] { return known }
    let channel = axis(0, in: source.form)
    guard draft.shapes[value].rank == 3,
      moment.axes == source.sizes.indices.filter({ $0 != channel })
    else {
      throw Unsupported(
        "it takes the mean of [samples] + \(source.sizes) over the axes \(moment.axes.map { $0 + 1 }), and "
          + "here that is over all positions of an image")
    }
    let result = try draft.add(["adaptive-avgpool"], reading: [value])
    let form: Activation.Form = moment.keepsAxes ? source.form : .reshaped
    let mean = Activation(
      expression: base(result), form: form, sizes: sizes(of: moment), isExclusive: false)
    means[key] = mean
    return mean
  }

  /// The next step of a normalisation, where two values are combined to it; nothing for others.
  mutating func combinedMoment(
    _ a: GraphValue, _ b: GraphValue, _ operation: Expression.Operator
  ) throws -> GraphValue? {
    func isSame(_ a: Activation, _ b: Activation) -> Bool {
      a.expression == b.expression && a.form == b.form && a.sizes == b.sizes
    }
    var a = a
    if case .moment(let inner) = a, case .mean = inner.step, case .moment = b {
      a = .activation(try activation(a))
    }
    switch (a, b, operation) {
    case (.activation(let source), .moment(var moment), .difference):
      guard case .mean = moment.step, moment.keepsAxes, isSame(source, moment.source) else {
        return nil
      }
      moment.step = .centred
      return .moment(moment)
    case (.moment(var x), .moment(var y), _):
      // A product's order is free: the centred value is the first here.
      if case .product = operation, case .inverse = x.step { swap(&x, &y) }
      guard isSame(x.source, y.source), x.axes == y.axes, case .centred = x.step else { return nil }
      switch (y.step, operation) {
      case (.centred, .product):
        x.step = .square
        return .moment(x)
      case (.deviation(let epsilon), .quotient), (.inverse(let epsilon), .product):
        return try normalised(x.source, axes: x.axes, epsilon: epsilon)
      default: return nil
      }
    case (.moment(var moment), .constant(let constant), .sum),
      (.constant(let constant), .moment(var moment), .sum):
      guard case .variance = moment.step,
        let epsilon = try constant.recipe.flatMap({ try scalar($0) })
      else { return nil }
      moment.step = .raised(epsilon)
      return .moment(moment)
    default: return nil
    }
  }
}
