// SPDX-License-Identifier: Apache-2.0

/// The shortcut without parameters around a residual block that changes the size (He et al. 2016, option
/// A): every so many rows and columns of the images, between channels of zeros.
public struct PaddingShortcut: Sendable, Hashable {
  /// The shape of an image, `[channels, height, width]`.
  public let image: Shape
  /// The steps down and across.
  public let strides: [Int]
  /// The channels of zeros before the image's.
  public let before: Int
  /// The channels of zeros behind the image's.
  public let behind: Int

  /// A shortcut from images of a shape.
  public init(over image: Shape, strides: [Int], before: Int, behind: Int) {
    precondition(
      image.rank == 3 && strides.count == 2 && strides.allSatisfy { $0 > 0 }
        && min(before, behind) >= 0,
      "a shortcut needs an image [channels, height, width], two steps and no negative numbers")
    self.image = image
    self.strides = strides
    self.before = before
    self.behind = behind
  }

  /// The shape of an output.
  public var outputShape: Shape {
    [
      before + image[0] + behind, (image[1] + strides[0] - 1) / strides[0],
      (image[2] + strides[1] - 1) / strides[1],
    ]
  }

  /// The block that goes around.
  public func output(of images: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = images.shape.rows
    precondition(images.shape == image.batched(samples), "\(images.shape) is no block of \(image)")
    let shape = outputShape
    var output = Tensor(unspecified: shape.batched(samples))
    let small = shape[1] * shape[2]
    images.withBase { source in
      output.withMutableBase { target in
        workers.forEachRange(of: samples, grain: grain) {
          for sample in $0 {
            let to = target + sample * shape.count
            to.update(repeating: 0, count: before * small)
            (to + (before + image[0]) * small).update(repeating: 0, count: behind * small)
            forEachPlace(sample) { from, place in to[place] = source[from] }
          }
        }
      }
    }
    return output
  }

  /// The gradient of the images from that of the output.
  public func backward(_ gradient: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = gradient.shape.rows
    let shape = outputShape
    precondition(
      gradient.shape == shape.batched(samples), "\(gradient.shape) is no block of \(shape)")
    var result = Tensor(unspecified: image.batched(samples))
    gradient.withBase { source in
      result.withMutableBase { target in
        workers.forEachRange(of: samples, grain: grain) {
          for sample in $0 {
            (target + sample * image.count).update(repeating: 0, count: image.count)
            let from = source + sample * shape.count
            forEachPlace(sample) { place, origin in target[place] = from[origin] }
          }
        }
      }
    }
    return result
  }

  /// Calls `body` with the place in the block of each value that is taken, and that in the output's
  /// sample.
  @inline(__always)
  private func forEachPlace(_ sample: Int, _ body: (_ input: Int, _ output: Int) -> Void) {
    let (height, width) = (outputShape[1], outputShape[2])
    for channel in 0..<image[0] {
      for y in 0..<height {
        let row = ((sample * image[0] + channel) * image[1] + y * strides[0]) * image[2]
        let target = ((before + channel) * height + y) * width
        for x in 0..<width { body(row + x * strides[1], target + x) }
      }
    }
  }

  private var grain: Int { max(1, elementGrain / max(1, image.count)) }
}
