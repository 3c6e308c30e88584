// SPDX-License-Identifier: Apache-2.0

/// Rows and columns of one value around images, and their removal.
public struct ImageMargins: Sendable, Hashable {
  /// The shape of an image, `[channels, height, width]`.
  public let image: Shape
  /// The rows and columns around it.
  public let padding: ImagePadding
  /// The value they have.
  public let value: Float

  /// Margins around images of a shape.
  public init(around image: Shape, padding: ImagePadding, value: Float = 0) {
    precondition(
      image.rank == 3 && padding.isValid,
      "margins need an image [channels, height, width] and no negative numbers")
    self.image = image
    self.padding = padding
    self.value = value
  }

  /// The shape of an image with its margins.
  public var outputShape: Shape {
    [image[0], image[1] + padding.height, image[2] + padding.width]
  }

  /// The block with margins around its images.
  public func output(of images: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = images.shape.rows
    precondition(images.shape == image.batched(samples), "\(images.shape) is no block of \(image)")
    var output = Tensor(unspecified: outputShape.batched(samples))
    let (width, wide) = (image[2], outputShape[2])
    let (plane, large) = (image[1] * width, outputShape[1] * wide)
    images.withBase { source in
      output.withMutableBase { target in
        workers.forEachRange(of: samples * image[0], grain: grain) {
          for index in $0 {
            let to = target + index * large
            to.update(repeating: value, count: large)
            for row in 0..<image[1] {
              (to + (row + padding.top) * wide + padding.left).update(
                from: source + index * plane + row * width, count: width)
            }
          }
        }
      }
    }
    return output
  }

  /// The block without the margins: the gradient of the images from that of the output.
  public func backward(_ gradient: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = gradient.shape.rows
    precondition(
      gradient.shape == outputShape.batched(samples),
      "\(gradient.shape) is no block of \(outputShape)")
    var result = Tensor(unspecified: image.batched(samples))
    let (width, wide) = (image[2], outputShape[2])
    let (plane, large) = (image[1] * width, outputShape[1] * wide)
    gradient.withBase { source in
      result.withMutableBase { target in
        workers.forEachRange(of: samples * image[0], grain: grain) {
          for index in $0 {
            for row in 0..<image[1] {
              (target + index * plane + row * width).update(
                from: source + index * large + (row + padding.top) * wide + padding.left,
                count: width)
            }
          }
        }
      }
    }
    return result
  }

  private var grain: Int { max(1, elementGrain / max(1, outputShape[1] * outputShape[2])) }
}
