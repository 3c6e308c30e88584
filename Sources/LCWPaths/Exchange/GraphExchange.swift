// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The states of an exchange in a network of any depth: what reads hidden units is solved for layer by
/// layer, from what the state's network has in fact.
///
/// A row of weights that writes a unit is solved for the pre-activation that this unit has in its own
/// network; one that writes no unit, such as an output, for the mean of both networks' in their shares. Where
/// a sum alone reads what a layer writes, as in a residual network, it is solved for what the sum should be
/// less what is there.
struct GraphExchange: Sendable {
  private let a: Weights
  private let b: Weights
  /// The network's rows and columns by units.
  let rows: ExchangeRows
  /// The layers that are solved for.
  let layers: [ExchangeLayer]
  private let options: ExchangeOptions
  /// The samples that layers are solved on.
  let samples: SampleSet
  private let blocks: [Range<Int>]
  private let runners: [Runner]
  private let context: ConnectionContext
  /// Both networks' values at each layer, block by block, where they fit the memory set aside; otherwise
  /// at the first one alone.
  private let references: [[Pair]]

  /// The values of a block in both networks.
  private struct Pair: Sendable {
    var first: [Network.Value: Tensor]
    var second: [Network.Value: Tensor]
  }

  /// The rows of features for each feature that are enough.
  private static let ampleRows = 16
  /// The images that patches are taken from at least.
  private static let fewestImages = 1000
  /// The values that the widest activations of a block should not exceed.
  private static let blockValues = 1 << 22

  /// - Throws: ``ConnectionError`` if a layer can't be solved for, ``DataError`` if the samples do not fit.
  init(
    from a: Weights, to b: Weights, populations: [HiddenPopulation], options: ExchangeOptions,
    on samples: SampleSet, for method: String, in context: ConnectionContext
  ) throws {
    let network = a.network
    try samples.check(fits: network)
    self.a = a
    self.b = b
    self.options = options
    self.context = context
    rows = try ExchangeRows(of: network, populations: populations, for: method)
    let layers = ExchangeLayer.all(of: network, from: a, b, reading: rows)
    self.layers = layers
    // Runners from each layer's frontier to the next one's.
    let frontiers = [[Network.Value.sample]] + layers.map(\.frontier)
    runners = try zip(frontiers, frontiers.dropFirst()).map {
      try Runner(network, from: Set($0), to: $1)
    }
    let budget = Machine.physicalMemory / 6
    let bytes = layers.map { layer in
      4 * layer.frontier.reduce(0) { $0 + Double(network.shape(of: $1).count) }
    }
    let wanted = layers.reduce(Self.fewestImages) { most, layer in
      let each = layer.rowsPerSample(positions: options.positions)
      return max(most, Self.ampleRows * layer.features(in: network) / max(1, each))
    }
    let room = Int(budget / max(1, 3 * (bytes.max() ?? 1)))
    let count = min(
      samples.count, options.samples ?? min(wanted, max(room, Self.fewestImages / 4)))
    self.samples = samples.prefix(count)
    let widest = network.shapes.map(\.count).max() ?? 1
    blocks = self.samples.ranges(ofSize: max(16, min(2048, Self.blockValues / max(1, widest))))
    let keepsAll = 2 * Double(count) * bytes.reduce(0, +) < budget
    references = try GraphExchange.references(
      from: a, b, self.samples, blocks, keepsAll ? runners : Array(runners.prefix(1)), context)
  }

  private static func references(
    from a: Weights, _ b: Weights, _ samples: SampleSet, _ blocks: [Range<Int>],
    _ runners: [Runner], _ context: ConnectionContext
  ) throws -> [[Pair]] {
    var result: [[Pair]] = []
    for runner in runners {
      let before = result.last
      result.append(
        try context.workers.map(blocks.count) { index in
          try context.progress(
            ConnectionProgress(
              "running both networks", share: 0.1 * Double(index) / Double(blocks.count)))
          let given =
            before?[index]
            ?? {
              let block: [Network.Value: Tensor] = [.sample: samples.block(blocks[index])]
              return Pair(first: block, second: block)
            }()
          return Pair(
            first: runner.advance(given.first, weights: a),
            second: runner.advance(given.second, weights: b))
        })
    }
    return result
  }

