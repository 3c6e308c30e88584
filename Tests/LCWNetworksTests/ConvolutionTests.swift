// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// A convolution to try.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var samples: Int
  var image: Shape
  var filters: Int
  var kernel: [Int]
  var stride = 1
  var padding = 0
  /// The largest error of an output or of an image's gradient; by Winograd's filtering larger.
  var tolerance = 1e-4

  var testDescription: String {
    "\(samples) × \(image), \(filters) filters \(kernel), stride \(stride), padding \(padding)"
  }

  var windows: ImageWindows {
    ImageWindows(over: image, kernel: kernel, stride: stride, padding: padding)
  }
}

/// Convolutions against the obvious computation in double precision.
struct ConvolutionTests {
  static let cases = [
    ConvolutionCase(samples: 3, image: [2, 6, 5], filters: 4, kernel: [3, 3], padding: 1),
    ConvolutionCase(samples: 2, image: [3, 7, 9], filters: 2, kernel: [5, 5], padding: 2),
    ConvolutionCase(samples: 2, image: [3, 7, 9], filters: 2, kernel: [3, 3]),
    ConvolutionCase(
      samples: 2, image: [2, 9, 8], filters: 3, kernel: [3, 3], stride: 2, padding: 1),
    ConvolutionCase(
      samples: 2, image: [2, 11, 8], filters: 3, kernel: [3, 2], stride: 3, padding: 1),
    ConvolutionCase(samples: 2, image: [2, 6, 9], filters: 3, kernel: [1, 4], padding: 2),
    ConvolutionCase(samples: 2, image: [2, 6, 9], filters: 3, kernel: [4, 1], stride: 2),
    ConvolutionCase(samples: 4, image: [5, 4, 3], filters: 6, kernel: [1, 1]),
    ConvolutionCase(
      samples: 2, image: [2, 5, 5], filters: 3, kernel: [1, 1], stride: 2, padding: 3),
    // Fewer windows along an axis than the kernel has elements, far apart.
    ConvolutionCase(
      samples: 2, image: [4, 8, 8], filters: 4, kernel: [3, 3], stride: 5, padding: 2),
    ConvolutionCase(
      samples: 2, image: [20, 1, 1], filters: 20, kernel: [3, 3], stride: 2, padding: 2),
    // Kernels larger than the image.
    ConvolutionCase(samples: 2, image: [2, 2, 3], filters: 3, kernel: [5, 5], padding: 2),
    ConvolutionCase(samples: 2, image: [1, 1, 1], filters: 2, kernel: [3, 3], padding: 1),
    ConvolutionCase(
      samples: 2, image: [2, 2, 2], filters: 2, kernel: [7, 3], stride: 2, padding: 4),
    // Images of one position, and a single image of many workers.
    ConvolutionCase(samples: 5, image: [2, 3, 3], filters: 3, kernel: [3, 3]),
    ConvolutionCase(samples: 1, image: [2, 8, 8], filters: 3, kernel: [3, 3], padding: 1),
    // More positions in one image than a product takes columns, and many images in one product.
    ConvolutionCase(samples: 2, image: [2, 45, 47], filters: 3, kernel: [3, 3], padding: 1),
    ConvolutionCase(
      samples: 2, image: [2, 70, 67], filters: 3, kernel: [3, 3], stride: 2, padding: 1),
    ConvolutionCase(samples: 1, image: [1, 3, 1300], filters: 2, kernel: [3, 3], padding: 1),
    ConvolutionCase(samples: 150, image: [2, 4, 4], filters: 3, kernel: [3, 3], padding: 1),
    ConvolutionCase(samples: 301, image: [1, 2, 2], filters: 2, kernel: [3, 3], padding: 1),
    // Enough filters and channels for Winograd's filtering, with tiles that are cut off, and more
    // tiles than a product takes.
    winograd(samples: 3, image: [37, 8, 10], filters: 19, padding: 1),
    winograd(samples: 2, image: [16, 3, 3], filters: 16, padding: 1),
    winograd(samples: 2, image: [17, 9, 5], filters: 16, padding: 0),
    winograd(samples: 3, image: [16, 6, 7], filters: 20, padding: 2),
    winograd(samples: 5, image: [16, 33, 34], filters: 16, padding: 1),
    winograd(samples: 41, image: [16, 4, 4], filters: 17, padding: 1),
    winograd(samples: 4, image: [16, 1, 1], filters: 18, padding: 2),
    // Images of so few positions that most of a window is padding.
    taps(samples: 7, image: [19, 2, 2], filters: 16),
    taps(samples: 70, image: [16, 1, 1], filters: 33),
    taps(samples: 5, image: [16, 2, 1], filters: 17, kernel: [5, 5], padding: 2),
    taps(samples: 5, image: [17, 3, 3], filters: 16, stride: 2),
    // Positions of the image, and elements of the filters, that nothing reads.
    taps(samples: 3, image: [16, 2, 2], filters: 16, kernel: [2, 2], stride: 3),
  ]

