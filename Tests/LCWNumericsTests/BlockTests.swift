// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// What is done to whole blocks: sums, products, and values that are moved.
@Suite struct BlockTests {
  @Test(arguments: [1, 2, 3, 5], [1, 2]) func sum(count: Int, workers: Int) {
    for size in [7, 100_003] {
      let parts = (0..<count).map { normal([size], seed: UInt64($0 + 1)) }
      let expected = (0..<size).map { index in
        parts.reduce(Float(0)) { $0 + $1.elements[index] }
      }
      let sum = Tensor.sum(of: parts, workers: Workers(workers))
      #expect(firstDifference(sum.elements, expected) == nil)
      let clipped = Tensor.sum(of: parts, clipping: true, workers: Workers(workers))
      #expect(firstDifference(clipped.elements, expected.map { max(0, $0) }) == nil)
      var one = parts[0]
      one.add(sum, workers: Workers(workers))
      let added = zip(parts[0].elements, sum.elements).map { $0 + $1 }
      #expect(firstDifference(one.elements, added) == nil)
    }
  }

  @Test(arguments: [1, 2]) func scalar(workers: Int) {
    for size in [5, 100_003] {
      let (a, b) = (normal([size]), normal([size], seed: 2))
      var product = a
      product.multiply(by: -0.7, workers: Workers(workers))
      #expect(firstDifference(product.elements, a.elements.map { -0.7 * $0 }) == nil)
      let expected = zip(a.elements, b.elements).reduce(0.0) {
        $0 + Double($1.0) * Double($1.1)
      }
      #expect(abs(a.dot(b, workers: Workers(workers)) - expected) < 1e-9)
      #expect(a.dot(b, workers: Workers(workers)) == a.dot(b))
    }
  }

  @Test(arguments: [[3, 5], [3, 5, 1, 1], [3, 5, 1], [3, 5, 4, 6]], [1, 2])
  func product(sizes: [Int], workers: Int) {
    let block = normal([3, 5, 4, 6])
    let factor = normal(Shape(sizes), seed: 2)
    let behind = normal(block.shape, seed: 3)
    let each = factor.count == block.count ? 1 : 24
    let product = block.multiplied(by: factor, workers: Workers(workers))
    let expected = block.elements.indices.map { block.elements[$0] * factor.elements[$0 / each] }
    #expect(product.shape == block.shape && product.elements == expected)
    let gradients = block.multipliedBackward(behind, factor: factor, workers: Workers(workers))
    let own = behind.elements.indices.map { behind.elements[$0] * factor.elements[$0 / each] }
    #expect(gradients.block.elements == own)
    var sums = [Double](repeating: 0, count: factor.count)
    for index in block.elements.indices {
      sums[index / each] += Double(block.elements[index]) * Double(behind.elements[index])
    }
    #expect(gradients.factor.shape == factor.shape)
    #expect(largestError(gradients.factor.elements, sums) < 1e-5)
  }

