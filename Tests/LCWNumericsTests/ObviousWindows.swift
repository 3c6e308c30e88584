// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Convolution and pooling of any windows, one number at a time in double precision.
struct ObviousWindows {
  var samples: Int
  var windows: ImageWindows

  var channels: Int { windows.image[0] }

  /// Calls `body` with each output position, each element of its window and the place in a channel that
  /// the element sees; the place is nothing outside of the image. `counts` says whether it lies within
  /// the padding.
  func forEachElement(
    _ body: (_ position: Int, _ element: Int, _ place: Int?, _ counts: Bool) -> Void
  ) {
    let (height, width, padding) = (windows.image[1], windows.image[2], windows.paddings)
    for oy in 0..<windows.outputHeight {
      for ox in 0..<windows.outputWidth {
        for ky in 0..<windows.kernel[0] {
          for kx in 0..<windows.kernel[1] {
            let y = oy * windows.strides[0] + ky * windows.dilation[0] - padding.top
            let x = ox * windows.strides[1] + kx * windows.dilation[1] - padding.left
            let isInside = (0..<height).contains(y) && (0..<width).contains(x)
            body(
              oy * windows.outputWidth + ox, ky * windows.kernel[1] + kx,
              isInside ? y * width + x : nil,
              y < height + padding.bottom && x < width + padding.right)
          }
        }
      }
    }
  }

  /// Calls `body` with the places of an input, a weight and an output for each product.
  func forEachProduct(
    filters: Int, groups: Int, _ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void
  ) {
    let area = windows.kernel[0] * windows.kernel[1]
    let (own, part) = (channels / groups, filters / groups)
    for sample in 0..<samples {
      for filter in 0..<filters {
        for channel in 0..<own {
          forEachElement { position, element, place, _ in
            guard let place else { return }
            let input = sample * channels + filter / part * own + channel
            body(
              input * windows.image.rowCount + place, (filter * own + channel) * area + element,
              (sample * filters + filter) * windows.positions + position)
          }
        }
      }
    }
  }

  func convolution(
    _ images: Tensor, weight: Tensor, bias: Tensor?, filters: Int, groups: Int
  ) -> [Double] {
    var output = (0..<samples * filters * windows.positions).map {
      Double(bias?.elements[$0 / windows.positions % filters] ?? 0)
    }
    forEachProduct(filters: filters, groups: groups) { input, weightIndex, outputIndex in
      output[outputIndex] += Double(images.elements[input]) * Double(weight.elements[weightIndex])
    }
    return output
  }

  /// The gradients of images, filters and bias.
  func convolutionBackward(
    _ gradient: Tensor, images: Tensor, weight: Tensor, filters: Int, groups: Int
  ) -> (images: [Double], weight: [Double], bias: [Double]) {
    var result = (
      images: [Double](repeating: 0, count: images.count),
      weight: [Double](repeating: 0, count: weight.count),
      bias: [Double](repeating: 0, count: filters)
    )
    forEachProduct(filters: filters, groups: groups) { input, weightIndex, outputIndex in
      let g = Double(gradient.elements[outputIndex])
      result.images[input] += g * Double(weight.elements[weightIndex])
      result.weight[weightIndex] += g * Double(images.elements[input])
    }
    for (index, value) in gradient.elements.enumerated() {
      result.bias[index / windows.positions % filters] += Double(value)
    }
    return result
  }

  /// The pooled values, and the gradient of the images from one of the output.
  func pooling(
    _ rule: PoolingRule, _ images: Tensor, gradient: Tensor, countsPadding: Bool
  ) -> (output: [Double], gradient: [Double]) {
    let planes = samples * channels
    var output = [Double](
      repeating: rule == .maximum ? -.infinity : 0, count: planes * windows.positions)
    var result = [Double](repeating: 0, count: images.count)
    var divisors = [Double](repeating: 0, count: windows.positions)
    forEachElement { position, _, place, counts in
      if place != nil || (countsPadding && counts) { divisors[position] += 1 }
    }
    for plane in 0..<planes {
      var places = [Int?](repeating: nil, count: windows.positions)
      forEachElement { position, _, place, _ in
        guard let place else { return }
        let index = plane * windows.positions + position
        let source = plane * windows.image.rowCount + place
        let value = Double(images.elements[source])
        switch rule {
        case .average:
          output[index] += value / divisors[position]
          result[source] += Double(gradient.elements[index]) / divisors[position]
        case .maximum:
          guard value > output[index] || places[position] == nil else { return }
          output[index] = value
          places[position] = source
        }
      }
      for (position, place) in places.enumerated() {
        guard let place else { continue }
        result[place] += Double(gradient.elements[plane * windows.positions + position])
      }
    }
    return (output, result)
  }
}
