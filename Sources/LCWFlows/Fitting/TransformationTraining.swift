// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFiles
public import LCWNumerics

/// A transformation that is being fitted: a value that can be saved between epochs and gone on from
/// to the same bits.
///
/// What it is fitted to is the caller's: it fills ``gradients``, takes ``step(workers:)``, and tells
/// the figures of each epoch. The transformation of the best epoch is kept.
public struct TransformationTraining: Sendable {
  /// What determines the fit.
  public let plan: FitPlan
  /// Whether figures are better the larger they are: likelihoods are, losses are not.
  public let isAscending: Bool
  /// The transformation as it is now.
  public private(set) var current: Transformation
  /// The transformation of the best epoch.
  public private(set) var best: Transformation
  /// The figures of each epoch; first those of the transformation before any.
  public private(set) var history: [FitFigures]
  /// The place of the best figures in ``history``.
  public private(set) var bestEpoch = 0
  /// Why the fit ended before its epochs were done, if it diverged after a better epoch.
  public private(set) var endedEarly: String?
  /// The gradients of a step.
  public var gradients: [Tensor]
  private var firstMoments: [Tensor]
  private var secondMoments: [Tensor]
  private var steps = 0

  /// A fit that begins with a transformation whose figures are known.
  public init(
    _ start: Transformation, figures: FitFigures, isAscending: Bool, plan: FitPlan
  ) {
    self.plan = plan
    self.isAscending = isAscending
    current = start
    best = start
    history = [figures]
    gradients = start.zeroGradients
    firstMoments = gradients
    secondMoments = gradients
  }

  /// The epochs done.
  public var epoch: Int { history.count - 1 }

  /// Whether all epochs are done, or none was better for too long.
  public var isFinished: Bool {
    endedEarly != nil || epoch >= plan.epochs
      || (plan.patience > 0 && epoch - bestEpoch >= plan.patience)
  }

  /// One step of Adam (Kingma and Ba 2015) along the gradients.
  public mutating func step(workers: Workers) {
    steps += 1
    let constants = Tensor.AdamConstants(
      rate: plan.rate(in: epoch, step: steps), decay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
      step: steps)
    for index in gradients.indices {
      current.parameters[index].adamStep(
        firstMoment: &firstMoments[index], secondMoment: &secondMoments[index],
        gradient: gradients[index], constants: constants, workers: workers)
    }
  }

  /// Ends an epoch.
  /// - Throws: ``FlowError/diverged(what:epoch:)`` if a figure is not finite.
  public mutating func finishEpoch(_ figures: FitFigures, of what: String) throws {
    guard figures.train.isFinite, figures.heldOut?.isFinite ?? true else {
      throw FlowError.diverged(what: what, epoch: epoch)
    }
    history.append(figures)
    let (new, old) = (value(figures), value(history[bestEpoch]))
    if isAscending ? new > old : new < old {
      best = current
      bestEpoch = epoch
    }
  }

  /// Ends the fit at an epoch that diverged, with the best of those before.
  /// - Parameter keepingStart: Whether the start is kept where no epoch was better.
  /// - Throws: The error, if none of them was better than the start, and that is not to be kept.
  public mutating func end(after error: FlowError, keepingStart: Bool = false) throws {
    guard error.isOfAnEpoch, bestEpoch > 0 || keepingStart else { throw error }
    endedEarly = error.description + (bestEpoch > 0 ? "" : "; the start is kept")
  }

  /// What the user should know of a fit that is finished; nothing of one that went well.
  public var warning: String? {
    if let endedEarly { return endedEarly }
    guard epoch > 0 else { return nil }
    guard current.parameters.contains(where: { $0.count > 0 }) else {
      return "there are no layers to fit; the standardisation is all there is"
    }
    if bestEpoch == 0 {
      return "no epoch was better than the start, which is kept; try a smaller rate"
    }
    guard steps < plan.warmUp else { return nil }
    return "it ended after \(steps) of the \(plan.warmUp) steps in which the rate rises; try more "
      + "epochs, smaller batches or a shorter warm-up"
  }

  // What counts is the held-out networks' figure, where there are any.
  private func value(_ figures: FitFigures) -> Double { figures.heldOut ?? figures.train }
}

// MARK: - Going on after an interruption

