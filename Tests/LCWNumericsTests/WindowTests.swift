// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// A convolution with whatever windows and groups can have.
struct GroupedCase: Sendable, CustomTestStringConvertible {
  var samples = 2
  var image: Shape
  var filters: Int
  var kernel: [Int]
  var strides = [1, 1]
  var padding = ImagePadding.none
  var dilation = [1, 1]
  var groups = 1

  var testDescription: String {
    "\(samples) × \(image), \(filters) filters \(kernel) in \(groups) groups, steps \(strides), "
      + "padding \(padding), dilation \(dilation)"
  }

  var windows: ImageWindows {
    ImageWindows(
      over: image, kernel: kernel, strides: strides, padding: padding, dilation: dilation)
  }
  /// How errors grow with the products of a sum, beyond some two hundred.
  var outputScale: Double { scale(ofProducts: image[0] / groups) }
  var imageScale: Double { scale(ofProducts: filters / groups) }

  private func scale(ofProducts count: Int) -> Double {
    max(1, (Double(count * kernel[0] * kernel[1]) / 200).squareRoot())
  }

  var convolution: ImageConvolution {
    ImageConvolution(filters: filters, over: windows, groups: groups)
  }
}

/// Convolutions of all kinds against the obvious computation in double precision.
@Suite struct GroupedConvolutionTests {
  static let uneven = ImagePadding(top: 2, left: 0, bottom: 1, right: 3)
  static let cases = [
    // Not in groups: steps, padding and dilation that differ from axis to axis.
    GroupedCase(image: [3, 9, 8], filters: 4, kernel: [3, 2], strides: [2, 1], padding: uneven),
    GroupedCase(image: [3, 9, 8], filters: 4, kernel: [3, 3], padding: uneven, dilation: [2, 3]),
    GroupedCase(
      image: [3, 12, 13], filters: 2, kernel: [2, 3], strides: [3, 2], padding: uneven,
      dilation: [3, 2]),
    GroupedCase(
      image: [2, 70, 60], filters: 3, kernel: [3, 3], padding: .init(2), dilation: [2, 2]),
    GroupedCase(image: [18, 9, 7], filters: 20, kernel: [3, 3], padding: .init(1)),
    GroupedCase(
      image: [18, 9, 7], filters: 20, kernel: [3, 3],
      padding: .init(top: 0, left: 2, bottom: 1, right: 0)),
    GroupedCase(
      image: [18, 9, 7], filters: 20, kernel: [3, 3], padding: .init(1), dilation: [2, 1]),
    GroupedCase(image: [17, 3, 3], filters: 16, kernel: [3, 3], padding: uneven),
    GroupedCase(
      image: [17, 3, 3], filters: 16, kernel: [3, 3], padding: .init(2), dilation: [2, 2]),
    GroupedCase(image: [16, 4, 4], filters: 32, kernel: [1, 1], strides: [2, 2]),
    GroupedCase(samples: 5, image: [16, 8, 8], filters: 32, kernel: [1, 1]),
    GroupedCase(samples: 5, image: [16, 8, 7], filters: 32, kernel: [1, 1], strides: [2, 2]),
    GroupedCase(samples: 3, image: [3, 40, 41], filters: 5, kernel: [1, 1]),
    GroupedCase(
      samples: 3, image: [16, 10, 9], filters: 32, kernel: [3, 3], strides: [2, 2],
      padding: .init(1)),
    // Of sizes for tiles: parts of tiles, steps, and elements that are apart.
    GroupedCase(image: [20, 12, 12], filters: 50, kernel: [5, 5], padding: .init(2)),
    GroupedCase(
      image: [33, 9, 11], filters: 40, kernel: [5, 3], strides: [2, 1], padding: uneven),
    GroupedCase(
      samples: 3, image: [16, 15, 14], filters: 17, kernel: [2, 5], strides: [3, 2],
      padding: uneven, dilation: [2, 2]),
    // Groups of several channels.
    GroupedCase(image: [6, 7, 9], filters: 4, kernel: [3, 3], padding: .init(1), groups: 2),
    GroupedCase(
      image: [6, 7, 9], filters: 9, kernel: [2, 3], strides: [2, 1], padding: uneven,
      dilation: [1, 2], groups: 3),
    GroupedCase(image: [40, 9, 9], filters: 36, kernel: [3, 3], padding: .init(1), groups: 2),
    GroupedCase(image: [8, 6, 5], filters: 12, kernel: [1, 1], groups: 4),
    // Each channel by itself.
    GroupedCase(image: [5, 7, 9], filters: 5, kernel: [3, 3], padding: .init(1), groups: 5),
    GroupedCase(image: [4, 32, 32], filters: 4, kernel: [3, 3], padding: .init(1), groups: 4),
    GroupedCase(image: [5, 7, 9], filters: 5, kernel: [3, 3], groups: 5),
    GroupedCase(
      image: [5, 8, 9], filters: 5, kernel: [3, 3], strides: [2, 2], padding: .init(1), groups: 5),
    GroupedCase(
      image: [4, 7, 7], filters: 4, kernel: [5, 5], strides: [2, 2], padding: .init(2), groups: 4),
    GroupedCase(
      image: [3, 9, 10], filters: 6, kernel: [3, 2], strides: [1, 2], padding: uneven, groups: 3),
    GroupedCase(
      image: [3, 11, 10], filters: 9, kernel: [4, 3], strides: [3, 4], padding: uneven,
      dilation: [2, 1], groups: 3),
    GroupedCase(
      image: [2, 11, 13], filters: 2, kernel: [3, 3], padding: .init(2), dilation: [2, 3],
      groups: 2),
    GroupedCase(
      image: [2, 11, 13], filters: 4, kernel: [2, 2], strides: [5, 4], padding: uneven,
      dilation: [3, 5], groups: 2),
    GroupedCase(image: [7, 2, 2], filters: 7, kernel: [3, 3], padding: .init(1), groups: 7),
    // More images than are taken at once, and a rest of them.
    GroupedCase(
      samples: 67, image: [2, 4, 4], filters: 4, kernel: [3, 3], padding: .init(1), groups: 2),
    GroupedCase(
      samples: 23, image: [2, 7, 8], filters: 2, kernel: [3, 3], strides: [2, 2],
      padding: .init(1), groups: 2),
    GroupedCase(image: [7, 1, 1], filters: 14, kernel: [3, 3], padding: .init(1), groups: 7),
    GroupedCase(
      image: [7, 2, 2], filters: 7, kernel: [5, 5], strides: [2, 2], padding: .init(4), groups: 7),
    GroupedCase(image: [7, 4, 4], filters: 7, kernel: [1, 1], strides: [2, 2], groups: 7),
    GroupedCase(image: [3, 16, 16], filters: 3, kernel: [7, 7], padding: .init(3), groups: 3),
  ]

