// SPDX-License-Identifier: Apache-2.0
import CKernels

/// What a pooling makes of each window.
public enum PoolingRule: Sendable, Hashable {
  /// The largest value. Padding counts as −infinity, a NaN as larger than all. The gradient goes to
  /// the first of equals, row by row.
  case maximum
  /// The sum over the number of values of a window. Padding counts as zero, or not at all.
  case average
}

/// The pooling of each channel of images.
public struct ImagePooling: Sendable, Hashable {
  /// The windows.
  public let windows: ImageWindows
  /// What is made of each.
  public let rule: PoolingRule
  /// Whether padding is among the values that an average divides by.
  public let countsPadding: Bool

  /// A pooling.
  ///
  /// - Parameters:
  ///   - rule: What is made of each window.
  ///   - windows: The windows. What one has beyond the padding, as a last one may that was rounded up,
  ///     never counts.
  ///   - countsPadding: Whether padding is among the values that an average divides by.
  public init(_ rule: PoolingRule, over windows: ImageWindows, countsPadding: Bool = true) {
    self.windows = windows
    self.rule = rule
    self.countsPadding = countsPadding
  }

  /// The pooled images of a block, `[n, channels, height, width]`.
  public func output(of images: Tensor, workers: Workers = .serial) -> Tensor {
    check(images, is: windows.image)
    let (planes, size) = (images.shape.rows * windows.image[0], windows.positions)
    let inputSize = windows.image[1] * windows.image[2]
    let result = windows.outputShape(channels: windows.image[0])
    var output = Tensor(unspecified: result.batched(images.shape.rows))
    let geometry = windows.geometry
    images.elements.withUnsafeBufferPointer { source in
      output.elements.withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        workers.forEachRange(of: planes, grain: ImagePooling.grain(size)) { range in
          let (to, from) = (
            target + range.lowerBound * size, source + range.lowerBound * inputSize
          )
          withUnsafePointer(to: geometry) {
            switch rule {
            case .maximum: lcw_max_pool(to, from, $0, range.count)
            case .average: lcw_average_pool(to, from, $0, range.count, countsPadding ? 1 : 0)
            }
          }
        }
      }
    }
    return output
  }

  /// The gradient before the pooling from the one behind it.
  ///
  /// - Parameters:
  ///   - gradient: `[n, channels, height, width]` as the output has it.
  ///   - images: The block that was pooled.
  ///   - workers: The threads to divide the channels among.
  public func backward(_ gradient: Tensor, images: Tensor, workers: Workers = .serial) -> Tensor {
    check(images, is: windows.image)
    check(gradient, is: windows.outputShape(channels: windows.image[0]))
    let (planes, size) = (images.shape.rows * windows.image[0], windows.positions)
    let inputSize = windows.image[1] * windows.image[2]
    var result = Tensor(unspecified: images.shape)
    let geometry = windows.geometry
    images.elements.withUnsafeBufferPointer { source in
      gradient.elements.withUnsafeBufferPointer { gradient in
        result.elements.withUnsafeMutableBufferPointer { target in
          guard let source = source.baseAddress, let gradient = gradient.baseAddress,
            let target = target.baseAddress
          else { return }
          workers.forEachRange(of: planes, grain: ImagePooling.grain(size)) { range in
            let first = range.lowerBound
            let (to, from) = (target + first * inputSize, gradient + first * size)
            withUnsafePointer(to: geometry) {
              switch rule {
              case .maximum:
                lcw_max_pool_backward(to, from, source + first * inputSize, $0, range.count)
              case .average:
                lcw_average_pool_backward(to, from, $0, range.count, countsPadding ? 1 : 0)
              }
            }
          }
        }
      }
    }
    return result
  }

  private func check(_ block: Tensor, is shape: Shape) {
    precondition(
      block.shape == shape.batched(block.shape.rows), "\(block.shape) is no block of \(shape)")
  }

  // Planes below which a second thread costs more than it brings.
  private static func grain(_ size: Int) -> Int { max(1, (1 << 13) / max(1, size)) }
}
