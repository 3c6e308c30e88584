// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// A residual network with normalisation and activation before each convolution (He et al. 2016,
/// "Identity mappings"), as Garipov et al. join networks of depth 164: nothing stands on the way past the
/// blocks but the convolutions where the shape changes.
///
/// Below a depth of 44 a block has two convolutions of 3×3, from then on three of 1×1, 3×3 and 1×1, of which
/// the last has four times as many filters. Nodes are called as the modules of
/// timgaripov/dnn-mode-connectivity's `preresnet.py` (`layer1.0.bn1`, `layer2.0.downsample.0`, `fc`), so that
/// its files bind by name.
public struct PreResNet: Architecture {
  /// `preresnet`
  public static let name = "preresnet"
  /// What it is.
  public static let summary = "a residual network with normalisation before each convolution"

  private static let depth = PluginOption(
    "depth", default: 164,
    help:
      "the number of layers with weights: 6n+2 below 44 (20, 32, …), 9n+2 from 47 on (110, 164, …)")
  private static let width = PluginOption(
    "width", default: 1.0, help: "multiplier of the numbers of filters 16, 32 and 64")

  /// `depth` and `width`.
  public static let options: [any PluginOptionDescription] = [depth, width]

  private static let firstWithBottlenecks = 44

  /// How many blocks a stage has.
  private let blocks: Int
  private let hasBottlenecks: Bool
  private let width: Double

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a depth that is neither 6n+2
  ///   below 44 nor 9n+2 up to 1001, or a width that is not positive or beyond 64.
  public init(options: OptionValues) throws {
    let depth = try options.value(of: Self.depth, in: 8...1001)
    hasBottlenecks = depth >= Self.firstWithBottlenecks
    let step = hasBottlenecks ? 9 : 6
    guard (depth - 2) % step == 0 else {
      throw options.invalid(
        Self.depth,
        reason: "expected 6n+2 below 44, such as 20 or 32, or 9n+2 from 47 on, such as 110 or 164")
    }
    blocks = (depth - 2) / step
    width = try options.value(of: Self.width, in: 0.001...64)
  }

  /// The graph for images `[channels, height, width]`.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    let widths = [16, 32, 64].map { NetworkSketch.scaled($0, by: width) }
    var sketch = NetworkSketch(inputShape: inputShape)
    sketch.appendConvolution(widths[0], size: 3, bias: false, named: "conv1")
    var channels = widths[0]
    for (stage, filters) in widths.enumerated() {
      for block in 0..<blocks {
        channels = appendBlock(
          "layer\(stage + 1).\(block)", from: channels, filters: filters,
          stride: stage > 0 && block == 0 ? 2 : 1, in: &sketch)
      }
    }
    sketch.append(.batchNorm, named: "bn")
    sketch.append(.relu)
    sketch.append(.globalAveragePool)
    sketch.append(.dense(outputs: classes, bias: true), named: "fc")
    return try sketch.network()
  }

  /// Appends a block, and gives the number of its channels.
  private func appendBlock(
    _ name: String, from channels: Int, filters: Int, stride: Int, in sketch: inout NetworkSketch
  ) -> Int {
    let sizes = hasBottlenecks ? [1, 3, 1] : [3, 3]
    let outputs = hasBottlenecks ? 4 * filters : filters
    // Of a bottleneck the 3×3 in the middle has the stride.
    let strided = hasBottlenecks ? 1 : 0
    let start = sketch.last
    for (index, size) in sizes.enumerated() {
      sketch.append(.batchNorm, named: "\(name).bn\(index + 1)")
      sketch.append(.relu)
      sketch.appendConvolution(
        index == sizes.count - 1 ? outputs : filters, size: size,
        stride: index == strided ? stride : 1, bias: false, named: "\(name).conv\(index + 1)")
    }
    let end = sketch.last
    var past = start
    if stride > 1 || channels != outputs {
      past = sketch.appendConvolution(
        outputs, size: 1, stride: stride, bias: false, named: "\(name).downsample.0",
        reading: start)
    }
    sketch.append(.add, reading: end, past)
    return outputs
  }

  /// The network with the width of the first convolution, and as deep as its first stage says.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    guard let stem = tensors.stem, stem[2] == 3, tensors.hasRunningMoments else { return [] }
    let filters = stem[0]
    let kernels = tensors.count(of: [filters, filters, 3, 3])
    guard kernels > 1 else { return [] }
    let hasBottlenecks = tensors.count(of: [4 * filters, filters, 1, 1]) > 1
    let depth = hasBottlenecks ? 9 * kernels + 2 : 6 * (kernels / 2) + 2
    return [
      reference([
        Self.depth.key: "\(depth)", width.key: TensorSurvey.width(filters, of: 16),
      ])
    ]
  }
}

@section("lcw_plugins") @used
let preResNetPlugin: PluginRecord = { $0.add(PreResNet.self) }
