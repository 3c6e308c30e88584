// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import Testing

/// Normalisations in double precision: each value has a part of the block that it is normalised with, and
/// a number of the scales.
struct ObviousNormalisation {
  var parts: [Int]
  var numbers: [Int]
  var epsilon: Double

  func output(_ x: [Double], scale: [Double], shift: [Double]) -> [Double] {
    let count = (parts.max() ?? -1) + 1
    var (sums, squares, sizes) = (
      [Double](repeating: 0, count: count), [Double](repeating: 0, count: count),
      [Double](repeating: 0, count: count)
    )
    for (value, part) in zip(x, parts) {
      sums[part] += value
      sizes[part] += 1
    }
    for (value, part) in zip(x, parts) {
      let distance = value - sums[part] / sizes[part]
      squares[part] += distance * distance
    }
    return x.indices.map { index in
      let part = parts[index]
      let deviation = (squares[part] / sizes[part] + epsilon).squareRoot()
      return (x[index] - sums[part] / sizes[part]) / deviation * scale[numbers[index]]
        + shift[numbers[index]]
    }
  }
}

/// The gradient of Σ g · f(x) by central differences in double precision, at some places.
func differences(
  of function: ([Double]) -> [Double], at point: [Double], weights: [Float], places: [Int]
) -> [Double] {
  places.map { place in
    let sums = [1e-5, -1e-5].map { step in
      var moved = point
      moved[place] += step
      return zip(function(moved), weights).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    return (sums[0] - sums[1]) / 2e-5
  }
}

/// Some places of an array, spread over it.
func places(in count: Int, _ most: Int = 25) -> [Int] {
  let taken = min(count, most)
  return (0..<taken).map { $0 * count / taken }
}

@Suite struct RowNormalisationTests {
  /// What a kind of normalisation does, as closures over its type.
  struct Kind: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var shape: Shape
    var part: @Sendable (Int) -> Int
    var number: @Sendable (Int) -> Int
    var scales: Shape
    var moments: @Sendable (Tensor, Workers) -> RowMoments
    var output: @Sendable (Tensor, RowMoments, Tensor?, Tensor?, Workers) -> Tensor
    var backward:
      @Sendable (inout Tensor, Tensor, RowMoments, Tensor?, Workers) -> (
        scale: Tensor, shift: Tensor
      )

    static func layer(_ shape: Shape, axes: Int?, epsilon: Float = 1e-5) -> Kind {
      let sample = Shape(Array(shape.dimensions.dropFirst()))
      let n = LayerNormalisation(over: sample, axes: axes, epsilon: epsilon)
      let width = n.scaleShape.count
      return Kind(
        testDescription: "layer \(shape), \(axes.map(String.init) ?? "all") axes", shape: shape,
        part: { $0 / width }, number: { $0 % width }, scales: n.scaleShape,
        moments: { n.moments(of: $0, workers: $1) },
        output: { n.output(of: $0, moments: $1, scale: $2, shift: $3, workers: $4) },
        backward: { n.backward(&$0, block: $1, moments: $2, scale: $3, workers: $4) })
    }

    static func group(_ shape: Shape, groups: Int, epsilon: Float = 1e-5) -> Kind {
      let sample = Shape(Array(shape.dimensions.dropFirst()))
      let n =
        groups == sample[0]
        ? GroupNormalisation.instance(over: sample, epsilon: epsilon)
        : GroupNormalisation(over: sample, groups: groups, epsilon: epsilon)
      let width = sample.count / groups
      return Kind(
        testDescription: "\(groups) groups of \(shape)", shape: shape, part: { $0 / width },
        number: { $0 / sample.rowCount % sample[0] }, scales: [sample[0]],
        moments: { n.moments(of: $0, workers: $1) },
        output: { n.output(of: $0, moments: $1, scale: $2, shift: $3, workers: $4) },
        backward: { n.backward(&$0, block: $1, moments: $2, scale: $3, workers: $4) })
    }

    var obvious: ObviousNormalisation {
      ObviousNormalisation(
        parts: (0..<shape.count).map(part), numbers: (0..<shape.count).map(number), epsilon: 1e-5)
    }
  }

  static let kinds: [Kind] = [
    .layer([5, 17], axes: nil), .layer([3, 4, 5, 6], axes: nil), .layer([3, 4, 5, 6], axes: 2),
    .layer([2, 7, 33], axes: 1), .layer([2, 1500], axes: 1), .layer([300, 70], axes: 1),
    .group([3, 6, 4, 5], groups: 2), .group([3, 6, 4, 5], groups: 1),
    .group([3, 6, 4, 5], groups: 6), .group([4, 12], groups: 3), .group([9, 8, 40, 40], groups: 4),
  ]

  @Test(arguments: kinds, [1, 2]) func againstDoublePrecision(kind: Kind, workers: Int) {
    let block = normal(kind.shape, deviation: 3)
    let scale = normal(kind.scales, seed: 2)
    let shift = normal(kind.scales, seed: 3)
    let moments = kind.moments(block, Workers(workers))
    let output = kind.output(block, moments, scale, shift, Workers(workers))
    let x = block.elements.map(Double.init)
    let obvious = kind.obvious
    let expected = obvious.output(
      x, scale: scale.elements.map(Double.init), shift: shift.elements.map(Double.init))
    #expect(output.shape == kind.shape && largestError(output.elements, expected) < 1e-5)
    let plain = kind.output(block, moments, nil, nil, Workers(workers))
    let (ones, zeros) = (
      [Double](repeating: 1, count: scale.count), [Double](repeating: 0, count: scale.count)
    )
    #expect(largestError(plain.elements, obvious.output(x, scale: ones, shift: zeros)) < 1e-5)
  }

  @Test(arguments: kinds, [1, 2]) func gradients(kind: Kind, workers: Int) {
    let block = normal(kind.shape, deviation: 3)
    let scale = normal(kind.scales, seed: 2)
    let shift = [Double](repeating: 0, count: scale.count)
    let behind = normal(kind.shape, seed: 4)
    let (x, a) = (block.elements.map(Double.init), scale.elements.map(Double.init))
    let moments = kind.moments(block, Workers(workers))
    let obvious = kind.obvious
    var gradient = behind
    let results = kind.backward(&gradient, block, moments, scale, Workers(workers))
    #expect(results.scale.shape == kind.scales && results.shift.shape == kind.scales)
    let some = places(in: block.count)
    let expected = differences(
      of: { obvious.output($0, scale: a, shift: shift) }, at: x, weights: behind.elements,
      places: some)
    #expect(largestError(some.map { gradient.elements[$0] }, expected) < 1e-4)
    let own = places(in: scale.count)
    let size = Double(block.count / scale.count).squareRoot()
    let scales = differences(
      of: { obvious.output(x, scale: $0, shift: shift) }, at: a, weights: behind.elements,
      places: own)
    #expect(largestError(own.map { results.scale.elements[$0] }, scales, scale: size) < 1e-4)
    let shifts = differences(
      of: { obvious.output(x, scale: a, shift: $0) }, at: shift, weights: behind.elements,
      places: own)
    #expect(largestError(own.map { results.shift.elements[$0] }, shifts, scale: size) < 1e-4)
    // Without scales they are 1.
    var (plain, other) = (behind, behind)
    let ones = Tensor(repeating: 1, shape: kind.scales)
    let (first, second) = (
      kind.backward(&plain, block, moments, nil, .serial),
      kind.backward(&other, block, moments, ones, Workers(workers))
    )
    #expect(plain == other && first.scale == second.scale && first.shift == second.shift)
  }

  @Test func epsilonCounts() {
    let block = Tensor(repeating: 2, shape: [1, 4])
    var uneven = block
    uneven.elements = [0, 0, 2, 2]
    let n = LayerNormalisation(over: [4], epsilon: 3)
    #expect(n.epsilon == 3)
    let output = n.output(of: uneven, moments: n.moments(of: uneven))
    #expect(output.elements == [-0.5, -0.5, 0.5, 0.5])
    let channels = ChannelNormalisation(over: [1, 4], epsilon: 3)
    let block4 = uneven.reshaped([1, 1, 4])
    let one = Tensor([1])
    let result = channels.output(
      of: block4, moments: channels.moments(of: block4), scale: one, shift: Tensor([0]))
    #expect(result.elements == [-0.5, -0.5, 0.5, 0.5])
    #expect(ChannelNormalisation(over: [1, 4]).epsilon == ChannelNormalisation.epsilon)
  }

  @Test func channelGradientsWithAnEpsilon() {
    let (shape, sample) = ([4, 3, 5] as Shape, [3, 5] as Shape)
    let block = normal(shape)
    let n = ChannelNormalisation(over: sample, epsilon: 0.5)
    let obvious = ObviousNormalisation(
      parts: (0..<60).map { $0 / 5 % 3 }, numbers: (0..<60).map { $0 / 5 % 3 }, epsilon: 0.5)
    let scale = normal([3], seed: 2)
    var gradient = normal(shape, seed: 3)
    let behind = gradient
    _ = n.backward(&gradient, block: block, moments: n.moments(of: block), scale: scale)
    let expected = differences(
      of: {
        obvious.output($0, scale: scale.elements.map(Double.init), shift: [0, 0, 0])
      }, at: block.elements.map(Double.init), weights: behind.elements, places: Array(0..<60))
    #expect(largestError(gradient.elements, expected) < 1e-5)
  }

  @Test(arguments: [5, 4, 1, 40], [Float(0.75), 0.5, 1, 0.6]) func localResponse(
    size: Int, beta: Float
  ) {
    let (shape, sample) = ([3, 7, 4, 3] as Shape, [7, 4, 3] as Shape)
    let block = normal(shape, deviation: 2)
    let n = LocalResponseNormalisation(over: sample, size: size, alpha: 0.3, beta: beta, k: 2)
    func obvious(_ x: [Double]) -> [Double] {
      x.indices.map { index in
        let (sample, channel, position) = (index / 84, index / 12 % 7, index % 12)
        let window = (channel - size / 2..<channel - size / 2 + size).clamped(to: 0..<7)
        let squares = window.reduce(0.0) {
          let value = x[sample * 84 + $1 * 12 + position]
          return $0 + value * value
        }
        return x[index]
          * pow(2 + Double(Float(0.3)) / Double(size) * squares, -Double(beta))
      }
    }
    let x = block.elements.map(Double.init)
    let behind = normal(shape, seed: 2)
    for workers in [1, 2] {
      let (output, sums) = n.output(of: block, workers: Workers(workers))
      #expect(largestError(output.elements, obvious(x)) < 2e-6)
      let gradient = n.backward(behind, block: block, sums: sums, workers: Workers(workers))
      let some = places(in: block.count, 60)
      let expected = differences(of: obvious, at: x, weights: behind.elements, places: some)
      #expect(largestError(some.map { gradient.elements[$0] }, expected) < 1e-5)
    }
  }
}
