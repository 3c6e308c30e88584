// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// Writes bytes · scale + offset over the elements that start at `start`.
  public mutating func assign(
    bytes: ArraySlice<UInt8>, at start: Int, scale: Float, offset: Float
  ) {
    precondition(start >= 0 && start + bytes.count <= count, "the bytes do not fit \(shape)")
    elements.withUnsafeMutableBufferPointer { target in
      bytes.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        lcw_bytes_to_floats(target + start, source, scale, offset, bytes.count)
      }
    }
  }

  /// Writes bytes · scales + offsets, each byte with its own, over the elements that start at `start`.
  public mutating func assign(
    bytes: ArraySlice<UInt8>, at start: Int, scales: [Float], offsets: [Float]
  ) {
    precondition(start >= 0 && start + bytes.count <= count, "the bytes do not fit \(shape)")
    precondition(
      scales.count == bytes.count && offsets.count == bytes.count, "each byte has its own numbers")
    elements.withUnsafeMutableBufferPointer { target in
      bytes.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        lcw_bytes_to_floats_each(target + start, source, scales, offsets, bytes.count)
      }
    }
  }
}
