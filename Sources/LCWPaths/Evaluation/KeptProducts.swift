// SPDX-License-Identifier: Apache-2.0
package import LCWCore
package import LCWNumerics
import Synchronization

/// Products of samples with the weights of first dense layers, kept for the next evaluation that needs
/// them: that of a path's worst points after its grid, that of another method on the same pair, or that of
/// another pair with the same network.
///
/// A path of two-layer networks costs two such products, and little beside; with them kept, the paths
/// between N networks cost N in all. Figures have the same bits as without them.
public final class KeptProducts: Sendable {
  /// The most bytes to keep: of the products, and of the weights that they are products of.
  public let limit: Int

  /// An eighth of the machine's memory.
  public static var standardLimit: Int { Int(Machine.physicalMemory / 8) }

  private let state = Mutex(State())

  fileprivate struct State {
    var groups: [Group] = []
    /// The number of the evaluation that is under way.
    var evaluation = 0
    var bytes: Int { groups.reduce(0) { $0 + $1.bytes } }
  }

  /// A layer of a network, and all that decides what its products with samples are.
  package struct Layer: Sendable {
    /// The layer's weights.
    package var weight: Tensor
    /// The shape of a sample, and all nodes from the sample to the layer.
    package var origin: String

    /// A layer.
    package init(weight: Tensor, origin: String) {
      self.weight = weight
      self.origin = origin
    }

    fileprivate func isSame(as other: Layer) -> Bool {
      weight.sharesStorage(with: other.weight) && origin == other.origin
    }
  }

  /// The products of one layer with one set of samples. It holds both, so that nothing else takes their
  /// place in memory.
  fileprivate struct Group {
    var layer: Layer
    var samples: SampleSet
    var blocks: [Range<Int>: Tensor] = [:]
    var lastUse: Int
    var bytes: Int

    init(layer: Layer, samples: SampleSet, lastUse: Int) {
      self.layer = layer
      self.samples = samples
      self.lastUse = lastUse
      bytes = Group.bytes(of: layer.weight)
    }

    static func bytes(of tensor: Tensor) -> Int { 4 * tensor.count }
  }

  /// Nothing kept yet.
  public init(limit: Int = KeptProducts.standardLimit) {
    self.limit = limit
  }

  /// The bytes that are kept now.
  public var bytes: Int { state.withLock { $0.bytes } }

  /// Says that what is asked for from now on is another path's: what earlier ones kept may give way to it.
  public func beginEvaluation() { state.withLock { $0.evaluation += 1 } }

  /// The product of a block of samples with a layer's weights, from what is kept or else computed.
  ///
  /// What is computed is kept if there is room, or if room can be made by letting go of what this
  /// evaluation has not used, the oldest first.
  package func product(
    of range: Range<Int>, in samples: SampleSet, with layer: Layer, compute: () -> Tensor
  ) -> Tensor {
    if let kept = state.withLock({ $0.product(of: range, in: samples, with: layer) }) {
      return kept
    }
    let product = compute()
    state.withLock { $0.keep(product, of: range, in: samples, with: layer, limit: limit) }
    return product
  }
}

extension KeptProducts.State {
  private func index(of layer: KeptProducts.Layer, _ samples: SampleSet) -> Int? {
    groups.firstIndex {
      $0.layer.isSame(as: layer) && $0.samples.sharesStorage(with: samples)
    }
  }

  fileprivate mutating func product(
    of range: Range<Int>, in samples: SampleSet, with layer: KeptProducts.Layer
  ) -> Tensor? {
    // The products with the other samples as well: their turn comes in the same evaluation.
    for index in groups.indices where groups[index].layer.isSame(as: layer) {
      groups[index].lastUse = evaluation
    }
    return index(of: layer, samples).flatMap { groups[$0].blocks[range] }
  }

  fileprivate mutating func keep(
    _ product: Tensor, of range: Range<Int>, in samples: SampleSet,
    with layer: KeptProducts.Layer, limit: Int
  ) {
    typealias Group = KeptProducts.Group
    let known = index(of: layer, samples)
    let needed =
      Group.bytes(of: product) + (known == nil ? Group.bytes(of: layer.weight) : 0)
    guard makeRoom(for: needed, limit: limit) else { return }
    let index = self.index(of: layer, samples) ?? groups.endIndex
    if index == groups.endIndex {
      groups.append(Group(layer: layer, samples: samples, lastUse: evaluation))
    }
    // Two threads may have computed the same.
    if groups[index].blocks.updateValue(product, forKey: range) == nil {
      groups[index].bytes += Group.bytes(of: product)
    }
  }

  /// Lets go of what this evaluation has not used, as far as it takes; of nothing, if that is not enough.
  private mutating func makeRoom(for needed: Int, limit: Int) -> Bool {
    var lack = bytes + needed - limit
    let old = groups.indices.filter { groups[$0].lastUse < evaluation }
      .sorted { groups[$0].lastUse < groups[$1].lastUse }
    guard old.reduce(0, { $0 + groups[$1].bytes }) >= lack else { return false }
    var gone: Set<Int> = []
    for index in old where lack > 0 {
      lack -= groups[index].bytes
      gone.insert(index)
    }
    if !gone.isEmpty { groups = groups.indices.filter { !gone.contains($0) }.map { groups[$0] } }
    return true
  }
}
