// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations

/// Each unit times a number, in evaluation less the mean of what training saw; with a fault.
struct FaultyScale: NetworkOperation {
  enum Fault: String, CaseIterable {
    case none, text, refusal, sentence, roles, work, shape, samples, workers, inputs, gradient,
      carry
    case needs, averages, fusion, activation, values, mixing, forgetting, coupling, unfit, buffers
  }

  static let name = "faulty"
  static let summary = "a number for each unit, with a fault"
  static let usage = "faulty [FAULT]"
  let fault: Fault

  init(words: inout OperationWords) throws(OperationProblem) {
    guard let word = words.next() else {
      fault = .none
      return
    }
    guard let fault = Fault(rawValue: word) else { throw OperationProblem("a fault") }
    self.fault = fault
  }

  var words: [String] { fault == .none || fault == .text ? [] : [fault.rawValue] }

  func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard inputs[0].rank == 1 || inputs[0].rank == 3, fault != .refusal else {
      throw OperationProblem(fault == .sentence ? "" : "needs a vector or an image")
    }
    return inputs[0]
  }

  func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    let shape: Shape = [inputs[0][0]]
    return [
      ParameterDescription(.scale, shape, initial: .constant(1)),
      ParameterDescription(
        fault == .roles ? .scale : .mean, shape, initial: .constant(0),
        update: .average(share: 0.1)),
    ]
  }

  func units(inputs: [Shape], output: Shape) -> UnitRelation {
    switch fault {
    case .forgetting:
      UnitRelation(.sameUnits, axes: [.init(parameter: 1, axis: 0, .output)])
    case .unfit: UnitRelation(.spread(over: 2))
    default: .oneByOne(parameters: 2)
    }
  }

  func multiplyAdds(inputs: [Shape], output: Shape) -> Double {
    fault == .work ? -1 : Double(output.count)
  }

  var fusedActivation: FusedActivation? { fault == .activation ? .rectifier : nil }
  func fuses(_ activation: FusedActivation) -> Bool { true }
  var keepsValues: Bool { fault == .values }

  func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    FaultyKernel(fault: fault, shape: inputs[0], clips: fusing != nil && fault != .fusion)
  }
}

private struct FaultyKernel: OperationKernel {
  let fault: FaultyScale.Fault
  let shape: Shape
  let clips: Bool

  /// The unit of each place of a sample.
  private func unit(_ place: Int) -> Int { place % shape.count / shape.rowCount }

  /// What the units are made of: of themselves, but for a fault.
  private func moved(_ input: Tensor, back: Bool) -> Tensor {
    var result = input
    let step = shape.rowCount
    for index in 0..<input.count {
      let (sample, place) = (index / shape.count, index % shape.count)
      switch fault {
      case .mixing:
        let other = (place + (back ? shape.count - step : step)) % shape.count
        result.elements[index] = input.elements[sample * shape.count + other]
      case .coupling:
        let others = (0..<shape.rows).map {
          input.elements[sample * shape.count + $0 * step + place % step]
        }
        result.elements[index] -= others.reduce(0, +) / Float(shape.rows)
      default: break
      }
    }
    return result
  }

  private func scaled(_ input: Tensor, _ parameters: [Tensor], less mean: Float) -> Tensor {
    var result = input
    for index in 0..<result.count {
      result.elements[index] *= parameters[0].elements[unit(index)]
      result.elements[index] -= mean * parameters[1].elements[unit(index)]
      if clips { result.elements[index] = max(result.elements[index], 0) }
    }
    return result
  }

  func output(of inputs: consuming [Tensor], parameters: [Tensor], workers: Workers) -> Tensor {
    let input = inputs[0]
    if fault == .inputs {
      input.elements.withUnsafeBufferPointer {
        if let base = $0.baseAddress { UnsafeMutablePointer(mutating: base)[0] += 1 }
      }
    }
    var own = moved(input, back: false)
    for index in 0..<own.count {
      switch fault {
      // The same unit of the next sample.
      case .samples: own.elements[index] += input.elements[(index + shape.count) % input.count]
      case .workers: own.elements[index] *= 1 + Float(workers.count) / 10
      default: break
      }
    }
    let result = scaled(own, parameters, less: 1)
    return fault == .shape ? result.reshaped([input.shape.rows, 1, shape.count]) : result
  }

