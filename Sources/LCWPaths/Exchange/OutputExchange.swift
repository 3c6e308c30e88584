// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The exchange of the units of a network's only hidden layer, in closed form.
///
/// Of the features of both networks, one pass over the samples makes one matrix of products; the output
/// layer of every state of the path is solved for from a part of it, and so is the order in which units
/// leave and come, where it depends on the samples. Where it does not, features stand in that order, and a
/// state's are a window of neighbouring ones: those of the first network that are still there, and behind
/// them those of the second that are there already. Then products of others are not needed.
struct OutputExchange: Sendable {
  private let a: Weights
  private let b: Weights
  private let population: HiddenPopulation
  private let options: ExchangeOptions
  private let reader: OutputLayer

  /// Nothing if the network has other parameters than those of one group of hidden units, which the
  /// network's output layer alone reads.
  init?(from a: Weights, to b: Weights, population: HiddenPopulation, options: ExchangeOptions) {
    guard let reader = OutputLayer(reading: population) else { return nil }
    self.a = a
    self.b = b
    self.population = population
    self.options = options
    self.reader = reader
  }

  /// The number of features that each network's units have: what the output layer reads.
  var features: Int { reader.columns }

  /// The path's states and how the blocks change hands between them.
  struct Result: Sendable {
    /// The states in which all slots are read, one more than there are blocks.
    var whole: [Weights]
    /// The states in which a block is out of use.
    var gaps: [Weights]
    /// What happens at each gap.
    var changes: [SlotLayout.Change]

    /// Fits the output layers of all states but the end points; what is not read stays so.
    /// - Parameter end: The second network.
    mutating func refit(_ output: OutputRefit, to end: Weights) throws {
      let count = whole.count + gaps.count
      for index in 1..<whole.count {
        try output.tell(
          "fitting the output layers of \(count) states", share: Double(index) / Double(whole.count)
        )
        gaps[index - 1] = try output.refitted(gaps[index - 1], keepingIdle: true)
        let isEnd =
          index + 1 == whole.count
          && zip(whole[index].tensors, end.tensors).allSatisfy { $0.isIdentical(to: $1) }
        if !isEnd { whole[index] = try output.refitted(whole[index], keepingIdle: true) }
      }
    }
  }

