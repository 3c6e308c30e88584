// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A rule that turns gradients into steps.
public enum OptimiserRule: Sendable, Hashable, CustomStringConvertible {
  /// v ← momentum · v + g + decay · w; w ← w − rate · v (as PyTorch has it).
  case sgd(momentum: Float, decay: Float)
  /// Adam (Kingma and Ba 2015), the decay added to the gradient.
  case adam(beta1: Float, beta2: Float, decay: Float)

  /// The rule a text such as `sgd:momentum=0.9,decay=0.0001` or `adam` means.
  /// - Throws: ``TrainingError/optimiser(_:)``.
  public init(_ text: String) throws(TrainingError) {
    guard let reference = try? PluginReference(text) else { throw .optimiser(text) }
    func value(_ key: String, default standard: Float) throws(TrainingError) -> Float {
      guard let option = reference.options[key] else { return standard }
      guard let value = Float(option), value >= 0, value.isFinite else { throw .optimiser(text) }
      return value
    }
    let keys = Set(reference.options.keys)
    switch reference.name {
    case "sgd" where keys.isSubset(of: ["momentum", "decay"]):
      self = .sgd(
        momentum: try value("momentum", default: 0.9), decay: try value("decay", default: 1e-4))
    case "adam" where keys.isSubset(of: ["beta1", "beta2", "decay"]):
      self = .adam(
        beta1: try value("beta1", default: 0.9), beta2: try value("beta2", default: 0.999),
        decay: try value("decay", default: 0))
    default: throw .optimiser(text)
    }
    switch self {
    case .sgd(let momentum, _): guard momentum < 1 else { throw .optimiser(text) }
    case .adam(let beta1, let beta2, _):
      guard beta1 < 1, beta2 < 1 else { throw .optimiser(text) }
    }
  }

  /// The text that means this rule.
  public var description: String {
    switch self {
    case .sgd(let momentum, let decay): "sgd:decay=\(decay),momentum=\(momentum)"
    case .adam(let beta1, let beta2, let decay):
      "adam:beta1=\(beta1),beta2=\(beta2),decay=\(decay)"
    }
  }
}

/// A rule and what it remembers from step to step.
public struct Optimiser: Sendable {
  /// The rule.
  public let rule: OptimiserRule
  /// The steps taken.
  public internal(set) var steps: Int
  /// The buffers gradients are accumulated into: for SGD the velocities themselves.
  public var gradients: [Tensor]
  private var firstMoments: [Tensor]
  private var secondMoments: [Tensor]

  /// An optimiser that has taken no step.
  public init(_ rule: OptimiserRule, for network: Network) {
    let zeros = network.parameters.map { Tensor(zeros: $0.shape) }
    self.rule = rule
    steps = 0
    gradients = zeros
    if case .adam = rule {
      firstMoments = zeros
      secondMoments = zeros
    } else {
      firstMoments = []
      secondMoments = []
    }
  }

  /// What the gradient buffers keep from the step before: see
  /// ``Runner/accumulateGradients(of:labels:weights:into:carry:random:workers:)``.
  public var carry: Float {
    if case .sgd(let momentum, _) = rule { momentum } else { 0 }
  }

  /// Moves the weights by one step, once the gradients are accumulated.
  ///
  /// Running statistics have no gradient: what stands in its place is the batch's value, and they move a
  /// share of the way towards it.
  public mutating func step(_ weights: inout Weights, rate: Float, workers: Workers) {
    steps += 1
    for index in gradients.indices {
      if case .average(let share) = weights.network.parameters[index].update {
        weights[index].assign(share, times: gradients[index], plus: 1 - share)
        continue
      }
      switch rule {
      case .sgd(_, let decay):
        weights[index].sgdStep(
          velocity: &gradients[index], rate: rate, decay: decay, workers: workers)
      case .adam(let beta1, let beta2, let decay):
        weights[index].adamStep(
          firstMoment: &firstMoments[index], secondMoment: &secondMoments[index],
          gradient: gradients[index],
          constants: .init(
            rate: rate, decay: decay, beta1: beta1, beta2: beta2, epsilon: 1e-8, step: steps),
          workers: workers)
      }
    }
  }

  /// What must be kept to continue to the same bits: named lists of a tensor per parameter.
  public var memory: [(name: String, tensors: [Tensor])] {
    switch rule {
    case .sgd: [("velocity", gradients)]
    case .adam: [("first-moment", firstMoments), ("second-moment", secondMoments)]
    }
  }

  /// Takes over what ``memory`` gave, after `steps` steps.
  /// - Throws: ``NetworkError`` if a list or a shape does not fit.
  public mutating func restore(
    steps: Int, memory: (String) throws -> [Tensor]
  ) throws {
    func checked(_ name: String) throws -> [Tensor] {
      let tensors = try memory(name)
      guard tensors.map(\.shape) == gradients.map(\.shape) else {
        throw NetworkError.tensorCount(expected: gradients.count, found: tensors.count)
      }
      return tensors
    }
    switch rule {
    case .sgd: gradients = try checked("velocity")
    case .adam:
      firstMoments = try checked("first-moment")
      secondMoments = try checked("second-moment")
    }
    self.steps = steps
  }
}
