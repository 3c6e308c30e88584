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
  public static let usage =
    "maxpool SIZE|HEIGHTxWIDTH [stride S|DOWNxACROSS] [pad P|TOPxLEFTxBOTTOMxRIGHT] [ceil] "
    + "[dilation D|DOWNxACROSS]"

  /// The windows.
  public var windows: PoolingWindows
  /// The distances of a window's elements down and across, 1 where they are neighbours.
  public var dilation: [Int]

  /// Pooling over windows.
  public init(_ windows: PoolingWindows, dilation: [Int] = [1, 1]) {
    self.windows = windows
    self.dilation = dilation
  }

  /// `3x2 stride 2 pad 1 ceil dilation 2`
  public init(words: inout OperationWords) throws(OperationProblem) {
    var dilation = [1, 1]
    windows = try PoolingWindows(words: &words, flags: ["dilation"]) {
      (_, words) throws(OperationProblem) in
      dilation = try words.integers(2, "a number from 1 on after dilation, or two such as 2x1")
    }
    self.dilation = dilation
  }

  /// The size, and what differs from the defaults.
  public var words: [String] {
    windows.words + (dilation == [1, 1] ? [] : ["dilation", dilation.operationWord])
  }

  /// `[channels, height, width]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    try windows.outputShape(for: inputs[0], dilation: dilation)
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
      pooling: ImagePooling(.maximum, over: windows.windows(over: inputs[0], dilation: dilation)))
  }
}

extension Layer {
  /// The largest value of each window.
  public static func maxPool(_ windows: PoolingWindows, dilation: [Int] = [1, 1]) -> Layer {
    Layer(MaxPooling(windows, dilation: dilation))
  }
}

@section("lcw_plugins") @used
let maxPoolingPlugin: PluginRecord = { $0.add(MaxPooling.self) }
