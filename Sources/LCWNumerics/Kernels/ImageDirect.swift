// SPDX-License-Identifier: Apache-2.0
import CKernels

/// A convolution whose patches are never written down: elements of windows are read where they are in
/// a padded copy of an image. Of any windows; for images and filters of a size such that the copy stays
/// in the caches.
///
/// Sums are direct ones, in one order for all numbers of workers but that of the filters' gradient. With
/// ``MatrixPrecision/high`` they run on tiles of bfloat16 where the processor has them and channels and filters
/// fill half of one; a value that is infinite then makes what reads it NaN.
struct ImageDirect: FastConvolution {
  private let windows: ImageWindows
  private let filters: Int
  private let isOnTiles: Bool
  private var isBackward = false

  // The values of an image's copy that stay in a second cache, and those of several together.
  private static let mostValues = 1 << 18
  // Fewer rows than this of a product leave most of a tile unused.
  private static let fewestChannels = 3
  // Filters of which there are more are multiplied as well by BLAS.
  private static let mostFilters = 128

  /// Nothing if patches are as good. That depends on shapes alone.
  init?(filters: Int, over windows: ImageWindows) {
    guard windows.kernel != [1, 1], min(windows.image[1], windows.image[2]) > 1 else { return nil }
    self.windows = windows
    self.filters = filters
    isOnTiles = ImageDirect.fitsTiles(filters, windows)
    guard isOnTiles || ImageDirect.fitsVectors(filters, windows) else { return nil }
  }

  private static func fitsVectors(_ filters: Int, _ windows: ImageWindows) -> Bool {
    max(filters, windows.image[0]) <= mostFilters
      && withUnsafePointer(to: windows.geometry) {
        lcw_direct_sums_scratch($0, filters) <= mostValues
      }
  }

  // Tiles have both parts of all values besides.
  private static func fitsTiles(_ filters: Int, _ windows: ImageWindows) -> Bool {
    MatrixPrecision.hasTiles && MatrixPrecision.standard == .high
      && min(filters, windows.image[0]) >= 16 && max(filters, windows.image[0]) <= 2 * mostFilters
      && withUnsafePointer(to: windows.geometry) {
        lcw_direct_parts_sums_scratch($0, filters) <= 2 * mostValues
      }
  }

  /// The convolution that gives the gradient of the images from that of the output.
  init?(backwardOf windows: ImageWindows, filters: Int) {
    guard windows.image[0] >= ImageDirect.fewestChannels else { return nil }
    self.init(filters: filters, over: windows)
    isBackward = true
  }

  private var channels: Int { windows.image[0] }
  private var area: Int { windows.kernel[0] * windows.kernel[1] }
  var sumCount: Int { filters * channels * area }

  func transform(_ weight: Tensor, reversed: Bool, workers: Workers) -> Tensor {
    let direction: Int32 = isBackward ? 1 : 0
    let (size, pack) =
      isOnTiles
      ? (lcw_direct_parts_weights_size, lcw_direct_parts_weights)
      : (lcw_direct_weights_size, lcw_direct_weights)
    return withUnsafePointer(to: windows.geometry) { geometry in
      var packed = Tensor(unspecified: [size(geometry, filters, direction)])
      weight.withBase { weight in
        packed.withMutableBase { pack($0, weight, geometry, filters, direction) }
      }
      return packed
    }
  }

  func run(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, transformed: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, clipping: Bool, to output: UnsafeMutablePointer<Float>
  ) {
    let (input, result) = (windows.image.count, filters * windows.positions)
    let (scratch, forward, backward) =
      isOnTiles
      ? (lcw_direct_parts_scratch, lcw_direct_parts, lcw_direct_parts_backward)
      : (lcw_direct_scratch, lcw_direct, lcw_direct_backward)
    withUnsafePointer(to: windows.geometry) { geometry in
      let memory = Memory(
        floats: scratch(geometry, filters), offsets: max(channels, filters) * area)
      if isBackward {
        backward(
          output + samples.lowerBound * input, images + samples.lowerBound * result, transformed,
          geometry, filters, samples.count, memory.floats, memory.offsets)
      } else {
        forward(
          output + samples.lowerBound * result, images + samples.lowerBound * input, transformed,
          bias, geometry, filters, samples.count, clipping ? 1 : 0, memory.floats, memory.offsets)
      }
    }
  }

  func sumProducts(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    sums.update(repeating: 0, count: sumCount)
    let first = images + samples.lowerBound * windows.image.count
    let gradient = gradient + samples.lowerBound * filters * windows.positions
    withUnsafePointer(to: windows.geometry) { geometry in
      if isOnTiles {
        let memory = Memory(
          floats: lcw_direct_parts_sums_scratch(geometry, filters), offsets: area)
        lcw_direct_parts_sums(
          sums, first, gradient, geometry, filters, samples.count, memory.floats, memory.offsets)
      } else {
        let size = lcw_direct_sums_scratch(geometry, filters)
        let together = max(1, min(samples.count, ImageDirect.mostValues / size))
        let memory = Memory(floats: together * size, offsets: channels * area)
        lcw_direct_sums(
          sums, first, gradient, geometry, filters, samples.count, together, memory.floats,
          memory.offsets)
      }
    }
  }

  func add(
    _ sums: Tensor, parts: Int, to gradient: inout Tensor, carry: Float, workers: Workers
  ) {
    gradient.assignSum(ofRows: sums, plus: carry, workers: workers)
  }

  /// A worker's own memory.
  private final class Memory {
    let floats: UnsafeMutablePointer<Float>
    let offsets: UnsafeMutablePointer<Int>

    init(floats: Int, offsets: Int) {
      // From a cache line on, which rows of tiles do not cross then.
      let bytes = UnsafeMutableRawPointer.allocate(
        byteCount: floats * MemoryLayout<Float>.stride, alignment: 64)
      self.floats = bytes.bindMemory(to: Float.self, capacity: floats)
      self.offsets = .allocate(capacity: offsets)
    }

    deinit {
      UnsafeMutableRawPointer(floats).deallocate()
      offsets.deallocate()
    }
  }
}
