// SPDX-License-Identifier: Apache-2.0
import CKernels

/// A convolution whose patches are never written down: elements of windows are read where they are in
/// a padded copy of an image. Of any windows; for images and filters of a size such that the copy stays
/// in the caches.
///
/// Sums are direct ones, in one order for all numbers of workers but that of the filters' gradient.
struct ImageDirect: FastConvolution {
  private let windows: ImageWindows
  private let filters: Int
  private var isBackward = false

  // The values of an image's copy that stay in a second cache, and those of several together.
  private static let mostValues = 1 << 18
  // Fewer rows than this of a product leave most of a tile unused.
  private static let fewestChannels = 3
  // Filters of which there are more are multiplied as well by BLAS.
  private static let mostFilters = 128

  /// Nothing if patches are as good. That depends on shapes alone.
  init?(filters: Int, over windows: ImageWindows) {
    self.windows = windows
    self.filters = filters
    guard windows.kernel != [1, 1], max(filters, windows.image[0]) <= ImageDirect.mostFilters,
      min(windows.image[1], windows.image[2]) > 1,
      withUnsafePointer(
        to: windows.geometry, { lcw_direct_sums_scratch($0, filters) <= ImageDirect.mostValues })
    else { return nil }
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
    return withUnsafePointer(to: windows.geometry) { geometry in
      var packed = Tensor(unspecified: [lcw_direct_weights_size(geometry, filters, direction)])
      weight.withBase { weight in
        packed.withMutableBase { lcw_direct_weights($0, weight, geometry, filters, direction) }
      }
      return packed
    }
  }

  func run(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, transformed: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, clipping: Bool, to output: UnsafeMutablePointer<Float>
  ) {
    let (input, result) = (windows.image.count, filters * windows.positions)
    withUnsafePointer(to: windows.geometry) { geometry in
      let memory = Memory(
        floats: lcw_direct_scratch(geometry, filters), offsets: max(channels, filters) * area)
      if isBackward {
        lcw_direct_backward(
          output + samples.lowerBound * input, images + samples.lowerBound * result, transformed,
          geometry, filters, samples.count, memory.floats, memory.offsets)
      } else {
        lcw_direct(
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
    withUnsafePointer(to: windows.geometry) { geometry in
      let size = lcw_direct_sums_scratch(geometry, filters)
      let together = max(1, min(samples.count, ImageDirect.mostValues / size))
      let memory = Memory(floats: together * size, offsets: channels * area)
      lcw_direct_sums(
        sums, images + samples.lowerBound * windows.image.count,
        gradient + samples.lowerBound * filters * windows.positions, geometry, filters,
        samples.count, together, memory.floats, memory.offsets)
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
      self.floats = .allocate(capacity: floats)
      self.offsets = .allocate(capacity: offsets)
    }

    deinit {
      floats.deallocate()
      offsets.deallocate()
    }
  }
}
