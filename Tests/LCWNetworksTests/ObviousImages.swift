// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Convolution and pooling one number at a time in double precision.
struct ObviousImages {
  var samples: Int
  var windows: ImageWindows

  private var channels: Int { windows.image[0] }
  private var height: Int { windows.image[1] }
  private var width: Int { windows.image[2] }

  /// Calls `body` with each output position and the place in the sample's channel of each of its
  /// elements; the place is nothing in the padding.
  func forEachElement(_ body: (_ position: Int, _ element: Int, _ place: Int?) -> Void) {
    for oy in 0..<windows.outputHeight {
      for ox in 0..<windows.outputWidth {
        for ky in 0..<windows.kernel[0] {
          for kx in 0..<windows.kernel[1] {
            let y = oy * windows.strides[0] + ky - windows.paddings.top
            let x = ox * windows.strides[1] + kx - windows.paddings.left
            let isInside = (0..<height).contains(y) && (0..<width).contains(x)
            body(
              oy * windows.outputWidth + ox, ky * windows.kernel[1] + kx,
              isInside ? y * width + x : nil)
          }
        }
      }
    }
  }

  func convolution(_ images: [Float], weight: [Float], bias: [Float]?, filters: Int) -> [Double] {
    var output = (0..<samples * filters * windows.positions).map {
      Double(bias?[$0 / windows.positions % filters] ?? 0)
    }
    forEachProduct(filters: filters) { input, weightIndex, outputIndex in
      output[outputIndex] += Double(images[input]) * Double(weight[weightIndex])
    }
    return output
  }

  /// The gradients of images, filters and bias.
  func convolutionBackward(
    _ gradient: [Float], images: [Float], weight: [Float], filters: Int
  ) -> (images: [Double], weight: [Double], bias: [Double]) {
    var result = (
      images: [Double](repeating: 0, count: images.count),
      weight: [Double](repeating: 0, count: weight.count),
      bias: [Double](repeating: 0, count: filters)
    )
    forEachProduct(filters: filters) { input, weightIndex, outputIndex in
      result.images[input] += Double(gradient[outputIndex]) * Double(weight[weightIndex])
      result.weight[weightIndex] += Double(gradient[outputIndex]) * Double(images[input])
    }
    for (index, value) in gradient.enumerated() {
      result.bias[index / windows.positions % filters] += Double(value)
    }
    return result
  }

  private func forEachProduct(
    filters: Int, _ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void
  ) {
    let area = windows.kernel[0] * windows.kernel[1]
    for sample in 0..<samples {
      for filter in 0..<filters {
        for channel in 0..<channels {
          forEachElement { position, element, place in
            guard let place else { return }
            body(
              (sample * channels + channel) * height * width + place,
              (filter * channels + channel) * area + element,
              (sample * filters + filter) * windows.positions + position)
          }
        }
      }
    }
  }

  /// The pooled values, and for each the places its gradient goes to with their shares.
  func pooling(
    _ rule: PoolingRule, _ images: [Float]
  ) -> (output: [Double], shares: [[(place: Int, share: Double)]]) {
    let planes = samples * channels
    let area = Double(windows.kernel[0] * windows.kernel[1])
    let start = rule == .maximum ? -Double.infinity : 0
    var output = [Double](repeating: start, count: planes * windows.positions)
    var shares = [[(place: Int, share: Double)]](repeating: [], count: output.count)
    for plane in 0..<planes {
      forEachElement { position, _, place in
        guard let place else { return }
        let index = plane * windows.positions + position
        let source = plane * height * width + place
        let value = Double(images[source])
        switch rule {
        case .average:
          output[index] += value / area
          shares[index].append((source, 1 / area))
        case .maximum:
          guard value > output[index] || value.isNaN || shares[index].isEmpty else { return }
          output[index] = value
          shares[index] = [(source, 1)]
        }
      }
    }
    return (output, shares)
  }
}
