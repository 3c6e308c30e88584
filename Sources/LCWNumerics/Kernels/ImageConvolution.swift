// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The convolution of images with filters `[filters, channels / groups, height, width]`, forward and
/// backward. In groups, equal parts of the filters see equal parts of the channels, in order.
///
/// Patches of some images are laid out as the columns of a matrix that the filters multiply, a
/// thousand columns at a time: patches of a whole batch are never in memory. Images are divided
/// among the workers. Wide layers of 3×3 filters go by Winograd's minimal filtering instead, and those
/// over images of very few positions by products that leave out the padding: both multiply less.
/// Small layers of larger windows read them where they are. Filters of one channel each, and of as many
/// groups, are applied plane by plane.
public struct ImageConvolution: Sendable, Hashable {
  /// The windows.
  public let windows: ImageWindows
  /// The number of filters.
  public let filters: Int
  /// The number of equal parts that channels and filters are divided into.
  public let groups: Int

  /// A convolution.
  ///
  /// - Parameters:
  ///   - filters: The number of filters.
  ///   - windows: The windows over images of all channels.
  ///   - groups: A number that divides channels and filters.
  public init(filters: Int, over windows: ImageWindows, groups: Int = 1) {
    precondition(
      groups > 0 && windows.image[0] % groups == 0 && filters % groups == 0,
      "\(windows.image[0]) channels and \(filters) filters do not make \(groups) equal groups")
    self.windows = windows
    self.filters = filters
    self.groups = groups
  }

  /// The shape of the filters, `[filters, channels / groups, height, width]`.
  public var weightShape: Shape { Shape([filters, windows.image[0] / groups] + windows.kernel) }

  /// The convolved images of a block.
  ///
  /// - Parameters:
  ///   - images: `[n, channels, height, width]`.
  ///   - weight: `[filters, channels / groups, height, width]` of the windows.
  ///   - bias: A value for each filter, or none.
  ///   - clipping: Whether negative values become zero.
  ///   - workers: The threads to divide the images among.
  /// - Returns: `[n, filters, height, width]` of the positions.
  public func output(
    of images: Tensor, weight: Tensor, bias: Tensor?, clipping: Bool = false,
    workers: Workers = .serial
  ) -> Tensor {
    check(images, weight: weight, bias: bias)
    if isDepthwise {
      return depthwiseOutput(
        of: images, weight: weight, bias: bias, clipping: clipping, workers: workers)
    }
    if groups > 1 {
      return groupedOutput(
        of: images, weight: weight, bias: bias, clipping: clipping, workers: workers)
    }
    BLAS.useCallingThread()
    let samples = images.shape.rows
    var output = Tensor(unspecified: windows.outputShape(channels: filters).batched(samples))
    let fast = self.fast
    let transformed = fast?.transform(weight, reversed: false, workers: workers)
    images.elements.withUnsafeBufferPointer { images in
      weight.elements.withUnsafeBufferPointer { weight in
        Tensor.withBase(of: bias) { bias in
          Tensor.withBase(of: transformed) { transformed in
            output.elements.withUnsafeMutableBufferPointer { output in
              guard let images = images.baseAddress, let weight = weight.baseAddress,
                let output = output.baseAddress
              else { return }
              forEachPart(partCount(of: samples, workers), of: samples, workers) { _, range in
                if let fast, let transformed {
                  fast.run(
                    range, of: images, transformed: transformed, bias: bias, clipping: clipping,
                    to: output)
                  return
                }
                let scratch = Scratch(patches: patchCount, planes: planeCount)
                for tile in tiles(of: range) {
                  run(tile, images, weight, bias, clipping, to: output, scratch)
                }
              }
            }
          }
        }
      }
    }
    return output
  }

  func check(_ images: Tensor, weight: Tensor, bias: Tensor?) {
    precondition(
      images.shape == windows.image.batched(images.shape.rows),
      "\(images.shape) is no block of \(windows.image)")
    precondition(
      weight.shape == weightShape && (bias.map { $0.count == filters } ?? true),
      "filters \(weight.shape) should be \(weightShape), with a bias for each")
  }
}

// MARK: - Tiles: the columns of one product

extension ImageConvolution {
  // Columns of a product: enough that OpenBLAS's packing of the filters is small beside it, few
  // enough that the patches stay in the last cache.
  private static let columns = 1024
  private static let patchValues = 1 << 23

