// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What can be wrong with a safetensors file.
public enum SafetensorsError: DescribedError, Hashable {
  /// The file is not a safetensors file.
  case notSafetensors(file: String, reason: String)
  /// The header is not what the format wants.
  case header(file: String, reason: String)
  /// What the header says of a tensor is wrong.
  case tensor(file: String, tensor: String, reason: String)
  /// A tensor has elements of a type that `lcw` has no use for.
  case unsupportedType(file: String, tensor: String, type: String, supported: [String])

  /// Wrong data.
  public var category: ErrorCategory { .data }

  /// One line with the file, the tensor and the reason.
  public var description: String { text.asOneLine }

  private var text: String {
    switch self {
    case .notSafetensors(let file, let reason):
      "\(file) is not a safetensors file: \(reason)"
    case .header(let file, let reason):
      "\(file): the header is wrong: \(reason)"
    case .tensor(let file, let tensor, let reason):
      "\(file): the header is wrong at the tensor ‘\(tensor)’: \(reason)"
    case .unsupportedType(let file, let tensor, let type, let supported):
      "\(file): the tensor ‘\(tensor)’ has elements of type ‘\(type)’, which can't be read; "
        + "convert it to one of \(supported.joined(separator: ", ")), or select the others"
    }
  }
}