  @Test(arguments: cases, [1, 2]) func output(c: GroupedCase, workers: Int) {
    let images = normal(c.image.batched(c.samples))
    let weight = normal(c.convolution.weightShape, seed: 2)
    for bias in [nil, normal([c.filters], seed: 3)] {
      for clipping in [false, true] {
        let output = c.convolution.output(
          of: images, weight: weight, bias: bias, clipping: clipping, workers: Workers(workers))
        #expect(output.shape == c.windows.outputShape(channels: c.filters).batched(c.samples))
        let expected = ObviousWindows(samples: c.samples, windows: c.windows)
          .convolution(images, weight: weight, bias: bias, filters: c.filters, groups: c.groups)
          .map { clipping ? max(0, $0) : $0 }
        #expect(largestError(output.elements, expected, scale: c.outputScale) < 3e-4)
      }
    }
  }

  @Test(arguments: cases, [1, 2]) func backward(c: GroupedCase, workers: Int) {
    let images = normal(c.image.batched(c.samples))
    let weight = normal(c.convolution.weightShape, seed: 2)
    let shape = c.windows.outputShape(channels: c.filters).batched(c.samples)
    let gradient = normal(shape, seed: 4)
    let obvious = ObviousWindows(samples: c.samples, windows: c.windows)
    for clipped in [nil, normal(shape, seed: 5)] {
      let kept = clipped.map { clipped in
        zip(gradient.elements, clipped.elements).map { $1 > 0 ? $0 : 0 }
      }
      let expected = obvious.convolutionBackward(
        Tensor(kept ?? gradient.elements), images: images, weight: weight, filters: c.filters,
        groups: c.groups)
      for needsInput in [true, false] {
        let start = normal(weight.shape, seed: 6)
        var weightGradient = start
        var biasGradient: Tensor? = Tensor(repeating: .nan, shape: [c.filters])
        var unused: Tensor?
        let input = c.convolution.backward(
          gradient, clipped: clipped, images: images, weight: weight,
          weightGradient: &weightGradient, biasGradient: &unused, carry: 0.5,
          needsInput: needsInput, workers: Workers(workers))
        #expect(unused == nil && (input != nil) == needsInput)
        let carried = zip(expected.weight, start.elements).map { $0 + 0.5 * Double($1) }
        #expect(largestError(weightGradient.elements, carried) < 2e-3)
        _ = c.convolution.backward(
          gradient, clipped: clipped, images: images, weight: weight,
          weightGradient: &weightGradient, biasGradient: &biasGradient, carry: 0,
          needsInput: needsInput, workers: Workers(workers))
        #expect(largestError(weightGradient.elements, expected.weight) < 2e-3)
        #expect(largestError(biasGradient?.elements ?? [], expected.bias) < 1e-3)
        if let input {
          #expect(largestError(input.elements, expected.images, scale: c.imageScale) < 3e-4)
        }
      }
    }
  }

