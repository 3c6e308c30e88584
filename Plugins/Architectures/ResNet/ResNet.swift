// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// A residual network for small images (He et al. 2016, section 4.2): three stages of blocks with two
/// convolutions of 3×3, whose numbers of filters double while height and width halve.
///
/// Nodes are called as the modules of akamaster/pytorch_resnet_cifar10 and kuangliu/pytorch-cifar
/// (`layer2.0.conv1`, `layer2.0.shortcut.0`, `linear`), so that their files bind by name; with
/// `norm=layer,shortcut=projection3x3` those of KellerJordan/REPAIR do.
///
/// Those sources draw convolutions with variance 2/(inputs of a filter); here it is 2/(kernel area ·
/// filters), as everywhere in this package. They differ where a stage doubles the filters, by a factor of 2
/// that the normalisation takes out.
public struct ResNet: Architecture {
  /// `resnet`
  public static let name = "resnet"
  /// What it is.
  public static let summary = "a residual network for small images, in three stages"

  private static let depth = PluginOption(
    "depth", default: 20, help: "the number of layers with weights, 6n+2: 20, 32, 44, 56, 110, …")
  private static let width = PluginOption(
    "width", default: 1.0, help: "multiplier of the numbers of filters 16, 32 and 64")
  private static let norm = PluginOption(
    "norm", default: Norm.batch,
    help:
      "the layer after each convolution: batch normalisation, layer normalisation of each position's "
      + "channels, or none (as after folding); with the last two, convolutions have biases")
  private static let shortcut = PluginOption(
    "shortcut", default: Shortcut.padding,
    help:
      "the shortcut past a block that changes the shape: every second position and zero channels, "
      + "or a convolution of 1x1 or 3x3")

  /// `depth`, `width`, `norm` and `shortcut`.
  public static let options: [any PluginOptionDescription] = [depth, width, norm, shortcut]

  private enum Norm: String, OptionChoice {
    case batch, layer, none

    /// The normalisation, if there is one.
    var normalisation: Layer? {
      switch self {
      case .batch: .batchNorm
      // What flax has, and git-re-basin with it. REPAIR has none: at 16 channels that is the same.
      case .layer: .layerNorm(channels: true, epsilon: 1e-6)
      case .none: nil
      }
    }
  }

  private enum Shortcut: String, OptionChoice {
    case padding, projection, projection3x3
  }

  private let blocks: Int
  private let width: Double
  private let norm: Norm
  private let shortcut: Shortcut

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a depth that is not 6n+2 or
  ///   beyond 1202, or a width that is not positive or beyond 64.
  public init(options: OptionValues) throws {
    let depth = try options.value(of: Self.depth, in: 8...1202)
    guard (depth - 2) % 6 == 0 else {
      throw options.invalid(Self.depth, reason: "expected 6n+2, such as 20, 32, 44, 56 or 110")
    }
    blocks = (depth - 2) / 6
    width = try options.value(of: Self.width, in: 0.001...64)
    norm = options[Self.norm]
    shortcut = options[Self.shortcut]
  }

  /// The graph for images `[channels, height, width]`.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    let widths = [16, 32, 64].map { NetworkSketch.scaled($0, by: width) }
    var sketch = NetworkSketch(inputShape: inputShape)
    convolve(widths[0], size: 3, named: "conv1", "bn1", in: &sketch)
    sketch.append(.relu)
    var channels = widths[0]
    for (stage, filters) in widths.enumerated() {
      for block in 0..<blocks {
        appendBlock(
          "layer\(stage + 1).\(block)", from: channels, to: filters,
          stride: stage > 0 && block == 0 ? 2 : 1, in: &sketch)
        channels = filters
      }
    }
    sketch.append(.globalAveragePool)
    sketch.append(.dense(outputs: classes, bias: true), named: "linear")
    return try sketch.network()
  }

  /// The same without normalisation.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? {
    var options = reference.options
    options[Self.norm.key] = Norm.none.rawValue
    return PluginReference(name: reference.name, options: options)
  }

  private func appendBlock(
    _ name: String, from channels: Int, to filters: Int, stride: Int, in sketch: inout NetworkSketch
  ) {
    let start = sketch.last
    convolve(
      filters, size: 3, stride: stride, named: "\(name).conv1", "\(name).bn1", in: &sketch)
    sketch.append(.relu)
    let end = convolve(filters, size: 3, named: "\(name).conv2", "\(name).bn2", in: &sketch)
    var past = start
    if stride > 1 || channels != filters {
      past = appendShortcut(
        "\(name).shortcut", reading: start, from: channels, to: filters, stride: stride,
        in: &sketch)
    }
    sketch.append(.add, reading: end, past)
    sketch.append(.relu)
  }

  private func appendShortcut(
    _ name: String, reading start: Network.Value, from channels: Int, to filters: Int, stride: Int,
    in sketch: inout NetworkSketch
  ) -> Network.Value {
    guard shortcut == .padding else {
      return convolve(
        filters, size: shortcut == .projection ? 1 : 3, stride: stride, named: "\(name).0",
        "\(name).1", reading: start, in: &sketch)
    }
    // Windows of one value: every position that the stride meets.
    sketch.append(.averagePool(.init(size: 1, stride: stride)), reading: start)
    let before = (filters - channels) / 2
    return sketch.append(.padChannels(before: before, behind: filters - channels - before))
  }

  @discardableResult
  private func convolve(
    _ filters: Int, size: Int, stride: Int = 1, named name: String, _ normName: String,
    reading input: Network.Value? = nil, in sketch: inout NetworkSketch
  ) -> Network.Value {
    let value = sketch.appendConvolution(
      filters, size: size, stride: stride, bias: norm != .batch, named: name, reading: input)
    return norm.normalisation.map { sketch.append($0, named: normName) } ?? value
  }

  /// What other programs call the modules.
  public static let nameTable = String(decoding: PackageResources.names_txt, as: UTF8.self)

  /// The network with the width of the first convolution, and as deep as its first stage says.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    guard let stem = tensors.stem, stem[2] == 3 else { return [] }
    let filters = stem[0]
    let blocks = tensors.count(of: [filters, filters, 3, 3]) / 2
    guard blocks > 0 else { return [] }
    let shortcut: Shortcut =
      tensors.count(of: [2 * filters, filters, 1, 1]) > 0
      ? .projection
      : tensors.count(of: [2 * filters, filters, 3, 3]) > 1 ? .projection3x3 : .padding
    // A norm has two vectors, and a bias stands beside each kernel where it is not the running one.
    let norm: Norm =
      tensors.hasRunningMoments
      ? .batch : tensors.vectors > 2 * tensors.kernels.count ? .layer : .none
    return [
      reference([
        depth.key: "\(6 * blocks + 2)", width.key: TensorSurvey.width(filters, of: 16),
        Self.norm.key: norm.rawValue, Self.shortcut.key: shortcut.rawValue,
      ])
    ]
  }
}

@section("lcw_plugins") @used
let resNetPlugin: PluginRecord = { $0.add(ResNet.self) }