  private static func taps(
    samples: Int, image: Shape, filters: Int, kernel: [Int] = [3, 3], stride: Int = 1,
    padding: Int = 1
  ) -> ConvolutionCase {
    ConvolutionCase(
      samples: samples, image: image, filters: filters, kernel: kernel, stride: stride,
      padding: padding)
  }

  private static func winograd(
    samples: Int, image: Shape, filters: Int, padding: Int
  ) -> ConvolutionCase {
    ConvolutionCase(
      samples: samples, image: image, filters: filters, kernel: [3, 3], padding: padding,
      tolerance: 2e-3)
  }

  @Test(arguments: cases, [1, 2, 3])
  func `outputs are those of the obvious computation`(_ c: ConvolutionCase, workers: Int) {
    let (images, weight, bias) = operands(c)
    let convolution = ImageConvolution(filters: c.filters, over: c.windows)
    let obvious = ObviousImages(samples: c.samples, windows: c.windows)
    for (usesBias, clips) in [(true, false), (false, false), (true, true), (false, true)] {
      let output = convolution.output(
        of: images, weight: weight, bias: usesBias ? bias : nil, clipping: clips,
        workers: Workers(workers))
      #expect(output.shape == c.windows.outputShape(channels: c.filters).batched(c.samples))
      let expected = obvious.convolution(
        images.elements, weight: weight.elements, bias: usesBias ? bias.elements : nil,
        filters: c.filters)
      #expect(differ(output, expected.map { clips ? max($0, 0) : $0 }) < c.tolerance)
    }
  }

