// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// A residual network with few, wide layers (Zagoruyko and Komodakis 2016): normalisation and activation
/// before each convolution, and in three stages so many times 16, 32 and 64 filters. The first convolution
/// has 16 at every width.
///
/// The PyTorch sources differ, and the option `layout` says whose network it is. In xternalz's
/// (xternalz/WideResNet-pytorch), as in the authors' program, the first convolution of a block has the
/// stride, and a convolution past the block reads what the block's first activation puts out. In meliketoy's
/// (meliketoy/wide-resnet.pytorch, and timgaripov/dnn-mode-connectivity's `wide_resnet.py`) convolutions
/// have biases, the second has the stride, and a convolution past the block reads the block's input. Nodes
/// are called as the modules of these, so that their files bind by name.
///
/// Convolutions are drawn as the paper's, with variance 2/(kernel area · filters); meliketoy's program has
/// Glorot's, PyTorch's defaults are in Garipov's.
public struct WideResNet: Architecture {
  /// `wideresnet`
  public static let name = "wideresnet"
  /// What it is.
  public static let summary = "a residual network with few, wide layers"

  private static let depth = PluginOption(
    "depth", default: 28, help: "the number of layers with weights, 6n+4: 16, 22, 28, 40, …")
  private static let width = PluginOption(
    "width", default: 10.0, help: "multiplier of the numbers of filters 16, 32 and 64 of the stages"
  )
  private static let dropout = PluginOption(
    "dropout", default: 0.0, help: "dropout rate between the two convolutions of a block")
  private static let layout = PluginOption(
    "layout", default: Layout.xternalz,
    help: "which blocks and names: xternalz's, with the stride in a block's first convolution, or "
      + "meliketoy's and Garipov's, with biases and the stride in the second")

  /// `depth`, `width`, `dropout` and `layout`.
  public static let options: [any PluginOptionDescription] = [depth, width, dropout, layout]

  private enum Layout: String, OptionChoice {
    case xternalz, meliketoy
  }

  private let blocks: Int
  private let width: Double
  private let dropout: Double
  private let layout: Layout

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a depth that is not 6n+4 or
  ///   beyond 1000, a width that is not positive or beyond 64, or a rate outside 0 to 0.99.
  public init(options: OptionValues) throws {
    let depth = try options.value(of: Self.depth, in: 10...1000)
    guard (depth - 4) % 6 == 0 else {
      throw options.invalid(Self.depth, reason: "expected 6n+4, such as 16, 22, 28 or 40")
    }
    blocks = (depth - 4) / 6
    width = try options.value(of: Self.width, in: 0.001...64)
    dropout = try options.value(of: Self.dropout, in: 0...0.99)
    layout = options[Self.layout]
  }

  /// The graph for images `[channels, height, width]`.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    let isXternalz = layout == .xternalz
    var sketch = NetworkSketch(inputShape: inputShape)
    var channels = 16
    sketch.appendConvolution(channels, size: 3, bias: !isXternalz, named: "conv1")
    for (stage, count) in [16, 32, 64].enumerated() {
      let filters = NetworkSketch.scaled(count, by: width)
      let name = isXternalz ? "block\(stage + 1).layer" : "layer\(stage + 1)"
      for block in 0..<blocks {
        appendBlock(
          "\(name).\(block)", from: channels, to: filters,
          stride: stage > 0 && block == 0 ? 2 : 1, in: &sketch)
        channels = filters
      }
    }
    sketch.append(
      isXternalz ? .batchNorm : .batchNorm(epsilon: 1e-5, momentum: 0.9), named: "bn1")
    sketch.append(.relu)
    sketch.append(.globalAveragePool)
    sketch.append(
      .dense(outputs: classes, bias: true), named: isXternalz ? "fc" : "linear")
    return try sketch.network()
  }

  private func appendBlock(
    _ name: String, from channels: Int, to filters: Int, stride: Int, in sketch: inout NetworkSketch
  ) {
    let isXternalz = layout == .xternalz
    let start = sketch.last
    sketch.append(.batchNorm, named: "\(name).bn1")
    let activated = sketch.append(.relu)
    sketch.appendConvolution(
      filters, size: 3, stride: isXternalz ? stride : 1, bias: !isXternalz, named: "\(name).conv1")
    // Where the rate is applied differs too.
    if dropout > 0, !isXternalz { sketch.append(.dropout(rate: dropout)) }
    sketch.append(.batchNorm, named: "\(name).bn2")
    sketch.append(.relu)
    if dropout > 0, isXternalz { sketch.append(.dropout(rate: dropout)) }
    let end = sketch.appendConvolution(
      filters, size: 3, stride: isXternalz ? 1 : stride, bias: !isXternalz, named: "\(name).conv2")
    var past = start
    if stride > 1 || channels != filters {
      past = sketch.appendConvolution(
        filters, size: 1, stride: stride, bias: !isXternalz,
        named: isXternalz ? "\(name).convShortcut" : "\(name).shortcut.0",
        reading: isXternalz ? activated : start)
    }
    sketch.append(.add, reading: end, past)
  }

  /// What other programs call the modules.
  public static let nameTable = String(decoding: PackageResources.names_txt, as: UTF8.self)

  /// The network with the width and the depth of its first stage, in xternalz's layout unless convolutions
  /// have biases.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    let first = 16
    guard let stem = tensors.stem, stem[0] == first, stem[2] == 3, tensors.hasRunningMoments,
      let filters = tensors.kernels.filter({ $0[1] == first && $0[2] == 3 }).map({ $0[0] }).min()
    else { return [] }
    // The first convolution of a wide stage has fewer channels.
    let blocks = (tensors.count(of: [filters, filters, 3, 3]) + 1) / 2
    // A norm has four vectors, and there are as many norms as kernels of 3×3.
    let norms = tensors.kernels.count { $0[2] == 3 }
    let layout: Layout = tensors.vectors > 4 * norms + 1 ? .meliketoy : .xternalz
    return [
      reference([
        depth.key: "\(6 * blocks + 4)", width.key: TensorSurvey.width(filters, of: first),
        Self.layout.key: layout.rawValue,
      ])
    ]
  }
}

@section("lcw_plugins") @used
let wideResNetPlugin: PluginRecord = { $0.add(WideResNet.self) }
