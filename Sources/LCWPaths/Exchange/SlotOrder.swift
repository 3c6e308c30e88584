// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The order in which the slots of each group of hidden units change hands in a network of any depth: that in
/// which the units that are there tell most of what the layers behind them read of the others.
struct SlotOrder: Sendable {
  private let a: Weights
  private let b: Weights
  private let populations: [HiddenPopulation]
  private let readers: [Reader]

  /// A layer that reads units of a group.
  fileprivate struct Reader: Sendable {
    let group: Int
    let layer: ExchangeLayer
    /// For each unit the indices along the weights' second axis that are its.
    let columns: [[Int]]
  }

  /// - Parameters:
  ///   - rows: The network's rows and columns by units of these groups.
  ///   - layers: The layers that read them, in the network's order.
  init(
    from a: Weights, to b: Weights, populations: [HiddenPopulation], _ rows: ExchangeRows,
    layers: [ExchangeLayer]
  ) {
    self.a = a
    self.b = b
    self.populations = populations
    readers = layers.flatMap { layer -> [Reader] in
      let places = rows.columns[layer.weight] ?? []
      return populations.enumerated().compactMap { group, population in
        var columns = [[Int]](repeating: [], count: population.count)
        for (column, place) in places.enumerated() {
          if let place, place.group == group { columns[place.unit].append(column) }
        }
        guard columns.contains(where: { !$0.isEmpty }) else { return nil }
        return Reader(group: group, layer: layer, columns: columns)
      }
    }
  }

  /// For each group its slots, the first to change hands first.
  ///
  /// - Parameters:
  ///   - drawn: For each group an order that decides between equals.
  ///   - samples: The samples on which units are compared.
  ///   - positions: At how many positions of each sample a channel is looked at.
  /// - Throws: ``ConnectionError/range(index:description:problem:)`` if units are too large, and what progress throws.
  func slots(
    drawn: [[Int]], on samples: SampleSet, positions: Int, in context: ConnectionContext
  ) throws -> [[Int]] {
    guard !readers.isEmpty else { return drawn }
    let covariances = try covariances(on: samples, positions: positions, in: context)
    return try populations.indices.map { group in
      let own = readers.indices.filter { readers[$0].group == group }
      let order = SlotExchangeOrder(
        units: populations[group].count,
        readers: own.map { index in
          SlotExchangeOrder.Reader(
            covariance: covariances[index],
            weights: [a, b].map { readers[index].weightProducts(in: $0) })
        })
      let count = Double(populations[group].count)
      return try order.order(among: drawn[group], workers: context.workers) { chosen in
        try context.progress(
          ConnectionProgress(
            "choosing units of \(populations[group].name)", share: Double(chosen) / count))
      }
    }
  }

  /// For each reader the covariances of both networks' units.
  private func covariances(
    on samples: SampleSet, positions: Int, in context: ConnectionContext
  ) throws -> [SymmetricMatrix] {
    let network = a.network
    let inputs = Set(readers.map(\.layer.input)).sorted { $0.index < $1.index }
    let runner = try Runner(network, from: [.sample], to: inputs)
    let widest = network.shapes.map(\.count).max() ?? 1
    let blocks = samples.ranges(ofSize: max(16, min(512, (1 << 22) / max(1, widest))))
    var products = readers.map { CovarianceAccumulator(order: 2 * $0.columns.count) }
    for (index, range) in blocks.enumerated() {
      try context.progress(
        ConnectionProgress(
          "comparing units", share: Double(index) / Double(blocks.count)))
      let block = samples.block(range)
      let values = try context.workers.map(2) { runner.outputs(of: [block], weights: [a, b][$0]) }
      products = try context.workers.map(readers.count) { [products] place in
        let reader = readers[place]
        var result = products[place]
        if let input = inputs.firstIndex(of: reader.layer.input) {
          let own = values.map {
            reader.unitRows(of: $0[input], positions: positions, first: range.lowerBound)
          }
          result.add(Tensor.concatenation(own))
        }
        return result
      }
    }
    return try products.enumerated().map { place, product in
      let covariance = product.covariance
      guard covariance.trace.isFinite else {
        let node = readers[place].layer.node
        throw ConnectionError.range(
          index: node, description: network.describe(node: node),
          problem: "gets inputs too large for single precision: their squares overflow")
      }
      return covariance
    }
  }
}

extension SlotOrder.Reader {
  /// The units' values, `[n, units]`: of a channel at some positions of each sample, of a unit that stands at
  /// several places of a vector at each of them.
  func unitRows(of block: Tensor, positions: Int, first: Int) -> Tensor {
    let rows = layer.channelRows(of: block, positions: positions, first: first)
    let places = columns.map(\.count).max() ?? 0
    let width = rows.shape.rowCount
    var result = [Float](repeating: 0, count: rows.shape.rows * places * columns.count)
    for row in 0..<rows.shape.rows {
      for place in 0..<places {
        let start = (row * places + place) * columns.count
        for (unit, own) in columns.enumerated() where place < own.count {
          result[start + unit] = rows.elements[row * width + own[place]]
        }
      }
    }
    return Tensor(result).reshaped([rows.shape.rows * places, columns.count])
  }

  /// For each two units the sum of the products of the weights that read them.
  func weightProducts(in weights: Weights) -> SymmetricMatrix {
    let tensor = weights[layer.weight]
    let places = columns.map(\.count).max() ?? 0
    let (all, second) = (tensor.shape.rowCount, tensor.shape[1])
    let taps = all / second
    let count = tensor.shape.rows * places * taps
    var rows = [Float](repeating: 0, count: count * columns.count)
    for output in 0..<tensor.shape.rows {
      for place in 0..<places {
        for tap in 0..<taps {
          let start = ((output * places + place) * taps + tap) * columns.count
          for (unit, own) in columns.enumerated() where place < own.count {
            rows[start + unit] = tensor.elements[output * all + own[place] * taps + tap]
          }
        }
      }
    }
    var products = SymmetricMatrix(order: columns.count)
    products.addGram(of: Tensor(rows).reshaped([count, columns.count]))
    return products
  }
}
