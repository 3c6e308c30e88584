// SPDX-License-Identifier: Apache-2.0
import LCWConformance
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// The laws of graphs on random ones.
struct RandomGraphTests {
  static let seeds = Array(UInt64(1)...200)

  private func outputs(_ weights: Weights, _ block: Tensor) throws -> Tensor {
    try Runner(weights.network).output(of: block, weights: weights)
  }

  /// The largest difference beside the largest value.
  private func difference(_ a: Tensor, _ b: Tensor) -> Float {
    let size = b.elements.reduce(1e-3) { max($0, abs($1)) }
    return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
  }

  @Test func `the graphs are varied`() throws {
    let networks = try Self.seeds.map { try RandomGraph(seed: $0).network }
    #expect(Set(networks).count > 190)
    #expect(networks.count { !$0.isChain } > 150)
    let groups = networks.map { UnitGroups(of: $0) }
    #expect(groups.count { $0.free.contains { $0.sites.count { $0.use == .writes } > 3 } } > 20)
    let names = Set(networks.flatMap { $0.nodes.map { type(of: $0.operation).name } })
    for name in [
      "conv", "dense", "batchnorm", "relu", "maxpool", "add", "flatten", "concat", "multiply",
      "groupnorm",
    ] {
      #expect(names.contains(name))
    }
  }

  @Test(arguments: seeds)
  func `permutations of free groups leave the outputs`(seed: UInt64) throws {
    let graph = try RandomGraph(seed: seed)
    let weights = try graph.weights(seed: seed)
    let block = graph.block(8, seed: seed)
    let expected = try outputs(weights, block)
    var random = RandomStream(seed: seed)
    var all = weights
    for group in UnitGroups(of: graph.network).free {
      let order = random.permutation(of: group.count)
      let found = try outputs(weights.permuting(group, by: order), block)
      #expect(difference(found, expected) < 1e-5, "\(graph.network): \(group)")
      all = all.permuting(group, by: order)
    }
    #expect(try difference(outputs(all, block), expected) < 1e-5, "\(graph.network)")
  }

  /// The order of one site alone, index by index.
  private func permuted(_ tensor: Tensor, _ site: UnitGroup.Site, _ order: [Int]) -> Tensor {
    var result = tensor
    let shape = tensor.shape
    for index in 0..<tensor.count {
      let inner = shape.dimensions.dropFirst(site.axis + 1).reduce(1, *)
      let place = index / inner % shape[site.axis] - site.offset
      let row = index / shape.rowCount
      guard place >= 0, place < order.count * site.block, site.rows?.contains(row) ?? true else {
        continue
      }
      let source = order[place / site.block] * site.block + place % site.block
      result.elements[index] = tensor.elements[index + (source - place) * inner]
    }
    return result
  }

