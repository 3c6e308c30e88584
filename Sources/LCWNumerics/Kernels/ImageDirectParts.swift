// SPDX-License-Identifier: Apache-2.0
import CKernels

/// ``ImageDirect`` on tiles of bfloat16, in products of two parts: see ``MatrixPrecision/high``.
///
/// A value that is infinite makes what reads it NaN.
struct ImageDirectParts: FastConvolution {
  private let windows: ImageWindows
  private let filters: Int
  private var isBackward = false

  // The values of an image's copies that stay in a second cache.
  private static let mostValues = 1 << 19
  // Fewer than half a tile of channels or filters are faster on vectors.
  private static let fewest = 16
  private static let mostFilters = 256

  /// Nothing if the processor has no tiles, products have to be as exact as single precision, or other
  /// ways are as good.
  init?(filters: Int, over windows: ImageWindows) {
    self.windows = windows
    self.filters = filters
    guard MatrixPrecision.hasTiles, MatrixPrecision.standard == .high, windows.kernel != [1, 1],
      min(filters, windows.image[0]) >= Self.fewest,
      max(filters, windows.image[0]) <= Self.mostFilters,
      min(windows.image[1], windows.image[2]) > 1,
      withUnsafePointer(
        to: windows.geometry,
        { lcw_direct_parts_sums_scratch($0, filters) <= Self.mostValues })
    else { return nil }
  }

  /// The convolution that gives the gradient of the images from that of the output.
  init?(backwardOf windows: ImageWindows, filters: Int) {
    self.init(filters: filters, over: windows)
    isBackward = true
  }

  private var area: Int { windows.kernel[0] * windows.kernel[1] }
  var sumCount: Int { filters * windows.image[0] * area }

  func transform(_ weight: Tensor, reversed: Bool, workers: Workers) -> Tensor {
    let direction: Int32 = isBackward ? 1 : 0
    return withUnsafePointer(to: windows.geometry) { geometry in
      var packed = Tensor(
        unspecified: [lcw_direct_parts_weights_size(geometry, filters, direction)])
      weight.withBase { weight in
        packed.withMutableBase {
          lcw_direct_parts_weights($0, weight, geometry, filters, direction)
        }
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
      withMemory(lcw_direct_parts_scratch(geometry, filters)) { floats, starts in
        if isBackward {
          lcw_direct_parts_backward(
            output + samples.lowerBound * input, images + samples.lowerBound * result,
            transformed, geometry, filters, samples.count, floats, starts)
        } else {
          lcw_direct_parts(
            output + samples.lowerBound * result, images + samples.lowerBound * input,
            transformed, bias, geometry, filters, samples.count, clipping ? 1 : 0, floats, starts)
        }
      }
    }
  }

  func sumProducts(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    sums.update(repeating: 0, count: sumCount)
    withUnsafePointer(to: windows.geometry) { geometry in
      withMemory(lcw_direct_parts_sums_scratch(geometry, filters)) { floats, starts in
        lcw_direct_parts_sums(
          sums, images + samples.lowerBound * windows.image.count,
          gradient + samples.lowerBound * filters * windows.positions, geometry, filters,
          samples.count, floats, starts)
      }
    }
  }

  func add(
    _ sums: Tensor, parts: Int, to gradient: inout Tensor, carry: Float, workers: Workers
  ) {
    gradient.assignSum(ofRows: sums, plus: carry, workers: workers)
  }

  /// A worker's own memory: floats from a cache line on, and a place for each element of a window.
  private func withMemory(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Int>) -> Void
  ) {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64)
    let starts = UnsafeMutablePointer<Int>.allocate(capacity: area)
    body(bytes.bindMemory(to: Float.self, capacity: count), starts)
    bytes.deallocate()
    starts.deallocate()
  }
}
