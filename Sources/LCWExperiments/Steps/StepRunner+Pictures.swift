// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths

extension StepRunner {
  /// The neurons that a picture of a population shows.
  private static let shownNeurons = 1000

  func middles(
    _ methods: [MethodExpression], _ pair: NetworkPair, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let (a, b) = try ends(pair, in: folder)
    let population = try HiddenPopulation(firstOf: network)
    guard population.dimension <= PrincipalPlane.practicalDimension else {
      throw ExperimentError.field(
        "middles",
        expected: "left out: a neuron has \(population.dimension) numbers, and more than "
          + "\(PrincipalPlane.practicalDimension) take too long")
    }
    let ends = [a, b].map(population.neurons(of:))
    let plane = try PrincipalPlane(of: ends, workers: workers)
    func points(_ neurons: Tensor) -> JSONValue {
      .array(
        plane.coordinates(of: neurons).prefix(StepRunner.shownNeurons).map {
          .array([JSONValue($0.x), JSONValue($0.y)])
        })
    }
    let middles = try methods.map { method -> JSONValue in
      let path = try self.path(method, pair, step, in: folder)
      let neurons = population.neurons(of: try path.weights(at: path.middle))
      return .object(["name": .string("\(method)"), "points": points(neurons)])
    }
    return [
      "explained": JSONValue(plane.explained),
      "panels": .array(
        [
          .object(["name": "A", "points": points(ends[0])]),
          .object(["name": "B", "points": points(ends[1])]),
        ] + middles),
    ]
  }

  /// The points of a plane's grid in each direction, and the samples it is measured with.
  private static let planeSize = 25
  private static let planeSamples = 10_000

  func plane(
    _ method: MethodExpression, _ pair: NetworkPair, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let (a, b) = try ends(pair, in: folder)
    let path = try self.path(method, pair, step, in: folder)
    let plane = try WeightPlane(through: a, b, try path.weights(at: path.middle))
    let size = StepRunner.planeSize
    let runner = try Runner(network)
    let samples = measured.train.prefix(StepRunner.planeSamples)
    var losses: [JSONValue] = []
    for row in 0..<size {
      losses.append(
        .array(
          try (0..<size).map { column in
            let point = plane.point(column: column, row: row, of: size)
            return JSONValue(
              try runner.evaluate(
                try plane.weights(at: point), on: samples, workers: workers,
                progress: { [progress] share in
                  let done = (Double(row) + (Double(column) + share) / Double(size)) / Double(size)
                  try progress(ConnectionProgress("row \(row + 1) of \(size)", share: done))
                }
              ).crossEntropy)
          }))
    }
    let bend = try stride(from: 0, through: path.domain.upperBound, by: path.domain.upperBound / 20)
      .map { plane.coordinates(of: try path.weights(at: $0)).json }
    return [
      "losses": .array(losses), "path": .array(bend), "x": plane.range(\.x),
      "y": plane.range(\.y), "samples": .integer(samples.count),
    ]
  }
}
