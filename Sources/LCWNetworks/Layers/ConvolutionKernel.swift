// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Filters over images, then clipped at zero if a ReLU follows.
struct ConvolutionKernel: LayerKernel {
  var convolution: ImageConvolution
  var clips: Bool

  /// - Parameter image: The shape of a sample before the layer.
  init(_ layer: Layer.Convolution, image: Shape, clips: Bool) {
    convolution = ImageConvolution(
      filters: layer.filters,
      over: ImageWindows(
        over: image, kernel: layer.kernel, stride: layer.stride, padding: layer.padding))
    self.clips = clips
  }

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    convolution.output(
      of: input, weight: parameters[0], bias: parameters.count > 1 ? parameters[1] : nil,
      clipping: clips, workers: workers)
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
    // Out of the array, so that it is changed in place.
    var bias = gradients.count > 1 ? gradients.removeLast() : nil
    let input = convolution.backward(
      gradient, clipped: clips ? record[1] : nil, images: record[0], weight: parameters[0],
      weightGradient: &gradients[0], biasGradient: &bias, carry: pass.carry,
      needsInput: needsInput, workers: pass.workers)
    if let bias { gradients.append(bias) }
    return input
  }
}

/// The largest value or the mean of each window.
struct PoolingKernel: LayerKernel {
  var pooling: ImagePooling

  /// - Parameter image: The shape of a sample before the layer.
  init(_ rule: PoolingRule, _ layer: Layer.Pooling, image: Shape) {
    pooling = ImagePooling(
      rule,
      over: ImageWindows(
        over: image, kernel: [layer.size, layer.size], stride: layer.stride,
        padding: layer.padding))
  }

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    pooling.output(of: input, workers: workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (pooling.output(of: input, workers: pass.workers), [input])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    pooling.backward(gradient, images: record[0], workers: pass.workers)
  }
}
