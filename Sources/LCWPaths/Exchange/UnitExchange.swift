// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// A path on which every slot of a hidden layer holds the first network's unit or the second's.
///
/// Block by block, the first network's units leave and the second's come. At each state whatever reads the
/// units is solved for by least squares, so that it puts out what it should from the units that are there:
/// half-way, the network is an ensemble of halves of both. No units are matched, and nothing is trained.
public struct UnitExchange: Sendable {
  /// The method's name, for messages.
  public var name: String
  /// How units are exchanged.
  public var options: ExchangeOptions

  /// An exchange.
  public init(name: String, options: ExchangeOptions) {
    self.name = name
    self.options = options
  }

  /// The path from `a` to `b`, of lines.
  /// - Throws: ``ConnectionError`` if the network has no hidden units that can be exchanged, samples are
  ///   lacking, or a layer can't be solved for.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    guard let samples = context.samples else { throw ConnectionError.needsSamples(method: name) }
    for (weights, network) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: network, fault) }
    }
    let populations = try populations(of: a.network).filter { $0.differs(between: a, b) }
    let output = try options.refit.output(
      of: a.network, samples.prefix(options.samples ?? samples.count), context)
    guard !populations.isEmpty else {
      return try ExplicitPath(
        network: b.network, stages: [.line(from: a, to: b, label: "the units are the same in both")]
      )
    }
    if populations.count == 1,
      let exchange = OutputExchange(from: a, to: b, population: populations[0], options: options)
    {
      let order = order(choosingFrom: exchange.features, upTo: Self.fewFeatures)
      let sequence =
        order.needsFeatures
        ? nil : try sequence(of: populations[0], 0, by: order, from: a, to: b, in: context)
      var result = try exchange.states(
        sequence, blocks: blocks(for: populations), on: samples, in: context)
      if let output { try result.refit(output, to: b) }
      return try path(through: result, of: populations[0], to: b)
    }
    return try deepPath(
      from: a, to: b, populations, on: samples, refitting: output, in: context)
  }

  /// The path in a network of several groups of hidden units, or of other parameters beside theirs.
  private func deepPath(
    from a: Weights, to b: Weights, _ populations: [HiddenPopulation], on samples: SampleSet,
    refitting output: OutputRefit?, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    guard options.order != .importance && options.order != .matched else {
      let population = populations[populations.count - 1]
      throw ConnectionError.layer(
        index: population.layer, description: a.network.describe(node: population.layer),
        problem: "is not the only hidden layer, with the output layer behind it, of which "
          + "order=\(options.order.rawValue) chooses units; use order=greedy or order=random")
    }
    let exchange = try GraphExchange(
      from: a, to: b, populations: populations, options: options, on: samples, for: name,
      in: context)
    let blocks = blocks(for: populations)
    var orders = try populations.enumerated().map { index, population in
      try sequence(of: population, index, by: .random, from: a, to: b, in: context).leaving
    }
    let largest = populations.map(\.count).max() ?? 1
    if order(choosingFrom: largest, upTo: Self.fewUnits) == .greedy {
      orders = try SlotOrder(
        from: a, to: b, populations: populations, exchange.rows, layers: exchange.layers
      ).slots(drawn: orders, on: exchange.samples, positions: options.positions, in: context)
    }
    let slots = zip(populations, orders).map {
      UnitSequence(population: $0, slots: $1, blocks: blocks)
    }
    let steps = ExchangeStep.all(
      of: slots, atOnce: options.atOnce, mixesTargets: options.target == .mix)
    var stages: [PathStage] = []
    var current = a
    for (index, step) in steps.enumerated() {
      func state(_ point: ExchangePoint, _ half: Double) throws -> Weights {
        let state = try exchange.state(
          at: point, previous: current, share: (Double(index) + half) / Double(steps.count))
        return try output?.refitted(state, keepingIdle: true) ?? state
      }
      let gap = try state(step.gap, 0)
      let isLast = index + 1 == steps.count && options.target == .mix
      let next = isLast ? b : try state(step.next, 0.5)
      var swapped = gap
      for (order, idle) in zip(slots, step.idle) {
        order.population.copyIncoming(ofUnits: idle, from: next, to: &swapped)
      }
      // Units that come may read others that do; as yet nothing reads either.
      for (order, idle) in zip(slots, step.idle) {
        for unit in idle { order.population.removeOutput(ofUnit: unit, from: &swapped) }
      }
      let name = "\(index + 1) of \(steps.count)"
      stages += [
        .line(from: current, to: gap, label: "drop \(name)"),
        .line(from: gap, to: swapped, label: "exchange \(name)", keepsFunction: true),
        .line(from: swapped, to: next, label: "add \(name)"),
      ]
      current = next
    }
    if !zip(current.tensors, b.tensors).allSatisfy({ $0.isIdentical(to: $1) }) {
      stages.append(.line(from: current, to: b, label: "the output layer moves"))
    }
    return try ExplicitPath(network: b.network, stages: stages)
  }

  /// Up to how many features of the only hidden layer units are chosen one by one: more take longer to
  /// choose than to solve for, and memory of four times their square.
  private static let fewFeatures = 2048
  /// Up to how many units of a deeper network's group slots are ordered one by one.
  private static let fewUnits = 512

  private func order(choosingFrom count: Int, upTo most: Int) -> ExchangeOptions.Order {
    guard options.order == .automatic else { return options.order }
    return count <= most ? .greedy : .random
  }

  /// The blocks where no number is asked for: in one hidden layer, of which small steps cost little if it is
  /// narrow, and in several.
  private static let usualBlocks = 20
  private static let narrowBlocks = 50
  private static let deepBlocks = 16

  private func blocks(for populations: [HiddenPopulation]) -> Int {
    let largest = populations.map(\.count).max() ?? 1
    let usual =
      populations.count > 1
      ? Self.deepBlocks : largest <= Self.fewUnits ? Self.narrowBlocks : Self.usualBlocks
    return min(options.blocks ?? usual, largest)
  }

  /// The groups of hidden units.
  private func populations(of network: Network) throws -> [HiddenPopulation] {
    let populations = HiddenPopulation.free(in: network).filter { population in
      population.incoming.contains { $0.use == .writes }
    }
    guard !populations.isEmpty else {
      throw ConnectionError.tooFewLayers(
        method: name, needed: 2, found: network.weightedLayers.count)
    }
    for population in populations { try population.requireFreeSlots(for: name) }
    return populations
  }

  /// The order in which units leave and come, where it does not follow from the features.
  private func sequence(
    of population: HiddenPopulation, _ index: Int, by order: ExchangeOptions.Order,
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> UnitSequence {
    var random = RandomStream(seed: context.seed, purpose: .connection, index: index)
    let leaving = random.permutation(of: population.count)
    guard order == .matched else {
      return UnitSequence(
        population: population, slots: leaving, blocks: blocks(for: [population]))
    }
    let costs = population.neurons(of: a).squaredDistances(
      toRowsOf: population.neurons(of: b), workers: context.workers)
    guard costs.isFinite, let partners = try LinearSumAssignment.solve(costs).columns else {
      throw ConnectionError.range(
        index: population.layer, description: population.name,
        problem: "has weights so large that the distances of its units overflow")
    }
    return UnitSequence(
      population: population, leaving: leaving, coming: leaving.map { partners[$0] },
      blocks: blocks(for: [population]))
  }

  /// From each state the block is dropped; its slots become the second network's units'; it is added.
  private func path(
    through states: OutputExchange.Result, of population: HiddenPopulation, to end: Weights
  ) throws -> ExplicitPath {
    var stages: [PathStage] = []
    for (block, change) in states.changes.enumerated() {
      let (start, gap, next) = (states.whole[block], states.gaps[block], states.whole[block + 1])
      let name = "\(block + 1) of \(states.changes.count)"
      stages.append(.line(from: start, to: gap, label: "drop \(name)"))
      var current = gap
      if !change.moves.isEmpty {
        // Units of the first network that stand where others come move into freed slots: first what comes
        // into them, which nothing reads there yet, then what reads them.
        var copied = gap
        population.copyIncoming(change.moves, from: gap, to: &copied)
        stages.append(
          .line(from: gap, to: copied, label: "copy incoming \(name)", keepsFunction: true))
        current = copied
        population.moveOutgoing(change.moves, in: &current)
        stages.append(
          .line(from: copied, to: current, label: "move outgoing \(name)", keepsFunction: true))
      }
      var swapped = current
      population.copyIncoming(ofUnits: change.taken, from: next, to: &swapped)
      stages += [
        .line(from: current, to: swapped, label: "exchange \(name)", keepsFunction: true),
        .line(from: swapped, to: next, label: "add \(name)"),
      ]
    }
    if let last = states.whole.last,
      !zip(last.tensors, end.tensors).allSatisfy({ $0.isIdentical(to: $1) })
    {
      stages.append(.line(from: last, to: end, label: "the output layer moves"))
    }
    return try ExplicitPath(network: end.network, stages: stages)
  }
}

