// SPDX-License-Identifier: Apache-2.0
import CKernels

/// A convolution of images of few positions, such as 2×2, by one product for each pair of an output
/// and an input position that a filter's element joins.
///
/// Of the windows around so few positions most elements lie in the padding: of 36 products for an
/// image of 2×2 and filters of 3×3 that leaves 16. A product takes one element of all filters, and
/// the images as columns.
struct ImageTaps: FastConvolution {
  private let windows: ImageWindows
  private let filters: Int
  /// Whether gradients go from the filters to the channels.
  private var isBackward = false
  private let taps: [Tap]

  /// An output position, an input position, and the filter's element between them.
  private struct Tap {
    var output: Int
    var input: Int
    var element: Int
  }

  // Fewer channels make products that are too small.
  private static let fewestChannels = 16
  // More products cost more than the patches they spare.
  private static let mostTaps = 16

  /// Nothing if patches are as good. That depends on shapes alone.
  init?(filters: Int, over windows: ImageWindows) {
    let (positions, area) = (windows.positions, windows.kernel[0] * windows.kernel[1])
    let inputs = windows.image[1] * windows.image[2]
    guard min(filters, windows.image[0]) >= ImageTaps.fewestChannels,
      positions <= ImageTaps.mostTaps, inputs <= ImageTaps.mostTaps
    else { return nil }
    var taps: [Tap] = []
    for output in 0..<positions {
      for input in 0..<inputs {
        let (oy, ox) = (output / windows.outputWidth, output % windows.outputWidth)
        let y = input / windows.image[2] + windows.paddings.top - oy * windows.strides[0]
        let x = input % windows.image[2] + windows.paddings.left - ox * windows.strides[1]
        let (row, column) = (y / windows.dilation[0], x / windows.dilation[1])
        guard y >= 0, x >= 0, row < windows.kernel[0], column < windows.kernel[1],
          row * windows.dilation[0] == y, column * windows.dilation[1] == x
        else { continue }
        taps.append(
          Tap(output: output, input: input, element: row * windows.kernel[1] + column))
      }
    }
    // Twice as few multiplications pay for the other order of the values.
    guard !taps.isEmpty, taps.count <= ImageTaps.mostTaps, 2 * taps.count <= positions * area
    else { return nil }
    self.windows = windows
    self.filters = filters
    self.taps = taps
  }

  /// The convolution that gives the gradient of the images from that of the output.
  init?(backwardOf windows: ImageWindows, filters: Int) {
    self.init(filters: filters, over: windows)
    isBackward = true
  }

  private var channels: Int { windows.image[0] }
  private var inputs: Int { windows.image[1] * windows.image[2] }
  private var area: Int { windows.kernel[0] * windows.kernel[1] }
  private var pairs: Int { filters * channels }
  var sumCount: Int { area * pairs }

