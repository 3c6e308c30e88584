// SPDX-License-Identifier: Apache-2.0
import CKernels

extension ImageConvolution {
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
    if isDepthwise {
      return depthwiseBackward(
        gradient, clipped: clipped, images: images, weight: weight,
        weightGradient: &weightGradient, biasGradient: &biasGradient, carry: carry,
        needsInput: needsInput, workers: workers)
    }
    if groups > 1 {
      return groupedBackward(
        gradient, clipped: clipped, images: images, weight: weight,
        weightGradient: &weightGradient, biasGradient: &biasGradient, carry: carry,
        needsInput: needsInput, workers: workers)
    }
    return denseBackward(
      gradient, clipped: clipped, images: images, weight: weight,
      weightGradient: &weightGradient, biasGradient: &biasGradient, carry: carry,
      needsInput: needsInput, workers: workers)
  }

  /// The gradients where every filter reads every channel.
  private func denseBackward(
    _ gradient: consuming Tensor, clipped: Tensor?, images: Tensor, weight: Tensor,
    weightGradient: inout Tensor, biasGradient: inout Tensor?, carry: Float, needsInput: Bool,
    workers: Workers
  ) -> Tensor? {
    BLAS.useCallingThread()
    let samples = images.shape.rows
    let ways = BackwardWays(
      // The direct way gives both gradients from one set of patches.
      filters: needsInput && fastBackward == nil ? nil : fast,
      input: needsInput ? fastBackward : nil, needsInput: needsInput)
    // For each part the gradient of the filters, or its transform; and that of the bias.
    let sumCount = ways.filters?.sumCount ?? weight.count
    // A machine may have more threads than there is memory for sums.
    let parts = min(
      partCount(of: samples, workers), max(1, ImageConvolution.largestSums / sumCount))
    var input = Tensor(unspecified: needsInput ? images.shape : [0])
    var sums = Tensor(unspecified: [parts, sumCount])
    var biasSums = Tensor(zeros: [parts, filters])
    sumParts(
      by: ways, &gradient, clipped: clipped, images: images, weight: weight, input: &input,
      sums: &sums, biasSums: &biasSums, workers: workers)
    if let filters = ways.filters {
      filters.add(sums, parts: parts, to: &weightGradient, carry: carry, workers: workers)
    } else {
      weightGradient.assignSum(ofRows: sums, plus: carry, workers: workers)
    }
    biasGradient?.assignSum(ofRows: biasSums, plus: carry, workers: .serial)
    return needsInput ? input : nil
  }

  /// How the gradients are computed: by transforms, or directly where there are none.
  private struct BackwardWays {
    var filters: (any FastConvolution)?
    var input: (any FastConvolution)?
    var needsInput: Bool
  }

  /// Gives each worker a part of the images, whose sums become a row each.
  private func sumParts(
    by ways: BackwardWays, _ gradient: inout Tensor, clipped: Tensor?, images: Tensor,
    weight: Tensor, input: inout Tensor, sums: inout Tensor, biasSums: inout Tensor,
    workers: Workers
  ) {
    let (parts, sumCount) = (sums.shape.rows, sums.shape.rowCount)
    let samples = images.shape.rows
    let transformed = ways.input?.transform(weight, reversed: true, workers: workers)
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
                    let target = ways.needsInput ? input.baseAddress : nil
                    let operands = BackwardOperands(
                      gradient: gradient, clipped: clipped, images: images, weight: weight,
                      input: ways.input == nil ? target : nil)
                    forEachPart(parts, of: samples, workers) { part, range in
                      let (sum, bias) = (sums + part * sumCount, biasSums + part * filters)
                      if let filters = ways.filters {
                        clip(range, operands, biasSum: bias)
                        filters.sumProducts(range, of: images, gradient: gradient, to: sum)
                      } else {
                        sumDirectly(range, operands, weightSum: sum, biasSum: bias)
                      }
                      if let input = ways.input, let transformed, let target {
                        input.run(
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
    MatrixKernel(
      a: gradient, b: scratch.patches, c: weightSum, leadingA: leading, leadingB: count,
      leadingC: windows.patchSize, transposedB: true, inner: count, beta: adding ? 1 : 0,
      precision: .standard
    ).run(rows: 0..<filters, columns: 0..<windows.patchSize)
    guard let input = pass.input else { return }
    MatrixKernel(
      a: pass.weight, b: gradient, c: scratch.patches, leadingA: windows.patchSize,
      leadingB: leading, leadingC: count, transposedA: true, inner: filters, precision: .standard
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
  mutating func assignSum(ofRows parts: Tensor, plus scale: Float, workers: Workers) {
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
