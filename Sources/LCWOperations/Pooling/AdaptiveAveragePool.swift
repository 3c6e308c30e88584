// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The means of bins that divide an image of any size into so many rows and columns; to 1x1 unless said
/// otherwise.
///
/// Bin i of n over an axis of a size goes from ⌊i · size / n⌋ up to ⌈(i + 1) · size / n⌉: bins may overlap.
public struct AdaptiveAveragePool: NetworkOperation {
  /// `adaptive-avgpool`
  public static let name = "adaptive-avgpool"
  /// What it is.
  public static let summary = "average pooling of an image of any size to a fixed number of bins"
  /// How it is written.
  public static let usage = "adaptive-avgpool [HEIGHTxWIDTH]"

  /// The rows of bins.
  public var height: Int
  /// The columns of bins.
  public var width: Int

  /// The pooling to a height and a width.
  public init(height: Int = 1, width: Int = 1) {
    self.height = height
    self.width = width
  }

  /// Nothing for 1x1, or `7x7`
  public init(words: inout OperationWords) throws(OperationProblem) {
    guard !words.isEmpty else {
      self.init()
      return
    }
    let sizes = try words.integers(
      2, "nothing or a height and width such as 7x7 after adaptive-avgpool")
    self.init(height: sizes[0], width: sizes[1])
  }

  /// The height and width, unless both are 1.
  public var words: [String] { height == 1 && width == 1 ? [] : ["\(height)x\(width)"] }

  /// `[channels, height, width]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard inputs[0].rank == 3 else {
      throw OperationProblem("needs [channels, height, width] but gets \(inputs[0])")
    }
    // So that products of two of them fit an integer.
    let sizes = [height, width, inputs[0][1], inputs[0][2]]
    guard height > 0, width > 0, sizes.allSatisfy({ $0 <= Int32.max }) else {
      throw OperationProblem("has a height or width that is under 1 or too large")
    }
    return try Shape(chosen: [inputs[0][0], height, width])
  }

  /// Channels pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// The values in the bins, each of which has at most a value more at both ends than the size divided.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double {
    let rows = Double(inputs[0][1]) + 2 * Double(height)
    let columns = Double(inputs[0][2]) + 2 * Double(width)
    return Double(inputs[0][0]) * rows * columns
  }

  /// Means of bins.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    if height == 1, width == 1 {
      GlobalAverageKernel(
        pooling: GlobalAveragePooling(over: inputs[0]), output: output)
    } else {
      AdaptiveAverageKernel(
        pooling: AdaptiveAveragePooling(over: inputs[0], height: height, width: width))
    }
  }
}

extension Layer {
  /// The means of so many bins that divide an image of any size.
  public static func adaptiveAveragePool(height: Int = 1, width: Int = 1) -> Layer {
    Layer(AdaptiveAveragePool(height: height, width: width))
  }
}

@section("lcw_plugins") @used
let adaptiveAveragePoolPlugin: PluginRecord = { $0.add(AdaptiveAveragePool.self) }

/// The means of bins.
struct AdaptiveAverageKernel: UnaryKernel {
  var pooling: AdaptiveAveragePooling

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    pooling.output(of: input, workers: workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (pooling.output(of: input, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    needsInput ? pooling.backward(gradient, workers: pass.workers) : nil
  }
}
