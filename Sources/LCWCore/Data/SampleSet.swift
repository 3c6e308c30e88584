// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// Labelled samples in memory, kept as small as they came and turned into floats block by block.
///
/// Image data sets stay bytes; a block of a few hundred samples at a time becomes a ``Tensor``, so
/// that memory is bounded by the block.
public struct SampleSet: Sendable {
  /// The values as they are kept.
  public enum Values: Sendable {
    /// Bytes and what turns a byte into a float: one scaling for all, one for each channel (the
    /// sample's first size) or one for each place of a sample.
    case bytes([UInt8], [ChannelScaling])
    /// Floats, taken as they are.
    case floats([Float])
  }

  /// value = byte · scale + offset.
  public struct ChannelScaling: Sendable, Hashable {
    /// The factor.
    public var scale: Float
    /// The summand.
    public var offset: Float

    /// A factor and a summand.
    public init(scale: Float, offset: Float) {
      self.scale = scale
      self.offset = offset
    }

    /// Bytes to [0, 1], then less the mean and divided by the deviation.
    public init(mean: Double = 0, deviation: Double = 1) {
      self.init(scale: Float(1 / (255 * deviation)), offset: Float(-mean / deviation))
    }
  }

  /// What happens to a training image each time it is used.
  public struct Augmentation: Sendable, Hashable {
    /// Whether it is mirrored left to right every other time.
    public var flips: Bool
    /// It is padded by this many rows and columns of byte 0, and cropped to its size at random.
    public var padding: Int

    /// Flips, crops, or both.
    public init(flips: Bool, padding: Int) {
      self.flips = flips
      self.padding = padding
    }
  }

  /// The shape of one sample, such as `[1, 28, 28]`.
  public let sampleShape: Shape
  /// The number of classes.
  public let classes: Int
  /// The class of each sample, from 0 to `classes` − 1.
  public let labels: [Int32]
  /// The samples' values, one sample after the other.
  public let values: Values
  /// What happens to each sample in training.
  public let augmentation: Augmentation?
  /// The scalings of bytes as lists of factors and of summands, where each place of a sample has its
  /// own: what a block is computed with.
  private let places: (scales: [Float], offsets: [Float])?

  /// Samples and their labels.
  /// - Parameter name: What to call the data in an error.
  /// - Throws: ``DataError`` if the lengths do not agree or a label is out of range.
  public init(
    name: String, sampleShape: Shape, classes: Int, labels: [Int32], values: Values,
    augmentation: Augmentation? = nil
  ) throws(DataError) {
    let found: Int
    switch values {
    case .bytes(let bytes, let scaling):
      found = bytes.count
      guard [1, sampleShape.rows, sampleShape.count].contains(scaling.count) else {
        throw .damaged(
          file: name, reason: "\(scaling.count) channel scalings for samples \(sampleShape)")
      }
    case .floats(let floats): found = floats.count
    }
    guard found == labels.count * sampleShape.count else {
      throw .damaged(
        file: name,
        reason: "\(labels.count) labels need \(labels.count * sampleShape.count) values of "
          + "samples \(sampleShape), but there are \(found)")
    }
    if let index = labels.firstIndex(where: { $0 < 0 || Int($0) >= classes }) {
      throw .damaged(
        file: name,
        reason: "label \(labels[index]) of sample \(index) is not from 0 to \(classes - 1)")
    }
    self.sampleShape = sampleShape
    self.classes = classes
    self.labels = labels
    self.values = values
    self.augmentation = augmentation
    places = SampleSet.places(of: values, sampleShape)
  }

  private static func places(
    of values: Values, _ sampleShape: Shape
  ) -> (scales: [Float], offsets: [Float])? {
    guard case .bytes(_, let scaling) = values, scaling.count > 1,
      scaling.count == sampleShape.count
    else { return nil }
    return (scaling.map(\.scale), scaling.map(\.offset))
  }

  /// The number of samples.
  public var count: Int { labels.count }

  /// The first samples of this set.
  public func prefix(_ count: Int) -> SampleSet {
    let count = min(max(0, count), self.count)
    return SampleSet(self, keeping: count)
  }

  private init(_ other: SampleSet, keeping count: Int) {
    sampleShape = other.sampleShape
    classes = other.classes
    labels = Array(other.labels.prefix(count))
    augmentation = other.augmentation
    places = other.places
    switch other.values {
    case .bytes(let bytes, let scaling):
      values = .bytes(Array(bytes.prefix(count * sampleShape.count)), scaling)
    case .floats(let floats): values = .floats(Array(floats.prefix(count * sampleShape.count)))
    }
  }

