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
  /// The pickle names a function or class that is neither a tensor's nor a container's.
  case global(String)
  /// The pickle would call a function.
  case call(String)
  /// The pickle would make an object of a class, as that of a module has.
  case object(String)
  /// A tensor has elements of a type that `lcw` has no use for.
  case unsupportedType(String)
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
      "the pickle names ‘\(name)’, which is neither a tensor nor plain data; nothing was executed"
    case .call(let name):
      "the pickle would call ‘\(name)’, which is refused; nothing was executed"
    case .object(let name):
      "it holds an object of the class ‘\(name)’, not only tensors; save model.state_dict() "
        + "instead of the model"
    case .unsupportedType(let name):
      "it has elements of type \(name), which can't be read"
    case .tooLarge(let reason):
      "the pickle is not accepted: \(reason)"
    }
  }
}
