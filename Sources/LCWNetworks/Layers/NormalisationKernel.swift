// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Batch normalisation, then clipped at zero if a ReLU follows.
///
/// The parameters are scale, shift, running mean and running variance. What training writes in the
/// place of gradients of the running moments are the batch's own: ``Optimiser`` moves the running ones
/// towards them.
struct NormalisationKernel: LayerKernel {
  var normalisation: ChannelNormalisation
  var clips: Bool

  /// - Parameter sample: The shape of a sample before the layer.
  init(sample: Shape, clips: Bool) {
    normalisation = ChannelNormalisation(over: sample)
    self.clips = clips
  }

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
