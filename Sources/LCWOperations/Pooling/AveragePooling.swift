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
  public static let usage = "avgpool SIZE [stride S] [pad P]"

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
    PoolingKernel(pooling: windows.pooling(.average, over: inputs[0]))
  }
}

extension Layer {
  /// The mean of each window.
  public static func averagePool(_ windows: PoolingWindows) -> Layer { Layer(AveragePooling(windows)) }
}

@section("lcw_plugins") @used
let averagePoolingPlugin: PluginRecord = { $0.add(AveragePooling.self) }
