// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths

extension WeightPlane {
  /// Whether a method's paths are straight, as far as two small networks show without data, a model
  /// or learning: what can't be joined so is found out later.
  static func isDegenerate(for method: MethodExpression, _ registry: PluginRegistry) -> Bool {
    guard let connection = try? registry.connection(method), !connection.traits.needsData,
      let network = try? Network(
        inputShape: [4],
        layers: [.dense(outputs: 6, bias: true), .relu, .dense(outputs: 3, bias: true)]),
      let a = try? Weights(randomFor: network, seed: 1),
      let b = try? Weights(randomFor: network, seed: 2),
      let path = try? connection.path(from: a, to: b, in: ConnectionContext()),
      let middle = try? path.weights(at: path.middle)
    else { return false }
    do {
      _ = try WeightPlane(through: a, b, middle)
      return false
    } catch { return true }
  }

  static func degenerate(_ method: MethodExpression?) -> ExperimentError {
    let which = method.map { "that of ‘\($0)’" } ?? "this one's"
    return .field(
      "planes",
      expected: "methods whose paths bend, but the middle of \(which) lies on the straight line")
  }
}
