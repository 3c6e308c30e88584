// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A network made ready to run: its layers as steps, with neighbours fused where that saves a pass
/// over memory.
///
/// ```swift
/// let runner = try Runner(network)
/// let logits = runner.output(of: block, weights: weights)
/// ```
public struct Runner: Sendable {
  /// The network.
  public let network: Network
  let steps: [Step]

  /// One or more layers that run as one.
  struct Step: Sendable {
    var layers: Range<Int>
    var parameters: [Int]
    var kernel: any LayerKernel
  }

  /// A runner for a network.
  /// - Throws: ``RunnerError/memory(layer:description:bytes:)`` if one sample does not fit memory.
  public init(_ network: Network) throws {
    try self.init(network, separating: [])
  }

  /// A runner none of whose steps joins the layers before and behind one of the given indices.
  public init(_ network: Network, separating boundaries: Set<Int>) throws {
    for (index, layer) in network.layers.enumerated() {
      let values = Double(network.shapes[index].count) + Double(network.shapes[index + 1].count)
      guard 4 * values <= Machine.physicalMemory else {
        throw RunnerError.memory(layer: index, description: "\(layer)", bytes: 4 * values)
      }
    }
    self.network = network
    var steps: [Step] = []
    var index = 0
    while index < network.layers.count {
      let next = index + 1
      let fuses =
        next < network.layers.count && network.layers[next] == .relu && !boundaries.contains(next)
        && (network.layers[index].isWeighted || network.layers[index] == .batchNorm)
      let end = fuses ? index + 2 : next
      steps.append(
        Step(
          layers: index..<end, parameters: network.parameterIndices(ofLayer: index),
          kernel: Runner.kernel(for: network, layer: index, clips: fuses)))
      index = end
    }
    self.steps = steps
  }

  private static func kernel(
    for network: Network, layer: Int, clips: Bool
  ) -> any LayerKernel {
    switch network.layers[layer] {
    case .dense(_, let bias): return DenseKernel(hasBias: bias, clips: clips)
    case .relu: return ReLUKernel()
    case .tanh: return TanhKernel()
    case .flatten: return FlattenKernel(sampleShape: network.shapes[layer])
    case .dropout(let rate): return DropoutKernel(rate: rate)
    case .convolution(let convolution):
      return ConvolutionKernel(convolution, image: network.shapes[layer], clips: clips)
    case .maxPool(let pool): return PoolingKernel(.maximum, pool, image: network.shapes[layer])
    case .averagePool(let pool): return PoolingKernel(.average, pool, image: network.shapes[layer])
    case .batchNorm: return NormalisationKernel(sample: network.shapes[layer], clips: clips)
    }
  }

  /// The output of a block of samples in evaluation.
  ///
  /// - Parameters:
  ///   - input: `[n]` and the shape of one sample before the first layer that runs.
  ///   - weights: The network's weights.
  ///   - layers: The layers to run, all by default; the bounds must not split a fused pair.
  ///   - workers: The threads within each step.
  /// - Returns: `[n]` and the shape of one sample behind the last layer that runs.
  public func output(
    of input: consuming Tensor, weights: Weights, layers: Range<Int>? = nil,
    workers: Workers = .serial
  ) -> Tensor {
    let range = layers ?? 0..<network.layers.count
    precondition(
      range.isEmpty || input.shape.rowCount == network.shapes[range.lowerBound].count,
      "a block \(input.shape) is no input of layer \(range.lowerBound + 1)")
    for step in steps where range.contains(step.layers.lowerBound) {
      precondition(step.layers.upperBound <= range.upperBound, "the bounds split a fused pair")
      input = step.kernel.output(
        of: input, parameters: step.parameters.map { weights[$0] }, workers: workers)
    }
    return input
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
    var records: [[Tensor]] = []
    for step in steps {
      let (output, record) = step.kernel.outputRecording(
        of: input, parameters: step.parameters.map { weights[$0] }, pass: &pass)
      records.append(record)
      input = output
    }
    var gradient = input
    let sums = gradient.becomeCrossEntropyGradient(labels: labels, scale: 1 / Float(samples))
    let firstWithParameters = steps.firstIndex { !$0.parameters.isEmpty } ?? steps.count
    for index in steps.indices.reversed() where index >= firstWithParameters {
      let step = steps[index]
      // The buffers leave the array while they change, so that they are changed in place.
      var own = step.parameters.map { exchange(&gradients[$0], Tensor(zeros: [0])) }
      let before = step.kernel.backward(
        gradient, record: records[index], parameters: step.parameters.map { weights[$0] },
        gradients: &own, needsInput: index > firstWithParameters, pass: pass)
      for (parameter, tensor) in zip(step.parameters, own) { gradients[parameter] = tensor }
      own.removeAll()
      records[index] = []
      guard let before else { break }
      gradient = before
    }
    return sums
  }
}

private func exchange(_ tensor: inout Tensor, _ replacement: Tensor) -> Tensor {
  let old = tensor
  tensor = replacement
  return old
}

/// What a network can't be run for.
public enum RunnerError: DescribedError, Hashable {
  /// A layer whose input and output for one sample are larger than the machine's memory.
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