  /// The states of the path.
  ///
  /// The first is the first network. The last has the second network's units, and if the target is the mix
  /// it is the second network.
  ///
  /// - Parameter given: The order in which units leave and come; if there is none it follows from the samples.
  /// - Throws: ``DataError`` if the samples do not fit, ``ConnectionError/range(index:description:problem:)``
  ///   if features are too large, and what `context` throws when it is told of progress.
  func states(
    _ given: UnitSequence?, blocks: Int, on samples: SampleSet, in context: ConnectionContext
  ) throws -> Result {
    let samples = samples.prefix(options.samples ?? samples.count)
    try samples.check(fits: a.network)
    let problem = try problem(given, on: samples, in: context)
    let sequence = try given ?? order(blocks: blocks, by: problem, in: context)
    var layouts = [SlotLayout(count: population.count)]
    let changes = (0..<sequence.blocks).map { block in
      let range = sequence.block(block)
      let change = layouts[block].change(
        leaving: sequence.leaving[range], coming: sequence.coming[range])
      layouts.append(layouts[block].applying(change))
      return change
    }
    // Whole states and gaps by turns.
    let places = Array(1..<2 * sequence.blocks + (options.target == .mix ? 0 : 1))
    let bytes = WindowedLeastSquares.bytes(
      features: problem.features, window: reader.columns, targets: problem.outputs)
    let together = max(
      1, min(context.workers.count, Int(Machine.physicalMemory / 4 / bytes.solving)))
    let inner = Workers(max(1, context.workers.count / together))
    let solved = try Workers(together).map(places.count) { [layouts] index in
      try context.progress(
        ConnectionProgress(
          "solving for the output layer of \(places.count) states",
          share: 0.8 + 0.2 * Double(index) / Double(places.count)))
      return try state(
        places[index], sequence, layouts[places[index] / 2], of: problem,
        isOrdered: given != nil, workers: inner)
    }
    let states = [a] + solved + (options.target == .mix ? [b] : [])
    return Result(
      whole: states.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element),
      gaps: states.enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(\.element),
      changes: changes)
  }

  /// The products of the features of both networks and of their outputs.
  /// - Parameter given: The order in which features stand; the units' own if there is none.
  private func problem(
    _ given: UnitSequence?, on samples: SampleSet, in context: ConnectionContext
  ) throws -> WindowedLeastSquares {
    let width = reader.columns
    var problem = WindowedLeastSquares(
      features: 2 * width, window: given == nil ? 2 * width : width, outputs: reader.outputs,
      sets: 2, solvingBias: reader.bias != nil, expecting: samples.count)
    let networks = [
      given.map { population.reordered(a, by: $0.leaving) } ?? a,
      given.map { population.reordered(b, by: $0.coming) } ?? b,
    ]
    let runner = try Runner(a.network, from: [.sample], to: [reader.input])
    let blocks = samples.ranges(ofSize: min(2048, 4 * runner.evaluationBlock))
    let workers = context.workers
    for start in stride(from: 0, to: blocks.count, by: workers.count) {
      try context.progress(
        ConnectionProgress(
          "products of both networks' features",
          share: 0.7 * Double(start) / Double(blocks.count)))
      let ranges = Array(blocks[start..<min(start + workers.count, blocks.count)])
      let parts = try workers.map(ranges.count) { index in
        let block = samples.block(ranges[index])
        let rows = ranges[index].count
        var features = Tensor(unspecified: [rows, 2 * width])
        var targets = Tensor(unspecified: [rows, 2 * reader.outputs])
        for (place, network) in networks.enumerated() {
          let own = runner.output(of: block, weights: network).reshaped([rows, width])
          features.assignColumns(from: place * width, own)
          targets.assignProduct(
            own.matrix, network[reader.weight].transposed,
            columns: place * reader.outputs..<(place + 1) * reader.outputs)
          if let bias = reader.bias {
            targets.addToRows(network[bias], from: place * reader.outputs)
          }
        }
        return (features: features, targets: targets)
      }
      for part in parts { problem.add(part.features, targets: part.targets, workers: workers) }
    }
    return problem
  }

  /// The order in which units leave and come, where it follows from the samples.
  private func order(
    blocks: Int, by problem: WindowedLeastSquares, in context: ConnectionContext
  ) throws -> UnitSequence {
    let count = population.count
    let exchange = FeatureExchange(
      problem, units: count, ridge: options.ridge, workers: context.workers)
    do {
      guard options.order == .importance else {
        let sizes = (0..<blocks).map { count * ($0 + 1) / blocks - count * $0 / blocks }
        let orders = try exchange.greedyOrders(blocks: sizes) { block in
          try context.progress(
            ConnectionProgress(
              "choosing block \(block + 1) of \(blocks)",
              share: 0.7 + 0.1 * Double(block) / Double(blocks)))
        }
        return UnitSequence(
          population: population, leaving: orders.leaving, coming: orders.coming, blocks: blocks)
      }
      let (own, other) = (
        try exchange.importances(inNetwork: 0), try exchange.importances(inNetwork: 1)
      )
      return UnitSequence(
        population: population, leaving: (0..<count).sorted { (own[$0], $0) < (own[$1], $1) },
        coming: (0..<count).sorted { (-other[$0], $0) < (-other[$1], $1) }, blocks: blocks)
    } catch let error as NumericsError { throw failure(of: problem, error) }
  }

  private func failure(of problem: WindowedLeastSquares, _ error: NumericsError) -> ConnectionError
  {
    reader.error(
      problem.meanSquareOfFeatures.isFinite
        ? "can't be solved for: \(error)"
        : "gets inputs too large for single precision: their squares overflow")
  }

  /// The state at a place of the path: at an even one whole, at an odd one with a gap.
  private func state(
    _ place: Int, _ sequence: UnitSequence, _ layout: SlotLayout, of problem: WindowedLeastSquares,
    isOrdered: Bool, workers: Workers
  ) throws -> Weights {
    let (moved, hasGap) = (place / 2, !place.isMultiple(of: 2))
    let count = population.count
    let width = reader.columns / count
    let gone = sequence.count(inFirst: hasGap ? moved + 1 : moved)
    let come = sequence.count(inFirst: moved)
    let share = Double(gone + come) / Double(2 * count)
    // The first network's units that are left, then the second's that are there.
    let units = Array(sequence.leaving[gone...]) + Array(sequence.coming[..<come])
    let left = count - gone
    var chosen: [Int] = []
    for (index, unit) in units.enumerated() {
      let isFirst = index < left
      let number =
        isOrdered ? (isFirst ? gone + index : count + index - left) : isFirst ? unit : count + unit
      chosen += number * width..<(number + 1) * width
    }
    var reference = Tensor(zeros: [reader.outputs, chosen.count])
    for output in 0..<reader.outputs {
      for (index, unit) in units.enumerated() {
        let own = (index < left ? a : b)[reader.weight].row(output)
        let first = (output * units.count + index) * width
        reference.elements.replaceSubrange(
          first..<first + width, with: own.dropFirst(unit * width).prefix(width))
      }
    }
    let shares = options.target == .mix ? [1 - share, share] : [1, 0]
    let solution: (weights: Tensor, bias: Tensor?)
    do {
      solution = try problem.solution(
        of: chosen, shares: shares, reference: reference, ridge: options.ridge, workers: workers)
    } catch { throw failure(of: problem, error) }
    guard solution.weights.isFinite, solution.bias?.isFinite ?? true else {
      throw reader.error("can't be solved for in single precision: its weights overflow")
    }
    var weights = a
    var slots: [SlotLayout.Holder: Int] = [:]
    for (slot, holder) in layout.holders.enumerated() { slots[holder] = slot }
    var (kept, arrived): ([(source: Int, target: Int)], [(source: Int, target: Int)]) = ([], [])
    for (slot, holder) in layout.holders.enumerated() {
      switch holder {
      case .first(let unit): if unit != slot { kept.append((unit, slot)) }
      case .second(let unit): arrived.append((unit, slot))
      }
    }
    population.copyIncoming(kept, from: a, to: &weights)
    population.copyIncoming(arrived, from: b, to: &weights)
    var tensor = Tensor(zeros: a[reader.weight].shape)
    for output in 0..<reader.outputs {
      for (index, unit) in units.enumerated() {
        guard let slot = slots[index < left ? .first(unit) : .second(unit)] else { continue }
        let first = output * reader.columns + slot * width
        let source = (output * units.count + index) * width
        tensor.elements.replaceSubrange(
          first..<first + width, with: solution.weights.elements[source..<source + width])
      }
    }
    weights[reader.weight] = tensor
    if let bias = reader.bias, let solved = solution.bias { weights[bias] = solved }
    return weights
  }
}

