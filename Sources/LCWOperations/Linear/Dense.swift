// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// y = W x + b with W `[outputs, inputs]`; needs a vector.
public struct Dense: LinearOperation {
  /// `dense`
  public static let name = "dense"
  /// What it is.
  public static let summary = "every output is a weighted sum of all inputs"
  /// How it is written.
  public static let usage = "dense OUTPUTS [no-bias]"

  /// The number of outputs.
  public var outputs: Int
  /// Whether each output adds a bias.
  public var hasBias: Bool

  /// A dense layer.
  public init(outputs: Int, bias: Bool = true) {
    self.outputs = outputs
    hasBias = bias
  }

  /// `2000 no-bias`
  public init(words: inout OperationWords) throws(OperationProblem) {
    outputs = try words.integer("a number of outputs or ‘classes’ after dense")
    hasBias = !words.take("no-bias")
  }

  /// The outputs, and `no-bias`.
  public var words: [String] { ["\(outputs)"] + (hasBias ? [] : ["no-bias"]) }

  /// `[outputs]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard inputs[0].rank == 1 else {
      throw OperationProblem("needs a vector but gets \(inputs[0]); put a flatten before it")
    }
    guard outputs > 0 else { throw OperationProblem("needs at least one output") }
    return [outputs]
  }

  /// Weights `[outputs, inputs]` and bias `[outputs]`, uniform on ±1/√inputs (Anokhin and Yarotsky).
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    let initial = InitialValues.uniform(bound: 1 / Float(inputs[0].count).squareRoot())
    let weight = ParameterDescription(
      .weight, try Shape(chosen: [outputs, inputs[0].count]), initial: initial)
    return [weight] + (hasBias ? [ParameterDescription(.bias, [outputs], initial: initial)] : [])
  }

  /// Reads columns, writes rows.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .linear(hasBias: hasBias) }

  /// One for each weight.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double {
    Double(inputs[0].count) * Double(outputs)
  }

  /// A ReLU.
  public func fuses(_ activation: FusedActivation) -> Bool { activation == .rectifier }

  /// A matrix product.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    DenseKernel(hasBias: hasBias, clips: fusing == .rectifier)
  }

  /// The same with a bias.
  public var addingBias: Dense { Dense(outputs: outputs, bias: true) }
  /// No.
  public var readsPadding: Bool { false }

  /// x Wᵀ
  public func product(
    of block: Tensor, with weight: Tensor, input: Shape, workers: Workers
  ) -> Tensor {
    var product = Tensor(unspecified: [block.shape.rows, weight.shape.rows])
    product.assignProduct(
      block.matrix, weight.transposed, precision: .standard, workers: workers)
    return product
  }

  /// The block itself.
  public func featureRows(
    of block: Tensor, input: Shape, positions count: Int?, first: Int
  ) -> Tensor { block }

  /// One.
  public func positions(input: Shape) -> Int { 1 }
}

extension UnitRelation {
  /// What a layer of weights `[outputs, inputs, …]` does with units.
  static func linear(hasBias: Bool, parts: Int = 1) -> UnitRelation {
    let weight = [Axis(parameter: 0, axis: 0, .output), Axis(parameter: 0, axis: 1, .input(0))]
    let bias = hasBias ? [Axis(parameter: 1, axis: 0, .output)] : []
    return UnitRelation(.new, axes: weight + bias, parts: parts)
  }
}

extension Layer {
  /// A dense layer, y = W x + b.
  public static func dense(outputs: Int, bias: Bool) -> Layer {
    Layer(Dense(outputs: outputs, bias: bias))
  }
}

@section("lcw_plugins") @used
let densePlugin: PluginRecord = { $0.add(Dense.self) }

/// y = x Wᵀ + b, then clipped at zero if a ReLU follows.
struct DenseKernel: UnaryKernel {
  var hasBias: Bool
  var clips: Bool

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let weight = parameters[0]
    var output = Tensor(unspecified: [input.shape.rows, weight.shape.rows])
    output.assignProduct(
      input.matrix, weight.transposed, precision: .standard, workers: workers)
    if hasBias {
      output.addBias(parameters[1], clipping: clips, workers: workers)
    } else if clips {
      output.relu(workers: workers)
    }
    return output
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let saved = copy input
    let result = output(of: input, parameters: parameters, workers: pass.workers)
    return (result, clips ? [saved, result] : [saved])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    if clips { gradient.reluBackward(output: record[1], workers: pass.workers) }
    gradients[0].assignProduct(
      gradient.transposed, record[0].matrix, beta: pass.carry, precision: .standard,
      workers: pass.workers)
    if hasBias { gradients[1].assignColumnSums(of: gradient, plus: pass.carry) }
    guard needsInput else { return nil }
    var input = Tensor(unspecified: record[0].shape)
    input.assignProduct(
      gradient.matrix, parameters[0].matrix, precision: .standard, workers: pass.workers)
    return input
  }
}