  @Test(arguments: cases, [1, 2, 3])
  func `gradients are those of the obvious computation`(_ c: ConvolutionCase, workers: Int) {
    let (images, weight, bias) = operands(c)
    let convolution = ImageConvolution(filters: c.filters, over: c.windows)
    let obvious = ObviousImages(samples: c.samples, windows: c.windows)
    let output = convolution.output(of: images, weight: weight, bias: bias, clipping: true)
    var random = RandomStream(seed: 9)
    let gradient = random.normal(output.shape)
    for clips in [false, true] {
      var expectedGradient = gradient
      if clips { expectedGradient.reluBackward(output: output) }
      let expected = obvious.convolutionBackward(
        expectedGradient.elements, images: images.elements, weight: weight.elements,
        filters: c.filters)
      // With nothing carried over, what the buffers hold must not be read.
      var weightGradient = Tensor(repeating: .nan, shape: weight.shape)
      var biasGradient: Tensor? = Tensor(repeating: .nan, shape: [c.filters])
      let input = convolution.backward(
        gradient, clipped: clips ? output : nil, images: images, weight: weight,
        weightGradient: &weightGradient, biasGradient: &biasGradient, workers: Workers(workers))
      // Sums over so many values have larger errors.
      let scale = Double(c.samples * c.windows.positions).squareRoot()
      #expect(input.map { differ($0, expected.images) < c.tolerance } == true)
      let tolerance = max(1e-5 * max(10, scale), c.tolerance)
      #expect(differ(weightGradient, expected.weight) < tolerance)
      #expect(biasGradient.map { differ($0, expected.bias) < 1e-5 * max(10, scale) } == true)
      // Half of what was there stays.
      var carried = Tensor(repeating: 4, shape: weight.shape)
      var none: Tensor?
      let unwanted = convolution.backward(
        gradient, clipped: clips ? output : nil, images: images, weight: weight,
        weightGradient: &carried, biasGradient: &none, carry: 0.5, needsInput: false,
        workers: Workers(workers))
      #expect(unwanted == nil && none == nil)
      #expect(
        differ(carried, weightGradient.elements.map { Double($0) + 2 }) < max(1e-4, c.tolerance))
    }
  }

  @Test(arguments: cases)
  func `a convolution is a dense layer on the rows of patches`(_ c: ConvolutionCase) {
    let (images, weight, _) = operands(c)
    let rows = c.windows.patchRows(of: images)
    #expect(rows.shape == [c.samples * c.windows.positions, c.windows.patchSize])
    var products = Tensor(zeros: [rows.shape.rows, c.filters])
    products.assignProduct(rows.matrix, weight.transposed)
    let expected = ObviousImages(samples: c.samples, windows: c.windows).convolution(
      images.elements, weight: weight.elements, bias: nil, filters: c.filters)
    let positions = c.windows.positions
    let byRow = products.elements.indices.map { index in
      let (row, filter) = (index / c.filters, index % c.filters)
      return expected[(row / positions * c.filters + filter) * positions + row % positions]
    }
    #expect(differ(products, byRow) < 1e-4)
  }

  @Test
  func `patches can be taken at some positions, all of which many images have`() {
    let windows = ImageWindows(over: [2, 5, 6], kernel: [3, 3], stride: 1, padding: 1)
    var random = RandomStream(seed: 4)
    let images = random.normal([40, 2, 5, 6])
    let all = windows.patchRows(of: images)
    for count in [1, 4, 7, 29] {
      let some = windows.patchRows(of: images, positions: count)
      #expect(some.shape == [40 * count, 18])
      var met: Set<Int> = []
      for image in 0..<40 {
        let places = (0..<count).map { index in
          let row = some.row(image * count + index)
          return (0..<30).first { all.row(image * 30 + $0) == row }
        }
        let known = places.compactMap(\.self)
        #expect(known.count == count && Set(known).count == count && known == known.sorted())
        for (a, b) in zip(known, known.dropFirst()) { #expect(b - a <= 30 / count + 1) }
        met.formUnion(known)
      }
      #expect(met.count == 30)
    }
    // A block's positions are those of the images' numbers.
    let part = images.reshaped([40, 60]).row(11)
    let alone = windows.patchRows(
      of: Tensor(Array(part)).reshaped([1, 2, 5, 6]), positions: 4, first: 11)
    let whole = windows.patchRows(of: images, positions: 4)
    #expect(alone.elements == Array(whole.elements[44 * 18..<48 * 18]))
    #expect(windows.patchRows(of: images, positions: 30) == all)
    #expect(windows.patchRows(of: images, positions: 99) == all)
  }

  @Test(arguments: [[5, 9, 9], [16, 9, 9], [16, 2, 2]] as [Shape])
  func `gradients repeat to the bit for a number of workers`(image: Shape) {
    let c = ConvolutionCase(
      samples: 37, image: image, filters: image[0] + 2, kernel: [3, 3], padding: 1)
    let (images, weight, _) = operands(c)
    let convolution = ImageConvolution(filters: c.filters, over: c.windows)
    var random = RandomStream(seed: 9)
    let gradient = random.normal(c.windows.outputShape(channels: c.filters).batched(c.samples))
    let runs = (0..<5).map { _ in
      var weightGradient = Tensor(zeros: weight.shape)
      var biasGradient: Tensor? = Tensor(zeros: [c.filters])
      _ = convolution.backward(
        gradient, clipped: nil, images: images, weight: weight, weightGradient: &weightGradient,
        biasGradient: &biasGradient, workers: Workers(3))
      return [weightGradient, biasGradient ?? weightGradient]
    }
    for run in runs.dropFirst() {
      #expect(zip(run, runs[0]).allSatisfy { $0.isIdentical(to: $1) })
    }
  }

  private func operands(_ c: ConvolutionCase) -> (images: Tensor, weight: Tensor, bias: Tensor) {
    var random = RandomStream(seed: 4)
    return (
      random.normal(c.image.batched(c.samples)),
      random.normal(Shape([c.filters, c.image[0]] + c.kernel)), random.normal([c.filters])
    )
  }
}

/// The largest difference.
func differ(_ tensor: Tensor, _ expected: [Double]) -> Double {
  guard tensor.count == expected.count else { return .infinity }
  return zip(tensor.elements, expected).reduce(0) {
    // The larger of the two, and NaN if either is.
    let difference = abs(Double($1.0) - $1.1)
    return difference.isNaN ? .infinity : max($0, difference)
  }
}
