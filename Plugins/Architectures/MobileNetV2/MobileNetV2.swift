// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWOperations

/// MobileNetV2 (Sandler et al. 2018): blocks that widen the channels, see each of them through a filter of
/// its own, and narrow them again, without an activation where they are narrow.
///
/// Nodes are called as torchvision's modules (`features.1.conv.0.0`, `classifier.1`), so that its files bind
/// by name. Numbers of channels are multiples of 8, at least 8.
///
/// torchvision draws the dense layer with a deviation of 0.01; here it is uniform on ±1/√inputs. Filters
/// that see one channel are drawn with variance 2/(kernel area), torchvision's, which the normalisation
/// behind them scales up again, with that over the number of channels.
public struct MobileNetV2: Architecture {
  /// `mobilenetv2`
  public static let name = "mobilenetv2"
  /// What it is.
  public static let summary = "MobileNetV2, as in torchvision"

  private static let width = PluginOption(
    "width", default: 1.0, help: "width multiplier; numbers of channels stay multiples of 8")
  private static let dropout = PluginOption(
    "dropout", default: 0.2, help: "dropout rate before the dense layer")
  private static let norm = PluginOption(
    "norm", default: Norm.batch,
    help:
      "the layer after each convolution: batch normalisation, or none and a bias (as after folding)"
  )

  /// `width`, `dropout` and `norm`.
  public static let options: [any PluginOptionDescription] = [width, dropout, norm]

  private enum Norm: String, OptionChoice {
    case batch, none
  }

  /// Blocks of one kind, one behind the other.
  private struct Stage {
    /// How many times the channels the block has inside.
    var expansion: Int
    /// The channels that it puts out, at width 1.
    var channels: Int
    /// How many blocks there are.
    var count: Int
    /// The stride of the first.
    var stride: Int
  }

  private static let stages = [
    Stage(expansion: 1, channels: 16, count: 1, stride: 1),
    Stage(expansion: 6, channels: 24, count: 2, stride: 2),
    Stage(expansion: 6, channels: 32, count: 3, stride: 2),
    Stage(expansion: 6, channels: 64, count: 4, stride: 2),
    Stage(expansion: 6, channels: 96, count: 3, stride: 1),
    Stage(expansion: 6, channels: 160, count: 3, stride: 2),
    Stage(expansion: 6, channels: 320, count: 1, stride: 1),
  ]
  private static let (firstChannels, lastChannels) = (32, 1280)

  private let width: Double
  private let dropout: Double
  private let norm: Norm

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a width that is not
  ///   positive or beyond 64, or a rate outside 0 to 0.99.
  public init(options: OptionValues) throws {
    width = try options.value(of: Self.width, in: 0.001...64)
    dropout = try options.value(of: Self.dropout, in: 0...0.99)
    norm = options[Self.norm]
  }

  /// The graph for images `[channels, height, width]`.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    var sketch = NetworkSketch(inputShape: inputShape)
    var channels = Self.multipleOfEight(Double(Self.firstChannels) * width)
    convolve(channels, size: 3, stride: 2, named: "features.0.0", "features.0.1", in: &sketch)
    sketch.append(Self.activation)
    var module = 1
    for stage in Self.stages {
      let outputs = Self.multipleOfEight(Double(stage.channels) * width)
      for block in 0..<stage.count {
        appendBlock(
          "features.\(module).conv", from: channels, expansion: stage.expansion, to: outputs,
          stride: block == 0 ? stage.stride : 1, in: &sketch)
        channels = outputs
        module += 1
      }
    }
    let last = Self.multipleOfEight(Double(Self.lastChannels) * max(1, width))
    convolve(last, size: 1, named: "features.\(module).0", "features.\(module).1", in: &sketch)
    sketch.append(Self.activation)
    sketch.append(.globalAveragePool)
    sketch.append(.dropout(rate: dropout))
    sketch.append(.dense(outputs: classes, bias: true), named: "classifier.1")
    return try sketch.network()
  }

  /// The same without normalisation.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? {
    var options = reference.options
    options[Self.norm.key] = Norm.none.rawValue
    return PluginReference(name: reference.name, options: options)
  }

  private static let activation = Layer.clip(lower: 0, upper: 6)

  private func appendBlock(
    _ name: String, from channels: Int, expansion: Int, to outputs: Int, stride: Int,
    in sketch: inout NetworkSketch
  ) {
    let start = sketch.last
    let inside = channels * expansion
    // A block that does not widen has no convolution for it, and the others' numbers are lower.
    var module = 0
    if expansion > 1 {
      convolve(inside, size: 1, named: "\(name).0.0", "\(name).0.1", in: &sketch)
      sketch.append(Self.activation)
      module = 1
    }
    convolve(
      inside, size: 3, stride: stride, groups: inside, named: "\(name).\(module).0",
      "\(name).\(module).1", in: &sketch)
    sketch.append(Self.activation)
    let end = convolve(
      outputs, size: 1, named: "\(name).\(module + 1)", "\(name).\(module + 2)", in: &sketch)
    if stride == 1, channels == outputs { sketch.append(.add, reading: end, start) }
  }

  @discardableResult
  private func convolve(
    _ filters: Int, size: Int, stride: Int = 1, groups: Int = 1, named name: String,
    _ normName: String, in sketch: inout NetworkSketch
  ) -> Network.Value {
    let value = sketch.appendConvolution(
      filters, size: size, stride: stride, groups: groups, bias: norm == .none, named: name)
    return norm == .batch ? sketch.append(.batchNorm, named: normName) : value
  }

  /// The nearest multiple of 8, at least 8, and the next one if that would take away more than a tenth.
  private static func multipleOfEight(_ value: Double) -> Int {
    let nearest = max(8, (Int(value) + 4) / 8 * 8)
    return Double(nearest) < 0.9 * value ? nearest + 8 : nearest
  }

  /// What other programs call the modules.
  public static let nameTable = String(decoding: PackageResources.names_txt, as: UTF8.self)

  /// The usual widths, and that which the first convolution says, which all have as many filters there.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] {
    guard let stem = tensors.stem, stem[2] == 3, tensors.count(of: [stem[0], 1, 3, 3]) > 0 else {
      return []
    }
    let own = TensorSurvey.width(stem[0], of: firstChannels)
    let usual = ["1", "0.1", "0.25", "0.35", "0.5", "0.75", "1.3", "1.4", "2"].filter { text in
      text != own
        && Double(text).map { multipleOfEight(Double(firstChannels) * $0) } == stem[0]
    }
    // Small numbers of channels are rounded up, so that the widest ones tell more.
    let widest = tensors.kernels.filter { $0[2] == 1 && $0[3] == 1 }.max { $0[0] < $1[0] }
    let last = widest.map { TensorSurvey.width($0[1], of: stages[stages.count - 1].channels) }
    return (usual + [own] + [last].compactMap(\.self).filter { $0 != own }).map { text in
      reference([
        width.key: text, norm.key: (tensors.hasRunningMoments ? Norm.batch : .none).rawValue,
      ])
    }
  }
}

@section("lcw_plugins") @used
let mobileNetV2Plugin: PluginRecord = { $0.add(MobileNetV2.self) }