  /// The weights at a point.
  ///
  /// - Parameters:
  ///   - point: What each slot holds.
  ///   - previous: Weights whose rows idle units keep.
  ///   - share: The share of all work that is done, for progress.
  func state(at point: ExchangePoint, previous: Weights, share: Double) throws -> Weights {
    var weights = rows.weights(at: point, from: a, b)
    for index in rows.rows.indices {
      let width = a[index].shape.rowCount
      for (row, place) in rows.rows[index].enumerated() where point.holder(place) == .idle {
        let range = row * width..<(row + 1) * width
        weights[index].elements.replaceSubrange(range, with: previous[index].elements[range])
      }
    }
    guard !layers.isEmpty else { return weights }
    var values = try context.workers.map(blocks.count) { [weights] index in
      runners[0].advance([.sample: samples.block(blocks[index])], weights: weights)
    }
    var pairs = references[0]
    for (place, layer) in layers.enumerated() {
      try context.progress(
        ConnectionProgress(
          "solving for \(a.network.nodes[layer.node].name)", share: 0.1 + 0.9 * share))
      try solve(layer, at: point, pairs, values, &weights)
      guard place + 1 < layers.count else { break }
      let (runner, solved) = (runners[place + 1], weights)
      values = try context.workers.map(blocks.count) { [values] index in
        runner.advance(values[index], weights: solved)
      }
      if place + 1 < references.count {
        pairs = references[place + 1]
      } else {
        pairs = try context.workers.map(blocks.count) { [pairs] index in
          Pair(
            first: runner.advance(pairs[index].first, weights: a),
            second: runner.advance(pairs[index].second, weights: b))
        }
      }
    }
    return weights
  }

  /// Solves for the rows of one layer.
  private func solve(
    _ layer: ExchangeLayer, at point: ExchangePoint, _ pairs: [Pair],
    _ values: [[Network.Value: Tensor]], _ weights: inout Weights
  ) throws {
    let network = a.network
    let shape = network.parameters[layer.weight].shape
    let solved = SolvedRows(
      holders: rows.rows[layer.weight].map(point.holder),
      columns: (rows.columns[layer.weight] ?? Array(repeating: nil, count: shape[1])).map(
        point.holder), width: shape.rowCount / shape[1], share: point.share)
    let reference = solved.reference(a[layer.weight], b[layer.weight])
    guard !solved.rows.isEmpty else {
      solved.write(reference, plus: reference, to: &weights[layer.weight])
      return
    }
    let each = layer.rowsPerSample(positions: options.positions)
    var problem = LeastSquares(
      features: solved.features.count, targets: solved.rows.count,
      solvingBias: layer.bias != nil, expecting: samples.count * each)
    for start in stride(from: 0, to: blocks.count, by: context.workers.count) {
      let group = Array(start..<min(start + context.workers.count, blocks.count))
      let parts = try context.workers.map(group.count) { index in
        lack(
          of: layer, solved, reference, pairs[group[index]], values[group[index]],
          first: blocks[group[index]].lowerBound)
      }
      for part in parts { problem.add(part.x, targets: part.lack, workers: context.workers) }
    }
    let solution: LeastSquares.Solution
    do {
      solution = try problem.solution(ridge: options.ridge, workers: context.workers)
    } catch {
      throw failure(
        of: layer,
        problem.meanSquareOfFeatures.isFinite
          ? "can't be solved for: \(error)"
          : "gets inputs too large for single precision on the path: their squares overflow")
    }
    guard solution.weights.isFinite, solution.bias?.isFinite ?? true else {
      throw failure(of: layer, "can't be solved for in single precision: its weights overflow")
    }
    solved.write(reference, plus: solution.weights, to: &weights[layer.weight])
    if let bias = layer.bias, let change = solution.bias {
      for (place, row) in solved.rows.enumerated() {
        let own = solved.mixed(row, a[bias].elements[row], b[bias].elements[row])
        weights[bias].elements[row] = own + change.elements[place]
      }
    }
  }

  private func failure(of layer: ExchangeLayer, _ problem: String) -> ConnectionError {
    .range(index: layer.node, description: a.network.describe(node: layer.node), problem: problem)
  }

  /// The features of a block that are solved from, and what the reference lacks with them of what the rows
  /// should put out, without biases.
  private func lack(
    of layer: ExchangeLayer, _ solved: SolvedRows, _ reference: Tensor, _ pair: Pair,
    _ values: [Network.Value: Tensor], first: Int
  ) -> (x: Tensor, lack: Tensor) {
    func rows(_ values: [Network.Value: Tensor]) -> Tensor {
      guard let block = values[layer.input] else { return Tensor(zeros: [0, 0]) }
      return layer.featureRows(of: block, positions: options.positions, first: first)
    }
    let all = rows(values)
    let x =
      solved.features.count == all.shape.rowCount ? all : all.gathering(columns: solved.features)
    let networks = [(pair.first, a), (pair.second, b)].map { own, weights in
      var output = Tensor(unspecified: [all.shape.rows, solved.holders.count])
      output.assignProduct(rows(own).matrix, weights[layer.weight].transposed)
      for companion in layer.companions {
        guard let right = own[companion], let there = values[companion] else { continue }
        let difference = Tensor.combination(
          [right, there], coefficients: [1, -1], shape: right.shape)
        output.add(layer.outputRows(of: difference, positions: options.positions, first: first))
      }
      return output
    }
    var lack = solved.mix(networks[0], networks[1])
    lack.assignProduct(x.matrix, reference.transposed, alpha: -1, beta: 1)
    return (x, lack)
  }
}

