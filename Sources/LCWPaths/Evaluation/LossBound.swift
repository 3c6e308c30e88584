// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
import LCWNumerics

/// The largest loss of a path on some samples, where no point can have a larger one than the states that
/// were looked at.
public struct ProvenLoss: Sendable, Hashable {
  /// The largest mean cross-entropy.
  public var loss: Double
  /// Where that is.
  public var time: Double
  /// The number of states that it is the largest of.
  public var states: Int
}

extension PathEvaluator {
  /// The largest loss of a path on samples, proven by the bounds of its stages; nothing if one has none.
  /// - Throws: As ``evaluate(_:at:on:)``.
  public func provenLoss(
    of path: any ConnectionPath, on samples: SampleSet
  ) throws -> ProvenLoss? {
    guard let bounds = path.lossBounds else { return nil }
    let times = (0...path.stages.count).map(Double.init)
    let losses = try evaluate(path, at: times, on: samples).map(\.crossEntropy)
    // One that is not a number is larger than any.
    let largest = losses.indices.max { a, b in
      (losses[a].isNaN ? .infinity : losses[a]) < (losses[b].isNaN ? .infinity : losses[b])
    }
    return largest.map {
      ProvenLoss(loss: losses[$0], time: times[$0], states: bounds.states)
    }
  }
}

extension [LossBound] {
  /// The states that a path's largest loss is the largest of: both ends of all stages, those counted once
  /// between which the outputs stay.
  var states: Int { count { $0 == .convex } + 1 }
}

/// What is known of the loss within a stage from the way weights move, without a look at its points.
public enum LossBound: Sendable, Hashable {
  /// The network's outputs stay.
  case constant
  /// Each sample's outputs move along a line: only the layer moves that gives the outputs, straight. A loss
  /// that is convex in the outputs, such as cross-entropy, is then at most the larger of those at the
  /// stage's ends, on any samples; and a sample that is right at both ends is right between them.
  case convex
}

extension ConnectionPath {
  /// What is known of the loss within a stage; nothing if its largest has to be looked for.
  ///
  /// It follows from the stage's motions: a stage in which nothing moves but what comes into units that
  /// nothing reads keeps the outputs, and so does one that says it keeps the function.
  public func lossBound(ofStage index: Int) -> LossBound? {
    let stage = stages[index]
    let moving = network.parameters.indices.filter { stage.motions[$0].moves }
    if stage.keepsFunction || moving.isEmpty { return .constant }
    guard !moving.contains(where: { stage.motions[$0].isOpaque }) else { return nil }
    let nodes = Set(moving.map { network.parameters[$0].layer })
    let isStraight = moving.allSatisfy {
      if case .combination(_, .line) = stage.motions[$0] { true } else { false }
    }
    if isStraight, nodes.count == 1, let node = nodes.first, network.affinelyGivesOutput(node) {
      return .convex
    }
    return stage.movesIdleUnitsAlone(of: network) ? .constant : nil
  }

  /// The bounds of all stages; nothing if one has none.
  public var lossBounds: [LossBound]? {
    var bounds: [LossBound] = []
    for index in stages.indices {
      guard let bound = lossBound(ofStage: index) else { return nil }
      bounds.append(bound)
    }
    return bounds
  }
}

extension Network {
  /// Whether a node multiplies its input by weights, and the network's outputs are what it gives, value by
  /// value.
  func affinelyGivesOutput(_ node: Int) -> Bool {
    guard nodes[node].operation is any LinearOperation else { return false }
    var value = output
    while let last = value.node, last != node {
      guard nodes[last].operation.keepsValues, nodes[last].inputs.count == 1 else { return false }
      value = nodes[last].inputs[0]
    }
    return value == .output(ofNode: node)
  }
}

extension PathStage {
  /// Whether all that moves comes into units whose outgoing weights are zero all along.
  fileprivate func movesIdleUnitsAlone(of network: Network) -> Bool {
    let moving = motions.indices.filter { motions[$0].moves }
    let idle = HiddenPopulation.free(in: network).compactMap {
      population -> (population: HiddenPopulation, units: [Int])? in
      guard population.incoming.contains(where: { moving.contains($0.parameter) }),
        (try? population.requireFreeSlots(for: "")) != nil
      else { return nil }
      let units = population.idleUnits(in: motions)
      return units.isEmpty ? nil : (population, units)
    }
    guard !idle.isEmpty else { return false }
    return moving.allSatisfy { index in
      guard case .combination(let bases, _) = motions[index],
        bases.allSatisfy({ $0.shape == network.parameters[index].shape }), let first = bases.first
      else { return false }
      var moves = [Bool](repeating: false, count: first.count)
      for basis in bases.dropFirst() {
        for (place, pair) in zip(first.elements, basis.elements).enumerated() where pair.0 != pair.1
        {
          moves[place] = true
        }
      }
      for (population, units) in idle {
        for site in population.incoming where site.parameter == index {
          let pieces = SitePieces(of: site, in: network)
          for start in units.flatMap({ Array(pieces.starts(ofUnit: $0)) }) {
            for place in start..<start + pieces.length { moves[place] = false }
          }
        }
      }
      return !moves.contains(true)
    }
  }
}

extension HiddenPopulation {
  /// All groups that may be permuted, those of one unit too.
  static func free(in network: Network) -> [HiddenPopulation] {
    UnitGroups(of: network).all.filter(\.isFree).compactMap {
      try? HiddenPopulation(of: network, group: $0)
    }
  }

  /// The units whose outgoing weights are zero in all tensors that motions combine.
  fileprivate func idleUnits(in motions: [Motion]) -> [Int] {
    var isIdle = [Bool](repeating: true, count: count)
    for site in outgoing {
      let pieces = SitePieces(of: site, in: network)
      let tensors: [Tensor]
      switch motions[site.parameter] {
      case .fixed(let tensor): tensors = [tensor]
      case .combination(let bases, _): tensors = bases
      case .opaque: return []
      }
      for tensor in tensors {
        guard tensor.shape == network.parameters[site.parameter].shape else { return [] }
        for unit in 0..<count where isIdle[unit] {
          isIdle[unit] = pieces.starts(ofUnit: unit).allSatisfy { start in
            tensor.elements[start..<start + pieces.length].allSatisfy { $0 == 0 }
          }
        }
      }
    }
    return isIdle.indices.filter { isIdle[$0] }
  }
}
