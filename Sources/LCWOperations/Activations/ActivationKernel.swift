// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A function without parameters that changes blocks in place, and of which input or output say the
/// derivative: activations.
struct ActivationKernel: UnaryKernel {
  /// What the backward pass goes by: it is kept from the pass forward.
  enum Kept: Sendable {
    case input
    case output
  }

  /// What the backward pass goes by.
  var kept: Kept
  /// From input to output.
  var forward: @Sendable (_ block: inout Tensor, _ workers: Workers) -> Void
  /// From the gradient behind to the one before, with what is kept.
  var backward: @Sendable (_ gradient: inout Tensor, _ kept: Tensor, _ workers: Workers) -> Void

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    forward(&input, workers)
    return input
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    switch kept {
    case .input:
      let saved = copy input
      forward(&input, pass.workers)
      return (input, [saved])
    case .output:
      forward(&input, pass.workers)
      return (input, [input])
    }
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    backward(&gradient, record[0], pass.workers)
    return gradient
  }
}
