// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Why nothing can be computed with weights in single precision.
public struct WeightsFault: Sendable, Hashable, CustomStringConvertible {
  /// What is wrong with a parameter's values.
  public enum Reason: Sendable, Hashable {
    /// Some are NaN or infinite.
    case notFinite(count: Int, of: Int)
    /// The magnitudes of a unit's weights add up to more than the largest number of single precision:
    /// its sum of products overflows for inputs of 1 already.
    case tooLarge(magnitude: Float)
    /// All are below the smallest number that single precision holds with all of its digits: products
    /// of them vanish, and the network puts out nothing but its biases.
    case tooSmall(magnitude: Float)
  }

  /// The parameter's index in the network.
  public let index: Int
  /// The parameter's name.
  public let parameter: String
  /// What is wrong with it.
  public let reason: Reason

  /// One line that names the parameter.
  public var description: String { description(naming: parameter) }

  /// One line that names the parameter as a file does.
  public func description(naming name: String) -> String {
    switch reason {
    case .notFinite(let count, let all):
      "\(count) of the \(all) values of ‘\(name)’ "
        + (count == 1 ? "is not finite (NaN or infinity)" : "are not finite (NaN or infinity)")
    case .tooLarge(let magnitude):
      "the weights of ‘\(name)’ are too large for single precision: they reach \(magnitude), and a "
        + "unit's add up to more than \(Float.greatestFiniteMagnitude)"
    case .tooSmall(let magnitude):
      "the weights of ‘\(name)’ are too small for single precision: they reach \(magnitude), below "
        + "\(Float.leastNormalMagnitude), and products of them vanish"
    }
  }
}

extension Weights {
  /// Why nothing can be computed with these weights; nothing if they are usable, as almost all are.
  public var fault: WeightsFault? {
    for (index, parameter) in network.parameters.enumerated() {
      if let reason = reason(parameter, tensors[index]) {
        return WeightsFault(index: index, parameter: parameter.name, reason: reason)
      }
    }
    return nil
  }

  private func reason(_ parameter: Parameter, _ tensor: Tensor) -> WeightsFault.Reason? {
    guard tensor.isFinite else {
      return .notFinite(count: tensor.elements.count { !$0.isFinite }, of: tensor.count)
    }
    guard parameter.role == .weight else { return nil }
    let largest = tensor.elements.reduce(0) { max($0, abs($1)) }
    if largest > 0, largest < .leastNormalMagnitude { return .tooSmall(magnitude: largest) }
    // Only then can a row's sum leave single precision.
    guard Double(largest) * Double(tensor.shape.rowCount) > Double(Float.greatestFiniteMagnitude)
    else { return nil }
    let isTooLarge = (0..<tensor.shape.rows).contains { row in
      tensor.row(row).reduce(0) { $0 + Double(abs($1)) } > Double(Float.greatestFiniteMagnitude)
    }
    return isTooLarge ? .tooLarge(magnitude: largest) : nil
  }
}
