// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The layers between two networks in closed form, each from both networks' own features.
///
/// Products of features are summed once, and kept while all of them fit some memory; then a time costs a
/// factorisation for each layer.
final class MergedLayers: Sendable {
  /// The network at 0 and the one at 1.
  let ends: (Weights, Weights)
  /// The layers that are solved for; others, which read the samples alone, go straight.
  let layers: [SolvedLayer]

  private let rule: MergingRule
  private let samples: SampleSet
  private let options: AdjustmentOptions
  private let workers: Workers
  private let progress: @Sendable (ConnectionProgress) throws -> Void
  private let kept = SolutionMemory<[Int: [MergedPart]]>()

  /// The bytes of products summed in one pass over the samples, and of those kept.
  private static let productBytes = 1 << 30
  private static let blockRows = 2048
  private static let blockValues = 1 << 25

  init(
    from first: Weights, to second: Weights, rule: MergingRule, samples: SampleSet,
    options: AdjustmentOptions, workers: Workers,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void
  ) throws {
    try samples.check(fits: first.network)
    ends = (first, second)
    layers = SolvedLayer.behindFirst(of: first.network)
    self.rule = rule
    self.samples = samples
    self.options = options
    self.workers = workers
    self.progress = progress
    for layer in layers where Double(bytes(of: layer)) > Machine.physicalMemory / 2 {
      throw ConnectionError.layer(
        index: layer.node, description: first.network.describe(node: layer.node),
        problem: "has \(layer.features) inputs, whose products need more memory than there is")
    }
  }

  private var network: Network { ends.0.network }

  private func bytes(of layer: SolvedLayer) -> Int {
    layer.parts * MergedPart.bytes(features: layer.features, targets: layer.targets, rule)
  }

  private func solvesBias(of layer: SolvedLayer) -> Bool {
    layer.bias != nil && options.solvesBias
  }

  private func sampleCount(of layer: SolvedLayer) -> Int {
    options.sampleCount(
      positions: layer.limitingPositions, features: layer.features, available: samples.count)
  }

  /// The weights at times between 0 and 1; these two are ``ends``.
  /// - Throws: ``ConnectionError/range(index:description:problem:)`` if features are too large or too small.
  func points(at times: [Double]) throws -> [Weights] {
    var points = times.map { time in
      var weights = ends.0
      for (index, parameter) in network.parameters.enumerated()
      where !ends.0[index].isIdentical(to: ends.1[index]) {
        weights[index] = Tensor.combination(
          [ends.0[index], ends.1[index]], coefficients: [1 - time, time], shape: parameter.shape)
      }
      return weights
    }
    let groups = groups()
    for (number, group) in groups.enumerated() {
      let parts = try self.parts(of: group, number: number, of: groups.count)
      for layer in group {
        let (own, references) = (parts[layer.node] ?? [], points)
        try progress(
          ConnectionProgress(
            "solving for \(network.nodes[layer.node].name) at \(times.count.counted("point"))",
            share: (Double(number) + 0.5) / Double(groups.count)))
        let inner = times.count > 1 ? Workers.serial : workers
        points = try workers.map(times.count) { index in
          try merged(layer, own, references[index], at: times[index], workers: inner)
        }
      }
    }
    return points
  }

  /// Neighbouring layers of one number of samples whose products fit memory together.
  private func groups() -> [[SolvedLayer]] {
    var groups: [[SolvedLayer]] = []
    var room = 0
    for layer in layers {
      if let last = groups.last?.last, sampleCount(of: last) == sampleCount(of: layer),
        bytes(of: layer) <= room
      {
        groups[groups.count - 1].append(layer)
      } else {
        groups.append([layer])
        room = Self.productBytes
      }
      room -= bytes(of: layer)
    }
    return groups
  }

  private func parts(
    of group: [SolvedLayer], number: Int, of count: Int
  ) throws -> [Int: [MergedPart]] {
    if let known = kept.solutions(at: [Double(number)])[Double(number)] { return known }
    let found = try computedParts(of: group) { share in
      try progress(
        ConnectionProgress(
          "products of features of \(group.map { network.nodes[$0.node].name }.joined(separator: ", "))",
          share: (Double(number) + 0.5 * share) / Double(count)))
    }
    kept.keep(
      found, at: Double(number), bytes: layers.reduce(0) { $0 + bytes(of: $1) / 2 } / count)
    return found
  }

