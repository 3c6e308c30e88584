// SPDX-License-Identifier: Apache-2.0
import CKernels

extension ImageConvolution {
  /// Whether each channel has filters of its own.
  var isDepthwise: Bool { groups > 1 && groups == windows.image[0] }

  private var multiplier: Int { filters / groups }

  /// The output channel by channel, divided among the workers.
  func depthwiseOutput(
    of images: Tensor, weight: Tensor, bias: Tensor?, clipping: Bool, workers: Workers
  ) -> Tensor {
    let samples = images.shape.rows
    var output = Tensor(unspecified: windows.outputShape(channels: filters).batched(samples))
    let channels = windows.image[0]
    let grain = max(1, (1 << 12) / max(1, samples * windows.positions))
    images.withBase { images in
      weight.withBase { weight in
        Tensor.withBase(of: bias) { bias in
          output.withMutableBase { output in
            withUnsafePointer(to: windows.geometry) { geometry in
              workers.forEachRange(of: channels, grain: grain) {
                let scratch = Scratch(patches: lcw_depthwise_scratch(geometry), planes: 0)
                lcw_depthwise(
                  output, images, weight, bias, geometry, multiplier, samples, $0.lowerBound,
                  $0.count, clipping ? 1 : 0, scratch.patches)
              }
            }
          }
        }
      }
    }
    return output
  }

  /// The gradients channel by channel, each by one worker over all samples: they do not depend on the
  /// number of workers.
  func depthwiseBackward(
    _ gradient: Tensor, clipped: Tensor?, images: Tensor, weight: Tensor,
    weightGradient: inout Tensor, biasGradient: inout Tensor?, carry: Float, needsInput: Bool,
    workers: Workers
  ) -> Tensor? {
    let (samples, channels) = (images.shape.rows, windows.image[0])
    var input = Tensor(unspecified: needsInput ? images.shape : [0])
    var weightSums = Tensor(zeros: weight.shape)
    var biasSums = Tensor(zeros: [filters])
    input.elements.withUnsafeMutableBufferPointer { input in
      weightSums.withMutableBase { weightSums in
        biasSums.withMutableBase { biasSums in
          withPointers(to: [gradient, images, weight]) { p in
            Tensor.withBase(of: clipped) { clipped in
              withUnsafePointer(to: windows.geometry) { geometry in
                let target = needsInput ? input.baseAddress : nil
                workers.forEachRange(of: channels, grain: 1) {
                  let scratch = Scratch(patches: lcw_depthwise_scratch(geometry), planes: 0)
                  lcw_depthwise_backward(
                    target, weightSums, biasSums, p[0], clipped, p[1], p[2], geometry, multiplier,
                    samples, $0.lowerBound, $0.count, scratch.patches)
                }
              }
            }
          }
        }
      }
    }
    weightGradient.assign(1, times: weightSums, plus: carry)
    biasGradient?.assign(1, times: biasSums, plus: carry)
    return needsInput ? input : nil
  }
}