/// The layer that puts out what the network does, where it alone reads the hidden units.
struct OutputLayer: Sendable {
  /// The value that it reads.
  let input: Network.Value
  /// Its weights' parameter.
  let weight: Int
  /// Its bias's parameter, if it has one.
  let bias: Int?
  /// The number of its outputs.
  let outputs: Int
  /// The number of values that it reads.
  let columns: Int
  private let network: Network
  private let node: Int

  /// Nothing if other layers read the units, the layer reads other units, or other parameters are
  /// there than theirs.
  init?(reading population: HiddenPopulation) {
    let network = population.network
    let readers = Set(population.outgoing.map { network.parameters[$0.parameter].layer })
    guard readers.count == 1, let node = readers.first, population.outgoing.count == 1,
      network.affinelyGivesOutput(node),
      let operation = network.nodes[node].operation as? any LinearOperation,
      operation.positions(input: network.inputShapes(of: node)[0]) == 1,
      let weight = network.parameterIndex(ofLayer: node, role: .weight)
    else { return nil }
    let (site, shape) = (population.outgoing[0], network.parameters[weight].shape)
    let bias = network.parameterIndex(ofLayer: node, role: .bias)
    guard site.parameter == weight, site.axis == 1, site.rows == nil, site.offset == 0,
      shape.rank == 2, shape[1] == population.count * site.block,
      network.shape(of: network.nodes[node].inputs[0]).count == shape[1],
      Set(population.parameters).union([bias].compactMap(\.self)).count
        == network.parameters.count,
      population.incoming.allSatisfy({ $0.use != .reads && $0.parameter != weight })
    else { return nil }
    self.network = network
    self.node = node
    self.weight = weight
    self.bias = bias
    input = network.nodes[node].inputs[0]
    outputs = shape[0]
    columns = shape[1]
  }

  func error(_ problem: String) -> ConnectionError {
    .range(index: node, description: network.describe(node: node), problem: problem)
  }
}

extension Tensor {
  /// Writes a block of as many rows over the columns from one on.
  fileprivate mutating func assignColumns(from first: Int, _ block: Tensor) {
    let (width, own) = (block.shape.rowCount, shape.rowCount)
    for row in 0..<block.shape.rows {
      let start = row * own + first
      elements.replaceSubrange(
        start..<start + width, with: block.elements[row * width..<(row + 1) * width])
    }
  }

  /// Adds a vector to a part of every row.
  fileprivate mutating func addToRows(_ vector: Tensor, from first: Int) {
    let width = shape.rowCount
    for row in 0..<shape.rows {
      for (index, value) in vector.elements.enumerated() {
        elements[row * width + first + index] += value
      }
    }
  }
}