  /// One pass over the samples.
  private func computedParts(
    of group: [SolvedLayer], _ tell: (Double) throws -> Void
  ) throws -> [Int: [MergedPart]] {
    let inputs = Set(group.map(\.input)).sorted()
    let runner = try Runner(network, from: [.sample], to: inputs)
    let samples = samples.prefix(sampleCount(of: group[0]))
    var sums = group.map { layer in
      (0..<layer.parts).map { _ in
        MergedPart.columns(layer.features, rule, hasOnes: solvesBias(of: layer))
          .map(GramAccumulator.init(order:))
      }
    }
    let rows = group.map { $0.rowsPerSample(options) }.max() ?? 1
    let widest = network.shapes.map(\.count).max() ?? 1
    let blocks = samples.ranges(
      ofSize: max(1, min(Self.blockRows / rows, Self.blockValues / max(1, widest))))
    var counts = group.map { _ in 0 }
    for start in stride(from: 0, to: blocks.count, by: workers.count) {
      try tell(Double(start) / Double(blocks.count))
      let ranges = Array(blocks[start..<min(start + workers.count, blocks.count)])
      let values = workers.values(ranges.count) { index in
        let block = samples.block(ranges[index])
        return [ends.0, ends.1].map { weights in
          Dictionary(
            uniqueKeysWithValues: zip(inputs, runner.outputs(of: [block], weights: weights)))
        }
      }
      for (place, layer) in group.enumerated() {
        let features = workers.values(ranges.count) { index in
          columns(of: layer, values[index], first: ranges[index].lowerBound)
        }
        for block in features {
          counts[place] += block[0][0].shape.rows
          for (part, own) in block.enumerated() {
            for (number, columns) in own.enumerated() {
              sums[place][part][number].add(columns, workers: workers)
            }
          }
        }
      }
    }
    return Dictionary(
      uniqueKeysWithValues: group.enumerated().map { place, layer in
        (layer.node, parts(of: layer, sums[place], rows: counts[place]))
      })
  }

  /// For each part of a layer the features whose products are summed.
  private func columns(
    of layer: SolvedLayer, _ values: [[Network.Value: Tensor]], first: Int
  ) -> [[Tensor]] {
    let both = values.map { values in
      layer.featuresOfParts(
        layer.rows(
          of: values[layer.input] ?? Tensor(zeros: [0]), positions: options.positions, first: first)
      )
    }
    let ones = solvesBias(of: layer)
    return (0..<layer.parts).map { part in
      switch rule {
      case .eachNetwork: both.map { Tensor.sideBySide([$0[part]], ones: ones) }
      case .meanFeatures: [Tensor.sideBySide(both.map { $0[part] }, ones: ones)]
      }
    }
  }

  private func parts(
    of layer: SolvedLayer, _ sums: [[GramAccumulator]], rows: Int
  ) -> [MergedPart] {
    let (first, second) = (ends.0[layer.weight], ends.1[layer.weight])
    let differences = zip(first.elements, second.elements).map { Double($0) - Double($1) }
    var biases: [Double]?
    if solvesBias(of: layer), let bias = layer.bias {
      biases = zip(ends.0[bias].elements, ends.1[bias].elements).map { Double($0) - Double($1) }
    }
    let size = layer.targets * layer.features
    return sums.enumerated().map { part, sums in
      MergedPart(
        sums.map {
          SymmetricMatrix.combination([$0.matrix], coefficients: [1 / Double(max(1, rows))])
        },
        difference: Array(differences[part * size..<(part + 1) * size]),
        biases: biases.map { Array($0[part * layer.targets..<(part + 1) * layer.targets]) },
        features: layer.features, rule: rule)
    }
  }

  private func merged(
    _ layer: SolvedLayer, _ parts: [MergedPart], _ reference: Weights, at time: Double,
    workers: Workers
  ) throws -> Weights {
    var weights = reference
    for (number, part) in parts.enumerated() {
      let solution: (weights: [Double], bias: [Double]?)
      do {
        solution = try part.problem(at: time).solution(ridge: options.ridge, workers: workers)
      } catch {
        throw ConnectionError.range(
          index: layer.node, description: network.describe(node: layer.node),
          problem: "can't be merged on its inputs in both networks: \(error)")
      }
      weights[layer.weight].add(solution.weights, at: number * layer.targets * layer.features)
      if let bias = layer.bias, let change = solution.bias {
        weights[bias].add(change, at: number * layer.targets)
      }
    }
    guard weights[layer.weight].isFinite, layer.bias.map({ weights[$0].isFinite }) ?? true else {
      throw ConnectionError.range(
        index: layer.node, description: network.describe(node: layer.node),
        problem: "can't be merged in single precision: its inputs are too large or too small")
    }
    return weights
  }
}

extension Tensor {
  /// Adds values to those from an index on.
  fileprivate mutating func add(_ change: [Double], at start: Int) {
    for (index, value) in change.enumerated() { elements[start + index] += Float(value) }
  }

  /// The rows of matrices beside each other, with a 1 behind each if wanted.
  fileprivate static func sideBySide(_ parts: [Tensor], ones: Bool) -> Tensor {
    if parts.count == 1, !ones { return parts[0] }
    let width = parts.reduce(0) { $0 + $1.shape.rowCount } + (ones ? 1 : 0)
    var result = Tensor(repeating: 1, shape: [parts[0].shape.rows, width])
    var column = 0
    for part in parts {
      let own = part.shape.rowCount
      for row in 0..<part.shape.rows {
        let start = row * width + column
        result.elements.replaceSubrange(
          start..<start + own, with: part.elements[row * own..<(row + 1) * own])
      }
      column += own
    }
    return result
  }
}