  /// Whether both have the samples of one set; their labels are not compared.
  package func sharesStorage(with other: SampleSet) -> Bool {
    guard sampleShape == other.sampleShape else { return false }
    switch (values, other.values) {
    case (.bytes(let own, let scaling), .bytes(let others, let otherScaling)):
      return scaling == otherScaling && own.sharesStorage(with: others)
    case (.floats(let own), .floats(let others)): return own.sharesStorage(with: others)
    case (.bytes, .floats), (.floats, .bytes): return false
    }
  }

  /// A block of neighbouring samples, `[range.count]` and the sample's shape, not augmented.
  public func block(_ range: Range<Int>) -> Tensor {
    block(at: Array(range))
  }

  /// A block of samples in the order of `indices`.
  ///
  /// - Parameters:
  ///   - indices: The samples, each from 0 to ``count`` − 1.
  ///   - augmenting: If given, and the set has an augmentation, tells the random stream for the
  ///     sample at a position of the block.
  ///   - workers: The threads to divide the samples among; the block does not depend on them.
  public func block(
    at indices: [Int], augmenting stream: (@Sendable (Int) -> RandomStream)? = nil,
    workers: Workers = .serial
  ) -> Tensor {
    let size = sampleShape.count
    let parts = min(workers.count, indices.count * size / SampleSet.fewestValues)
    guard parts > 1 else { return part(indices[...], augmenting: stream) }
    let pieces = workers.values(parts) { index in
      let (lower, upper) = (indices.count * index / parts, indices.count * (index + 1) / parts)
      return part(indices[lower..<upper], augmenting: stream)
    }
    var block = Tensor(unspecified: sampleShape.batched(indices.count))
    var start = 0
    for piece in pieces {
      block.elements.replaceSubrange(start..<start + piece.count, with: piece.elements)
      start += piece.count
    }
    return block
  }

  /// Values of a block below which a second thread costs more than it brings.
  private static let fewestValues = 1 << 15

  /// Neighbouring samples of a block; positions in it are the indices of the slice.
  private func part(
    _ indices: ArraySlice<Int>, augmenting stream: ((Int) -> RandomStream)?
  ) -> Tensor {
    var block = Tensor(unspecified: sampleShape.batched(indices.count))
    let size = sampleShape.count
    let first = indices.startIndex
    switch values {
    case .floats(let floats):
      for position in indices.indices {
        let (start, source) = ((position - first) * size, indices[position] * size)
        block.elements.replaceSubrange(start..<start + size, with: floats[source..<source + size])
      }
    case .bytes(let bytes, let scaling):
      for position in indices.indices {
        let index = indices[position]
        var sample = bytes[index * size..<(index + 1) * size]
        if let augmentation, let stream {
          var random = stream(position)
          sample = augmentation.applied(to: sample, shape: sampleShape, random: &random)[...]
        }
        fill(&block, at: (position - first) * size, with: sample, scaling)
      }
    }
    return block
  }

  private func fill(
    _ block: inout Tensor, at start: Int, with sample: ArraySlice<UInt8>,
    _ scaling: [ChannelScaling]
  ) {
    if let places {
      block.assign(bytes: sample, at: start, scales: places.scales, offsets: places.offsets)
      return
    }
    let channelSize = sample.count / scaling.count
    for (channel, scaling) in scaling.enumerated() {
      let first = sample.startIndex + channel * channelSize
      block.assign(
        bytes: sample[first..<first + channelSize], at: start + channel * channelSize,
        scale: scaling.scale, offset: scaling.offset)
    }
  }
}

extension SampleSet.Augmentation {
  /// One random version of a sample, `[channels, height, width]`.
  func applied(
    to sample: ArraySlice<UInt8>, shape: Shape, random: inout RandomStream
  ) -> [UInt8] {
    guard shape.rank == 3 else { return Array(sample) }
    let isFlipped = flips && random.integer(below: 2) == 1
    let down = padding > 0 ? random.integer(below: 2 * padding + 1) - padding : 0
    let right = padding > 0 ? random.integer(below: 2 * padding + 1) - padding : 0
    return ImageShift(down: down, right: right, isFlipped: isFlipped)
      .applied(to: sample, shape: shape)
  }
}
