// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// The softmax over an axis: of the last one for rows of logits, of 1 for the channels of images.
  public mutating func softmax(axis: Int, workers: Workers = .serial) {
    let (outer, size, inner) = softmaxSizes(axis)
    let grain = max(1, elementGrain / 8 / max(1, size * inner))
    withMutableBase { base in
      workers.forEachRange(of: outer, grain: grain) {
        lcw_softmax(base + $0.lowerBound * size * inner, $0.count, size, inner)
      }
    }
  }

  /// The gradient before a softmax over an axis from the one behind it.
  public mutating func softmaxBackward(output: Tensor, axis: Int, workers: Workers = .serial) {
    precondition(shape == output.shape, "\(shape) and \(output.shape) differ")
    let (outer, size, inner) = softmaxSizes(axis)
    let grain = max(1, elementGrain / max(1, size * inner))
    output.withBase { output in
      withMutableBase { base in
        workers.forEachRange(of: outer, grain: grain) {
          let first = $0.lowerBound * size * inner
          lcw_softmax_backward(base + first, output + first, $0.count, size, inner)
        }
      }
    }
  }

  private func softmaxSizes(_ axis: Int) -> (outer: Int, size: Int, inner: Int) {
    precondition((0..<shape.rank).contains(axis), "\(shape) has no axis \(axis)")
    let sizes = shape.dimensions
    return (
      sizes[..<axis].reduce(1, *), sizes[axis], sizes[(axis + 1)...].reduce(1, *)
    )
  }
}
