// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

extension Weights {
  /// The SHA-256 of all values, as hexadecimal digits.
  public var digest: String {
    SHA256.hexDigest(of: tensors.flatMap { StoredTensor($0).bytes })
  }
}

extension SampleSet {
  /// The SHA-256 of labels and values as they are kept, as hexadecimal digits.
  public var digest: String {
    let labels = labels.withUnsafeBytes { Array($0) }
    switch values {
    case .bytes(let bytes, let scaling):
      return SHA256.hexDigest(
        of: labels + Array("\(scaling)".utf8) + bytes)
    case .floats(let floats):
      return SHA256.hexDigest(of: labels + StoredTensor(Tensor(floats)).bytes)
    }
  }
}