/// The rows of a layer that are solved for at a point, and the features from which they are.
private struct SolvedRows: Sendable {
  /// What holds each row's unit; nothing if it has none.
  let holders: [SlotHolder?]
  /// What holds the unit of each index along the second axis.
  let columns: [SlotHolder?]
  /// The features of each such index.
  let width: Int
  /// The second network's share in rows without a unit.
  let share: Double
  /// The rows.
  let rows: [Int]
  /// The features of units that are not idle.
  let features: [Int]

  init(holders: [SlotHolder?], columns: [SlotHolder?], width: Int, share: Double) {
    self.holders = holders
    self.columns = columns
    self.width = width
    self.share = share
    rows = holders.indices.filter { holders[$0] != .idle }
    features = columns.indices.filter { columns[$0] != .idle }
      .flatMap { $0 * width..<($0 + 1) * width }
  }

  /// A row's number: its own network's, or the mean.
  func mixed(_ row: Int, _ first: Float, _ second: Float) -> Float {
    switch holders[row] {
    case .first, .idle: first
    case .second: second
    case nil: Float(1 - share) * first + Float(share) * second
    }
  }

  /// What the weights are pulled to: of each row its own network's weights of the units that are there.
  func reference(_ a: Tensor, _ b: Tensor) -> Tensor {
    var values: [Float] = []
    values.reserveCapacity(rows.count * features.count)
    let all = a.shape.rowCount
    for row in rows {
      for feature in features {
        let (first, second) = (a.elements[row * all + feature], b.elements[row * all + feature])
        let value: Float =
          switch (holders[row], columns[feature / width]) {
          case (.first, .first), (nil, .first), (.first, nil): first
          case (.second, .second), (nil, .second), (.second, nil): second
          case (nil, nil): mixed(row, first, second)
          default: 0
          }
        values.append(value)
      }
    }
    return Tensor(values).reshaped([rows.count, features.count])
  }

  /// What the rows should put out, of what both networks do, `[n, rows]`.
  func mix(_ a: Tensor, _ b: Tensor) -> Tensor {
    let all = holders.count
    let shares = rows.map { row -> (Float, Float) in
      switch holders[row] {
      case .first, .idle: (1, 0)
      case .second: (0, 1)
      case nil: (Float(1 - share), Float(share))
      }
    }
    var values: [Float] = []
    values.reserveCapacity(a.shape.rows * rows.count)
    for sample in 0..<a.shape.rows {
      let (first, second) = (a.row(sample), b.row(sample))
      let start = sample * all
      for (row, share) in zip(rows, shares) {
        values.append(share.0 * first[start + row] + share.1 * second[start + row])
      }
    }
    return Tensor(values).reshaped([a.shape.rows, rows.count])
  }

  /// Writes solved rows over those of a layer; what reads idle units is zero.
  func write(_ reference: Tensor, plus change: Tensor, to tensor: inout Tensor) {
    let all = tensor.shape.rowCount
    var values = tensor.elements
    for (place, row) in rows.enumerated() {
      for (index, feature) in features.enumerated() {
        let source = place * features.count + index
        values[row * all + feature] = reference.elements[source] + change.elements[source]
      }
    }
    for (index, holder) in columns.enumerated() where holder == .idle {
      for row in holders.indices {
        for feature in index * width..<(index + 1) * width { values[row * all + feature] = 0 }
      }
    }
    tensor.elements = values
  }
}

extension Runner {
  /// The wanted values, from known ones.
  fileprivate func advance(
    _ values: [Network.Value: Tensor], weights: Weights
  ) -> [Network.Value: Tensor] {
    Dictionary(
      uniqueKeysWithValues: zip(
        targets, outputs(of: sources.compactMap { values[$0] }, weights: weights)))
  }
}

extension Tensor {
  /// Some columns of a matrix.
  fileprivate func gathering(columns: [Int]) -> Tensor {
    var values: [Float] = []
    values.reserveCapacity(shape.rows * columns.count)
    for index in 0..<shape.rows {
      let row = row(index)
      let start = row.startIndex
      for column in columns { values.append(row[start + column]) }
    }
    return Tensor(values).reshaped([shape.rows, columns.count])
  }
}
