// SPDX-License-Identifier: Apache-2.0
import LCWCore
public import LCWNumerics
import Synchronization

/// Products of samples with the weights of first dense layers, kept for the next evaluation that needs
/// them: that of a path's worst points after its grid, that of another method on the same pair, or that of
/// another pair with the same network.
///
/// A path of two-layer networks costs two such products, and little beside; with them kept, the paths
/// between N networks cost N in all. Nothing is computed otherwise than without them: the figures have the
/// same bits.
public final class KeptProducts: Sendable {
  /// The most bytes that are kept.
  public let limit: Int

  private let state = Mutex(State())

  fileprivate struct State {
    var groups: [Group] = []
    var bytes = 0
    /// The number of the evaluation that is under way.
    var evaluation = 0
  }

  /// The products of one tensor of weights with one set of samples.
  fileprivate struct Group {
    /// Held, so that no other tensor takes its place in memory.
    var weight: Tensor
    var samples: SampleSet
    var blocks: [Range<Int>: Tensor] = [:]
    var lastUse: Int
    var bytes: Int { blocks.values.reduce(0) { $0 + 4 * $1.count } }
  }

  /// Nothing kept yet.
  /// - Parameter limit: The most bytes to keep; an eighth of the machine's memory by default.
  public init(limit: Int = Int(Machine.physicalMemory / 8)) {
    self.limit = limit
  }

  /// The bytes that are kept now.
  public var bytes: Int { state.withLock { $0.bytes } }

  /// Lets what earlier evaluations kept give way to what the next one needs.
  func beginEvaluation() { state.withLock { $0.evaluation += 1 } }

  /// The product of a block of samples with weights, from what is kept or else computed.
  ///
  /// What is computed is kept if there is room, or room can be made by letting go of what this evaluation has
  /// not used, the oldest first.
  func product(
    of range: Range<Int>, in samples: SampleSet, with weight: Tensor, compute: () -> Tensor
  ) -> Tensor {
    if let kept = state.withLock({ $0.product(of: range, in: samples, with: weight) }) {
      return kept
    }
    let product = compute()
    state.withLock { $0.keep(product, of: range, in: samples, with: weight, limit: limit) }
    return product
  }
}

extension KeptProducts.State {
  private func index(of weight: Tensor, _ samples: SampleSet) -> Int? {
    groups.firstIndex {
      $0.weight.sharesStorage(with: weight) && $0.samples.sharesStorage(with: samples)
    }
  }

  fileprivate mutating func product(
    of range: Range<Int>, in samples: SampleSet, with weight: Tensor
  ) -> Tensor? {
    guard let index = index(of: weight, samples) else { return nil }
    groups[index].lastUse = evaluation
    return groups[index].blocks[range]
  }

  fileprivate mutating func keep(
    _ product: Tensor, of range: Range<Int>, in samples: SampleSet, with weight: Tensor, limit: Int
  ) {
    let needed = 4 * product.count
    while bytes + needed > limit {
      let old = groups.indices.filter { groups[$0].lastUse < evaluation }
      guard let oldest = old.min(by: { groups[$0].lastUse < groups[$1].lastUse }) else { return }
      bytes -= groups[oldest].bytes
      groups.remove(at: oldest)
    }
    let index = index(of: weight, samples) ?? groups.endIndex
    if index == groups.endIndex {
      groups.append(KeptProducts.Group(weight: weight, samples: samples, lastUse: evaluation))
    }
    // Two threads may have computed the same.
    guard groups[index].blocks.updateValue(product, forKey: range) == nil else { return }
    bytes += needed
  }
}
