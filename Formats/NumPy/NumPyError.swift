// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// What can be wrong with a file of NumPy.
public enum NumPyError: DescribedError, Hashable {
  /// The file is neither an `.npy` nor an `.npz`.
  case notNumPy(file: String)
  /// An array's header or size is wrong.
  case array(file: String, array: String, reason: String)
  /// An array has elements of a type that `lcw` has no use for.
  case unsupportedType(file: String, array: String, type: String, hint: String?)

  /// Wrong data.
  public var category: ErrorCategory { .data }

  /// One line with the file, the array and the reason.
  public var description: String { message.asOneLine }

  private var message: String {
    switch self {
    case .notNumPy(let file):
      "\(file) is neither an .npy nor an .npz file"
    case .array(let file, let array, let reason):
      "\(file): the array ‘\(array)’ can't be read: \(reason)"
    case .unsupportedType(let file, let array, let type, let hint):
      "\(file): the array ‘\(array)’ has elements of type \(type), which can't be read"
        + (hint.map { ": \($0)" } ?? "") + "; save it as one of "
        + ElementType.allCases.compactMap(\.numPyDescription).joined(separator: ", ")
        + ", or select the other arrays"
    }
  }
}
