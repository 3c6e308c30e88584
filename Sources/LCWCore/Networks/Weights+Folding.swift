// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension Weights {
  /// Weights of a network without batch normalisations that computes the same in evaluation.
  ///
  /// A normalisation by running moments is a factor and a summand for each channel. Right behind a
  /// dense layer or a convolution they become part of its weights and of its bias, which it gets if
  /// it has none. Elsewhere they become part of the layer behind, where nothing but a flatten or
  /// dropout lies between and a convolution does not pad, since zeros around the normalised image
  /// are not zeros before.
  ///
  /// - Returns: The weights themselves if there is no normalisation.
  /// - Throws: ``FoldingError/noNeighbour(layer:)`` for one that has no such neighbour, and
  ///   ``FoldingError/notFinite(layer:)`` for one whose moments can't be those of data.
  public func foldingBatchNorm() throws -> Weights {
    var chain = FoldingChain(self)
    for link in chain.links where link.layer == .batchNorm {
      let variances = link.tensors[3].elements
      guard link.tensors.allSatisfy(\.isFinite), variances.allSatisfy({ $0 >= 0 }) else {
        throw FoldingError.notFinite(layer: link.index)
      }
    }
    while let left = chain.links.first(where: { $0.layer == .batchNorm }) {
      guard chain.foldOne() else { throw FoldingError.noNeighbour(layer: left.index) }
    }
    let folded = try Network(inputShape: network.inputShape, layers: chain.links.map(\.layer))
    let weights = try Weights(network: folded, tensors: chain.links.flatMap(\.tensors))
    if isFinite, !weights.isFinite,
      let first = network.layers.firstIndex(of: .batchNorm)
    {
      throw FoldingError.notFinite(layer: first)
    }
    return weights
  }
}

/// A chain whose normalisations are folded one after the other.
private struct FoldingChain {
  struct Link {
    /// The layer's index before anything was folded.
    var index: Int
    var layer: Layer
    var tensors: [Tensor]

    /// The weights and a bias, zeros if the layer has none.
    mutating func withBias(_ change: (inout Tensor, inout Tensor) -> Void) {
      switch layer {
      case .dense(let outputs, _): layer = .dense(outputs: outputs, bias: true)
      case .convolution(var convolution):
        convolution.bias = true
        layer = .convolution(convolution)
      default: preconditionFailure("\(layer) has no weights to fold into")
      }
      var weight = tensors[0]
      var bias = tensors.count > 1 ? tensors[1] : Tensor(zeros: [weight.shape.rows])
      change(&weight, &bias)
      tensors = [weight, bias]
    }
  }

  var links: [Link]

  init(_ weights: Weights) {
    let network = weights.network
    links = network.layers.indices.map { index in
      Link(
        index: index, layer: network.layers[index],
        tensors: network.parameterIndices(ofLayer: index).map { weights[$0] })
    }
  }

  /// Folds the first normalisation that can be.
  mutating func foldOne() -> Bool {
    for place in links.indices where links[place].layer == .batchNorm {
      if place > 0, links[place - 1].layer.isWeighted {
        links[place - 1].foldBehind(links[place])
        links.remove(at: place)
        return true
      }
      if let next = target(behind: place) {
        links[next].foldBefore(links[place])
        links.remove(at: place)
        return true
      }
    }
    return false
  }

  private func target(behind place: Int) -> Int? {
    let next = links.indices.dropFirst(place + 1).first {
      switch links[$0].layer {
      case .flatten, .dropout: false
      default: true
      }
    }
    guard let next else { return nil }
    switch links[next].layer {
    case .dense: return next
    case .convolution(let convolution) where convolution.padding == 0: return next
    default: return nil
    }
  }
}

extension FoldingChain.Link {
  /// What a normalisation multiplies each channel by and adds to it.
  private var lines: [(factor: Double, summand: Double)] {
    (0..<tensors[0].count).map { channel in
      let (scale, shift, mean, variance) = (
        Double(tensors[0].elements[channel]), Double(tensors[1].elements[channel]),
        Double(tensors[2].elements[channel]), Double(tensors[3].elements[channel])
      )
      let factor = scale / (variance + Double(ChannelNormalisation.epsilon)).squareRoot()
      return (factor, shift - mean * factor)
    }
  }

  /// Takes over the normalisation of this layer's outputs.
  fileprivate mutating func foldBehind(_ normalisation: Self) {
    let lines = normalisation.lines
    withBias { weight, bias in
      let width = weight.shape.rowCount
      for (unit, line) in lines.enumerated() {
        for index in unit * width..<(unit + 1) * width {
          weight.elements[index] = Float(Double(weight.elements[index]) * line.factor)
        }
        bias.elements[unit] = Float(Double(bias.elements[unit]) * line.factor + line.summand)
      }
    }
  }

  /// Takes over the normalisation of this layer's inputs.
  fileprivate mutating func foldBefore(_ normalisation: Self) {
    let lines = normalisation.lines
    withBias { weight, bias in
      // The weights of a channel: the columns of its positions, or a filter's plane.
      let width = weight.shape.rowCount
      let block = width / lines.count
      for unit in 0..<weight.shape.rows {
        var sum = Double(bias.elements[unit])
        for column in 0..<width {
          let line = lines[column / block]
          let value = Double(weight.elements[unit * width + column])
          weight.elements[unit * width + column] = Float(value * line.factor)
          sum += value * line.summand
        }
        bias.elements[unit] = Float(sum)
      }
    }
  }
}

/// What keeps a normalisation from being folded into a neighbour.
public enum FoldingError: DescribedError, Hashable {
  /// A normalisation has no layer right before it, or behind it, that can take it over.
  case noNeighbour(layer: Int)
  /// A normalisation's scales, shifts or moments are not finite, a variance is negative, or what they
  /// make of the layer beside is not finite.
  case notFinite(layer: Int)

  /// Wrong usage, or wrong data.
  public var category: ErrorCategory {
    switch self {
    case .noNeighbour: .usage
    case .notFinite: .data
    }
  }

  /// One line that names the layer.
  public var description: String {
    switch self {
    case .noNeighbour(let layer):
      "layer \(layer + 1) (batchnorm) can't be folded: it neither follows a dense layer or a "
        + "convolution directly, nor precedes a dense layer or a convolution without padding"
    case .notFinite(let layer):
      "layer \(layer + 1) (batchnorm) can't be folded: a value of it is not finite or too large, or a "
        + "variance is negative"
    }
  }
}
