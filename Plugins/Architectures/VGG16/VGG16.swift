// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// VGG16 (Simonyan and Zisserman 2015) as Anokhin and Yarotsky have it for images of 32×32:
/// thirteen convolutions in five stages, and three dense layers with dropout; by option with batch
/// normalisation behind each convolution.
///
/// Its parameters stand in the order of torchvision's vgg16 and vgg16_bn, so that a checkpoint of the
/// same sizes binds to it.
public struct VGG16: Architecture {
  /// `vgg16`
  public static let name = "vgg16"
  /// What it is.
  public static let summary = "thirteen convolutions of 3x3 in five stages, three dense layers"

  private static let width = PluginOption(
    "width", default: 1.0, help: "multiplier of all numbers of filters and hidden units")
  private static let dropout = PluginOption(
    "dropout", default: 0.5, help: "dropout rate before each hidden dense layer")

  private static let batchNorm = PluginOption(
    "batchnorm", default: false, help: "whether each convolution is followed by a normalisation")

  /// `width`, `dropout` and `batchnorm`.
  public static let options: [any PluginOptionDescription] = [width, dropout, batchNorm]

  private static let stages = [
    [64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512],
  ]
  private static let hidden = [512, 512]

  private let width: Double
  private let dropout: Double
  private let batchNorm: Bool

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a width that is not
  ///   positive or beyond 64, or a rate outside 0 to 0.99.
  public init(options: OptionValues) throws {
    width = try options.value(of: Self.width, in: 0.001...64)
    dropout = try options.value(of: Self.dropout, in: 0...0.99)
    batchNorm = options[Self.batchNorm]
  }

  /// The chain for images `[channels, height, width]` of at least 32×32.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    var layers: [Layer] = []
    for stage in Self.stages {
      for filters in stage {
        layers.append(.convolution(.init(filters: scaled(filters), kernel: 3, padding: 1)))
        layers += batchNorm ? [.batchNorm, .relu] : [.relu]
      }
      layers.append(.maxPool(.init(size: 2, stride: 2)))
    }
    layers.append(.flatten)
    for units in Self.hidden {
      layers += [.dropout(rate: dropout), .dense(outputs: scaled(units), bias: true), .relu]
    }
    layers.append(.dense(outputs: classes, bias: true))
    return try Network(inputShape: inputShape, layers: layers)
  }

  /// The same without batch normalisation.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? {
    let options = reference.options.filter { $0.key != Self.batchNorm.key }
    return PluginReference(name: reference.name, options: options)
  }

  private func scaled(_ count: Int) -> Int { max(1, Int((Double(count) * width).rounded())) }

  /// The network with the width of the first convolution, with norms if there are running statistics.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    guard let stem = tensors.stem, stem[2] == 3, tensors.matrices.count == 3 else { return [] }
    return [
      reference([
        width.key: TensorSurvey.width(stem[0], of: stages[0][0]),
        batchNorm.key: "\(tensors.hasRunningMoments)",
      ])
    ]
  }
}

@section("lcw_plugins") @used
let vgg16Plugin: PluginRecord = { $0.add(VGG16.self) }
