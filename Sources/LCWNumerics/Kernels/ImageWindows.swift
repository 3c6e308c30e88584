// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The windows of a convolution or a pooling over images `[channels, height, width]`.
public struct ImageWindows: Sendable, Hashable {
  /// The shape of an image.
  public let image: Shape
  /// The height and width of a window.
  public let kernel: [Int]
  /// The step between neighbouring windows.
  public let stride: Int
  /// The rows and columns around the image that windows reach into.
  public let padding: Int
  /// The number of windows below each other.
  public let outputHeight: Int
  /// The number of windows beside each other.
  public let outputWidth: Int

  /// Windows over an image; they must fit it.
  public init(over image: Shape, kernel: [Int], stride: Int, padding: Int) {
    precondition(
      image.rank == 3 && kernel.count == 2 && stride > 0 && padding >= 0,
      "windows need an image [channels, height, width], a height and a width")
    self.image = image
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    outputHeight = (image[1] + 2 * padding - kernel[0]) / stride + 1
    outputWidth = (image[2] + 2 * padding - kernel[1]) / stride + 1
    precondition(
      image[1] + 2 * padding >= kernel[0] && image[2] + 2 * padding >= kernel[1],
      "a window \(kernel) does not fit \(image)")
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
      kernel_width: kernel[1], stride: stride, padding: padding, out_height: outputHeight,
      out_width: outputWidth)
  }
}
