// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The channels of so many groups in turn: the first of each, then the second of each, so that a grouped
/// convolution behind it sees something of every group (ShuffleNet; Zhang, Zhou, Lin and Sun 2018).
public struct Shuffle: NetworkOperation {
  /// `shuffle`
  public static let name = "shuffle"
  /// What it is.
  public static let summary = "interleaves groups of channels: the first of each, then the second"
  /// How it is written.
  public static let usage = "shuffle GROUPS"

  /// The groups.
  public var groups: Int

  /// The shuffle of so many groups.
  public init(groups: Int) {
    self.groups = groups
  }

  /// The groups.
  public init(words: inout OperationWords) throws(OperationProblem) {
    groups = try words.integer("a number of groups after shuffle")
  }

  /// The groups.
  public var words: [String] { ["\(groups)"] }

  /// The same.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard groups >= 1 else { throw OperationProblem("needs a number of groups from 1 on") }
    guard inputs[0].rank > 0, inputs[0][0] % groups == 0 else {
      throw OperationProblem("gets \(inputs[0]), whose channels make no \(groups) equal groups")
    }
    return inputs[0]
  }

  /// One channel alone may move only with those that a grouped convolution behind it sees beside it, which
  /// are no neighbours here: nothing is permuted before or behind.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    groups == 1 || groups == inputs[0].rows ? .oneByOne : .mixed
  }

  /// A copy.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ShuffleKernel(shape: inputs[0], groups: groups) }
}

extension Layer {
  /// The channels of groups in turn.
  public static func shuffle(groups: Int) -> Layer { Layer(Shuffle(groups: groups)) }
}

@section("lcw_plugins") @used
let shufflePlugin: PluginRecord = { $0.add(Shuffle.self) }

/// Channels in another order.
struct ShuffleKernel: UnaryKernel {
  /// The shape of one sample.
  var shape: Shape
  /// The groups.
  var groups: Int

  /// Takes a number of groups apart and puts the channels together in turn.
  private func turned(_ block: consuming Tensor, by groups: Int, _ workers: Workers) -> Tensor {
    let samples = block.shape.rows
    return block.reshaped([samples, groups, shape.rows / groups, shape.rowCount])
      .reordered(axes: [0, 2, 1, 3], workers: workers)
      .reshaped(shape.batched(samples))
  }

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    turned(input, by: groups, workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (turned(input, by: groups, pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    needsInput ? turned(gradient, by: shape.rows / groups, pass.workers) : nil
  }
}