  /// The filters' elements one after the other, `[height · width, filters, channels]`; they are the
  /// same for both directions.
  func transform(_ weight: Tensor, reversed: Bool, workers: Workers) -> Tensor {
    let (pairs, area) = (self.pairs, self.area)
    var planes = Tensor(unspecified: [area, filters, channels])
    planes.elements.withUnsafeMutableBufferPointer { target in
      weight.elements.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        workers.forEachRange(of: pairs, grain: 1 << 14) {
          lcw_transpose(
            target + $0.lowerBound, pairs, source + $0.lowerBound * area, area, $0.count, area)
        }
      }
    }
    return planes
  }

  func run(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, transformed: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, clipping: Bool, to output: UnsafeMutablePointer<Float>
  ) {
    let (forward, backward) = (
      Side(planes: channels, positions: inputs), Side(planes: filters, positions: windows.positions)
    )
    let (source, target) = isBackward ? (backward, forward) : (forward, backward)
    let count = samples.count
    let columns = Columns(count, of: source.size, and: target.size)
    columns.fillFirst(from: images + samples.lowerBound * source.size)
    for position in 0..<target.positions {
      multiply(columns, from: source, to: target, at: position, transformed: transformed)
    }
    let result = output + samples.lowerBound * target.size
    columns.copySecond(to: result)
    guard bias != nil || clipping else { return }
    for sample in 0..<count {
      let image = result + sample * target.size
      lcw_add_plane_bias(
        image, target.positions, image, target.positions, bias, target.planes, target.positions,
        clipping ? 1 : 0)
    }
  }

  /// What an image has on one side of the convolution.
  private struct Side {
    var planes: Int
    var positions: Int
    var size: Int { planes * positions }
  }

  /// Sums the products of the taps that lead to a position.
  private func multiply(
    _ columns: Columns, from source: Side, to target: Side, at position: Int,
    transformed: UnsafePointer<Float>
  ) {
    let count = columns.count
    let own = taps.filter { (isBackward ? $0.input : $0.output) == position }
    let result = columns.second + position * count
    let leading = target.positions * count
    guard !own.isEmpty else {
      for plane in 0..<target.planes {
        (result + plane * leading).update(repeating: 0, count: count)
      }
      return
    }
    for (number, tap) in own.enumerated() {
      let place = isBackward ? tap.output : tap.input
      MatrixKernel(
        a: transformed + tap.element * pairs, b: columns.first + place * count, c: result,
        leadingA: channels, leadingB: source.positions * count, leadingC: leading,
        transposedA: isBackward, inner: source.planes, beta: number == 0 ? 0 : 1,
        precision: .standard
      ).run(rows: 0..<target.planes, columns: 0..<count)
    }
  }

  func sumProducts(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    let (count, positions) = (samples.count, windows.positions)
    let columns = Columns(count, of: channels * inputs, and: filters * positions)
    columns.fillFirst(from: images + samples.lowerBound * channels * inputs)
    columns.fillSecond(from: gradient + samples.lowerBound * filters * positions)
    for element in 0..<area {
      let own = taps.filter { $0.element == element }
      guard !own.isEmpty else {
        (sums + element * pairs).update(repeating: 0, count: pairs)
        continue
      }
      for (number, tap) in own.enumerated() {
        MatrixKernel(
          a: columns.second + tap.output * count, b: columns.first + tap.input * count,
          c: sums + element * pairs, leadingA: positions * count, leadingB: inputs * count,
          leadingC: channels, transposedB: true, inner: count, beta: number == 0 ? 0 : 1,
          precision: .standard
        ).run(rows: 0..<filters, columns: 0..<channels)
      }
    }
  }

  func add(
    _ sums: Tensor, parts: Int, to gradient: inout Tensor, carry: Float, workers: Workers
  ) {
    let (pairs, area) = (self.pairs, self.area)
    gradient.elements.withUnsafeMutableBufferPointer { gradient in
      sums.elements.withUnsafeBufferPointer { sums in
        guard let gradient = gradient.baseAddress, let sums = sums.baseAddress else { return }
        workers.forEachRange(of: pairs, grain: 1 << 14) { range in
          lcw_add_transposed(
            gradient + range.lowerBound * area, carry, sums + range.lowerBound, pairs,
            area * pairs, parts, range.count, area)
        }
      }
    }
  }
}

/// Two blocks of images with their values as rows, and the images as columns.
private final class Columns {
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>
  let count: Int
  private let firstSize: Int
  private let secondSize: Int

  init(_ count: Int, of firstSize: Int, and secondSize: Int) {
    self.count = count
    self.firstSize = firstSize
    self.secondSize = secondSize
    first = .allocate(capacity: count * firstSize)
    second = .allocate(capacity: count * secondSize)
  }

  deinit {
    first.deallocate()
    second.deallocate()
  }

  func fillFirst(from images: UnsafePointer<Float>) {
    lcw_transpose(first, count, images, firstSize, count, firstSize)
  }

  func fillSecond(from images: UnsafePointer<Float>) {
    lcw_transpose(second, count, images, secondSize, count, secondSize)
  }

  func copySecond(to images: UnsafeMutablePointer<Float>) {
    lcw_transpose(images, secondSize, second, count, secondSize, count)
  }
}
