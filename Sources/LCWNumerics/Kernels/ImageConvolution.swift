// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The convolution of images with filters `[filters, channels, height, width]`, forward and
/// backward.
///
/// Patches of some images are laid out as the columns of a matrix that the filters multiply, a
/// thousand columns at a time: patches of a whole batch are never in memory. Images are divided
/// among the workers. Outputs and gradients of wide layers of 3×3 filters come from Winograd's
/// minimal filtering instead, which multiplies less.
public struct ImageConvolution: Sendable, Hashable {
  /// The windows.
  public let windows: ImageWindows
  /// The number of filters.
  public let filters: Int

  /// A convolution.
  public init(filters: Int, over windows: ImageWindows) {
    self.windows = windows
    self.filters = filters
  }

  /// The convolved images of a block.
  ///
  /// - Parameters:
  ///   - images: `[n, channels, height, width]`.
  ///   - weight: `[filters, channels, height, width]` of the windows.
  ///   - bias: A value for each filter, or none.
  ///   - clipping: Whether negative values become zero.
  ///   - workers: The threads to divide the images among.
  /// - Returns: `[n, filters, height, width]` of the positions.
  public func output(
    of images: Tensor, weight: Tensor, bias: Tensor?, clipping: Bool = false,
    workers: Workers = .serial
  ) -> Tensor {
    check(images, weight: weight, bias: bias)
    BLAS.useCallingThread()
    let samples = images.shape.rows
    var output = Tensor(unspecified: windows.outputShape(channels: filters).batched(samples))
    let winograd = ImageWinograd(filters: filters, over: windows)
    let transformed = winograd?.transform(weight, reversed: false, workers: workers)
    images.elements.withUnsafeBufferPointer { images in
      weight.elements.withUnsafeBufferPointer { weight in
        Tensor.withBase(of: bias) { bias in
          Tensor.withBase(of: transformed) { transformed in
            output.elements.withUnsafeMutableBufferPointer { output in
              guard let images = images.baseAddress, let weight = weight.baseAddress,
                let output = output.baseAddress
              else { return }
              forEachPart(of: samples, workers) { _, range in
                if let winograd, let transformed {
                  winograd.run(
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

  /// The gradients of a convolution.
  ///
  /// Each worker sums over its own images, and the sums are added in order: the gradients repeat
  /// for the same number of workers.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the output.
  ///   - clipped: The output, if it was clipped at zero.
  ///   - images: The block that was convolved, of at least one image.
  ///   - weight: The filters.
  ///   - weightGradient: Is scaled by `carry`, then the filters' gradient is added.
  ///   - biasGradient: Likewise for the bias, if there is one.
  ///   - carry: What the gradients keep of what they held; with 0 it is not read.
  ///   - needsInput: Whether the gradient of the images is wanted.
  ///   - workers: The threads to divide the images among.
  /// - Returns: The gradient of the images, if wanted.
  public func backward(
    _ gradient: consuming Tensor, clipped: Tensor?, images: Tensor, weight: Tensor,
    weightGradient: inout Tensor, biasGradient: inout Tensor?, carry: Float = 0,
    needsInput: Bool = true, workers: Workers = .serial
  ) -> Tensor? {
    check(images, weight: weight, bias: biasGradient)
    let samples = images.shape.rows
    precondition(
      samples > 0 && weightGradient.shape == weight.shape
        && gradient.shape == windows.outputShape(channels: filters).batched(samples)
        && (clipped.map { $0.shape == gradient.shape } ?? true),
      "gradients of a convolution differ in shape from what they belong to")
    BLAS.useCallingThread()
    let parts = partCount(of: samples, workers)
    var input = Tensor(unspecified: needsInput ? images.shape : [0])
    let inputWinograd = needsInput ? ImageWinograd(backwardOf: windows, filters: filters) : nil
    let transformed = inputWinograd?.transform(weight, reversed: true, workers: workers)
    // The direct way gives both gradients from one set of patches.
    let filterWinograd =
      needsInput && inputWinograd == nil ? nil : ImageWinograd(filters: filters, over: windows)
    // For each part the gradient of the filters, or its transform; and that of the bias.
    let sumCount = filterWinograd?.sumCount ?? weight.count
    var sums = Tensor(unspecified: [parts, sumCount])
    var biasSums = Tensor(zeros: [parts, filters])
    sums.elements.withUnsafeMutableBufferPointer { sums in
      biasSums.elements.withUnsafeMutableBufferPointer { biasSums in
        gradient.elements.withUnsafeMutableBufferPointer { gradient in
          input.elements.withUnsafeMutableBufferPointer { input in
            images.elements.withUnsafeBufferPointer { images in
              weight.elements.withUnsafeBufferPointer { weight in
                Tensor.withBase(of: clipped) { clipped in
                  Tensor.withBase(of: transformed) { transformed in
                    guard let sums = sums.baseAddress, let biasSums = biasSums.baseAddress,
                      let gradient = gradient.baseAddress, let images = images.baseAddress,
                      let weight = weight.baseAddress
                    else { return }
                    let target = needsInput ? input.baseAddress : nil
                    let operands = BackwardOperands(
                      gradient: gradient, clipped: clipped, images: images, weight: weight,
                      input: inputWinograd == nil ? target : nil)
                    forEachPart(of: samples, workers) { part, range in
                      let (sum, bias) = (sums + part * sumCount, biasSums + part * filters)
                      if let filterWinograd {
                        clip(range, operands, biasSum: bias)
                        filterWinograd.sumProducts(
                          range, of: images, gradient: gradient, to: sum)
                      } else {
                        sumDirectly(range, operands, weightSum: sum, biasSum: bias)
                      }
                      if let inputWinograd, let transformed, let target {
                        inputWinograd.run(
                          range, of: gradient, transformed: transformed, bias: nil,
                          clipping: false, to: target)
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    if let filterWinograd {
      filterWinograd.add(
        sums, parts: parts, to: &weightGradient, carry: carry, workers: workers)
    } else {
      weightGradient.assignSum(ofRows: sums, plus: carry, workers: workers)
    }
    biasGradient?.assignSum(ofRows: biasSums, plus: carry, workers: .serial)
    return needsInput ? input : nil
  }

  private func check(_ images: Tensor, weight: Tensor, bias: Tensor?) {
    let filterShape = Shape([filters, windows.image[0]] + windows.kernel)
    precondition(
      images.shape == windows.image.batched(images.shape.rows),
      "\(images.shape) is no block of \(windows.image)")
    precondition(
      weight.shape == filterShape && (bias.map { $0.count == filters } ?? true),
      "filters \(weight.shape) should be \(filterShape), with a bias for each")
  }
}

// MARK: - Tiles: the columns of one product

extension ImageConvolution {
  // Columns of a product: enough that OpenBLAS's packing of the filters is small beside it, few
  // enough that the patches stay in the last cache.
  private static let columns = 1024
  private static let patchValues = 1 << 23

  /// Some rows of positions of one image, or all positions of neighbouring images.
  private struct Tile {
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
  private var patchCount: Int { mostColumns * windows.patchSize }
  private var planeCount: Int { joinedColumns * filters }

  private func tiles(of range: Range<Int>) -> [Tile] {
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

  private func partCount(of samples: Int, _ workers: Workers) -> Int { min(workers.count, samples) }

  private func forEachPart(
    of samples: Int, _ workers: Workers, _ body: (Int, Range<Int>) -> Void
  ) {
    let parts = partCount(of: samples, workers)
    workers.forEachUnchecked(parts) { part in
      body(part, samples * part / parts..<samples * (part + 1) / parts)
    }
  }

  /// A worker's own memory.
  private final class Scratch {
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

  private func writePatches(
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

  private func columns(of tile: Tile) -> Int {
    tile.samples.count * tile.rows.count * windows.outputWidth
  }

  /// Where the planes of a tile begin in a tensor of the output's shape.
  private func start(of tile: Tile) -> Int {
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
    BLAS.Product(
      a: weight, b: scratch.patches, c: result, leadingA: windows.patchSize, leadingB: count,
      leadingC: leading, transposedA: false, transposedB: false, inner: windows.patchSize,
      alpha: 1, beta: 0
    ).run(rows: 0..<filters, columns: 0..<count)
    guard isJoined || bias != nil || clipping else { return }
    for index in 0..<tile.samples.count {
      lcw_add_plane_bias(
        target + index * filters * positions, positions, result + index * positions, leading,
        bias, filters, isJoined ? positions : count, clipping ? 1 : 0)
    }
  }

  /// What the backward pass reads and writes, each worker the part of its images.
  private struct BackwardOperands {
    var gradient: UnsafeMutablePointer<Float>
    var clipped: UnsafePointer<Float>?
    var images: UnsafePointer<Float>
    var weight: UnsafePointer<Float>
    var input: UnsafeMutablePointer<Float>?
  }

  /// Clips the gradient of some images where the output was clipped, and adds it to that of the bias.
  private func clip(
    _ samples: Range<Int>, _ pass: BackwardOperands, biasSum: UnsafeMutablePointer<Float>
  ) {
    let size = filters * windows.positions
    for sample in samples {
      let gradient = pass.gradient + sample * size
      if let clipped = pass.clipped { lcw_relu_backward(gradient, clipped + sample * size, size) }
      lcw_add_row_sums(biasSum, gradient, windows.positions, filters, windows.positions)
    }
  }

  /// The gradients of the filters and the bias over some images, and those of the images if they are
  /// wanted, tile by tile; the gradient is clipped on the way.
  private func sumDirectly(
    _ samples: Range<Int>, _ pass: BackwardOperands, weightSum: UnsafeMutablePointer<Float>,
    biasSum: UnsafeMutablePointer<Float>
  ) {
    let scratch = Scratch(patches: patchCount, planes: planeCount)
    for (index, tile) in tiles(of: samples).enumerated() {
      run(tile, pass, weightSum: weightSum, adding: index > 0, biasSum: biasSum, scratch)
    }
  }

  private func run(
    _ tile: Tile, _ pass: BackwardOperands, weightSum: UnsafeMutablePointer<Float>,
    adding: Bool, biasSum: UnsafeMutablePointer<Float>, _ scratch: Scratch
  ) {
    let (count, positions) = (columns(of: tile), windows.positions)
    if let clipped = pass.clipped, tile.rows.lowerBound == 0 {
      let first = tile.samples.lowerBound * filters * positions
      lcw_relu_backward(
        pass.gradient + first, clipped + first, tile.samples.count * filters * positions)
    }
    var gradient = UnsafePointer(pass.gradient + start(of: tile))
    var leading = positions
    if tile.samples.count > 1 {
      leading = count
      for index in 0..<tile.samples.count {
        lcw_add_plane_bias(
          scratch.planes + index * positions, count, gradient + index * filters * positions,
          positions, nil, filters, positions, 0)
      }
      gradient = UnsafePointer(scratch.planes)
    }
    lcw_add_row_sums(biasSum, gradient, leading, filters, count)
    writePatches(of: tile, pass.images, to: scratch.patches)
    BLAS.Product(
      a: gradient, b: scratch.patches, c: weightSum, leadingA: leading, leadingB: count,
      leadingC: windows.patchSize, transposedA: false, transposedB: true, inner: count, alpha: 1,
      beta: adding ? 1 : 0
    ).run(rows: 0..<filters, columns: 0..<windows.patchSize)
    guard let input = pass.input else { return }
    BLAS.Product(
      a: pass.weight, b: gradient, c: scratch.patches, leadingA: windows.patchSize,
      leadingB: leading, leadingC: count, transposedA: true, transposedB: false, inner: filters,
      alpha: 1, beta: 0
    ).run(rows: 0..<windows.patchSize, columns: 0..<count)
    if tile.rows.lowerBound == 0 {
      let first = input + tile.samples.lowerBound * windows.image.count
      first.update(repeating: 0, count: tile.samples.count * windows.image.count)
    }
    withUnsafePointer(to: windows.geometry) { geometry in
      for (index, sample) in tile.samples.enumerated() {
        lcw_add_patches(
          input + sample * windows.image.count, scratch.patches + index * positions, count,
          geometry, tile.rows.lowerBound, tile.rows.count)
      }
    }
  }
}

extension Tensor {
  /// self ← scale · self + the sum over the rows of `parts`, in order.
  fileprivate mutating func assignSum(ofRows parts: Tensor, plus scale: Float, workers: Workers) {
    let count = self.count
    elements.withUnsafeMutableBufferPointer { target in
      parts.elements.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        workers.forEachRange(of: count, grain: 1 << 15) { range in
          for part in 0..<parts.shape.rows {
            lcw_axpby(
              target + range.lowerBound, 1, source + part * count + range.lowerBound,
              part == 0 ? scale : 1, range.count)
          }
        }
      }
    }
  }
}
