// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks
public import LCWNumerics

/// Compares a network's gradients with central differences of its loss.
public struct GradientCheck: Sendable {
  /// Gives the summed loss of a batch and its gradient's buffers.
  public typealias Gradient =
    @Sendable (Runner, Tensor, [Int32], Weights) -> (loss: Double, gradients: [Tensor])

  /// How gradients are computed: as training does, by default.
  public var gradient: Gradient
  private let network: Network
  private let elements: Int

  /// A check.
  /// - Parameters:
  ///   - network: The network.
  ///   - elements: The numbers of each parameter to look at, spread over it.
  public init(_ network: Network, elements: Int = 5) {
    self.network = network
    self.elements = elements
    gradient = { runner, input, labels, weights in
      var buffers = weights.tensors.map { Tensor(zeros: $0.shape) }
      let sums = runner.accumulateGradients(
        of: input, labels: labels[...], weights: weights, into: &buffers,
        random: RandomStream(seed: 11))
      return (sums.crossEntropy, buffers)
    }
  }

  /// What of the gradients is not right.
  /// - Throws: What making a runner for the network throws.
  public func brokenProperties() throws -> [BrokenProperty] {
    let samples = 6
    let runner = try Runner(network)
    var random = RandomStream(seed: 3)
    let input = random.normal(network.inputShape.batched(samples))
    let labels = (0..<samples).map { Int32($0 % network.outputShape.count) }
    var weights = try Weights(randomFor: network, seed: 4)
    let (middle, gradients) = gradient(runner, input, labels, weights)
    let step: Float = 1 / 1024
    var broken: [BrokenProperty] = []
    for (index, parameter) in network.parameters.enumerated() where parameter.isTrained {
      if gradients[index].elements.allSatisfy({ $0 == 0 }) {
        broken.add(.reachesParameters, "the gradient of \(parameter.name) is zero everywhere")
      }
      for number in 0..<min(elements, parameter.shape.count) {
        let element = number * parameter.shape.count / min(elements, parameter.shape.count)
        let value = weights[index].elements[element]
        func loss(_ shift: Float) -> Double {
          weights[index].elements[element] = value + shift
          defer { weights[index].elements[element] = value }
          return gradient(runner, input, labels, weights).loss
        }
        /// The difference of the loss; nothing where a ReLU's kink lies within the step, so that the
        /// one-sided differences disagree.
        func difference(_ step: Float) -> Double? {
          let (above, below) = (loss(step), loss(-step))
          let bend = abs(above + below - 2 * middle) / Double(step * Float(samples))
          return bend < 1e-3 ? (above - below) / Double(2 * step * Float(samples)) : nil
        }
        guard let numeric = difference(step) else { continue }
        let found = Double(gradients[index].elements[element])
        func isNear(_ numeric: Double) -> Bool {
          abs(numeric - found) <= 2e-3 + 0.02 * abs(numeric)
        }
        // Two kinks, one on either side, may hide each other; within a smaller step there are none.
        guard isNear(numeric) || difference(step / 4).map(isNear) ?? true else {
          broken.add(
            .hasGradients,
            "\(parameter.name)[\(element)]: \(found) where differences of the loss give \(numeric)")
          break
        }
      }
    }
    return broken
  }
}
