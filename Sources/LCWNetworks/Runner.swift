// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A network, or a part of one, made ready to run: its nodes as steps, with neighbours fused where that
/// saves a pass over memory.
///
/// A part is what lies between values that are known and values that are wanted. A value is freed when its
/// last reader has run.
///
/// ```swift
/// let runner = try Runner(network)
/// let logits = runner.output(of: block, weights: weights)
/// ```
public struct Runner: Sendable {
  /// The network.
  public let network: Network
  /// The known values that the steps read, or that are wanted themselves, in the network's order.
  public let sources: [Network.Value]
  /// The wanted values.
  public let targets: [Network.Value]
  let steps: [Step]
  /// For each step and each of its inputs, whether no step behind reads the value and it is not wanted.
  private let isLastUse: [[Bool]]

  /// A node, or two that run as one.
  struct Step: Sendable {
    var inputs: [Int]
    var output: Int
    var parameters: [Int]
    var kernel: any OperationKernel
  }

  /// A runner for a network.
  /// - Throws: ``RunnerError/memory(layer:description:bytes:)`` if one sample does not fit memory.
  public init(_ network: Network) throws {
    try self.init(network, from: [.sample], to: [network.output])
  }

  /// A runner for what lies between values.
  ///
  /// - Parameters:
  ///   - known: Values that are given, as many as one likes; only those that are needed are
  ///     ``sources``.
  ///   - wanted: Values to compute.
  /// - Throws: ``RunnerError/memory(layer:description:bytes:)`` if one sample does not fit memory.
  public init(
    _ network: Network, from known: Set<Network.Value>, to wanted: [Network.Value]
  ) throws {
    for (index, values) in network.liveSamples.enumerated()
    where 4 * values > Machine.physicalMemory {
      throw RunnerError.memory(
        layer: index, description: network.describe(node: index), bytes: 4 * values)
    }
    let part = NetworkPart(of: network, from: known, to: wanted)
    self.network = network
    targets = wanted
    sources = part.sources
    steps = part.steps()
    var isRead = Set(wanted.map(\.index))
    var isLastUse: [[Bool]] = []
    for step in steps.reversed() {
      // Of a value that a step reads twice, the last place hands it over.
      var own: [Bool] = []
      for input in step.inputs.reversed() { own.append(isRead.insert(input).inserted) }
      isLastUse.append(own.reversed())
    }
    self.isLastUse = isLastUse.reversed()
  }

  /// The indices of the parameters that the steps read.
  public var parameters: [Int] { steps.flatMap(\.parameters) }

  /// The output of a block of samples in evaluation.
  ///
  /// - Parameters:
  ///   - input: `[n]` and the shape of one sample of the only source.
  ///   - weights: The network's weights.
  ///   - workers: The threads within each step.
  /// - Returns: `[n]` and the shape of one sample of the first target.
  public func output(
    of input: consuming Tensor, weights: Weights, workers: Workers = .serial
  ) -> Tensor {
    outputs(of: [input], weights: weights, workers: workers)[0]
  }

  /// The targets for a block of samples in evaluation.
  ///
  /// - Parameters:
  ///   - inputs: `[n]` and the shape of one sample, for each of ``sources``.
  ///   - weights: The network's weights.
  ///   - workers: The threads within each step.
  /// - Returns: `[n]` and the shape of one sample, for each of ``targets``.
  public func outputs(
    of inputs: consuming [Tensor], weights: Weights, workers: Workers = .serial
  ) -> [Tensor] {
    var values = [Tensor?](repeating: nil, count: network.shapes.count)
    precondition(inputs.count == sources.count, "\(sources.count) values have to be given")
    for (source, input) in zip(sources, inputs) {
      precondition(
        input.shape.rowCount == network.shape(of: source).count,
        "a block \(input.shape) is none of value \(source.index)")
      values[source.index] = input.reshaped(network.shape(of: source).batched(input.shape.rows))
    }
    inputs.removeAll()
    for (index, step) in steps.enumerated() {
      let read = Runner.inputs(of: step, isLastUse[index], from: &values)
      values[step.output] = step.kernel.output(
        of: read, parameters: step.parameters.map { weights[$0] }, workers: workers)
    }
    return targets.compactMap { values[$0.index] }
  }

  /// What a step reads; values that nothing behind it reads are handed over.
  private static func inputs(
    of step: Step, _ isLastUse: [Bool], from values: inout [Tensor?]
  ) -> [Tensor] {
    var inputs: [Tensor] = []
    for (place, input) in step.inputs.enumerated() {
      if let value = values[input] { inputs.append(value) }
      if isLastUse[place] { values[input] = nil }
    }
    return inputs
  }

