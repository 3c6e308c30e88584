// SPDX-License-Identifier: Apache-2.0

/// The means of bins that divide images, however large these are, into so many rows and columns.
///
/// Bin i of n over an axis of a size goes from ⌊i · size / n⌋ up to ⌈(i + 1) · size / n⌉: bins may overlap, and
/// repeat where there are more of them than values.
public struct AdaptiveAveragePooling: Sendable, Hashable {
  /// The shape of an image, `[channels, height, width]`.
  public let image: Shape
  /// The rows of bins.
  public let height: Int
  /// The columns of bins.
  public let width: Int

  /// A pooling of images of a shape to a height and a width.
  public init(over image: Shape, height: Int, width: Int) {
    precondition(
      image.rank == 3 && image.count > 0 && height > 0 && width > 0,
      "bins need an image [channels, height, width] and a height and a width")
    self.image = image
    self.height = height
    self.width = width
  }

  /// What a bin of so many has of an axis.
  private static func bin(_ index: Int, of count: Int, over size: Int) -> Range<Int> {
    index * size / count..<((index + 1) * size + count - 1) / count
  }

  /// The shape of an output.
  public var outputShape: Shape { [image[0], height, width] }

  /// The means, `[n, channels, height, width]`.
  public func output(of images: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = images.shape.rows
    precondition(images.shape == image.batched(samples), "\(images.shape) is no block of \(image)")
    var output = Tensor(unspecified: outputShape.batched(samples))
    let (size, bins, across) = (image[1] * image[2], height * width, image[2])
    images.withBase { source in
      output.withMutableBase { target in
        workers.forEachRange(of: samples * image[0], grain: grain) {
          for plane in $0 {
            let (from, to) = (source + plane * size, target + plane * bins)
            forEachBin { bin, rows, columns in
              var sum = 0.0
              for y in rows {
                for x in columns { sum += Double(from[y * across + x]) }
              }
              to[bin] = Float(sum / Double(rows.count * columns.count))
            }
          }
        }
      }
    }
    return output
  }

  /// The gradient of the images from that of the means.
  public func backward(_ gradient: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = gradient.shape.rows
    precondition(
      gradient.shape == outputShape.batched(samples),
      "\(gradient.shape) is no block of \(outputShape)")
    var result = Tensor(unspecified: image.batched(samples))
    let (size, bins, across) = (image[1] * image[2], height * width, image[2])
    gradient.withBase { source in
      result.withMutableBase { target in
        workers.forEachRange(of: samples * image[0], grain: grain) {
          for plane in $0 {
            let (from, to) = (source + plane * bins, target + plane * size)
            to.update(repeating: 0, count: size)
            forEachBin { bin, rows, columns in
              let share = from[bin] / Float(rows.count * columns.count)
              for y in rows {
                for x in columns { to[y * across + x] += share }
              }
            }
          }
        }
      }
    }
    return result
  }

  @inline(__always)
  private func forEachBin(_ body: (_ bin: Int, _ rows: Range<Int>, _ columns: Range<Int>) -> Void) {
    for y in 0..<height {
      let rows = AdaptiveAveragePooling.bin(y, of: height, over: image[1])
      for x in 0..<width {
        body(y * width + x, rows, AdaptiveAveragePooling.bin(x, of: width, over: image[2]))
      }
    }
  }

  private var grain: Int {
    max(1, elementGrain / max(image[1] * image[2], height * width))
  }
}
