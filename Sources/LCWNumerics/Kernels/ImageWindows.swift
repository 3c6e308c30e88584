// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The windows of a convolution or a pooling over images `[channels, height, width]`.
public struct ImageWindows: Sendable, Hashable {
  /// The shape of an image.
  public let image: Shape
  /// The height and width of a window.
  public let kernel: [Int]
  /// The steps between windows below and beside each other.
  public let strides: [Int]
  /// The rows and columns around the image that windows reach into.
  public let paddings: ImagePadding
  /// The distances of a window's elements below and beside each other, 1 where they are neighbours.
  public let dilation: [Int]
  /// The number of windows below each other.
  public let outputHeight: Int
  /// The number of windows beside each other.
  public let outputWidth: Int

  /// Windows over an image with the same step and padding in both directions; they must fit it.
  public init(over image: Shape, kernel: [Int], stride: Int, padding: Int) {
    self.init(
      over: image, kernel: kernel, strides: [stride, stride], padding: ImagePadding(padding))
  }

  /// Windows over an image; they must fit it.
  ///
  /// - Parameters:
  ///   - image: `[channels, height, width]`.
  ///   - kernel: The height and width of a window.
  ///   - strides: The steps down and across.
  ///   - padding: The rows and columns around the image.
  ///   - dilation: The distances of a window's elements down and across.
  ///   - roundingUp: Whether a last window may reach beyond the padding, if it begins within the
  ///     image or the padding above or to the left of it, as PyTorch's `ceil_mode` has it. For pooling.
  public init(
    over image: Shape, kernel: [Int], strides: [Int], padding: ImagePadding,
    dilation: [Int] = [1, 1], roundingUp: Bool = false
  ) {
    precondition(
      image.rank == 3 && kernel.count == 2 && strides.count == 2 && dilation.count == 2
        && (kernel + strides + dilation).allSatisfy { $0 > 0 } && padding.isValid,
      "windows need an image [channels, height, width], a height and a width")
    self.image = image
    self.kernel = kernel
    self.strides = strides
    self.paddings = padding
    self.dilation = dilation
    let counts = ImageWindows.counts(
      over: [image[1], image[2]], kernel: kernel, strides: strides, padding: padding,
      dilation: dilation, roundingUp: roundingUp)
    precondition(counts.allSatisfy { $0 > 0 }, "a window \(kernel) does not fit \(image)")
    (outputHeight, outputWidth) = (counts[0], counts[1])
  }

  /// The numbers of windows down and across; 0 where they do not fit. For checks of what input gave.
  public static func counts(
    over sizes: [Int], kernel: [Int], strides: [Int], padding: ImagePadding,
    dilation: [Int] = [1, 1], roundingUp: Bool = false
  ) -> [Int] {
    let before = [padding.top, padding.left]
    let behind = [padding.bottom, padding.right]
    return (0..<2).map { axis in
      let stride = strides[axis]
      // Numbers that input gave may be of any size.
      let (reach, isTooFar) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilation[axis])
      let (start, isTooWide) = sizes[axis].addingReportingOverflow(before[axis])
      let (size, isTooLarge) = start.addingReportingOverflow(behind[axis])
      guard !isTooFar, !isTooWide, !isTooLarge, size > reach else { return 0 }
      let room = size - reach - 1
      guard roundingUp, room % stride > 0 else { return room / stride + 1 }
      let isInside = (room / stride + 1) * stride < start
      return room / stride + (isInside ? 2 : 1)
    }
  }

  /// The same windows over images with other channels.
  func over(channels: Int) -> ImageWindows { ImageWindows(self, channels: channels) }

  private init(_ other: ImageWindows, channels: Int) {
    image = [channels, other.image[1], other.image[2]]
    kernel = other.kernel
    strides = other.strides
    paddings = other.paddings
    dilation = other.dilation
    outputHeight = other.outputHeight
    outputWidth = other.outputWidth
  }

  /// The number of windows over an image.
  public var positions: Int { outputHeight * outputWidth }
  /// The values of a window over all channels.
  public var patchSize: Int { image[0] * kernel[0] * kernel[1] }

  /// The shape behind the windows where each position has that many channels.
  public func outputShape(channels: Int) -> Shape { [channels, outputHeight, outputWidth] }

  /// What windows of a block see, `[n · positions, channels · kernel]`, image by image and row by row
  /// of positions; padding is zero.
  ///
  /// A convolution is a dense layer on these rows. All of them take as many times the block's memory
  /// as a window has elements in a channel, so blocks should be small.
  ///
  /// - Parameters:
  ///   - images: `[n, channels, height, width]`.
  ///   - count: The positions of each image to take, evenly spaced; all if there is no number or no
  ///     more of them.
  ///   - first: The number of the block's first image: the positions begin elsewhere in each image,
  ///     so that many images have all of them.
  public func patchRows(of images: Tensor, positions count: Int? = nil, first: Int = 0) -> Tensor {
    let samples = images.shape.rows
    precondition(images.shape == image.batched(samples), "\(images.shape) is no block of \(image)")
    let taken = min(positions, max(1, count ?? positions))
    var rows = Tensor(unspecified: [samples * taken, patchSize])
    rows.elements.withUnsafeMutableBufferPointer { target in
      images.elements.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        withUnsafePointer(to: geometry) { geometry in
          for sample in 0..<samples {
            let (to, from) = (target + sample * taken * patchSize, source + sample * image.count)
            if taken == positions {
              lcw_patch_rows(to, from, geometry, nil, taken)
            } else {
              lcw_patch_rows(to, from, geometry, spread(taken, ofImage: first + sample), taken)
            }
          }
        }
      }
    }
    return rows
  }

  /// Evenly spaced positions of an image. Where they begin goes through the first interval by the
  /// golden section from image to image, which leaves no larger gaps than it must.
  private func spread(_ count: Int, ofImage number: Int) -> [Int32] {
    let start = (Double(number) * 0.618_033_988_749_894_9).truncatingRemainder(dividingBy: 1)
    return (0..<count).map {
      Int32(min(positions - 1, Int((Double($0) + start) * Double(positions) / Double(count))))
    }
  }

  /// What the loops in C take.
  var geometry: lcw_windows_t {
    lcw_windows_t(
      channels: image[0], height: image[1], width: image[2], kernel_height: kernel[0],
      kernel_width: kernel[1], down: strides[0], across: strides[1], top: paddings.top,
      left: paddings.left, bottom: paddings.bottom, right: paddings.right,
      spread_height: dilation[0], spread_width: dilation[1], out_height: outputHeight,
      out_width: outputWidth)
  }
}
