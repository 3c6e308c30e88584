// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension OperationWords {
  /// Reads what is added to a variance.
  mutating func epsilon() throws(OperationProblem) -> Double {
    try number("a number above 0, up to 1, after epsilon", in: .epsilon)
  }

  /// Reads nothing, or `epsilon 1e-6`.
  mutating func epsilonIfPresent() throws(OperationProblem) -> Double {
    take("epsilon") ? try epsilon() : sampleNormalisationEpsilon
  }
}

/// What normalisations of single samples add to a variance if nothing is said.
let sampleNormalisationEpsilon = 1e-5

/// `epsilon 1e-06`, or no words where it is the usual one.
func epsilonWords(_ epsilon: Double) -> [String] {
  epsilon == sampleNormalisationEpsilon ? [] : ["epsilon", "\(epsilon)"]
}

/// Checks what is added to a variance.
func requireEpsilon(_ epsilon: Double) throws(OperationProblem) {
  guard ClosedRange.epsilon.contains(epsilon) else {
    throw OperationProblem("needs an epsilon above 0, up to 1")
  }
}

/// What layer and group normalisation compute with.
protocol SampleNormalising: Sendable {
  func moments(of block: Tensor, workers: Workers) -> RowMoments
  func output(
    of block: Tensor, moments: RowMoments, scale: Tensor?, shift: Tensor?, workers: Workers
  ) -> Tensor
  func backward(
    _ gradient: inout Tensor, block: Tensor, moments: RowMoments, scale: Tensor?, workers: Workers
  ) -> (scale: Tensor, shift: Tensor)
}

extension LayerNormalisation: SampleNormalising {}
extension GroupNormalisation: SampleNormalising {}

/// A normalisation by each sample's own moments, with a scale and a shift.
struct SampleNormalisationKernel<Normalisation: SampleNormalising>: UnaryKernel {
  var normalisation: Normalisation

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let moments = normalisation.moments(of: input, workers: workers)
    return normalisation.output(
      of: input, moments: moments, scale: parameters[0], shift: parameters[1], workers: workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let moments = normalisation.moments(of: input, workers: pass.workers)
    let output = normalisation.output(
      of: input, moments: moments, scale: parameters[0], shift: parameters[1],
      workers: pass.workers)
    return (output, [input, moments.mean, moments.inverseDeviation])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    let (scale, shift) = normalisation.backward(
      &gradient, block: record[0],
      moments: RowMoments(mean: record[1], inverseDeviation: record[2]), scale: parameters[0],
      workers: pass.workers)
    gradients[0].assign(1, times: scale, plus: pass.carry)
    gradients[1].assign(1, times: shift, plus: pass.carry)
    return gradient
  }
}
