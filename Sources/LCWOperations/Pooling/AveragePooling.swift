// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The mean of each window.
public struct AveragePooling: NetworkOperation {
  /// `avgpool`
  public static let name = "avgpool"
  /// What it is.
  public static let summary = "the mean of each window"
  /// How it is written.
  public static let usage =
    "avgpool SIZE|HEIGHTxWIDTH [stride S|DOWNxACROSS] [pad P|TOPxLEFTxBOTTOMxRIGHT] [ceil] "
    + "[exclude-pad]"

  /// The windows.
  public var windows: PoolingWindows
  /// Whether padding counts as zeros; else it does not count.
  public var countsPadding: Bool

  /// Pooling over windows.
  public init(_ windows: PoolingWindows, countsPadding: Bool = true) {
    self.windows = windows
    self.countsPadding = countsPadding
  }

  /// `3x2 stride 2 pad 1 ceil exclude-pad`
  public init(words: inout OperationWords) throws(OperationProblem) {
    var countsPadding = true
    windows = try PoolingWindows(words: &words, flags: ["exclude-pad"]) { (_, _) in
      countsPadding = false
    }
    self.countsPadding = countsPadding
  }

  /// The size, and what differs from the defaults.
  public var words: [String] { windows.words + (countsPadding ? [] : ["exclude-pad"]) }

  /// `[channels, height, width]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    try windows.outputShape(for: inputs[0])
  }

  /// Channels pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// The values in the windows.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double {
    windows.values(input: inputs[0], output: output)
  }

  /// Pooling.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    PoolingKernel(
      pooling: ImagePooling(
        .average, over: windows.windows(over: inputs[0]), countsPadding: countsPadding))
  }
}

extension Layer {
  /// The mean of each window.
  public static func averagePool(_ windows: PoolingWindows, countsPadding: Bool = true) -> Layer {
    Layer(AveragePooling(windows, countsPadding: countsPadding))
  }
}

@section("lcw_plugins") @used
let averagePoolingPlugin: PluginRecord = { $0.add(AveragePooling.self) }
