// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// VGG (Simonyan and Zisserman 2015): five stages of convolutions of 3×3, each with a pooling behind it, and
/// dense layers.
///
/// Nodes are called as the modules of torchvision and of kuangliu/pytorch-cifar: `features.0`,
/// `features.1`, …, where normalisations, activations and poolings have a number too, and `classifier` or
/// `classifier.0`, `classifier.3` and `classifier.6`; so that their files bind by name. Convolutions have
/// biases, and before a normalisation too.
///
/// torchvision draws dense layers with a deviation of 0.01; here they are uniform on ±1/√inputs.
public struct VGG: Architecture {
  /// `vgg`
  public static let name = "vgg"
  /// What it is.
  public static let summary = "VGG with 11 to 19 layers, as in torchvision or for small images"

  private static let depth = PluginOption(
    "depth", default: Depth.vgg16,
    help: "the number of layers with weights, with torchvision's head")
  private static let width = PluginOption(
    "width", default: 1.0, help: "multiplier of all numbers of filters and hidden units")
  private static let norm = PluginOption(
    "norm", default: Norm.batch,
    help:
      "the layer after each convolution: batch normalisation, none, or none with the names that "
      + "layers have beside normalisations (as after folding)")
  private static let head = PluginOption(
    "head", default: Head.cifar,
    help:
      "cifar: one dense layer; imagenet: pooling to 7x7, and three dense layers of 4096 with dropout"
  )
  private static let dropout = PluginOption(
    "dropout", default: 0.5, help: "dropout rate after each hidden dense layer of head=imagenet")

  /// `depth`, `width`, `norm`, `head` and `dropout`.
  public static let options: [any PluginOptionDescription] = [depth, width, norm, head, dropout]

  private enum Depth: String, OptionChoice {
    case vgg11 = "11"
    case vgg13 = "13"
    case vgg16 = "16"
    case vgg19 = "19"

    /// The number of convolutions of each stage.
    var convolutions: [Int] {
      switch self {
      case .vgg11: [1, 1, 2, 2, 2]
      case .vgg13: [2, 2, 2, 2, 2]
      case .vgg16: [2, 2, 3, 3, 3]
      case .vgg19: [2, 2, 4, 4, 4]
      }
    }
  }

  private enum Norm: String, OptionChoice {
    case batch, none, folded
  }

  private enum Head: String, OptionChoice {
    case cifar, imagenet
  }

  private static let filters = [64, 128, 256, 512, 512]
  private static let hidden = 4096

  private let depth: Depth
  private let width: Double
  private let norm: Norm
  private let head: Head
  private let dropout: Double

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a width that is not
  ///   positive or beyond 64, or a rate outside 0 to 0.99;
  ///   ``PluginError/misplacedOption(plugin:option:reason:)`` for a rate without hidden dense layers.
  public init(options: OptionValues) throws {
    depth = options[Self.depth]
    width = try options.value(of: Self.width, in: 0.001...64)
    norm = options[Self.norm]
    head = options[Self.head]
    dropout = try options.value(of: Self.dropout, in: 0...0.99)
    if head == .cifar, dropout != Self.dropout.defaultValue {
      throw options.misplaced(
        Self.dropout.key, reason: "head=cifar has no hidden dense layers; head=imagenet has them")
    }
  }

  /// The chain for images `[channels, height, width]` of at least 32×32.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    var sketch = NetworkSketch(inputShape: inputShape)
    // The number of the next module.
    var module = 0
    for (filters, count) in zip(Self.filters, depth.convolutions) {
      for _ in 0..<count {
        sketch.appendConvolution(
          NetworkSketch.scaled(filters, by: width), size: 3, bias: true,
          named: "features.\(module)")
        if norm == .batch { sketch.append(.batchNorm, named: "features.\(module + 1)") }
        sketch.append(.relu)
        module += norm == .none ? 2 : 3
      }
      sketch.append(.maxPool(.init(size: 2, stride: 2)))
      module += 1
    }
    switch head {
    case .cifar:
      sketch.append(.flatten)
      sketch.append(.dense(outputs: classes, bias: true), named: "classifier")
    case .imagenet:
      sketch.append(.adaptiveAveragePool(height: 7, width: 7))
      sketch.append(.flatten)
      for number in [0, 3] {
        sketch.append(
          .dense(outputs: NetworkSketch.scaled(Self.hidden, by: width), bias: true),
          named: "classifier.\(number)")
        sketch.append(.relu)
        sketch.append(.dropout(rate: dropout))
      }
      sketch.append(.dense(outputs: classes, bias: true), named: "classifier.6")
    }
    return try sketch.network()
  }

  /// The same without batch normalisation, with the names that layers have beside it.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? {
    var options = reference.options
    options[Self.norm.key] = Norm.folded.rawValue
    return PluginReference(name: reference.name, options: options)
  }

  /// All depths, with the width of the widest convolution, which rounding changes least, and the head that
  /// the matrices are.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    guard let stem = tensors.stem, stem[2] == 3, !tensors.matrices.isEmpty,
      let widest = tensors.kernels.map({ $0[0] }).max()
    else { return [] }
    // Without norms the names tell whether there were some.
    let norms: [Norm] =
      tensors.hasRunningMoments
      ? [.batch] : tensors.hasPart("features") ? [.none, .folded] : [.none]
    let head = tensors.matrices.count > 1 ? Head.imagenet : .cifar
    return Depth.allCases.flatMap { depth in
      norms.map { norm in
        reference([
          Self.depth.key: depth.rawValue, width.key: TensorSurvey.width(widest, of: 512),
          Self.norm.key: norm.rawValue, Self.head.key: head.rawValue,
        ])
      }
    }
  }
}

@section("lcw_plugins") @used
let vggPlugin: PluginRecord = { $0.add(VGG.self) }
