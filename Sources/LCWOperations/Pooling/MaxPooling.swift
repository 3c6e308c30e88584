// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The largest value of each window.
public struct MaxPooling: NetworkOperation {
  /// `maxpool`
  public static let name = "maxpool"
  /// What it is.
  public static let summary = "the largest value of each window"
  /// How it is written.
  public static let usage = "maxpool SIZE [stride S] [pad P]"

  /// The windows.
  public var windows: PoolingWindows

  /// Pooling over windows.
  public init(_ windows: PoolingWindows) {
    self.windows = windows
  }

  /// `3 stride 2 pad 1`
  public init(words: inout OperationWords) throws(OperationProblem) {
    windows = try PoolingWindows(words: &words)
  }

  /// The size, and what differs from the defaults.
  public var words: [String] { windows.words }

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
    PoolingKernel(pooling: windows.pooling(.maximum, over: inputs[0]))
  }
}

extension Layer {
  /// The largest value of each window.
  public static func maxPool(_ windows: PoolingWindows) -> Layer { Layer(MaxPooling(windows)) }
}

@section("lcw_plugins") @used
let maxPoolingPlugin: PluginRecord = { $0.add(MaxPooling.self) }
