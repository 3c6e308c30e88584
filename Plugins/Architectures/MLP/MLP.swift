// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// A multilayer perceptron: dense layers with an activation between them.
///
/// Anokhin and Yarotsky use 784-2000-10 on MNIST and 3072-2000-10 on CIFAR-10 with biases, and
/// 3072-6144-2000-10 without.
public struct MLP: Architecture {
  /// `mlp`
  public static let name = "mlp"
  /// What it is.
  public static let summary = "dense layers with an activation between them"

  private static let hidden = PluginOption(
    "hidden", default: [2000], help: "units of each hidden layer, first to last")
  private static let bias = PluginOption(
    "bias", default: true, help: "whether the layers have biases")
  private static let activation = PluginOption(
    "activation", default: Activation.relu, help: "the function after each hidden layer")

  /// `hidden`, `bias` and `activation`.
  public static let options: [any PluginOptionDescription] = [hidden, bias, activation]

  private enum Activation: String, OptionChoice {
    case relu, tanh
  }

  private let hidden: [Int]
  private let bias: Bool
  private let activation: Activation

  /// An architecture with the given options.
  public init(options: OptionValues) throws {
    hidden = options[Self.hidden]
    bias = options[Self.bias]
    activation = options[Self.activation]
  }

  /// Flatten where needed, the hidden layers with their activations, and the output layer.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    var layers: [Layer] = inputShape.rank == 1 ? [] : [.flatten]
    for size in hidden {
      layers += [.dense(outputs: size, bias: bias), activation == .relu ? .relu : .tanh]
    }
    layers.append(.dense(outputs: classes, bias: bias))
    return try Network(inputShape: inputShape, layers: layers)
  }

  /// The network with as many hidden units as the matrices say. Whether its activation is the default one
  /// no tensor shows.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    guard tensors.kernels.isEmpty, let hidden = tensors.hiddenUnits, !hidden.isEmpty else {
      return []
    }
    return [
      reference([
        Self.hidden.key: hidden.map(String.init).joined(separator: "x"),
        bias.key: "\(tensors.vectors > 0)",
      ])
    ]
  }
}

@section("lcw_plugins") @used
let mlpPlugin: PluginRecord = { $0.add(MLP.self) }