extension HiddenPopulation {
  /// Whether what comes into the units, or normalises them, is another in two networks: if not, they are the
  /// same units, and none has to come for another.
  fileprivate func differs(between a: Weights, _ b: Weights) -> Bool {
    Set(incoming.filter { $0.use != .reads }.map(\.parameter))
      .contains { !a[$0].isIdentical(to: b[$0]) }
  }
}

extension UnitExchange {
  /// The memory of the products of features, and of the states.
  public func cost(joining network: Network) -> ConnectionCost {
    let features = network.weightedLayers.dropFirst().compactMap {
      network.parameterIndex(ofLayer: $0, role: .weight).map {
        Double(network.parameters[$0].shape.rowCount)
      }
    }
    let largest = features.max() ?? 0
    let isDeep = network.weightedLayers.count > 2
    let order = order(
      choosingFrom: largest < 1e9 ? Int(largest) : .max,
      upTo: isDeep ? Self.fewUnits : Self.fewFeatures)
    // Choosing takes the products of both networks' features, swept, and copies of parts of them.
    let bytes: Double = order.needsFeatures && !isDeep ? 130 : 40
    let blocks = Double(options.blocks ?? Self.narrowBlocks)
    return ConnectionCost(
      bytes: bytes * largest * largest
        + 8 * (blocks + 1) * Double(network.parameterCount))
  }
}
