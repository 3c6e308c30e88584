// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension CheckpointBinding {
  /// Why no order and no shapes tell the tensors apart.
  static func reason(
    _ entries: [TensorEntry], of all: [TensorEntry], _ network: Network
  ) -> String {
    if entries.count != network.parameters.count {
      let counts = "there are \(network.parameters.count) parameters and \(all.count) tensors"
      guard let other = all.first(where: { !$0.elementType.isFloatingPoint }) else {
        let others = all.count - entries.count
        let optimisers = all.count { $0.isOptimiserState }
        return counts + (optimisers > 0 ? ", \(optimisers) of them an optimiser's" : "")
          + (others > optimisers ? ", \(others - optimisers) of them single numbers" : "")
      }
      return counts + ", \(entries.count) of them with weights; ‘\(other.name)’ is "
        + other.elementType.rawValue
    }
    let shapes = entries.map(\.shape)
    if let missing = network.parameters.first(where: { !shapes.contains($0.shape) }) {
      return "no tensor has the shape \(missing.shape) of \(missing.name)"
    }
    return "several tensors have one shape, and their names or order do not tell them apart"
  }

  /// An error with the lists of all parameters and tensors.
  static func failure(
    _ reason: String, _ entries: [TensorEntry], _ network: Network
  ) -> CheckpointError {
    .binding(
      reason: reason, parameters: network.parameters.map { "\($0.name) \($0.shape)" }.shortened,
      tensors: entries.map {
        "\($0.name) \($0.shape)"
          + ($0.elementType.isFloatingPoint ? "" : " \($0.elementType.rawValue)")
      }.shortened)
  }
}

extension [String] {
  /// The list, cut where nobody would read on.
  fileprivate var shortened: [String] {
    count <= 60 ? self : prefix(50) + ["and \(count - 50) more"]
  }
}
