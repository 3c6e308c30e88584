// SPDX-License-Identifier: Apache-2.0
import CKernels

/// A convolution of 3×3 at every position by Winograd's minimal filtering F(4×4, 3×3), which needs
/// a quarter of the multiplications (Lavin and Gray, Fast Algorithms for Convolutional Neural
/// Networks, CVPR 2016).
///
/// The gradient of the filters goes back through the same transforms: where the products of
/// transformed filters and patches are summed over channels, those of transformed gradients and
/// patches are summed over tiles.
///
/// Rounding errors are some ten times those of direct sums. A value that is not finite spreads over
/// the tile of 4×4 outputs it belongs to.
struct ImageWinograd: FastConvolution {
  private let windows: ImageWindows
  private let filters: Int

  // Fewer channels do not pay for the transforms.
  private static let fewestChannels = 16
  private static let fewestPositions = 3
  // Tiles of a product: enough that the filters' transforms are read seldom.
  private static let tiles = 256
  // The most tiles of an image, so that the transforms of one take limited memory.
  private static let mostTiles = 2048
  private static let points = 36

  /// Nothing if the convolution is of another kind, or is faster by direct sums. That depends on
  /// shapes alone.
  init?(filters: Int, over windows: ImageWindows) {
    guard ImageWinograd.fits(windows),
      min(filters, windows.image[0]) >= ImageWinograd.fewestChannels,
      min(windows.outputHeight, windows.outputWidth) >= ImageWinograd.fewestPositions
    else { return nil }
    self.windows = windows
    self.filters = filters
    guard imageTiles <= ImageWinograd.mostTiles else { return nil }
  }

  /// The convolution that gives the gradient of the images from that of the output: with the
  /// filters turned around, and filters and channels in each other's place.
  init?(backwardOf windows: ImageWindows, filters: Int) {
    guard ImageWinograd.fits(windows) else { return nil }
    let padding = windows.paddings
    self.init(
      filters: windows.image[0],
      over: ImageWindows(
        over: windows.outputShape(channels: filters), kernel: [3, 3], strides: [1, 1],
        padding: ImagePadding(
          top: 2 - padding.top, left: 2 - padding.left, bottom: 2 - padding.bottom,
          right: 2 - padding.right)))
  }

  private static func fits(_ windows: ImageWindows) -> Bool {
    let padding = windows.paddings
    return windows.kernel == [3, 3] && windows.strides == [1, 1] && windows.dilation == [1, 1]
      && max(padding.top, padding.left, padding.bottom, padding.right) <= 2
  }

  private var tilesDown: Int { (windows.outputHeight + 3) / 4 }
  private var tilesAcross: Int { (windows.outputWidth + 3) / 4 }
  private var imageTiles: Int { tilesDown * tilesAcross }
  private var paddedSize: Int { (4 * tilesDown + 2) * (4 * tilesAcross + 2) }
  /// The pairs of a filter and a channel.
  private var pairs: Int { filters * windows.image[0] }
  var sumCount: Int { ImageWinograd.points * pairs }

  /// The images whose tiles are multiplied together.
  private func together(of samples: Range<Int>) -> Int {
    max(1, min(samples.count, ImageWinograd.tiles / imageTiles))
  }

  /// The filters transformed, `[36, filters, channels]`.
  ///
  /// - Parameter reversed: Whether `weight` is that of the convolution this one is backward of.
  func transform(_ weight: Tensor, reversed: Bool, workers: Workers) -> Tensor {
    let channels = windows.image[0]
    var transformed = Tensor(unspecified: [ImageWinograd.points, filters, channels])
    transformed.elements.withUnsafeMutableBufferPointer { target in
      weight.elements.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        workers.forEachRange(of: filters * channels, grain: 1 << 12) { range in
          lcw_winograd_filters(
            target, source, filters, channels, reversed ? 1 : 0, range.lowerBound, range.count)
        }
      }
    }
    return transformed
  }

  func run(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, transformed: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, clipping: Bool, to output: UnsafeMutablePointer<Float>
  ) {
    let together = together(of: samples)
    let (channels, points) = (windows.image[0], ImageWinograd.points)
    let patchCount = points * channels * together * imageTiles
    let productCount = points * filters * together * imageTiles
    // In one piece: the patches, the products, and a channel of each image with its padding.
    let count = patchCount + productCount + together * paddedSize
    let patches = UnsafeMutablePointer<Float>.allocate(capacity: count)
    defer { patches.deallocate() }
    lcw_advise_large_pages(patches, count * MemoryLayout<Float>.stride)
    let products = patches + patchCount
    withUnsafePointer(to: windows.geometry) { geometry in
      for first in stride(from: samples.lowerBound, to: samples.upperBound, by: together) {
        let group = min(together, samples.upperBound - first)
        let tiles = group * imageTiles
        lcw_winograd_patches(
          patches, images + first * windows.image.count, geometry, group, products + productCount)
        for point in 0..<points {
          MatrixKernel(
            a: transformed + point * filters * channels, b: patches + point * channels * tiles,
            c: products + point * filters * tiles, leadingA: channels, leadingB: tiles,
            leadingC: tiles, inner: channels, precision: .standard
          ).run(rows: 0..<filters, columns: 0..<tiles)
        }
        lcw_winograd_output(
          output + first * filters * windows.positions, products, geometry, filters, group, bias,
          clipping ? 1 : 0)
      }
    }
  }

  func sumProducts(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    let together = together(of: samples)
    let (channels, points) = (windows.image[0], ImageWinograd.points)
    let patchCount = points * channels * together * imageTiles
    let gradientCount = points * filters * together * imageTiles
    // In one piece: the patches, the gradients, and a channel of each image with its padding.
    let count = patchCount + gradientCount + together * paddedSize
    let patches = UnsafeMutablePointer<Float>.allocate(capacity: count)
    defer { patches.deallocate() }
    lcw_advise_large_pages(patches, count * MemoryLayout<Float>.stride)
    let gradients = patches + patchCount
    withUnsafePointer(to: windows.geometry) { geometry in
      for first in stride(from: samples.lowerBound, to: samples.upperBound, by: together) {
        let group = min(together, samples.upperBound - first)
        let tiles = group * imageTiles
        lcw_winograd_patches(
          patches, images + first * windows.image.count, geometry, group,
          gradients + gradientCount)
        lcw_winograd_gradients(
          gradients, gradient + first * filters * windows.positions, geometry, filters, group)
        for point in 0..<points {
          MatrixKernel(
            a: gradients + point * filters * tiles, b: patches + point * channels * tiles,
            c: sums + point * pairs, leadingA: tiles, leadingB: tiles, leadingC: channels,
            transposedB: true, inner: tiles,
            beta: first == samples.lowerBound ? 0 : 1, precision: .standard
          ).run(rows: 0..<filters, columns: 0..<channels)
        }
      }
    }
  }

  func add(
    _ sums: Tensor, parts: Int, to gradient: inout Tensor, carry: Float, workers: Workers
  ) {
    let pairs = self.pairs
    gradient.elements.withUnsafeMutableBufferPointer { gradient in
      sums.elements.withUnsafeBufferPointer { sums in
        guard let gradient = gradient.baseAddress, let sums = sums.baseAddress else { return }
        workers.forEachRange(of: pairs, grain: 1 << 12) { range in
          lcw_winograd_filter_gradient(
            gradient, carry, sums, parts, pairs, range.lowerBound, range.count)
        }
      }
    }
  }
}
