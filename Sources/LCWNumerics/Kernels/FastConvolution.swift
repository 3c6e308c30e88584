// SPDX-License-Identifier: Apache-2.0

/// A way to convolve with fewer multiplications than by patches, for convolutions of some shapes.
///
/// The filters are transformed once; then images are convolved, some of a block at a time, on the
/// calling thread.
protocol FastConvolution {
  /// Nothing if the convolution has another shape, or is faster by patches. That depends on shapes
  /// alone.
  init?(filters: Int, over windows: ImageWindows)

  /// The convolution that gives the gradient of the images from that of the output, in the place of
  /// images and output.
  init?(backwardOf windows: ImageWindows, filters: Int)

  /// The filters transformed.
  ///
  /// - Parameter reversed: Whether `weight` is that of the convolution this one is backward of.
  func transform(_ weight: Tensor, reversed: Bool, workers: Workers) -> Tensor

  /// Convolves some images of a block.
  func run(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, transformed: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, clipping: Bool, to output: UnsafeMutablePointer<Float>)

  /// The values of the sums that the gradient of the filters is made of.
  var sumCount: Int { get }

  /// Sums the gradient of the filters over some images of a block, transformed. Not for a convolution
  /// that is backward.
  ///
  /// - Parameters:
  ///   - samples: At least one image.
  ///   - images: The block that was convolved.
  ///   - gradient: The gradient of the output, clipped already.
  ///   - sums: Becomes the sums, ``sumCount`` of them.
  func sumProducts(
    _ samples: Range<Int>, of images: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>)

  /// gradient ← carry · gradient + the gradient of the filters from such sums of several parts, one
  /// after the other, which are added in order. With a carry of 0 the old gradient is not read.
  func add(
    _ sums: Tensor, parts: Int, to gradient: inout Tensor, carry: Float, workers: Workers)
}

extension ImageConvolution {
  /// The fast way for this convolution, if there is one.
  var fast: (any FastConvolution)? {
    widest { ImageWinograd(filters: filters, over: windows) }
      ?? ImageTaps(filters: filters, over: windows)
      ?? ImageDirect(filters: filters, over: windows)
      ?? ImageWinograd(filters: filters, over: windows)
  }

  /// The fast way for the gradient of the images, if there is one.
  var fastBackward: (any FastConvolution)? {
    widest { ImageWinograd(backwardOf: windows, filters: filters) }
      ?? ImageTaps(backwardOf: windows, filters: filters)
      ?? ImageDirect(backwardOf: windows, filters: filters)
      ?? ImageWinograd(backwardOf: windows, filters: filters)
  }

  // Fewer channels than this on either side spare too little for Winograd's transforms.
  private static let wide = 64

  private func widest(_ way: () -> ImageWinograd?) -> ImageWinograd? {
    min(filters, windows.image[0]) >= ImageConvolution.wide ? way() : nil
  }
}
