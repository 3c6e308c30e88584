// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Another shape for the same values.
struct ReshapeKernel: UnaryKernel {
  /// The shape of one sample before.
  var before: Shape
  /// The shape of one sample behind.
  var behind: Shape

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let samples = input.shape.rows
    return input.reshaped(behind.batched(samples))
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (output(of: input, parameters: parameters, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    let samples = gradient.shape.rows
    return gradient.reshaped(before.batched(samples))
  }
}
