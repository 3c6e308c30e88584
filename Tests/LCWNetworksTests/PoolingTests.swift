// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// Poolings against the obvious computation.
struct PoolingTests {
  static let cases: [(Shape, Int, Int, Int)] = [
    ([2, 8, 6], 2, 2, 0), ([2, 7, 9], 2, 2, 0), ([3, 15, 15], 3, 2, 0), ([2, 8, 9], 3, 1, 1),
    ([2, 9, 10], 4, 3, 2), ([1, 5, 5], 5, 1, 2), ([2, 4, 4], 1, 2, 0), ([1, 1, 1], 3, 2, 1),
    ([1, 3, 700], 3, 2, 1), ([1, 2, 300], 2, 1, 0), ([40, 12, 12], 2, 2, 0),
  ]

  @Test(arguments: cases, [PoolingRule.maximum, .average])
  func `outputs and gradients are those of the obvious computation`(
    _ c: (Shape, Int, Int, Int), rule: PoolingRule
  ) {
    let windows = ImageWindows(over: c.0, kernel: [c.1, c.1], stride: c.2, padding: c.3)
    let pooling = ImagePooling(rule, over: windows)
    var random = RandomStream(seed: 2)
    var images = random.normal(c.0.batched(3))
    // Few distinct values, so that many windows have several largest ones.
    for index in 0..<images.count {
      images.elements[index] = (2 * images.elements[index]).rounded() / 2
    }
    let expected = ObviousImages(samples: 3, windows: windows).pooling(rule, images.elements)
    let gradient = random.normal(windows.outputShape(channels: c.0[0]).batched(3))
    var expectedGradient = [Double](repeating: 0, count: images.count)
    for (value, shares) in zip(gradient.elements, expected.shares) {
      for (place, share) in shares { expectedGradient[place] += Double(value) * share }
    }
    for workers in [1, 2, 3] {
      let output = pooling.output(of: images, workers: Workers(workers))
      #expect(output.shape == gradient.shape)
      #expect(differ(output, expected.output) < (rule == .maximum ? 1e-30 : 1e-5))
      let input = pooling.backward(gradient, images: images, workers: Workers(workers))
      #expect(input.shape == images.shape)
      #expect(differ(input, expectedGradient) < 1e-5)
    }
  }

  @Test
  func `a NaN is the largest value, and infinities are values`() throws {
    let windows = ImageWindows(over: [1, 2, 6], kernel: [2, 2], stride: 2, padding: 0)
    let pooling = ImagePooling(.maximum, over: windows)
    let low = -Float.infinity
    let image = try Tensor(
      [1, 2, low, low, 3, 4, .nan, 5, low, low, .infinity, 7], shape: [1, 1, 2, 6])
    let output = pooling.output(of: image).elements
    #expect(output[0].isNaN)
    #expect(output[1] == low)
    #expect(output[2] == .infinity)
    let gradient = pooling.backward(
      try Tensor([1, 2, 3], shape: [1, 1, 1, 3]), images: image)
    #expect(gradient.elements == [0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0])
  }

  @Test(arguments: [PoolingRule.maximum, .average])
  func `windows that are larger than the image take the time of the image`(rule: PoolingRule) {
    // Two to the thirty-first on a side: going through such a window takes years.
    for size in [1 << 31, (1 << 31) - 2] {
      let windows = ImageWindows(
        over: [1, 8, 8], kernel: [size, size], stride: 1, padding: size / 2)
      let pooling = ImagePooling(rule, over: windows)
      var random = RandomStream(seed: 5)
      let images = random.normal([2, 1, 8, 8])
      let output = pooling.output(of: images)
      #expect(output.shape == [2, 1, 9, 9])
      if rule == .maximum {
        // Every window but those that only begin or end in the image sees all of it.
        #expect(output.elements[4 * 9 + 4] == images.elements[..<64].max())
      }
      #expect(output.isFinite)
      let gradient = pooling.backward(random.normal(output.shape), images: images)
      #expect(gradient.shape == images.shape && gradient.isFinite)
    }
  }
}
