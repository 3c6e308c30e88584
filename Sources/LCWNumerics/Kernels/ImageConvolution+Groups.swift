// SPDX-License-Identifier: Apache-2.0

extension ImageConvolution {
  /// The convolution of one group.
  private var part: ImageConvolution {
    ImageConvolution(
      filters: filters / groups, over: windows.over(channels: windows.image[0] / groups))
  }

  /// The output of groups, each of which goes the way of a convolution of its own.
  func groupedOutput(
    of images: Tensor, weight: Tensor, bias: Tensor?, clipping: Bool, workers: Workers
  ) -> Tensor {
    let part = self.part
    let parts = images.split(equally: groups, axis: 1, workers: workers)
    let weights = weight.split(equally: groups, axis: 0, workers: workers)
    let biases = bias?.split(equally: groups, axis: 0, workers: workers)
    let outputs = (0..<groups).map { group in
      part.output(
        of: parts[group], weight: weights[group], bias: biases?[group], clipping: clipping,
        workers: workers)
    }
    return Tensor.concatenation(outputs, axis: 1, workers: workers)
  }

  /// The gradients of groups, each of which goes the way of a convolution of its own.
  func groupedBackward(
    _ gradient: Tensor, clipped: Tensor?, images: Tensor, weight: Tensor,
    weightGradient: inout Tensor, biasGradient: inout Tensor?, carry: Float, needsInput: Bool,
    workers: Workers
  ) -> Tensor? {
    let part = self.part
    let parts = images.split(equally: groups, axis: 1, workers: workers)
    let weights = weight.split(equally: groups, axis: 0, workers: workers)
    let gradients = gradient.split(equally: groups, axis: 1, workers: workers)
    let outputs = clipped?.split(equally: groups, axis: 1, workers: workers)
    var weightGradients = weightGradient.split(equally: groups, axis: 0, workers: workers)
    let biasGradients = biasGradient?.split(equally: groups, axis: 0, workers: workers)
    var biasParts: [Tensor] = []
    var inputs: [Tensor] = []
    for group in 0..<groups {
      var bias = biasGradients?[group]
      let input = part.backward(
        gradients[group], clipped: outputs?[group], images: parts[group], weight: weights[group],
        weightGradient: &weightGradients[group], biasGradient: &bias, carry: carry,
        needsInput: needsInput, workers: workers)
      if let input { inputs.append(input) }
      if let bias { biasParts.append(bias) }
    }
    weightGradient = Tensor.concatenation(weightGradients, axis: 0, workers: workers)
    if biasGradient != nil {
      biasGradient = Tensor.concatenation(biasParts, axis: 0, workers: .serial)
    }
    return needsInput ? Tensor.concatenation(inputs, axis: 1, workers: workers) : nil
  }
}
