// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The mean of each channel over all positions (Lin, Chen and Yan 2014): `[channels, …]` to `[channels]`.
public struct GlobalAveragePool: NetworkOperation {
  /// `global-avgpool`
  public static let name = "global-avgpool"
  /// What it is.
  public static let summary = "the mean of each channel over all positions, as a vector"

  /// The pooling.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// `[channels]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard inputs[0].rank > 1 else {
      throw OperationProblem(
        "needs channels and positions, such as [channels, height, width], but gets \(inputs[0])")
    }
    return [inputs[0][0]]
  }

  /// Channels pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// The values.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double { Double(inputs[0].count) }

  /// Means of planes.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    GlobalAverageKernel(
      pooling: GlobalAveragePooling(over: inputs[0]), output: output)
  }
}

extension Layer {
  /// The mean of each channel over all positions.
  public static let globalAveragePool = Layer(GlobalAveragePool())
}

@section("lcw_plugins") @used
let globalAveragePoolPlugin: PluginRecord = { $0.add(GlobalAveragePool.self) }

/// The mean of each channel, in a shape of as many values as there are channels.
struct GlobalAverageKernel: UnaryKernel {
  var pooling: GlobalAveragePooling
  /// The shape of one sample behind.
  var output: Shape

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let samples = input.shape.rows
    return pooling.output(of: input, workers: workers).reshaped(output.batched(samples))
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (output(of: input, parameters: parameters, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    needsInput ? pooling.backward(gradient, workers: pass.workers) : nil
  }
}