  @Test(arguments: [[6, 4, 5], [7], [300, 20, 20]], [1, 2])
  func channelScaling(sizes: [Int], workers: Int) {
    let sample = Shape(sizes)
    let block = normal(sample.batched(4))
    let (scale, shift) = (normal([sizes[0]], seed: 2), normal([sizes[0]], seed: 3))
    let scaling = ChannelAffine(over: sample)
    let channels = block.elements.indices.map { $0 / sample.rowCount % sizes[0] }
    let expected = block.elements.indices.map {
      Double(block.elements[$0]) * Double(scale.elements[channels[$0]])
        + Double(shift.elements[channels[$0]])
    }
    for clipping in [false, true] {
      let output = scaling.output(
        of: block, scale: scale, shift: shift, clipping: clipping, workers: Workers(workers))
      #expect(
        largestError(output.elements, expected.map { clipping ? max(0, $0) : $0 }) < 2e-6)
    }
    let plain = scaling.output(of: block, scale: nil, shift: nil, workers: Workers(workers))
    #expect(plain == block)
    let behind = normal(block.shape, seed: 4)
    var gradient = behind
    let results = scaling.backward(&gradient, block: block, scale: scale, workers: Workers(workers))
    let own = behind.elements.indices.map { behind.elements[$0] * scale.elements[channels[$0]] }
    #expect(firstDifference(gradient.elements, own) == nil)
    var (scales, shifts) = (
      [Double](repeating: 0, count: sizes[0]), [Double](repeating: 0, count: sizes[0])
    )
    for (index, channel) in channels.enumerated() {
      scales[channel] += Double(behind.elements[index]) * Double(block.elements[index])
      shifts[channel] += Double(behind.elements[index])
    }
    let size = Double(block.count / sizes[0]).squareRoot()
    #expect(largestError(results.scale.elements, scales, scale: size) < 1e-5)
    #expect(largestError(results.shift.elements, shifts, scale: size) < 1e-5)
    var same = behind
    _ = scaling.backward(&same, block: block, scale: nil, workers: Workers(workers))
    #expect(same == behind)
  }

  @Test(arguments: [0, 1, 2, 3], [1, 2]) func concatenation(axis: Int, workers: Int) {
    let widths = [2, 1, 0, 5]
    let parts = widths.enumerated().map { number, width in
      var sizes = [3, 4, 2, 6]
      sizes[axis] = width
      return normal(Shape(sizes), seed: UInt64(number + 1))
    }
    let whole = Tensor.concatenation(parts, axis: axis, workers: Workers(workers))
    #expect(whole.shape[axis] == 8)
    let back = whole.split(widths, axis: axis, workers: Workers(workers))
    #expect(back == parts)
    // Each value is where its indices say.
    let inner = whole.shape.dimensions[(axis + 1)...].reduce(1, *)
    for (number, part) in parts.enumerated() where part.count > 0 {
      let start = widths[..<number].reduce(0, +)
      for (index, value) in part.elements.enumerated() {
        let (row, place) = (index / (widths[number] * inner), index % (widths[number] * inner))
        #expect(whole.elements[(row * 8 + start) * inner + place] == value)
      }
    }
    let halves = whole.split(equally: 2, axis: axis, workers: Workers(workers))
    #expect(Tensor.concatenation(halves, axis: axis) == whole)
  }

  @Test(arguments: [1, 2]) func margins(workers: Int) {
    let image: Shape = [3, 4, 5]
    let padding = ImagePadding(top: 1, left: 2, bottom: 3, right: 0)
    let margins = ImageMargins(around: image, padding: padding, value: -7)
    let images = normal(image.batched(2))
    let output = margins.output(of: images, workers: Workers(workers))
    #expect(output.shape == [2, 3, 8, 7])
    for (index, value) in output.elements.enumerated() {
      let (plane, y, x) = (index / 56, index / 7 % 8 - 1, index % 7 - 2)
      let isInside = (0..<4).contains(y) && (0..<5).contains(x)
      #expect(value == (isInside ? images.elements[plane * 20 + y * 5 + x] : -7))
    }
    #expect(margins.backward(output, workers: Workers(workers)) == images)
  }

  @Test(arguments: [[2, 2], [1, 3], [1, 1]], [1, 2]) func paddingShortcut(
    strides: [Int], workers: Int
  ) {
    let image: Shape = [3, 7, 8]
    let shortcut = PaddingShortcut(over: image, strides: strides, before: 2, behind: 1)
    let images = normal(image.batched(4))
    let output = shortcut.output(of: images, workers: Workers(workers))
    let shape = shortcut.outputShape
    #expect(output.shape == shape.batched(4))
    var expected = [Float](repeating: 0, count: output.count)
    var spread = [Float](repeating: 0, count: images.count)
    let gradient = normal(output.shape, seed: 2)
    for sample in 0..<4 {
      for channel in 0..<3 {
        for y in stride(from: 0, to: 7, by: strides[0]) {
          for x in stride(from: 0, to: 8, by: strides[1]) {
            let source = ((sample * 3 + channel) * 7 + y) * 8 + x
            let target =
              ((sample * shape[0] + 2 + channel) * shape[1] + y / strides[0]) * shape[2]
              + x / strides[1]
            expected[target] = images.elements[source]
            spread[source] = gradient.elements[target]
          }
        }
      }
    }
    #expect(output.elements == expected)
    #expect(shortcut.backward(gradient, workers: Workers(workers)).elements == spread)
  }

  @Test(arguments: [
    [0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 2, 3], [0, 1, 3, 2],
    [2, 0, 3, 1],
  ])
  func reorderedAxes(order: [Int]) {
    for sizes in [[3, 4, 5, 6], [2, 1, 30, 40], [1, 7, 1, 5], [2, 0, 3, 4]] {
      let block = normal(Shape(sizes))
      for workers in [1, 2] {
        let result = block.reordered(axes: order, workers: Workers(workers))
        #expect(result.shape.dimensions == order.map { sizes[$0] })
        var steps = [1, 1, 1, 1]
        for axis in [2, 1, 0] { steps[axis] = steps[axis + 1] * sizes[axis + 1] }
        var expected: [Float] = []
        for a in 0..<sizes[order[0]] {
          for b in 0..<sizes[order[1]] {
            for c in 0..<sizes[order[2]] {
              for d in 0..<sizes[order[3]] {
                let place = zip([a, b, c, d], order).reduce(0) { $0 + $1.0 * steps[$1.1] }
                expected.append(block.elements[place])
              }
            }
          }
        }
        #expect(result.elements == expected)
        let back = result.reordered(axes: Tensor.inverse(ofAxes: order))
        #expect(back == block)
      }
    }
  }
}
