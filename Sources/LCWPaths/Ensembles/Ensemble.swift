// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks
public import LCWNumerics

/// Networks whose predicted probabilities are averaged, and which share their first layers.
///
/// Anokhin and Yarotsky 2020, section 6: the first network's layers up to the head are the common
/// backbone. Every other network keeps its head, but for the head's first layer, which is adjusted
/// by least squares to read the backbone's features in the place of its own. With all layers in
/// the head, it is the usual ensemble of independent networks.
public struct Ensemble: Sendable {
  /// The network of each member.
  public let network: Network
  /// The number of weighted layers in the head.
  public let head: Int
  /// The members' weights; the backbone's are the same in all.
  public let members: [Weights]
  /// What an adjusted member's first head layer lacks of its own output, relative to the spread of
  /// that; none for the first member and in a usual ensemble.
  public let residuals: [Double]
  /// The first layer of the head.
  private let boundary: Int

  /// An ensemble of networks.
  ///
  /// - Parameters:
  ///   - networks: At least one; the first gives the backbone.
  ///   - head: The weighted layers in the head, from 1 to all of them.
  ///   - samples: Training samples to adjust on.
  ///   - options: How layers are adjusted.
  ///   - workers: The threads.
  ///   - progress: Is told how far the adjusting has come. If it throws, the work ends with that
  ///     error.
  /// - Throws: ``EnsembleError``, ``NetworkError/mismatch(_:_:)`` if the networks differ, and what
  ///   adjusting and `progress` throw.
  public init(
    of networks: [Weights], head: Int, samples: SampleSet,
    options: AdjustmentOptions = AdjustmentOptions(), workers: Workers = .available,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) throws {
    guard let first = networks.first else { throw EnsembleError.noNetworks }
    let boundary = try Ensemble.boundary(of: first.network, head: head)
    for (number, other) in networks.enumerated() {
      guard other.network == first.network else {
        throw NetworkError.mismatch("\(first.network)", "\(other.network)")
      }
      if let fault = other.fault {
        throw ConnectionError.weights(network: "network \(number + 1)", fault)
      }
    }
    var members = [first]
    var residuals: [Double] = []
    for weights in networks.dropFirst() {
      guard boundary > 0 else {
        members.append(weights)
        continue
      }
      var member = weights
      for (index, parameter) in first.network.parameters.enumerated()
      where parameter.layer < boundary {
        member[index] = first[index]
      }
      let result = try LayerAdjustment(
        of: boundary, reference: weights, samples: samples, options: options, workers: workers,
        progress: progress
      ).results(
        base: first, motion: LayerMotion([:]), moving: first.network.weightedLayers[0],
        startsAtReference: false, times: [0])[0]
      result.assign(to: &member)
      residuals.append(result.residual)
      members.append(member)
    }
    self.init(trusted: members, head: head, boundary: boundary, residuals: residuals)
  }

  /// An ensemble of members that share their backbone already.
  /// - Throws: ``EnsembleError`` if they do not, or the head is none.
  public init(members: [Weights], head: Int) throws {
    guard let first = members.first else { throw EnsembleError.noNetworks }
    let boundary = try Ensemble.boundary(of: first.network, head: head)
    for (number, member) in members.enumerated() {
      guard member.network == first.network else {
        throw NetworkError.mismatch("\(first.network)", "\(member.network)")
      }
      for (index, parameter) in first.network.parameters.enumerated()
      where parameter.layer < boundary && !member[index].isIdentical(to: first[index]) {
        throw EnsembleError.otherBackbone(member: number, parameter: parameter.name)
      }
    }
    self.init(trusted: members, head: head, boundary: boundary, residuals: [])
  }

  private init(trusted members: [Weights], head: Int, boundary: Int, residuals: [Double]) {
    network = members[0].network
    self.members = members
    self.head = head
    self.boundary = boundary
    self.residuals = residuals
  }

  /// The first layer of a head of so many weighted layers.
  static func boundary(of network: Network, head: Int) throws(EnsembleError) -> Int {
    let layers = network.weightedLayers
    guard head >= 1, head <= layers.count else {
      throw .noSuchHead(head, weightedLayers: layers.count)
    }
    guard head < layers.count else { return 0 }
    let boundary = layers[layers.count - head]
    guard network.isCut(before: boundary) else {
      let others = (1...layers.count).filter {
        $0 == layers.count || network.isCut(before: layers[layers.count - $0])
      }
      throw .headWithinBlock(head, layer: network.nodes[boundary].name, others: others)
    }
    return boundary
  }

