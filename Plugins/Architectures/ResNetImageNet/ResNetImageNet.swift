// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// The residual networks with 18, 34 and 50 layers (He et al. 2016, section 4.1): four stages, of which
/// each but the first halves height and width.
///
/// With `stem=imagenet` nodes are called as torchvision's modules (`layer2.0.downsample.0`, `fc`), with
/// `stem=cifar`, a first convolution of 3×3 without pooling, as those of kuangliu/pytorch-cifar
/// (`layer2.0.shortcut.0`, `linear`); so that their files bind by name. The 3×3 in the middle of a block of
/// three has the stride, as in both.
public struct ResNetImageNet: Architecture {
  /// `resnet-imagenet`
  public static let name = "resnet-imagenet"
  /// What it is.
  public static let summary = "a residual network with 18, 34 or 50 layers, in four stages"

  private static let depth = PluginOption(
    "depth", default: Depth.basic18, help: "the number of layers with weights")
  private static let width = PluginOption(
    "width", default: 1.0, help: "multiplier of the numbers of filters 64, 128, 256 and 512")
  private static let stem = PluginOption(
    "stem", default: Stem.imagenet,
    help:
      "imagenet: a convolution of 7x7 with stride 2 and a pooling, with torchvision's names; cifar: a "
      + "convolution of 3x3, with kuangliu's")
  private static let norm = PluginOption(
    "norm", default: Norm.batch,
    help:
      "the layer after each convolution: batch normalisation, or none and a bias (as after folding)"
  )

  /// `depth`, `width`, `stem` and `norm`.
  public static let options: [any PluginOptionDescription] = [depth, width, stem, norm]

  private enum Depth: String, OptionChoice {
    case basic18 = "18"
    case basic34 = "34"
    case bottleneck50 = "50"

    /// The number of blocks of each stage.
    var blocks: [Int] { self == .basic18 ? [2, 2, 2, 2] : [3, 4, 6, 3] }
    /// Whether a block has convolutions of 1×1, 3×3 and 1×1, the last with four times as many filters.
    var hasBottlenecks: Bool { self == .bottleneck50 }
  }

  private enum Stem: String, OptionChoice {
    case imagenet, cifar
  }

  private enum Norm: String, OptionChoice {
    case batch, none
  }

  private let depth: Depth
  private let width: Double
  private let stem: Stem
  private let norm: Norm

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a width that is not
  ///   positive or beyond 64.
  public init(options: OptionValues) throws {
    depth = options[Self.depth]
    width = try options.value(of: Self.width, in: 0.001...64)
    stem = options[Self.stem]
    norm = options[Self.norm]
  }

  /// The graph for images `[channels, height, width]`.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    let widths = [64, 128, 256, 512].map { NetworkSketch.scaled($0, by: width) }
    var sketch = NetworkSketch(inputShape: inputShape)
    convolve(
      widths[0], size: stem == .imagenet ? 7 : 3, stride: stem == .imagenet ? 2 : 1,
      named: "conv1", "bn1", in: &sketch)
    sketch.append(.relu)
    if stem == .imagenet { sketch.append(.maxPool(.init(size: 3, stride: 2, padding: 1))) }
    var channels = widths[0]
    for (stage, filters) in widths.enumerated() {
      for block in 0..<depth.blocks[stage] {
        channels = appendBlock(
          "layer\(stage + 1).\(block)", from: channels, filters: filters,
          stride: stage > 0 && block == 0 ? 2 : 1, in: &sketch)
      }
    }
    sketch.append(.globalAveragePool)
    sketch.append(
      .dense(outputs: classes, bias: true), named: stem == .imagenet ? "fc" : "linear")
    return try sketch.network()
  }

  /// The same without normalisation.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? {
    var options = reference.options
    options[Self.norm.key] = Norm.none.rawValue
    return PluginReference(name: reference.name, options: options)
  }

  /// Appends a block, and gives the number of its channels.
  private func appendBlock(
    _ name: String, from channels: Int, filters: Int, stride: Int, in sketch: inout NetworkSketch
  ) -> Int {
    let sizes = depth.hasBottlenecks ? [1, 3, 1] : [3, 3]
    let outputs = depth.hasBottlenecks ? 4 * filters : filters
    let strided = depth.hasBottlenecks ? 1 : 0
    let start = sketch.last
    for (index, size) in sizes.enumerated() {
      let isLast = index == sizes.count - 1
      convolve(
        isLast ? outputs : filters, size: size, stride: index == strided ? stride : 1,
        named: "\(name).conv\(index + 1)", "\(name).bn\(index + 1)", in: &sketch)
      if !isLast { sketch.append(.relu) }
    }
    let end = sketch.last
    var past = start
    if stride > 1 || channels != outputs {
      let shortcut = stem == .imagenet ? "\(name).downsample" : "\(name).shortcut"
      past = convolve(
        outputs, size: 1, stride: stride, named: "\(shortcut).0", "\(shortcut).1",
        reading: start, in: &sketch)
    }
    sketch.append(.add, reading: end, past)
    sketch.append(.relu)
    return outputs
  }

  @discardableResult
  private func convolve(
    _ filters: Int, size: Int, stride: Int, named name: String, _ normName: String,
    reading input: Network.Value? = nil, in sketch: inout NetworkSketch
  ) -> Network.Value {
    let value = sketch.appendConvolution(
      filters, size: size, stride: stride, bias: norm == .none, named: name, reading: input)
    return norm == .batch ? sketch.append(.batchNorm, named: normName) : value
  }

  /// What other programs call the modules.
  public static let nameTable = String(decoding: PackageResources.names_txt, as: UTF8.self)

  /// All depths, with the width and the stem that the first convolution says.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    guard let stem = tensors.stem, stem[2] == 7 || stem[2] == 3 else { return [] }
    return Depth.allCases.map { depth in
      reference([
        Self.depth.key: depth.rawValue, width.key: TensorSurvey.width(stem[0], of: 64),
        Self.stem.key: (stem[2] == 7 ? Stem.imagenet : .cifar).rawValue,
        norm.key: (tensors.hasRunningMoments ? Norm.batch : .none).rawValue,
      ])
    }
  }
}

@section("lcw_plugins") @used
let resNetImageNetPlugin: PluginRecord = { $0.add(ResNetImageNet.self) }