  @Test(arguments: seeds)
  func `what is not a whole group may not be permuted`(seed: UInt64) throws {
    let graph = try RandomGraph(seed: seed)
    let weights = try graph.weights(seed: seed)
    let block = graph.block(8, seed: seed)
    let expected = try outputs(weights, block)
    for group in UnitGroups(of: graph.network).all where group.count > 1 {
      let order = (0..<group.count).map { ($0 + 1) % group.count }
      // Site by site, as it is done at once.
      var bySites = weights
      for site in group.sites {
        bySites[site.parameter] = permuted(bySites[site.parameter], site, order)
      }
      #expect(bySites.isIdentical(to: weights.permuting(group, by: order)))
      if group.holds == [.input] || group.holds == [.output], !group.sites.isEmpty {
        #expect(try difference(outputs(bySites, block), expected) > 1e-4, "\(graph.network)")
      }
      // Units that are always zero may be read in any order.
      guard group.isFree, group.sites.count > 1, !graph.network.hasConstantUnits else { continue }
      for site in group.sites where graph.network.parameters[site.parameter].role == .weight {
        var some = weights
        some[site.parameter] = permuted(weights[site.parameter], site, order)
        #expect(
          try difference(outputs(some, block), expected) > 1e-5,
          "\(graph.network): \(graph.network.parameters[site.parameter].name)")
      }
    }
  }

  @Test(arguments: seeds.prefix(60))
  func `gradients are those of differences`(seed: UInt64) throws {
    let network = try RandomGraph(seed: seed).network
    // A bias before a normalisation has no gradient, and dead units have none.
    let broken = try GradientCheck(network, elements: 3).brokenProperties()
      .filter { $0.property == .hasGradients }
    #expect(broken.isEmpty, "\(network)")
  }

  @Test(arguments: seeds)
  func `the text means the network again`(seed: UInt64) throws {
    let network = try RandomGraph(seed: seed).network
    let text = try NetworkText(
      network.description, operations: PluginRegistry.linked().operations)
    #expect(
      try text.network(inputShape: network.inputShape, classes: RandomGraph.classes) == network)
  }

  @Test(arguments: seeds)
  func `a part of the network computes what the whole does`(seed: UInt64) throws {
    let graph = try RandomGraph(seed: seed)
    let network = graph.network
    let weights = try graph.weights(seed: seed)
    let block = graph.block(5, seed: seed)
    let every = network.shapes.indices.map(Network.Value.init(index:))
    let values = try Runner(network, from: [.sample], to: every)
      .outputs(of: [block], weights: weights)
    #expect(try difference(outputs(weights, block), values[network.output.index]) < 1e-5)
    var random = RandomStream(seed: seed, stream: 5)
    for _ in 0..<4 {
      let known = Set(every.filter { _ in random.integer(below: 3) == 0 }).union([.sample])
      let wanted = (0...random.integer(below: 3)).map { _ in
        every[random.integer(below: every.count)]
      }
      let part = try Runner(network, from: known, to: wanted)
      let found = part.outputs(
        of: part.sources.map { values[$0.index] }, weights: weights, workers: Workers(2))
      #expect(found.count == wanted.count)
      for (value, tensor) in zip(wanted, found) {
        #expect(tensor.shape == values[value.index].shape)
        #expect(difference(tensor, values[value.index]) < 1e-5, "\(network) \(known) \(wanted)")
      }
    }
  }

  @Test(arguments: seeds)
  func `both ways of evaluating agree`(seed: UInt64) throws {
    let graph = try RandomGraph(seed: seed)
    let (a, b) = (try graph.weights(seed: seed), try graph.weights(seed: seed + 1000))
    let samples = try randomSamples(
      count: 40, shape: graph.network.inputShape, classes: RandomGraph.classes)
    var random = RandomStream(seed: seed, stream: 6)
    // All parameters move; some; one; none.
    let count = graph.network.parameters.count
    let one = random.integer(below: count)
    let choices: [(Int) -> Bool] = [
      { _ in true }, { _ in random.integer(below: 3) == 0 }, { $0 == one }, { _ in false },
    ]
    for moves in choices {
      let motions = graph.network.parameters.indices.map { index -> Motion in
        guard moves(index) else { return .fixed(a[index]) }
        // A basis that all units share, among them.
        let rows = Shape([1] + a[index].shape.dimensions.dropFirst())
        guard a[index].shape.rank > 1, random.integer(below: 2) == 0 else {
          return .combination([a[index], b[index]], .line)
        }
        let shared = random.uniform(rows, bound: 0.5)
        return .combination([a[index], shared, b[index]], .bezier(points: 3))
      }
      let path = try ExplicitPath(
        network: graph.network, stages: [PathStage(label: "moves", motions: motions)])
      let hidden = PartlyOpaquePath(
        base: path, opaque: Set((0..<count).filter { _ in random.integer(below: 4) == 0 }))
      for path: any ConnectionPath in [path, hidden] {
        let times = [0, 0.3, 0.75, 1]
        let structured = try PathEvaluator(workers: Workers(2))
          .evaluate(path, at: times, on: samples)
        let obvious = try PathEvaluator(strategy: .pointByPoint, workers: .serial)
          .evaluate(path, at: times, on: samples)
        for (x, y) in zip(structured, obvious) {
          #expect(
            abs(x.crossEntropy - y.crossEntropy) < 1e-5 * (1 + y.crossEntropy),
            "\(graph.network): \(motions.map(\.moves))")
        }
      }
    }
  }

  /// While units find their places, the function is that without one of them.
  @Test(arguments: seeds)
  func `units find their places while the function stays`(seed: UInt64) throws {
    let graph = try RandomGraph(seed: seed)
    let weights = try graph.weights(seed: seed)
    let block = graph.block(6, seed: seed)
    var random = RandomStream(seed: seed, stream: 7)
    for population in HiddenPopulation.all(of: graph.network) {
      let order = random.permutation(of: population.count)
      let isMoved = order.indices.contains { order[$0] != $0 }
      guard isMoved else { continue }
      do {
        try population.requireFreeSlots(for: "ot")
      } catch {
        #expect(error.description.contains(population.name))
        continue
      }
      let path = UnitReordering(of: population, from: order, to: weights)
      let start = population.reordered(weights, by: order)
      #expect(try path.weights(at: 0).isIdentical(to: start))
      #expect(try path.weights(at: 3).isIdentical(to: weights))
      let freed = path.remarks.last.map { Int($0.value) - 1 } ?? 0
      var without = weights
      population.removeOutput(ofUnit: freed, from: &without)
      let expected = try outputs(without, block)
      for time in [1, 1.13, 1.4, 1.55, 1.82, 1.999] {
        let found = try outputs(path.weights(at: time), block)
        #expect(
          difference(found, expected) < 1e-5, "\(graph.network): \(population.name) at \(time)")
      }
    }
  }

  @Test(arguments: seeds)
  func `folding leaves the outputs or names a normalisation`(seed: UInt64) throws {
    let graph = try RandomGraph(seed: seed)
    let weights = try graph.weights(seed: seed)
    let block = graph.block(8, seed: seed)
    do {
      let folded = try weights.foldingBatchNorm()
      #expect(folded.network.runningAverages.isEmpty)
      #expect(try difference(outputs(folded, block), outputs(weights, block)) < 5e-5)
    } catch let error as FoldingError {
      guard case .noNeighbour(let node, let description, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(graph.network.runningAverages.contains(node))
      #expect(description == graph.network.describe(node: node))
    }
  }
}

/// A path that does not tell how some parameters move.
private struct PartlyOpaquePath: ConnectionPath {
  let base: ExplicitPath
  let opaque: Set<Int>

  var network: Network { base.network }
  let remarks: [PathRemark] = []
  var stages: [PathStage] {
    base.stages.map { stage in
      var stage = stage
      for index in opaque { stage.motions[index] = .opaque }
      return stage
    }
  }

  func weights(at t: Double) throws -> Weights { try base.weights(at: t) }
}

extension Network {
  /// Whether a node puts units of zeros around others.
  fileprivate var hasConstantUnits: Bool {
    nodes.indices.contains { node in
      let relation = nodes[node].operation.units(
        inputs: inputShapes(of: node), output: shapes[node + 1])
      if case .shifted = relation.output { return true }
      return false
    }
  }
}

extension Motion {
  fileprivate var moves: Bool { if case .fixed = self { false } else { true } }
}
