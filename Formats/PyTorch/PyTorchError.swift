// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What can be wrong with a file of PyTorch.
public enum PyTorchError: DescribedError, Hashable {
  /// The file is not one that `torch.save` wrote.
  case notPyTorch(file: String, reason: String)
  /// The pickle is damaged, or wants what is refused.
  case pickle(file: String, PickleError)
  /// A tensor or what it is called is wrong.
  case tensor(file: String, tensor: String, reason: String)
  /// A tensor has elements of a type that `lcw` has no use for.
  case unsupportedType(file: String, tensor: String, type: String)
  /// The file is a tar, as PyTorch wrote in 2016.
  case legacyTar(file: String)
  /// The numbers are stored big-endian.
  case bigEndian(file: String)
  /// The file holds more than is accepted.
  case tooLarge(file: String, reason: String)

  /// Wrong data.
  public var category: ErrorCategory { .data }

  /// One line with the file, the tensor and the reason.
  public var description: String { message.asOneLine }

  private static func remedy(for type: String) -> String {
    if type.hasPrefix("complex") { return "torch.view_as_real of it" }
    if type.hasPrefix("float8") { return "it by tensor.to(torch.bfloat16)" }
    return "it as numbers of another type"
  }

  private var message: String {
    switch self {
    case .notPyTorch(let file, let reason):
      "\(file) is not a file of torch.save: \(reason)"
    case .pickle(let file, let error):
      "\(file): \(error)"
    case .tensor(let file, let tensor, let reason):
      "\(file): the tensor ‘\(tensor)’ can't be read: \(reason)"
    case .unsupportedType(let file, let tensor, let type):
      "\(file): the tensor ‘\(tensor)’ has elements of type \(type), which can't be read; save "
        + PyTorchError.remedy(for: type)
    case .legacyTar(let file):
      "\(file) is a tar of PyTorch before 0.1.10, which can't be read; "
        + "save it again with a newer PyTorch"
    case .bigEndian(let file):
      "\(file) was written on a big-endian machine, which can't be read; "
        + "save it again on a little-endian one"
    case .tooLarge(let file, let reason):
      "\(file) is not accepted: \(reason)"
    }
  }
}
