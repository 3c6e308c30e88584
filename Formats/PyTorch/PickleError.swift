// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// Why a pickle is refused. Whatever the reason, nothing in it has been executed.
public enum PickleError: DescribedError, Hashable {
  /// The pickle ends before it is complete.
  case truncated
  /// An instruction does not fit what is on the stack.
  case malformed(position: Int, reason: String)
  /// An instruction that `torch.save` does not write.
  case unsupportedOpcode(UInt8, position: Int)
  /// The pickle names a function or class that runs code or reaches files.
  case global(String)
  /// The pickle would call such a function.
  case call(String)
  /// The pickle is an object of a class, as that of a module, or holds objects and no tensors.
  case object(String)
  /// A tensor has a flag that changes what its elements mean in a way that is not known.
  case flag(String)
  /// A tensor has quantised elements.
  case quantised(String)
  /// The pickle holds more than is accepted.
  case tooLarge(String)

  /// Wrong data.
  public var category: ErrorCategory { .data }

  /// One line with the reason.
  public var description: String {
    switch self {
    case .truncated:
      "the pickle ends early"
    case .malformed(let position, let reason):
      "the pickle is wrong at byte \(position): \(reason)"
    case .unsupportedOpcode(let code, let position):
      "the pickle has the instruction 0x\(String(code, radix: 16)) at byte \(position), "
        + "which torch.save does not write"
    case .global(let name):
      "the pickle names ‘\(name)’, which runs code or reaches files; nothing was executed; "
        + PickleError.remedy(for: name)
    case .call(let name):
      "the pickle would call ‘\(name)’, which is refused; nothing was executed; "
        + PickleError.remedy(for: name)
    case .object(let name):
      "it holds an object of the class ‘\(name)’, not only tensors and plain data; "
        + PickleError.remedy(for: name)
    case .flag(let name):
      "a tensor has the flag ‘\(name)’, which is not known to leave its elements as they are; "
        + "save tensor.clone()"
    case .quantised(let name):
      "it has elements of type \(name), which can't be read; save tensor.dequantize()"
    case .tooLarge(let reason):
      "the pickle is not accepted: \(reason)"
    }
  }

  /// What to save instead of an object of a class.
  private static func remedy(for name: String) -> String {
    switch name {
    case _ where name.hasPrefix("numpy."):
      "save arrays of NumPy's as tensors, by torch.from_numpy"
    case "torch._utils._rebuild_qtensor": "save tensor.dequantize()"
    case _ where name.hasPrefix("torch._utils._rebuild_sparse"): "save tensor.to_dense()"
    case "torch._utils._rebuild_meta_tensor_no_storage":
      "a tensor on the device ‘meta’ has no elements; load the weights before saving"
    case "argparse.Namespace", "types.SimpleNamespace": "save vars(…) of it instead"
    case _ where name.hasPrefix("torch._utils."):
      "save a plain tensor, by tensor.detach().cpu().clone()"
    default:
      "save model.state_dict() instead of a model, and a dictionary of numbers and texts instead "
        + "of other objects"
    }
  }
}