  @Test(arguments: cases) func patchRows(c: GroupedCase) {
    let images = normal(c.image.batched(c.samples))
    let rows = c.windows.patchRows(of: images)
    let positions = c.windows.positions
    let area = c.kernel[0] * c.kernel[1]
    var expected = [Float](repeating: 0, count: rows.count)
    let plane = c.image.rowCount
    ObviousWindows(samples: c.samples, windows: c.windows).forEachElement {
      position, element, place, _ in
      guard let place else { return }
      for channel in 0..<c.samples * c.image[0] {
        let (sample, own) = (channel / c.image[0], channel % c.image[0])
        let row = sample * positions + position
        expected[row * c.windows.patchSize + own * area + element] =
          images.elements[channel * plane + place]
      }
    }
    #expect(firstDifference(rows.elements, expected) == nil)
  }

  @Test func depthwiseGradientsDoNotDependOnTheWorkers() {
    let c = GroupedCase(
      samples: 9, image: [7, 9, 8], filters: 14, kernel: [3, 3], padding: .init(1), groups: 7)
    let images = normal(c.image.batched(c.samples))
    let weight = normal(c.convolution.weightShape, seed: 2)
    let gradient = normal([9, 14, 9, 8], seed: 3)
    let results = [1, 2, 3].map { workers in
      var weightGradient = Tensor(zeros: weight.shape)
      var bias: Tensor?
      let input = c.convolution.backward(
        gradient, clipped: nil, images: images, weight: weight, weightGradient: &weightGradient,
        biasGradient: &bias, workers: Workers(workers))
      return [weightGradient, input ?? bias ?? weight]
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }
}

@Suite struct WindowedPoolingTests {
  static let cases: [(image: Shape, windows: ImageWindows)] = [
    .init(over: [3, 9, 8], kernel: [3, 2], strides: [2, 1], padding: .init(1)),
    .init(
      over: [3, 9, 8], kernel: [3, 3], strides: [2, 2],
      padding: .init(top: 1, left: 0, bottom: 0, right: 2)),
    .init(over: [2, 7, 7], kernel: [3, 3], strides: [2, 2], padding: .none, roundingUp: true),
    .init(over: [2, 8, 6], kernel: [3, 3], strides: [2, 2], padding: .none, roundingUp: true),
    .init(over: [2, 8, 6], kernel: [2, 3], strides: [3, 2], padding: .init(1), roundingUp: true),
    .init(over: [2, 5, 6], kernel: [2, 2], strides: [3, 3], padding: .init(1), roundingUp: true),
    .init(
      over: [2, 11, 12], kernel: [3, 2], strides: [1, 3], padding: .init(1), dilation: [2, 3]),
    .init(
      over: [1, 4, 300], kernel: [2, 3], strides: [2, 2],
      padding: .init(top: 0, left: 1, bottom: 1, right: 1), dilation: [1, 2], roundingUp: true),
    .init(
      over: [1, 4, 300], kernel: [2, 3], strides: [1, 1],
      padding: .init(top: 0, left: 1, bottom: 1, right: 1)),
  ].map { ($0.image, $0) }

