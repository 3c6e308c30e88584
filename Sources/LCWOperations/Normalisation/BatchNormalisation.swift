// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Normalises each channel by the batch's moments in training, by running ones otherwise (Ioffe and
/// Szegedy 2015).
public struct BatchNormalisation: AffineOperation {
  /// `batchnorm`
  public static let name = "batchnorm"
  /// What it is.
  public static let summary =
    "normalises each channel by the batch in training, by running statistics otherwise"
  /// How it is written.
  public static let usage = "batchnorm [epsilon E] [momentum M]"
  /// `norm`
  public static let nodeName = "norm"

  /// What is added to a variance.
  public var epsilon: Double
  /// The share of the new batch in the running statistics.
  public var momentum: Double

  private static let usualEpsilon = 1e-5
  private static let usualMomentum = 0.1

  /// Batch normalisation.
  public init() { self.init(epsilon: BatchNormalisation.usualEpsilon) }

  /// Batch normalisation with numbers of its own.
  /// - Parameters:
  ///   - epsilon: What is added to a variance.
  ///   - momentum: The share of the new batch in the running statistics.
  public init(epsilon: Double, momentum: Double = 0.1) {
    self.epsilon = epsilon
    self.momentum = momentum
  }

  /// Nothing, or `epsilon 0.001 momentum 0.01`
  public init(words: inout OperationWords) throws(OperationProblem) {
    var (epsilon, momentum) = (BatchNormalisation.usualEpsilon, BatchNormalisation.usualMomentum)
    try words.clauses(["epsilon", "momentum"]) { (key, words) throws(OperationProblem) in
      switch key {
      case "epsilon": epsilon = try words.epsilon()
      default: momentum = try words.number("a share from 0 to 1 after momentum", in: 0...1)
      }
    }
    self.init(epsilon: epsilon, momentum: momentum)
  }

  /// What differs from 1e-5 and 0.1.
  public var words: [String] {
    (epsilon == BatchNormalisation.usualEpsilon ? [] : ["epsilon", "\(epsilon)"])
      + (momentum == BatchNormalisation.usualMomentum ? [] : ["momentum", "\(momentum)"])
  }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard ClosedRange.epsilon.contains(epsilon), (0...1).contains(momentum) else {
      throw OperationProblem("needs an epsilon above 0, up to 1, and a momentum from 0 to 1")
    }
    guard inputs[0].rank == 1 || inputs[0].rank == 3 else {
      throw OperationProblem(
        "needs a vector or [channels, height, width] but gets \(inputs[0])")
    }
    return inputs[0]
  }

  /// Scale, shift, running mean and running variance, `[channels]` each.
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    let shape: Shape = [inputs[0][0]]
    let average = ParameterUpdate.average(share: Float(momentum))
    return [
      ParameterDescription(.scale, shape, initial: .constant(1)),
      ParameterDescription(.shift, shape, initial: .constant(0)),
      ParameterDescription(.mean, shape, initial: .constant(0), update: average),
      ParameterDescription(.variance, shape, initial: .constant(1), update: average),
    ]
  }

  /// Channels pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne(parameters: 4) }

  /// A ReLU.
  public func fuses(_ activation: FusedActivation) -> Bool { activation == .rectifier }

  /// A channel of one value has no variance.
  public func needsSeveralSamples(inputs: [Shape]) -> Bool { inputs[0].rowCount == 1 }

  /// Normalisation of channels.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    BatchNormalisationKernel(
      normalisation: ChannelNormalisation(over: inputs[0], epsilon: Float(epsilon)),
      clips: fusing == .rectifier)
  }

  /// By the running statistics.
  public func lines(parameters: [Tensor]) -> [(factor: Double, summand: Double)] {
    (0..<parameters[0].count).map { channel in
      let values = parameters.map { Double($0.elements[channel]) }
      let factor = values[0] / (values[3] + Double(Float(epsilon))).squareRoot()
      return (factor, values[1] - values[2] * factor)
    }
  }

  /// Scale 1, the summands as shift, mean 0, and the variance that gives 1 once epsilon is added.
  public func parameters(adding summands: [Float]) -> [Tensor]? {
    let shape: Shape = [summands.count]
    return [
      Tensor(repeating: 1, shape: shape), Tensor(summands), Tensor(zeros: shape),
      Tensor(repeating: max(0, 1 - Float(epsilon)), shape: shape),
    ]
  }
}

extension Layer {
  /// Normalises each channel by the batch's moments in training, by running ones otherwise.
  public static let batchNorm = Layer(BatchNormalisation())

  /// Normalises each channel, with what is added to a variance and the new batch's share in the running
  /// moments.
  public static func batchNorm(epsilon: Double, momentum: Double = 0.1) -> Layer {
    Layer(BatchNormalisation(epsilon: epsilon, momentum: momentum))
  }
}

@section("lcw_plugins") @used
let batchNormalisationPlugin: PluginRecord = { $0.add(BatchNormalisation.self) }

/// Batch normalisation, then clipped at zero if a ReLU follows.
struct BatchNormalisationKernel: UnaryKernel {
  var normalisation: ChannelNormalisation
  var clips: Bool

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    normalisation.output(
      of: input, moments: .init(mean: parameters[2], variance: parameters[3]),
      scale: parameters[0], shift: parameters[1], clipping: clips, workers: workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let moments = normalisation.moments(of: input, workers: pass.workers)
    let output = normalisation.output(
      of: input, moments: moments, scale: parameters[0], shift: parameters[1], clipping: clips,
      workers: pass.workers)
    return (output, [input, moments.mean, moments.variance] + (clips ? [output] : []))
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    if clips { gradient.reluBackward(output: record[3], workers: pass.workers) }
    let (scale, shift) = normalisation.backward(
      &gradient, block: record[0], moments: .init(mean: record[1], variance: record[2]),
      scale: parameters[0], workers: pass.workers)
    gradients[0].assign(1, times: scale, plus: pass.carry)
    gradients[1].assign(1, times: shift, plus: pass.carry)
    gradients[2] = record[1]
    // Unbiased, as PyTorch keeps it; of one value there is no such estimate.
    let count = Float(record[0].shape.rows * normalisation.positions)
    gradients[3].assign(count / max(1, count - 1), times: record[2], plus: 0)
    return gradient
  }
}
