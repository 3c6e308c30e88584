// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

extension [String] {
  /// Arguments in which a negative number stands in one word with the option before it, as in
  /// `--points=-5`.
  ///
  /// The parser takes `-5` behind an option for an option of its own, and says that the value is
  /// missing. No command has an option whose name is a number, so a number is always a value: the
  /// option itself then tells what it takes.
  var joiningNegativeNumbers: [String] {
    var result: [String] = []
    var isEnded = false
    for argument in self {
      if argument == "--" { isEnded = true }
      guard !isEnded, argument.isNegativeNumber, let option = result.last, option.hasPrefix("--"),
        option.count > 2, !option.contains("=")
      else {
        result.append(argument)
        continue
      }
      result[result.count - 1] = "\(option)=\(argument)"
    }
    return result
  }
}

extension String {
  fileprivate var isNegativeNumber: Bool {
    hasPrefix("-") && !hasPrefix("--") && Double(self) != nil
  }
}

/// The seed that a text means.
/// - Throws: `ValidationError` with what a seed may be.
func seedNumber(_ text: String) throws -> UInt64 {
  guard let seed = UInt64(text) else {
    throw ValidationError("a seed is a whole number from 0 to \(UInt64.max)")
  }
  return seed
}