  /// The gradient of the mean cross-entropy of a batch.
  ///
  /// Each gradient buffer is scaled by `carry` before the gradient is added: with the momentum as
  /// `carry`, the buffers are the velocities of SGD and no pass over memory is spent on adding.
  ///
  /// - Parameters:
  ///   - input: `[n]` and the shape of a sample.
  ///   - labels: The n classes.
  ///   - weights: The network's weights.
  ///   - gradients: One buffer for each parameter.
  ///   - carry: What the buffers keep.
  ///   - random: The random numbers of dropout; without them dropout lets everything pass, as in
  ///     evaluation.
  ///   - workers: The threads within each step.
  /// - Returns: The batch's summed cross-entropy and right answers, as they were in this pass.
  public func accumulateGradients(
    of input: consuming Tensor, labels: ArraySlice<Int32>, weights: Weights,
    into gradients: inout [Tensor], carry: Float = 0, random: RandomStream?,
    workers: Workers = .serial
  ) -> ClassificationSums {
    let samples = input.shape.rows
    var pass = TrainingPass(workers: workers, carry: carry, random: random)
    var values = [Tensor?](repeating: nil, count: network.shapes.count)
    values[0] = input.reshaped(network.inputShape.batched(samples))
    input = Tensor(zeros: [0])
    var records: [[Tensor]] = []
    for (index, step) in steps.enumerated() {
      let read = Runner.inputs(of: step, isLastUse[index], from: &values)
      let (output, record) = step.kernel.outputRecording(
        of: read, parameters: step.parameters.map { weights[$0] }, pass: &pass)
      records.append(record)
      values[step.output] = output
    }
    guard var gradient = values[network.output.index] else { return ClassificationSums() }
    values.removeAll()
    let sums = gradient.becomeCrossEntropyGradient(labels: labels, scale: 1 / Float(samples))
    backward(gradient, &records, weights, &gradients, pass)
    return sums
  }

  /// Goes back from the output to the first parameters; gradients of a value with several readers add up.
  private func backward(
    _ gradient: consuming Tensor, _ records: inout [[Tensor]], _ weights: Weights,
    _ gradients: inout [Tensor], _ pass: TrainingPass
  ) {
    let depends = valuesWithParameters
    var behind = [Tensor?](repeating: nil, count: network.shapes.count)
    behind[network.output.index] = gradient
    gradient = Tensor(zeros: [0])
    for index in steps.indices.reversed() where depends.contains(steps[index].output) {
      let step = steps[index]
      guard let output = take(&behind[step.output]) else { continue }
      // The buffers leave the array while they change, so that they are changed in place.
      var own = step.parameters.map { exchange(&gradients[$0], Tensor(zeros: [0])) }
      let before = step.kernel.backward(
        output, record: records[index], parameters: step.parameters.map { weights[$0] },
        gradients: &own, needs: step.inputs.map(depends.contains), pass: pass)
      for (parameter, tensor) in zip(step.parameters, own) { gradients[parameter] = tensor }
      records[index] = []
      for (input, tensor) in zip(step.inputs, before) {
        guard let tensor else { continue }
        if behind[input] == nil {
          behind[input] = tensor
        } else {
          behind[input]?.assign(1, times: tensor, plus: 1, workers: pass.workers)
        }
      }
    }
  }

  /// The values that depend on a parameter: the gradients of others are of no use.
  private var valuesWithParameters: Set<Int> {
    var values: Set<Int> = []
    for step in steps where !step.parameters.isEmpty || !values.isDisjoint(with: step.inputs) {
      values.insert(step.output)
    }
    return values
  }
}

private func exchange(_ tensor: inout Tensor, _ replacement: Tensor) -> Tensor {
  let old = tensor
  tensor = replacement
  return old
}

private func take(_ tensor: inout Tensor?) -> Tensor? {
  let old = tensor
  tensor = nil
  return old
}

/// What a network can't be run for.
public enum RunnerError: DescribedError, Hashable {
  /// A layer at which the values of one sample that it reads and computes, and those that are read later,
  /// are larger than the machine's memory.
  case memory(layer: Int, description: String, bytes: Double)

  /// Wrong usage.
  public var category: ErrorCategory { .usage }

  /// One line that names the layer.
  public var description: String {
    switch self {
    case .memory(let layer, let description, let bytes):
      "layer \(layer + 1) (\(description)) needs \(Int(bytes / 1e9) + 1) GB of memory for one sample, "
        + "more than there is"
    }
  }
}
