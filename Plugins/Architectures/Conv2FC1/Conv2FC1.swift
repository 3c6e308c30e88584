// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// Two convolutions and a dense layer, Anokhin and Yarotsky's smaller convolutional network.
///
/// Filters of 5×5 with a padding of 2, 32 and then 64 of them, each followed by a ReLU and a
/// max-pooling of windows 3×3 at every second place. The windows reach into no padding, so that
/// images of 32×32 leave 64·7·7 = 3136 values for the dense layer.
public struct Conv2FC1: Architecture {
  /// `conv2fc1`
  public static let name = "conv2fc1"
  /// What it is.
  public static let summary = "two convolutions of 5x5 with pooling, and a dense layer"

  /// An architecture; it takes no options.
  public init(options: OptionValues) throws {}

  /// The chain for images `[channels, height, width]`.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    let stages: [Layer] = [32, 64].flatMap { filters -> [Layer] in
      [
        .convolution(.init(filters: filters, kernel: 5, padding: 2)), .relu,
        .maxPool(.init(size: 3, stride: 2)),
      ]
    }
    return try Network(
      inputShape: inputShape, layers: stages + [.flatten, .dense(outputs: classes, bias: true)])
  }

  /// The network, for two kernels of 5×5 and a matrix.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    let isLikely = tensors.kernels.count == 2 && tensors.stem?[2] == 5
    return isLikely ? [PluginReference(name: name)] : []
  }
}

@section("lcw_plugins") @used
let conv2FC1Plugin: PluginRecord = { $0.add(Conv2FC1.self) }