  /// Some rows of positions of one image, or all positions of neighbouring images.
  struct Tile {
    var samples: Range<Int>
    var rows: Range<Int>
  }

  private var columnLimit: Int {
    max(
      64,
      min(ImageConvolution.columns, ImageConvolution.patchValues / max(1, windows.patchSize)))
  }

  /// The most rows of positions of a tile that is part of an image.
  private var bandRows: Int {
    let bands = (windows.positions + columnLimit - 1) / columnLimit
    return (windows.outputHeight + bands - 1) / bands
  }

  /// The most images of a tile.
  private var tileSamples: Int { max(1, columnLimit / windows.positions) }

  private var mostColumns: Int { max(bandRows * windows.outputWidth, joinedColumns) }
  private var joinedColumns: Int { tileSamples > 1 ? tileSamples * windows.positions : 0 }
  var patchCount: Int { mostColumns * windows.patchSize }
  var planeCount: Int { joinedColumns * filters }

  func tiles(of range: Range<Int>) -> [Tile] {
    guard tileSamples == 1 else {
      let count = (range.count + tileSamples - 1) / tileSamples
      return (0..<count).map { index in
        let lower = range.lowerBound + range.count * index / count
        let upper = range.lowerBound + range.count * (index + 1) / count
        return Tile(samples: lower..<upper, rows: 0..<windows.outputHeight)
      }
    }
    return range.flatMap { sample in
      stride(from: 0, to: windows.outputHeight, by: bandRows).map { row in
        let rows = row..<min(row + bandRows, windows.outputHeight)
        return Tile(samples: sample..<sample + 1, rows: rows)
      }
    }
  }

  func partCount(of samples: Int, _ workers: Workers) -> Int { min(workers.count, samples) }

  /// The values that all parts' sums of filters' gradients may have together: half a gigabyte.
  static let largestSums = 1 << 27

  func forEachPart(
    _ parts: Int, of samples: Int, _ workers: Workers, _ body: (Int, Range<Int>) -> Void
  ) {
    workers.forEachUnchecked(parts) { part in
      body(part, samples * part / parts..<samples * (part + 1) / parts)
    }
  }

  /// A worker's own memory.
  final class Scratch {
    let patches: UnsafeMutablePointer<Float>
    let planes: UnsafeMutablePointer<Float>

    init(patches: Int, planes: Int) {
      self.patches = .allocate(capacity: patches)
      self.planes = .allocate(capacity: planes)
      lcw_advise_large_pages(self.patches, patches * MemoryLayout<Float>.stride)
    }

    deinit {
      patches.deallocate()
      planes.deallocate()
    }
  }

  func writePatches(
    of tile: Tile, _ images: UnsafePointer<Float>, to patches: UnsafeMutablePointer<Float>
  ) {
    let leading = columns(of: tile)
    withUnsafePointer(to: windows.geometry) { geometry in
      for (index, sample) in tile.samples.enumerated() {
        lcw_patches(
          patches + index * windows.positions, leading, images + sample * windows.image.count,
          geometry, tile.rows.lowerBound, tile.rows.count)
      }
    }
  }

  func columns(of tile: Tile) -> Int {
    tile.samples.count * tile.rows.count * windows.outputWidth
  }

  /// Where the planes of a tile begin in a tensor of the output's shape.
  func start(of tile: Tile) -> Int {
    tile.samples.lowerBound * filters * windows.positions
      + tile.rows.lowerBound * windows.outputWidth
  }

  // MARK: One tile

  private func run(
    _ tile: Tile, _ images: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>?, _ clipping: Bool, to output: UnsafeMutablePointer<Float>,
    _ scratch: Scratch
  ) {
    writePatches(of: tile, images, to: scratch.patches)
    let (count, positions) = (columns(of: tile), windows.positions)
    let target = output + start(of: tile)
    let isJoined = tile.samples.count > 1
    let result = isJoined ? scratch.planes : target
    let leading = isJoined ? count : positions
    MatrixKernel(
      a: weight, b: scratch.patches, c: result, leadingA: windows.patchSize, leadingB: count,
      leadingC: leading, inner: windows.patchSize, precision: .standard
    ).run(rows: 0..<filters, columns: 0..<count)
    guard isJoined || bias != nil || clipping else { return }
    for index in 0..<tile.samples.count {
      lcw_add_plane_bias(
        target + index * filters * positions, positions, result + index * positions, leading,
        bias, filters, isJoined ? positions : count, clipping ? 1 : 0)
    }
  }
}
