// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// Convolutions and products with matrices.
extension GraphImport {
  /// What a tensor's name says of its layer: what stands before the last dot.
  func hint(_ value: GraphValue?) -> String? {
    guard case .constant(let constant)? = value, let index = constant.recipe?.storedIndices.first,
      let dot = data[index].name.lastIndex(of: ".")
    else { return nil }
    return String(data[index].name[..<dot])
  }

  mutating func convolution(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    let weight = try call.numbers(1, "its weight")
    guard source.sizes.count == 3, weight.shape.rank == 4 else {
      throw Unsupported(
        "its weight is \(weight.shape) and its input \(source.sizes); convolutions here are over images "
          + "[channels, height, width]")
    }
    let image = try plain(source)
    let windows = try WindowAttributes(
      call, kernel: [weight.shape[2], weight.shape[3]], image: draft.shapes[image])
    let groups = try call.integer("group", default: 1)
    var words = ["conv", "\(weight.shape[0])", "\(weight.shape[2])x\(weight.shape[3])"]
    words += windows.strideWords + windows.paddingWords + windows.dilationWords
    if groups != 1 { words += ["groups", "\(groups)"] }
    var parameters = ["weight": weight]
    let bias = call.input(2) == nil ? nil : try call.numbers(2, "its bias")
    // Some exporters write zeros where there is no bias.
    if let bias,
      try bias.storedIndex != nil || bias.elements(from: data).contains(where: { $0 != 0 })
    {
      parameters["bias"] = try bias.reshaped([weight.shape[0]], orThrow: "bias")
    } else {
      words.append("no-bias")
    }
    return [
      output(
        try draft.add(words, reading: [image], parameters: parameters, hint: hint(call.input(1))))
    ]
  }

  mutating func gemm(_ call: NodeCall) throws -> [GraphValue] {
    let alpha = try call.float("alpha", default: 1)
    let beta = try call.float("beta", default: 1)
    guard try call.integer("transA", default: 0) == 0 else {
      throw Unsupported("it transposes its input; export it without transA")
    }
    var weight = try call.numbers(1, "its matrix")
    guard weight.shape.rank == 2 else { throw Unsupported("its matrix is \(weight.shape)") }
    if try call.integer("transB", default: 0) == 0 { weight = weight.transposed([1, 0]) }
    weight = weight.mapped(.scaled(alpha))
    var bias: TensorRecipe?
    if call.input(2) != nil {
      let own = try call.numbers(2, "its summand").mapped(.scaled(beta))
      let outputs: Shape = [weight.shape[0]]
      guard own.shape.dimensions.dropLast().allSatisfy({ $0 == 1 }),
        own.shape.count == 1 || own.shape.count == outputs.count
      else {
        throw Unsupported("its summand is \(own.shape), and a bias has one number for each output")
      }
      bias =
        own.shape.count == outputs.count
        ? own.reshaped(outputs)
        : TensorRecipe(filled: Float(try scalar(own) ?? 0), outputs)
    }
    return [
      try dense(
        try activation(try call.required(0)), weight: weight, bias: bias, hint: hint(call.input(1)))
    ]
  }

  mutating func matrixProduct(_ call: NodeCall) throws -> [GraphValue] {
    guard case .constant? = call.input(1) else {
      throw Unsupported("it multiplies two values, or a constant by one, as attention does")
    }
    let matrix = try call.numbers(1, "its matrix")
    guard matrix.shape.rank == 2 else { throw Unsupported("its matrix is \(matrix.shape)") }
    return [
      try dense(
        try activation(try call.required(0)), weight: matrix.transposed([1, 0]), bias: nil,
        hint: hint(call.input(1)))
    ]
  }

  /// A dense layer on a vector, or on the channels of each position of an image.
  private mutating func dense(
    _ source: Activation, weight: TensorRecipe, bias: TensorRecipe?, hint: String?
  ) throws -> GraphValue {
    var parameters = ["weight": try settled(weight)]
    parameters["bias"] = try bias.map { try settled($0) }
    let ending = bias == nil ? ["no-bias"] : []
    if source.sizes.count == 1 {
      return output(
        try draft.add(
          ["dense", "\(weight.shape[0])"] + ending, reading: [try plain(source)],
          parameters: parameters, hint: hint))
    }
    guard case .turned(let order) = source.form, order == [1, 2, 0] else {
      throw Unsupported(
        "it multiplies the last axis of \(source.sizes) by a matrix; dense layers here read a vector, or "
          + "the channels of an image")
    }
    parameters["weight"] = try settled(
      weight.reshaped([weight.shape[0], weight.shape[1], 1, 1]))
    let result = try draft.add(
      ["conv", "\(weight.shape[0])", "1x1"] + ending, reading: [try value(of: source.expression)],
      parameters: parameters, hint: hint)
    return output(
      result, form: source.form, sizes: Array(source.sizes.dropLast()) + [weight.shape[0]])
  }
}

extension TensorRecipe {
  /// The same numbers in another shape.
  func reshaped(_ new: Shape, orThrow what: String) throws -> TensorRecipe {
    guard new.count == shape.count else {
      throw Unsupported("its \(what) is \(shape), and \(new) is needed")
    }
    return reshaped(new)
  }
}

/// What a node says of windows over an image.
struct WindowAttributes {
  var kernel: [Int]
  var strides: [Int]
  /// Above, left, below, right.
  var padding: [Int]
  var dilations: [Int]

  /// Reads the attributes of a node.
  init(_ call: NodeCall, kernel: [Int], image: Shape) throws {
    self.kernel = kernel
    strides = try call.integers("strides") ?? [1, 1]
    dilations = try call.integers("dilations") ?? [1, 1]
    padding = try call.integers("pads") ?? [0, 0, 0, 0]
    guard kernel.count == 2, strides.count == 2, dilations.count == 2, padding.count == 4 else {
      throw Unsupported(
        "its windows have not two axes; those here are over [channels, height, width]")
    }
    guard (kernel + strides + dilations).allSatisfy({ (1...Int(Int32.max)).contains($0) }),
      padding.allSatisfy({ (0...Int(Int32.max)).contains($0) })
    else { throw Unsupported("its windows have sizes that can't be, or a padding below 0") }
    switch try call.text("auto_pad") ?? "NOTSET" {
    case "NOTSET": break
    case "VALID": padding = [0, 0, 0, 0]
    case let mode where mode == "SAME_UPPER" || mode == "SAME_LOWER":
      guard image.rank == 3 else { throw Unsupported("its input is \(image), and no image") }
      for axis in 0..<2 {
        let size = image[axis + 1]
        let count = (size + strides[axis] - 1) / strides[axis]
        let span = (kernel[axis] - 1) * dilations[axis] + 1
        let all = max(0, (count - 1) * strides[axis] + span - size)
        let small = all / 2
        padding[axis] = mode == "SAME_UPPER" ? small : all - small
        padding[axis + 2] = all - padding[axis]
      }
    case let mode: throw Unsupported("its auto_pad is ‘\(mode)’")
    }
  }

  var strideWords: [String] { strides == [1, 1] ? [] : ["stride", strides.operationWord] }
  var paddingWords: [String] { padding == [0, 0, 0, 0] ? [] : ["pad", padding.operationWord] }
  var dilationWords: [String] { dilations == [1, 1] ? [] : ["dilation", dilations.operationWord] }
}