extension TransformationTraining {
  /// What must be kept to go on to the same bits.
  /// - Parameter origin: What else makes a state this fit's and no other's.
  public func state(origin: [String: JSONValue]) -> Checkpoint {
    var tensors: [NamedTensor] = []
    for (name, list) in lists {
      for (index, tensor) in list.enumerated() {
        tensors.append(NamedTensor("\(name)/\(index)", StoredTensor(tensor)))
      }
    }
    var metadata = identity(origin)
    metadata["best"] = .integer(bestEpoch)
    metadata["history"] = historyJSON
    metadata["steps"] = .integer(steps)
    return Checkpoint(kind: .checkpoint, metadata: metadata, tensors: tensors)
  }

  /// The figures of each epoch as metadata.
  public var historyJSON: JSONValue {
    var object: [String: JSONValue] = ["train": .array(history.map { JSONValue($0.train) })]
    let heldOut = history.compactMap(\.heldOut)
    if heldOut.count == history.count {
      object["held-out"] = .array(heldOut.map { JSONValue($0) })
    }
    return .object(object)
  }

  private var lists: [(String, [Tensor])] {
    [
      ("current", current.parameters), ("best", best.parameters), ("first-moment", firstMoments),
      ("second-moment", secondMoments),
    ]
  }

  private func identity(_ origin: [String: JSONValue]) -> [String: JSONValue] {
    var identity = plan.json.merging(origin) { $1 }
    identity["design"] = current.design.json
    // Axes of equal variance are found differently by another processor.
    if let reflections = current.standardisation.reflections {
      identity["reflections"] = .string(
        SHA256.hexDigest(of: StoredTensor(reflections.vectors).bytes))
    }
    return identity
  }

  /// Goes on from a state that was kept.
  /// - Throws: ``FlowError/otherFit(field:expected:found:)`` if it is another fit's, and what reading
  ///   a tensor throws.
  public mutating func resume(from state: Checkpoint, origin: [String: JSONValue]) throws {
    try state.requireFit(identity(origin))
    let object = state.metadata["history"]?.object
    let train = object?["train"]?.array?.compactMap(\.double) ?? []
    let heldOut = object?["held-out"]?.array?.compactMap(\.double)
    guard let best = state.metadata["best"]?.integer, train.indices.contains(best),
      let steps = state.metadata["steps"]?.integer, (0...1 << 53).contains(steps),
      heldOut.map({ $0.count == train.count }) ?? true
    else {
      throw FlowError.otherFit(field: "history", expected: "that of a fit", found: "another")
    }
    var next = self
    func tensors(_ name: String) throws -> [Tensor] {
      try current.parameters.indices.map { index in
        let tensor = try state.floats(named: "\(name)/\(index)")
        let shape = current.parameters[index].shape
        guard tensor.shape == shape else {
          throw NetworkError.shape(
            parameter: "\(name)/\(index)", expected: shape, found: tensor.shape)
        }
        return tensor
      }
    }
    next.current.parameters = try tensors("current")
    next.best.parameters = try tensors("best")
    next.firstMoments = try tensors("first-moment")
    next.secondMoments = try tensors("second-moment")
    next.history = train.indices.map { FitFigures(train: train[$0], heldOut: heldOut?[$0]) }
    next.bestEpoch = best
    next.steps = steps
    self = next
  }
}

extension Checkpoint {
  /// Requires a state to be that of a fit.
  /// - Parameter identity: What the metadata must say.
  /// - Throws: ``FlowError/otherFit(field:expected:found:)``.
  func requireFit(_ identity: [String: JSONValue]) throws(FlowError) {
    func shortened(_ value: JSONValue?) -> String {
      let text = value?.compactText ?? "not known"
      return text.count > 100 ? "\(text.prefix(100))…" : text
    }
    for (field, expected) in identity.sorted(by: { $0.key < $1.key }) {
      let found = metadata[field]
      guard found.map(expected.means) ?? false else {
        throw .otherFit(field: field, expected: shortened(expected), found: shortened(found))
      }
    }
  }
}

extension FlowError {
  /// Whether an epoch went wrong, after which those before it still are what they were.
  fileprivate var isOfAnEpoch: Bool {
    switch self {
    case .diverged, .notFinite, .notInverted: true
    default: false
    }
  }
}