  /// Whether a parameter is the same in all members.
  public func isShared(_ parameter: Parameter) -> Bool { parameter.layer < boundary }

  // MARK: Cost

  /// The numbers that the first `count` members hold, the backbone counted once.
  public func storedValues(count: Int) -> Int {
    network.parameters.reduce(0) { $0 + $1.shape.count * (isShared($1) ? 1 : count) }
  }

  /// The multiplications with additions that the first `count` members need for one sample; the
  /// largest integer if there are as many or more.
  public func multiplyAdds(count: Int) -> Int {
    let sum = network.weightedLayers.reduce(0.0) {
      $0 + Double(network.multiplyAdds(ofLayer: $1)) * Double($1 < boundary ? 1 : count)
    }
    // Beyond 2⁵³ a sum of doubles need not be exact, and nobody runs such a network.
    guard sum < 0x1p53 else { return Int(exactly: sum.rounded()) ?? .max }
    return network.weightedLayers.reduce(0) {
      $0 + network.multiplyAdds(ofLayer: $1) * ($1 < boundary ? 1 : count)
    }
  }

  // MARK: Evaluation

  /// The metrics of the first member, of the first two, and so on to all.
  ///
  /// Blocks are summed in order, so that the result does not depend on the number of workers.
  ///
  /// - Parameter progress: Is told before each block the share of the blocks begun. If it throws, the
  ///   evaluation ends with that error.
  /// - Throws: ``DataError`` if the samples do not fit, and what `progress` throws.
  public func evaluate(
    on samples: SampleSet, workers: Workers = .available,
    progress: @Sendable (Double) throws -> Void = { _ in }
  ) throws -> [Metrics] {
    try samples.check(fits: network)
    let cut = network.nodes[boundary].inputs[0]
    let (backbone, rest) = (
      try Runner(network, from: [.sample], to: [cut]),
      try Runner(network, from: [cut], to: [network.output])
    )
    let blocks = samples.ranges(ofSize: rest.evaluationBlock)
    let sums = try workers.map(blocks.count) { index in
      try progress(Double(index) / Double(blocks.count))
      return partialSums(
        of: samples.block(blocks[index]), samples.labels[blocks[index]], backbone, rest)
    }
    return members.indices.map { count in
      Metrics(sums.reduce(into: ClassificationSums()) { $0 += $1[count] })
    }
  }

  private func partialSums(
    of block: Tensor, _ labels: ArraySlice<Int32>, _ backbone: Runner, _ rest: Runner
  ) -> [ClassificationSums] {
    let features = backbone.output(of: block, weights: members[0])
    var mean = SoftmaxMean(samples: block.shape.rows, classes: network.outputShape.count)
    return members.map { member in
      mean.add(rest.output(of: features, weights: member))
      return mean.sums(labels: labels)
    }
  }
}

/// What can be wrong with an ensemble.
public enum EnsembleError: DescribedError, Hashable {
  /// There is no network.
  case noNetworks
  /// The head has no layer, or more than there are.
  case noSuchHead(Int, weightedLayers: Int)
  /// A head would begin where others read values from before it too: within a residual block.
  case headWithinBlock(Int, layer: String, others: [Int])
  /// A member has other weights before the head than the first.
  case otherBackbone(member: Int, parameter: String)

  /// Wrong usage, or wrong data.
  public var category: ErrorCategory {
    if case .otherBackbone = self { .data } else { .usage }
  }

  /// One line that says what is wrong.
  public var description: String {
    switch self {
    case .noNetworks: "an ensemble needs a network"
    case .noSuchHead(let head, let layers):
      "a head of \(head) layers is not possible: the network has \(layers) weight layers, so give 1 to "
        + "\(layers)"
    case .headWithinBlock(let head, let layer, let others):
      "a head of \(head) layers would begin at \(layer), inside a residual block; "
        + "heads of \(others.map(String.init).joined(separator: ", ")) layers are possible"
    case .otherBackbone(let member, let parameter):
      "member \(member + 1) has another \(parameter) than the first, but it is in the backbone"
    }
  }
}

extension Network {
  /// Whether all that a node and those behind it read from before it is one value, which the node alone
  /// reads: only that layer is adjusted to the backbone's features.
  fileprivate func isCut(before node: Int) -> Bool {
    nodes[(node + 1)...].allSatisfy { other in other.inputs.allSatisfy { $0.index > node } }
  }
}