  @Test(arguments: cases.indices, [PoolingRule.maximum, .average])
  func againstTheObvious(index: Int, rule: PoolingRule) {
    let (image, windows) = Self.cases[index]
    let images = normal(image.batched(2))
    let gradient = normal(windows.outputShape(channels: image[0]).batched(2), seed: 2)
    for countsPadding in [true, false] {
      for workers in [1, 2] {
        let pooling = ImagePooling(rule, over: windows, countsPadding: countsPadding)
        let expected = ObviousWindows(samples: 2, windows: windows).pooling(
          rule, images, gradient: gradient, countsPadding: countsPadding)
        let output = pooling.output(of: images, workers: Workers(workers))
        #expect(output.shape == gradient.shape)
        #expect(largestError(output.elements, expected.output) < 1e-6)
        let back = pooling.backward(gradient, images: images, workers: Workers(workers))
        #expect(largestError(back.elements, expected.gradient) < 2e-6)
      }
    }
  }

  /// The numbers of PyTorch's `max_pool2d`.
  @Test(arguments: [
    // size, kernel, stride, padding before and behind, dilation, rounded down, rounded up
    [7, 3, 2, 0, 0, 1, 3, 3], [8, 3, 2, 0, 0, 1, 3, 4], [5, 2, 3, 1, 1, 1, 2, 2],
    [6, 2, 3, 0, 0, 1, 2, 2], [7, 2, 3, 0, 0, 1, 2, 3], [4, 1, 3, 0, 0, 1, 2, 2],
    [5, 1, 3, 0, 0, 1, 2, 2], [9, 3, 2, 1, 1, 2, 4, 4], [10, 3, 2, 1, 1, 2, 4, 5],
    [2, 5, 1, 1, 1, 1, 0, 0],
  ])
  func countsOfWindows(numbers: [Int]) {
    let padding = ImagePadding(top: numbers[3], left: 0, bottom: numbers[4], right: 0)
    for roundingUp in [false, true] {
      let counts = ImageWindows.counts(
        over: [numbers[0], 4], kernel: [numbers[1], 4], strides: [numbers[2], 1], padding: padding,
        dilation: [numbers[5], 1], roundingUp: roundingUp)
      #expect(counts == [numbers[roundingUp ? 7 : 6], 1])
    }
  }

  @Test func countsOfNumbersThatOverflow() {
    let counts = ImageWindows.counts(
      over: [4, 4], kernel: [Int.max, 2], strides: [1, 1],
      padding: ImagePadding(top: 0, left: Int.max, bottom: 0, right: 0), dilation: [3, 1])
    #expect(counts == [0, 0])
  }

  @Test(arguments: [1, 2]) func globalAverage(workers: Int) {
    for sample in [[5, 7, 9], [3, 1, 1], [130, 40, 40], [6]] as [Shape] {
      let block = normal(sample.batched(3))
      let pooling = GlobalAveragePooling(over: sample)
      let output = pooling.output(of: block, workers: Workers(workers))
      let positions = sample.rowCount
      let expected = (0..<3 * sample[0]).map { plane in
        block.elements[plane * positions..<(plane + 1) * positions].reduce(0.0) {
          $0 + Double($1) / Double(positions)
        }
      }
      #expect(output.shape == [3, sample[0]] && largestError(output.elements, expected) < 1e-6)
      let gradient = normal(output.shape, seed: 2)
      let back = pooling.backward(gradient, workers: Workers(workers))
      let spread = back.elements.indices.map {
        Double(gradient.elements[$0 / positions]) / Double(positions)
      }
      #expect(back.shape == block.shape && largestError(back.elements, spread) < 1e-6)
    }
  }
}
