// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// How an operation runs on blocks of samples, `[n]` and the shape of one sample.
///
/// Inputs are handed over: an operation may change one in place if nothing else has it.
public protocol OperationKernel: Sendable {
  /// The output in evaluation.
  func output(of inputs: consuming [Tensor], parameters: [Tensor], workers: Workers) -> Tensor

  /// The output in training, and what the backward pass needs of this one.
  func outputRecording(
    of inputs: consuming [Tensor], parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor])

  /// The gradients before the operation from the one behind it.
  ///
  /// Adds the parameters' gradients to `gradients`, after scaling what stands there by `pass.carry`. What
  /// it writes for a parameter that is an average is this batch's value; see ``ParameterUpdate``.
  ///
  /// - Parameter needs: For each input, whether its gradient is needed.
  /// - Returns: For each input the gradient, or nothing where none is needed.
  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needs: [Bool], pass: TrainingPass
  ) -> [Tensor?]
}

/// What a pass of training over one batch shares among the operations.
public struct TrainingPass: Sendable {
  /// The threads within each operation.
  public var workers: Workers
  /// What gradient buffers keep of their old content: the momentum, or zero.
  public var carry: Float
  /// The random numbers of dropout; without them it lets everything pass.
  public var random: RandomStream?

  /// A pass.
  public init(workers: Workers = .serial, carry: Float = 0, random: RandomStream? = nil) {
    self.workers = workers
    self.carry = carry
    self.random = random
  }
}

/// The kernel of an operation that reads one value.
public protocol UnaryKernel: OperationKernel {
  /// The output in evaluation.
  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor

  /// The output in training, and what the backward pass needs of this one.
  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor])

  /// As ``OperationKernel/backward(_:record:parameters:gradients:needs:pass:)``.
  /// - Returns: The gradient with respect to the input; whatever is returned where `needsInput` is false is
  ///   left out.
  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor?
}

extension UnaryKernel {
  /// Runs on the only input.
  public func output(
    of inputs: consuming [Tensor], parameters: [Tensor], workers: Workers
  ) -> Tensor {
    output(of: inputs.removeLast(), parameters: parameters, workers: workers)
  }

  /// Runs on the only input.
  public func outputRecording(
    of inputs: consuming [Tensor], parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    outputRecording(of: inputs.removeLast(), parameters: parameters, pass: &pass)
  }

  /// The gradient of the only input.
  public func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needs: [Bool], pass: TrainingPass
  ) -> [Tensor?] {
    let input = backward(
      gradient, record: record, parameters: parameters, gradients: &gradients,
      needsInput: needs[0], pass: pass)
    return [needs[0] ? input : nil]
  }
}
