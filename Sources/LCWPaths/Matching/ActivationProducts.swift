// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// Products of the activations of two networks' units over samples and positions, block by block.
struct ActivationProducts {
  private let a: Weights
  private let b: Weights
  private let places: [(place: UnitGroup.Place, count: Int)]
  private let values: [Network.Value]
  private let runner: Runner

  /// The values that the activations of a block, of both networks, should not exceed.
  private static let blockValues = 1 << 22

  /// - Parameter places: Where values have units, and how many.
  init(
    of places: [(place: UnitGroup.Place, count: Int)], from a: Weights, to b: Weights
  ) throws {
    (self.a, self.b, self.places) = (a, b, places)
    values = Set(places.map(\.place.value)).sorted()
    runner = try Runner(a.network, from: [.sample], to: values)
  }

  /// For each place the correlations of A's units, a row each, with B's, a column each; zero where one of the
  /// two never changes.
  func correlations(
    on samples: SampleSet, workers: Workers,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void
  ) throws -> [[Double]] {
    guard !places.isEmpty, samples.count > 0 else {
      return places.map { [Double](repeating: 0, count: $0.count * $0.count) }
    }
    let kept = values.reduce(0) { $0 + a.network.shape(of: $1).count }
    let size = min(runner.evaluationBlock, max(1, Self.blockValues / max(1, 2 * kept)))
    let blocks = samples.ranges(ofSize: size)
    // Products are taken around a block's means: around zero, those of units far from it would cancel.
    let first = activations(samples.block(blocks[0]))
    let centres = places.indices.map { place in
      first.map { rows($0, place).rowMeans }
    }
    var sums = places.map { PlaceSums(count: $0.count) }
    for start in stride(from: 0, to: blocks.count, by: workers.count) {
      try progress(
        ConnectionProgress(
          "measuring activations", share: Double(start) / Double(blocks.count)))
      let ranges = Array(blocks[start..<min(start + workers.count, blocks.count)])
      let parts = try workers.map(ranges.count) { index in
        let networks = activations(samples.block(ranges[index]))
        return places.indices.map { place in
          let pair = zip(networks, centres[place]).map { values, centre in
            rows(values, place).subtracting(centre)
          }
          return PlaceSums.Part(pair[0], pair[1])
        }
      }
      // In the order of the blocks, so that the sums do not depend on the threads.
      for part in parts { for place in sums.indices { sums[place].add(part[place]) } }
    }
    return sums.map(\.correlations)
  }

  /// The values of both networks.
  private func activations(_ block: Tensor) -> [[Network.Value: Tensor]] {
    [a, b].map { weights in
      Dictionary(
        uniqueKeysWithValues: zip(
          values, runner.outputs(of: [block], weights: weights)))
    }
  }

  /// The units at a place as rows, a column for each sample and position.
  private func rows(_ values: [Network.Value: Tensor], _ index: Int) -> Tensor {
    let (place, count) = places[index]
    guard let tensor = values[place.value] else { return Tensor(zeros: [count, 0]) }
    let shape = a.network.shape(of: place.value)
    let width = place.block * shape.rowCount
    let (samples, size) = (tensor.shape.rows, shape.count)
    let offset = place.offset * shape.rowCount
    var rows = Tensor(unspecified: [count, samples * width])
    rows.elements.withUnsafeMutableBufferPointer { rows in
      tensor.elements.withUnsafeBufferPointer { values in
        for sample in 0..<samples {
          for unit in 0..<count {
            let source = sample * size + offset + unit * width
            let target = (unit * samples + sample) * width
            for index in 0..<width { rows[target + index] = values[source + index] }
          }
        }
      }
    }
    return rows
  }
}

/// Sums over samples and positions of what two networks' units are and of their products.
private struct PlaceSums {
  private let count: Int
  private var number = 0.0
  private var products: [Double]
  private var sums: ([Double], [Double])
  private var squares: ([Double], [Double])

  /// The sums of a block; products in single precision.
  struct Part: Sendable {
    let number: Int
    let products: Tensor
    let sums: ([Double], [Double])
    let squares: ([Double], [Double])

    /// - Parameters: Units as rows.
    init(_ a: Tensor, _ b: Tensor) {
      number = a.shape.rowCount
      var products = Tensor(zeros: [a.shape.rows, b.shape.rows])
      products.assignProduct(a.matrix, b.transposed)
      self.products = products
      sums = (a.rowSums { $0 }, b.rowSums { $0 })
      squares = (a.rowSums { $0 * $0 }, b.rowSums { $0 * $0 })
    }
  }

  init(count: Int) {
    self.count = count
    products = [Double](repeating: 0, count: count * count)
    let zeros = [Double](repeating: 0, count: count)
    (sums, squares) = ((zeros, zeros), (zeros, zeros))
  }

  mutating func add(_ part: Part) {
    number += Double(part.number)
    for index in products.indices { products[index] += Double(part.products.elements[index]) }
    for unit in 0..<count {
      sums.0[unit] += part.sums.0[unit]
      sums.1[unit] += part.sums.1[unit]
      squares.0[unit] += part.squares.0[unit]
      squares.1[unit] += part.squares.1[unit]
    }
  }

  var correlations: [Double] {
    func deviations(_ sums: [Double], _ squares: [Double]) -> [Double] {
      zip(sums, squares).map { sum, square in
        // What is left of a constant's squares is rounding.
        let variance = square - sum * sum / number
        return variance <= 1e-10 * square ? 0 : variance.squareRoot()
      }
    }
    let (a, b) = (deviations(sums.0, squares.0), deviations(sums.1, squares.1))
    var result = products
    for row in 0..<count {
      for column in 0..<count {
        let place = row * count + column
        let scale = a[row] * b[column]
        result[place] =
          scale == 0 ? 0 : (products[place] - sums.0[row] * sums.1[column] / number) / scale
      }
    }
    return result
  }
}

extension Tensor {
  fileprivate func rowSums(_ transform: (Double) -> Double) -> [Double] {
    let width = shape.rowCount
    return elements.withUnsafeBufferPointer { values in
      (0..<shape.rows).map { row in
        var sum = 0.0
        for index in row * width..<(row + 1) * width { sum += transform(Double(values[index])) }
        return sum
      }
    }
  }

  /// The mean of each row.
  fileprivate var rowMeans: [Float] {
    let count = Double(max(1, shape.rowCount))
    return rowSums { $0 }.map { Float($0 / count) }
  }

  /// Each row without a number of its own.
  fileprivate consuming func subtracting(_ numbers: [Float]) -> Tensor {
    let width = shape.rowCount
    var result = self
    result.elements.withUnsafeMutableBufferPointer { values in
      for (row, number) in numbers.enumerated() {
        for index in row * width..<(row + 1) * width { values[index] -= number }
      }
    }
    return result
  }
}
