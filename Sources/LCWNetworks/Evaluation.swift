// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Mean cross-entropy and accuracy over a set of samples.
public struct Metrics: Sendable, Hashable {
  /// The mean of −log softmax(logits)[label], in nats.
  public let crossEntropy: Double
  /// The share of samples whose label has the largest logit.
  public let accuracy: Double

  /// Means.
  public init(crossEntropy: Double, accuracy: Double) {
    self.crossEntropy = crossEntropy
    self.accuracy = accuracy
  }

  /// The means of sums; not numbers if there was no sample.
  public init(_ sums: ClassificationSums) {
    crossEntropy = sums.crossEntropy / Double(sums.samples)
    accuracy = Double(sums.correct) / Double(sums.samples)
  }
}

extension SampleSet {
  /// Checks that a network takes these samples and tells as many classes apart.
  /// - Throws: ``DataError/shape(expected:found:)`` or ``DataError/classes(expected:found:)``.
  public func check(fits network: Network) throws(DataError) {
    let isSame = network.inputShape == sampleShape
    // A network of vectors takes any samples of as many values: they are flattened anyway.
    let isFlattened = network.inputShape == [sampleShape.count]
    guard isSame || isFlattened else {
      throw .shape(expected: network.inputShape, found: sampleShape)
    }
    guard network.outputShape == [classes] else {
      throw .classes(expected: network.outputShape.count, found: classes)
    }
  }

  /// Neighbouring ranges of at most `size` samples that cover the set.
  public func ranges(ofSize size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

extension Runner {
  /// The samples a block has so that its widest activations take some four megabytes, as small as
  /// the caches like and as large as the products need. These want at least 64 samples, unless the
  /// activations then took more than 64 MB.
  public var evaluationBlock: Int {
    // Of a chain a layer's input and output are alive, of which the wider one counts.
    let widest = max(1, network.widestSample, network.widestLiveSample / 2)
    let fewest = min(64, max(1, (1 << 24) / widest))
    return max(fewest, min(512, (1 << 20) / widest))
  }

  /// The cross-entropy and accuracy of weights on all samples, block by block.
  ///
  /// Each worker runs whole blocks, and blocks are summed in order: the result does not depend on
  /// the number of workers.
  ///
  /// - Parameter progress: Is told before each block the share of the blocks begun. If it throws, the
  ///   evaluation ends with that error.
  /// - Throws: ``DataError`` if the samples do not fit the network, and what `progress` throws.
  public func evaluate(
    _ weights: Weights, on samples: SampleSet, workers: Workers = .available,
    progress: @Sendable (Double) throws -> Void = { _ in }
  ) throws -> Metrics {
    try samples.check(fits: network)
    let blocks = samples.ranges(ofSize: evaluationBlock)
    let sums = try workers.map(blocks.count) { index in
      try progress(Double(index) / Double(blocks.count))
      let logits = output(of: samples.block(blocks[index]), weights: weights)
      return logits.softmaxCrossEntropy(labels: samples.labels[blocks[index]])
    }
    return Metrics(sums.reduce(into: ClassificationSums()) { $0 += $1 })
  }
}
