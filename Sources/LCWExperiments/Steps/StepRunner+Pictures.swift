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
  /// The margin around the three points, as a share of their distance.
  private static let planeMargin = 0.25

  func plane(
    _ method: MethodExpression, _ pair: NetworkPair, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let (a, b) = try ends(pair, in: folder)
    let path = try self.path(method, pair, step, in: folder)
    let middle = try path.weights(at: path.middle)
    guard let plane = try? WeightPlane(through: a, b, middle) else {
      throw WeightPlane.degenerate(nil)
    }
    let (x, y) = LossSurface.bounds(
      of: [a, b, middle].map(plane.coordinates), margin: StepRunner.planeMargin)
    let size = StepRunner.planeSize
    let samples = measured.train.prefix(StepRunner.planeSamples)
    let surface = try LossSurface(
      of: plane, columns: LossSurface.grid(x, count: size), rows: LossSurface.grid(y, count: size),
      on: samples, by: PathEvaluator(workers: workers, progress: progress))
    let losses = surface.metrics.map { JSONValue.array($0.map { JSONValue($0.crossEntropy) }) }
    let bend = try stride(from: 0, through: path.domain.upperBound, by: path.domain.upperBound / 20)
      .map { time -> JSONValue in
        let place = plane.coordinates(of: try path.weights(at: time))
        return .array([JSONValue(place.x), JSONValue(place.y)])
      }
    func json(_ range: ClosedRange<Double>) -> JSONValue {
      .array([JSONValue(range.lowerBound), JSONValue(range.upperBound)])
    }
    return [
      "losses": .array(losses), "path": .array(bend), "x": json(x),
      "y": json(y), "samples": .integer(samples.count),
    ]
  }
}