  func outputRecording(
    of inputs: consuming [Tensor], parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let input = moved(inputs[0], back: false)
    let output = scaled(input, parameters, less: 0)
    return (output, [input, output])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needs: [Bool], pass: TrainingPass
  ) -> [Tensor?] {
    var gradient = copy gradient
    let carry = fault == .carry ? 1 : pass.carry
    for unit in 0..<shape.rows { gradients[0].elements[unit] *= carry }
    var means = Tensor(zeros: gradients[1].shape)
    for index in 0..<gradient.count {
      if clips, record[1].elements[index] <= 0 { gradient.elements[index] = 0 }
      let share = fault == .gradient ? 2 : Float(1)
      gradients[0].elements[unit(index)] +=
        share * gradient.elements[index] * record[0].elements[index]
      means.elements[unit(index)] +=
        record[0].elements[index] / Float(gradient.count / shape.rows)
      gradient.elements[index] *= parameters[0].elements[unit(index)]
    }
    switch fault {
    case .averages: break
    case .buffers: gradients[1].assign(1, times: means, plus: pass.carry)
    default: gradients[1] = means
    }
    return needs[0] || fault == .needs ? [moved(gradient, back: true)] : [nil]
  }
}

/// A dense layer with a fault in what it says of its products and units.
struct FaultyLinear: LinearOperation {
  enum Fault: String, CaseIterable {
    case none, product, features, positions, axes, parts
  }

  static let name = "faulty-linear"
  static let summary = "a dense layer with a fault"
  static let usage = "faulty-linear FAULT"
  let fault: Fault
  private var dense = Dense(outputs: 12, bias: true)

  init(words: inout OperationWords) throws(OperationProblem) {
    guard let fault = words.next().flatMap(Fault.init) else { throw OperationProblem("a fault") }
    self.fault = fault
  }

  var words: [String] { [fault.rawValue] }
  func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    try dense.outputShape(for: inputs)
  }
  func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    try dense.parameters(for: inputs)
  }
  func units(inputs: [Shape], output: Shape) -> UnitRelation {
    guard fault == .axes else { return dense.units(inputs: inputs, output: output) }
    // Rows and columns the wrong way round.
    return UnitRelation(
      .new,
      axes: [
        .init(parameter: 0, axis: 1, .output), .init(parameter: 0, axis: 0, .input(0)),
        .init(parameter: 1, axis: 0, .output),
      ])
  }
  func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { dense.kernel(inputs: inputs, output: output, fusing: fusing) }

  var hasBias: Bool { dense.hasBias }
  var addingBias: FaultyLinear { self }
  var readsPadding: Bool { false }
  var parts: Int { fault == .parts ? 2 : 1 }

  func product(
    of block: Tensor, with weight: Tensor, input: Shape, workers: Workers
  ) -> Tensor {
    var product = dense.product(of: block, with: weight, input: input, workers: workers)
    if fault == .product { product.elements[0] += 1 }
    return product
  }

  func featureRows(
    of block: Tensor, input: Shape, positions count: Int?, first: Int
  ) -> Tensor {
    var rows = dense.featureRows(of: block, input: input, positions: count, first: first)
    if fault == .features { rows.elements.reverse() }
    return rows
  }

  func positions(input: Shape) -> Int { fault == .positions ? 2 : 1 }
}

/// Twice the input, and lines that say thrice.
struct FaultyAffine: AffineOperation {
  static let name = "faulty-affine"
  static let summary = "twice the input, with lines that may say otherwise"
  static let usage = "faulty-affine FACTOR"
  let factor: Double

  init(words: inout OperationWords) throws(OperationProblem) {
    factor = try words.number("a factor")
  }

  var words: [String] { ["\(factor)"] }
  func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }
  func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { DoublingKernel(units: inputs[0].rows) }

  func lines(parameters: [Tensor]) -> [(factor: Double, summand: Double)] {
    // The units are not known here, so that only vectors of twelve fit.
    (0..<12).map { _ in (factor, 0) }
  }
}

private struct DoublingKernel: UnaryKernel {
  let units: Int

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    for index in 0..<input.count { input.elements[index] *= 2 }
    return input
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (output(of: input, parameters: parameters, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? { output(of: gradient, parameters: [], workers: pass.workers) }
}
