// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A value whose channels a network's parameters can rescale and shift: what a layer of weights, or a
/// normalisation by known moments, puts out, together with all such normalisations right behind it that
/// alone read it.
///
/// That is what an activation, an addition or another kind of normalisation reads. In a residual network it is
/// what each branch adds to the stream, and not the sum. What the network puts out is none: nothing with
/// parameters reads it.
struct CorrectionPlace: Sendable, Hashable {
  /// The value.
  let value: Network.Value
  /// The parameter whose rows multiply the channels: a layer's weights, or a normalisation's scale.
  let factor: Int
  /// The parameter that is added to the channels, if there is one: a bias, or a normalisation's shift.
  let summand: Int?

  /// The number of channels.
  func channels(in network: Network) -> Int { network.shape(of: value)[0] }

  /// What is measured: the value, as soon as it is there.
  var probe: MomentProbe { MomentProbe(value: value, next: value.index) }

  /// All places of a network, in its order.
  static func all(of network: Network) -> [CorrectionPlace] {
    let readers = network.readers
    let isHidden = hiddenValues(of: network)
    var isTaken = Set<Int>()
    return network.nodes.indices.compactMap { node in
      guard !isTaken.contains(node), var carrier = parameters(of: node, in: network) else {
        return nil
      }
      var end = node
      while let next = readers[end + 1].first, readers[end + 1].allSatisfy({ $0 == next }),
        network.nodes[next].operation is any AffineOperation,
        let further = parameters(of: next, in: network)
      {
        isTaken.insert(next)
        (end, carrier) = (next, further)
      }
      guard isHidden[end + 1] else { return nil }
      return CorrectionPlace(
        value: .output(ofNode: end), factor: carrier.factor, summand: carrier.summand)
    }
  }

  /// What a node multiplies and adds channels by, if it does.
  private static func parameters(
    of node: Int, in network: Network
  ) -> (factor: Int, summand: Int?)? {
    let operation = network.nodes[node].operation
    let roles: (Parameter.Role, Parameter.Role)
    if operation is any LinearOperation {
      roles = (.weight, .bias)
    } else if operation is any AffineOperation {
      roles = (.scale, .shift)
    } else {
      return nil
    }
    let channels = network.shapes[node + 1][0]
    guard let factor = network.parameterIndex(ofLayer: node, role: roles.0),
      network.parameters[factor].shape.rows == channels
    else { return nil }
    return (factor, network.parameterIndex(ofLayer: node, role: roles.1))
  }

  /// For each value whether a node with weights or a normalisation by known moments can be reached from it.
  private static func hiddenValues(of network: Network) -> [Bool] {
    var isHidden = [Bool](repeating: false, count: network.shapes.count)
    for node in network.nodes.indices.reversed() {
      guard isHidden[node + 1] || parameters(of: node, in: network) != nil else { continue }
      for input in network.nodes[node].inputs { isHidden[input.index] = true }
    }
    return isHidden
  }

  /// Rescales and shifts the channels of weights' value: exactly, but for a place without a summand, whose
  /// summands are left out.
  func apply(_ lines: ChannelLines, to weights: inout Weights) {
    let width = weights[factor].shape.rowCount
    for (channel, line) in lines.factors.enumerated() where line != 1 {
      for index in channel * width..<(channel + 1) * width {
        weights[factor].elements[index] = Float(Double(weights[factor].elements[index]) * line)
      }
    }
    guard let summand else { return }
    for channel in lines.factors.indices {
      let value = Double(weights[summand].elements[channel])
      weights[summand].elements[channel] = Float(
        value * lines.factors[channel] + lines.summands[channel])
    }
  }
}

extension Network {
  /// For each value whether it may change in a stage: a parameter that moves is before it.
  func movingValues(_ motions: [Motion]) -> [Bool] {
    var isMoving = [Bool](repeating: false, count: shapes.count)
    for (node, description) in nodes.enumerated() {
      isMoving[node + 1] =
        description.inputs.contains { isMoving[$0.index] }
        || parameterIndices(ofLayer: node).contains { motions[$0].moves }
    }
    return isMoving
  }
}
