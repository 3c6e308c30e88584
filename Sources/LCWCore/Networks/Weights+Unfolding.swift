// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension Weights {
  /// These weights in the network that they were folded from: its batch normalisations do nothing but add
  /// what became a bias of a layer that has none.
  ///
  /// The layers of weights are the same in both networks, in the same order. Weights that moved since they
  /// were folded, as those of a point of a path, go back as well.
  ///
  /// - Parameter original: The network with batch normalisations, of which ``foldingBatchNorm()`` makes this
  ///   one.
  /// - Throws: ``UnfoldingError``.
  public func unfolded(into original: Network) throws -> Weights {
    let running = Set(original.runningAverages)
    let layers = original.nodes.indices.filter {
      !running.contains($0) && !original.parameterIndices(ofLayer: $0).isEmpty
    }
    let own = network.nodes.indices.filter { !network.parameterIndices(ofLayer: $0).isEmpty }
    guard layers.count == own.count else {
      throw UnfoldingError.otherNetwork(
        "it has \(own.count) layers with weights where the other has \(layers.count)")
    }
    var tensors: [Tensor?] = Array(repeating: nil, count: original.parameters.count)
    var summands: [Int: [Float]] = [:]
    for (layer, node) in zip(layers, own) {
      let places = original.parameterIndices(ofLayer: layer)
      var values = network.parameterIndices(ofLayer: node).map { self[$0] }
      if values.count == places.count + 1, let bias = values.popLast() {
        summands[try original.normalisation(behind: layer, among: running)] = bias.elements
      }
      guard values.map(\.shape) == places.map({ original.parameters[$0].shape }) else {
        throw UnfoldingError.otherNetwork(
          "its layer \(network.nodes[node].name) has other sizes than \(original.nodes[layer].name)"
        )
      }
      for (place, value) in zip(places, values) { tensors[place] = value }
    }
    for node in original.runningAverages {
      let places = original.parameterIndices(ofLayer: node)
      let units = places.first.map { original.parameters[$0].shape.count } ?? 0
      guard let affine = original.nodes[node].layer.operation as? any AffineOperation,
        let values = affine.parameters(
          adding: summands[node] ?? [Float](repeating: 0, count: units)),
        values.count == places.count
      else { throw UnfoldingError.noIdentity(layer: original.nodes[node].name) }
      for (place, value) in zip(places, values) { tensors[place] = value }
    }
    let result = try Weights(network: original, tensors: tensors.compactMap(\.self))
    // What order and shapes can't tell: that folding gives this network and no other of its sizes.
    guard try result.foldingBatchNorm().network == network else {
      throw UnfoldingError.otherNetwork("folded it is another one")
    }
    return result
  }
}

extension Network {
  /// The batch normalisation that alone reads a layer's output.
  fileprivate func normalisation(
    behind layer: Int, among running: Set<Int>
  ) throws(UnfoldingError) -> Int {
    let readers = readers[layer + 1]
    guard readers.count == 1, running.contains(readers[0]) else {
      throw .noPlace(layer: nodes[layer].name)
    }
    return readers[0]
  }
}

/// Why weights can't go back into the network that they were folded from.
public enum UnfoldingError: DescribedError, Hashable {
  /// The network is not what folding makes of the other.
  case otherNetwork(String)
  /// A layer got a bias in folding, and no normalisation stands behind it that could add it.
  case noPlace(layer: String)
  /// A normalisation has no parameters with which it does nothing.
  case noIdentity(layer: String)

  /// Wrong usage: another file has to be named.
  public var category: ErrorCategory { .usage }

  /// One line that names the layer.
  public var description: String {
    switch self {
    case .otherNetwork(let reason):
      "the network is not the folded form of the one with batch normalisations: \(reason)"
    case .noPlace(let layer):
      "folding gave a bias to \(layer), which has none in the network with batch normalisations, where no "
        + "normalisation behind it could add it"
    case .noIdentity(let layer): "\(layer) has no parameters with which it does nothing"
    }
  }
}
