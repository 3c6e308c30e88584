// SPDX-License-Identifier: Apache-2.0
import LCWCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How the learning rate changes from epoch to epoch.
public enum Schedule: Sendable, Hashable, CustomStringConvertible {
  /// Constant for half of the epochs, then linear to a hundredth at 90 %, then constant: what
  /// Garipov et al. 2018 and Anokhin and Yarotsky 2020 train with.
  case paper
  /// Always the same.
  case constant
  /// Times `factor` after every `epochs` epochs.
  case step(epochs: Int, factor: Double)
  /// Half a cosine, from the full rate to none (Loshchilov and Hutter 2017, without restarts).
  case cosine

  /// The factor on the base rate during an epoch, counted from 0.
  public func factor(epoch: Int, of epochs: Int) -> Double {
    let progress = Double(epoch) / Double(max(1, epochs))
    switch self {
    case .constant: return 1
    case .paper:
      if progress <= 0.5 { return 1 }
      return progress <= 0.9 ? 1 - (progress - 0.5) / 0.4 * 0.99 : 0.01
    case .step(let length, let factor): return pow(factor, Double(epoch / length))
    case .cosine: return (1 + cos(.pi * progress)) / 2
    }
  }

  /// The schedule a text such as `paper`, `constant`, `cosine` or `step:epochs=20,factor=0.9` means.
  /// - Throws: ``TrainingError/schedule(_:)``.
  public init(_ text: String) throws(TrainingError) {
    guard let reference = try? PluginReference(text) else { throw .schedule(text) }
    switch reference.name {
    case "paper" where reference.options.isEmpty: self = .paper
    case "constant" where reference.options.isEmpty: self = .constant
    case "cosine" where reference.options.isEmpty: self = .cosine
    case "step" where Set(reference.options.keys).isSubset(of: ["epochs", "factor"]):
      guard let epochs = Int(reference.options["epochs"] ?? "20"), epochs > 0,
        let factor = Double(reference.options["factor"] ?? "0.9"), factor > 0, factor <= 1
      else { throw .schedule(text) }
      self = .step(epochs: epochs, factor: factor)
    default: throw .schedule(text)
    }
  }

  /// The text that means this schedule.
  public var description: String {
    switch self {
    case .paper: "paper"
    case .constant: "constant"
    case .cosine: "cosine"
    case .step(let epochs, let factor): "step:epochs=\(epochs),factor=\(factor)"
    }
  }
}
