// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// One step of a running network: a layer, or a few that run as one.
///
/// Tensors are blocks: `[samples]` and the shape of one sample.
protocol LayerKernel: Sendable {
  /// The output in evaluation.
  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor

  /// The output in training, and what the backward pass needs of this one.
  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor])

  /// The gradient before the step from the one behind it.
  ///
  /// Adds the parameters' gradients to `gradients`, after scaling what stands there by
  /// `pass.carry`.
  ///
  /// - Returns: The gradient with respect to the input, or nothing where `needsInput` is false.
  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor?
}

/// What a pass of training over one batch shares among the steps.
struct TrainingPass {
  /// The threads within each step.
  var workers: Workers
  /// What gradient buffers keep of their old content: the momentum, or zero.
  var carry: Float
  /// The random numbers of dropout; without them it lets everything pass.
  var random: RandomStream?
}

/// y = x Wᵀ + b, then clipped at zero if a ReLU follows.
struct DenseKernel: LayerKernel {
  var hasBias: Bool
  var clips: Bool

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let weight = parameters[0]
    var output = Tensor(unspecified: [input.shape.rows, weight.shape.rows])
    output.assignProduct(input.matrix, weight.transposed, workers: workers)
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
      gradient.transposed, record[0].matrix, beta: pass.carry, workers: pass.workers)
    if hasBias { gradients[1].assignColumnSums(of: gradient, plus: pass.carry) }
    guard needsInput else { return nil }
    var input = Tensor(unspecified: record[0].shape)
    input.assignProduct(gradient.matrix, parameters[0].matrix, workers: pass.workers)
    return input
  }
}

/// max(x, 0).
struct ReLUKernel: LayerKernel {
  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    input.relu(workers: workers)
    return input
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    input.relu(workers: pass.workers)
    return (input, [input])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    gradient.reluBackward(output: record[0], workers: pass.workers)
    return gradient
  }
}

/// The hyperbolic tangent.
struct TanhKernel: LayerKernel {
  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    input.tanh(workers: workers)
    return input
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    input.tanh(workers: pass.workers)
    return (input, [input])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    gradient.tanhBackward(output: record[0], workers: pass.workers)
    return gradient
  }
}

/// Another shape for the same values.
struct FlattenKernel: LayerKernel {
  /// The shape of one sample before.
  var sampleShape: Shape

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    input.reshaped([input.shape.rows, sampleShape.count])
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
    gradient.reshaped(sampleShape.batched(gradient.shape.rows))
  }
}

/// Zeroes values at random in training and scales the others up, so that the mean stays; the
/// identity in evaluation.
struct DropoutKernel: LayerKernel {
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
