// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// Values that networks on the way have before a layer, kept for all samples so that the next layer's need
/// not be computed from the samples anew.
struct KeptValues: Sendable {
  /// The samples they are kept of, the first ones.
  private(set) var samples = 0
  /// For each network the values.
  private var values: [[Network.Value: Tensor]] = []

  /// Nothing.
  static let none = KeptValues()

  private init() {}

  /// Room for values of a number of networks.
  init(_ kept: [Network.Value], of network: Network, networks: Int, samples: Int) {
    self.samples = samples
    let empty = Dictionary(
      uniqueKeysWithValues: kept.map {
        ($0, Tensor(unspecified: network.shape(of: $0).batched(samples)))
      })
    values = Array(repeating: empty, count: networks)
  }

  /// The values that are kept.
  var names: Set<Network.Value> { Set(values.first.map { Array($0.keys) } ?? []) }

  /// Whether nothing is kept.
  var isEmpty: Bool { values.isEmpty }

  /// A network's value of some samples.
  func block(_ value: Network.Value, ofNetwork index: Int, _ range: Range<Int>) -> Tensor? {
    guard let whole = values[index][value] else { return nil }
    let width = whole.shape.rowCount
    var block = Tensor(unspecified: Shape([range.count] + whole.shape.dimensions.dropFirst()))
    block.elements.replaceSubrange(
      0..<range.count * width,
      with: whole.elements[range.lowerBound * width..<range.upperBound * width])
    return block
  }

  /// Keeps a network's values of some samples.
  mutating func keep(
    _ block: [Network.Value: Tensor], ofNetwork index: Int, _ range: Range<Int>
  ) {
    for value in values[index].keys {
      guard let part = block[value] else { continue }
      let width = part.shape.rowCount
      values[index][value]?.elements.replaceSubrange(
        range.lowerBound * width..<range.upperBound * width, with: part.elements)
    }
  }
}

/// What networks on the way, whose layers are solved for up to one, give that layer to read.
///
/// Their values come from the samples, or from values kept behind an earlier layer. From the samples, layers
/// that read nothing that moves and whose weights are a combination multiply the block once for all.
struct JointFeatures: Sendable {
  private enum Origin: Sendable {
    case samples(MovingParts)
    case kept(Runner, KeptValues)
  }

  private let origin: Origin
  private let points: [Weights]
  private let wanted: [Network.Value]

  /// A block with what is the same in all networks.
  struct Block: Sendable {
    fileprivate var range: Range<Int>
    fileprivate var known: [Network.Value: Tensor] = [:]
    fileprivate var products: [CombinedLayer.Products?] = []
  }

  /// - Parameters:
  ///   - wanted: The values that are asked for.
  ///   - points: The networks.
  ///   - times: Their times.
  ///   - motions: How each parameter moves; opaque where it is that of the points alone.
  ///   - kept: Values kept behind an earlier layer, of all samples that will be asked for; or none.
  init(
    _ wanted: [Network.Value], of points: [Weights], times: [Double], motions: [Motion],
    from kept: KeptValues
  ) throws {
    let network = points[0].network
    self.points = points
    self.wanted = wanted
    if kept.isEmpty {
      let moving = Set(
        network.parameters.indices.filter { motions[$0].moves }
          .map { network.parameters[$0].layer })
      origin = .samples(
        try MovingParts(of: network, moving: moving, motions: motions, times: times, to: wanted))
    } else {
      origin = .kept(try Runner(network, from: kept.names, to: wanted), kept)
    }
  }

  /// Prepares a block of samples.
  func block(_ range: Range<Int>, of samples: SampleSet) -> Block {
    var block = Block(range: range)
    guard case .samples(let parts) = origin else { return block }
    let given = parts.head.outputs(
      of: parts.head.sources.isEmpty ? [] : [samples.block(range)], weights: points[0])
    block.known = Dictionary(uniqueKeysWithValues: zip(parts.head.targets, given))
    block.products = parts.combined.map { layer in
      block.known[layer.input].map(layer.products)
    }
    return block
  }

  /// A network's values.
  func values(of block: Block, network index: Int) -> [Network.Value: Tensor] {
    let outputs: [Tensor]
    switch origin {
    case .samples(let parts):
      var inputs = block.known
      for (layer, products) in zip(parts.combined, block.products) {
        if let products {
          inputs[layer.output] = layer.combine(products, at: index, rows: 0..<block.range.count)
        }
      }
      outputs = parts.tail.outputs(
        of: parts.tail.sources.compactMap { inputs[$0] }, weights: points[index])
    case .kept(let runner, let kept):
      outputs = runner.outputs(
        of: runner.sources.compactMap { kept.block($0, ofNetwork: index, block.range) },
        weights: points[index])
    }
    return Dictionary(zip(wanted, outputs)) { first, _ in first }
  }
}
