// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import SafetensorsFormat

/// Assignments of the neurons of two trained networks, of random points, and of random costs.
struct AssignmentBenchmarks {
  /// Files of trained networks in single precision, of which the first two that fit are taken.
  var files: [URL]

  /// A matrix of costs that is to be solved.
  private struct Problem: Sendable {
    var name: String
    var work: String
    var costs: @Sendable () throws -> Tensor
  }

  /// Assignments, and the costs they are made from.
  var all: [Benchmark] {
    problems.map { problem in
      Benchmark(
        name: "assignment \(problem.name)", work: problem.work,
        prepare: {
          let costs = try problem.costs()
          return { _ = try LinearSumAssignment.solve(costs) }
        }, runs: 3)
    } + [distances]
  }

  /// Writes the costs of each problem to a file of its name: f32, little-endian, row by row.
  func write(to folder: URL) throws {
    for problem in problems {
      let costs = try problem.costs().elements
      try costs.withUnsafeBytes {
        try Data($0).write(to: folder.appendingPathComponent("\(problem.name).f32"))
      }
    }
  }

  /// Solves a square problem from a file twice, and prints the second time and the cost as JSON.
  static func solve(_ file: URL) throws {
    let data = try Data(contentsOf: file)
    let values = data.withUnsafeBytes { [Float]($0.bindMemory(to: Float.self)) }
    let size = Int(Double(values.count).squareRoot().rounded())
    let costs = try Tensor(values, shape: [size, size])
    _ = try LinearSumAssignment.solve(costs)
    let start = ContinuousClock.now
    let assignment = try LinearSumAssignment.solve(costs)
    let duration = ContinuousClock.now - start
    let seconds =
      Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    print("{\"seconds\": \(seconds), \"cost\": \(assignment.cost)}")
  }

  private var problems: [Problem] {
    [500, 2000].map(neurons) + [
      Problem(name: "points 6144", work: "6144 normal points, D = 64") {
        Self.points(6144, width: 64)
      },
      Problem(name: "uniform 6144", work: "6144 × 6144 uniform costs") {
        var random = RandomStream(seed: 3)
        return random.uniform([6144, 6144], bound: 1)
      },
    ]
  }

  private let distances = Benchmark(
    name: "assignment distances 6144", work: "squared distances of 6144 normal points, D = 64",
    prepare: {
      var random = RandomStream(seed: 1)
      let (a, b) = (random.normal([6144, 64]), random.normal([6144, 64]))
      return { _ = a.squaredDistances(toRowsOf: b, workers: .available) }
    }, runs: 3)

  private func neurons(_ count: Int) -> Problem {
    let files = files
    return Problem(name: "neurons \(count)", work: "\(count) neurons, or points of D = 795") {
      let populations = try files.lazy.compactMap { try Self.population(of: $0, count) }.prefix(2)
      let networks = Array(populations)
      guard networks.count == 2, networks[0].shape == networks[1].shape else {
        return Self.points(count, width: 795)
      }
      return networks[0].squaredDistances(toRowsOf: networks[1], workers: .available)
    }
  }

  private static func points(_ count: Int, width: Int) -> Tensor {
    var random = RandomStream(seed: 1)
    let (a, b) = (random.normal([count, width]), random.normal([count, width]))
    return a.squaredDistances(toRowsOf: b, workers: .available)
  }

  /// The first hidden neurons of a network of two dense layers: incoming weights, bias, and outgoing
  /// weights each; `nil` if it is no such network, or has fewer.
  private static func population(of file: URL, _ count: Int) throws -> Tensor? {
    let tensors = try Checkpoint(reading: Safetensors().open(file)).tensors.map(\.tensor)
    let matrices = tensors.filter { $0.shape.rank == 2 }.map(\.floats)
    guard matrices.count == 2,
      let outgoing = matrices.first(where: { $0.shape[1] != matrices[0].shape[1] }),
      let incoming = matrices.first(where: { $0.shape[0] == outgoing.shape[1] }),
      let bias = tensors.first(where: { $0.shape == [outgoing.shape[1]] })?.floats,
      incoming.shape[0] >= count
    else { return nil }
    var neurons: [Float] = []
    for neuron in 0..<count {
      neurons += incoming.row(neuron)
      neurons.append(bias.elements[neuron])
      for output in 0..<outgoing.shape[0] {
        neurons.append(outgoing.elements[output * outgoing.shape[1] + neuron])
      }
    }
    return try Tensor(neurons, shape: [count, neurons.count / count])
  }
}
