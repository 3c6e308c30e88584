// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// In training, zeroes each value with a probability and scales the others up; the identity in evaluation.
public struct Dropout: NetworkOperation {
  /// `dropout`
  public static let name = "dropout"
  /// What it is.
  public static let summary = "in training, zeroes values at random and scales the others up"
  /// How it is written.
  public static let usage = "dropout RATE"

  /// The probability of zero.
  public var rate: Double

  /// Dropout with a probability.
  public init(rate: Double) {
    self.rate = rate
  }

  /// `0.5`
  public init(words: inout OperationWords) throws(OperationProblem) {
    let expected = "a rate from 0 to below 1 after dropout"
    rate = try words.number(expected, in: 0...1)
    guard rate < 1 else { throw OperationProblem(expected) }
  }

  /// The rate.
  public var words: [String] { ["\(rate)"] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard rate >= 0, rate < 1 else { throw OperationProblem("needs a rate from 0 to below 1") }
    return inputs[0]
  }

  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// Yes.
  public var keepsValues: Bool { true }

  /// A mask in training.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { DropoutKernel(rate: rate) }
}

extension Layer {
  /// In training, zeroes each value with the probability `rate` and scales the others up.
  public static func dropout(rate: Double) -> Layer { Layer(Dropout(rate: rate)) }
}

@section("lcw_plugins") @used
let dropoutPlugin: PluginRecord = { $0.add(Dropout.self) }

/// Zeroes values at random in training and scales the others up, so that the mean stays; the
/// identity in evaluation.
struct DropoutKernel: UnaryKernel {
  /// The probability of zero.
  var rate: Double

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    input
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    guard var random = pass.random else { return (input, []) }
    let scale = Float(1 / (1 - rate))
    var mask = Tensor(zeros: input.shape)
    for index in 0..<mask.count where Double(random.uniform()) >= rate {
      mask.elements[index] = scale
    }
    pass.random = random
    input.multiply(by: mask, workers: pass.workers)
    return (input, [mask])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    if let mask = record.first { gradient.multiply(by: mask, workers: pass.workers) }
    return gradient
  }
}
