// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths

/// The plane through three points of weight space, with coordinates in which lengths are those of
/// weight space: the first point is the origin, the second lies to the right of it.
struct WeightPlane {
  /// A place in the plane.
  struct Point: Hashable {
    var x: Double
    var y: Double

    var json: JSONValue { .array([JSONValue(x), JSONValue(y)]) }
  }

  private let origin: Weights
  /// Unit vectors to the right and upwards.
  private let directions: [[Tensor]]
  private let corners: [Point]
  /// The room around the three points, as a share of their distance.
  private static let margin = 0.25

  /// - Throws: `ExperimentError` if the points lie on a line.
  init(through a: Weights, _ b: Weights, _ c: Weights) throws {
    origin = a
    let right = WeightPlane.difference(b, a)
    let width = WeightPlane.product(right, right).squareRoot()
    let other = WeightPlane.difference(c, a)
    guard width > 0 else { throw WeightPlane.degenerate(nil) }
    let unit = right.map { WeightPlane.combination([($0, 1 / width)]) }
    let along = WeightPlane.product(other, unit)
    let up = zip(other, unit).map { WeightPlane.combination([($0, 1), ($1, -along)]) }
    let height = WeightPlane.product(up, up).squareRoot()
    guard height > 1e-6 * width else { throw WeightPlane.degenerate(nil) }
    directions = [unit, up.map { WeightPlane.combination([($0, 1 / height)]) }]
    corners = [Point(x: 0, y: 0), Point(x: width, y: 0), Point(x: along, y: height)]
  }

  static func degenerate(_ method: MethodExpression?) -> ExperimentError {
    let which = method.map { "that of ‘\($0)’" } ?? "this one's"
    return .field(
      "planes",
      expected: "methods whose paths bend, but the middle of \(which) lies on the straight line")
  }

  /// Whether a method's paths are straight, as far as two small networks show without data, a model
  /// or learning: what can't be joined so is found out later.
  static func isDegenerate(for method: MethodExpression, _ registry: PluginRegistry) -> Bool {
    guard let connection = try? registry.connection(method), !connection.traits.needsData,
      let network = try? Network(
        inputShape: [4],
        layers: [.dense(outputs: 6, bias: true), .relu, .dense(outputs: 3, bias: true)]),
      let a = try? Weights(randomFor: network, seed: 1),
      let b = try? Weights(randomFor: network, seed: 2),
      let path = try? connection.path(from: a, to: b, in: ConnectionContext()),
      let middle = try? path.weights(at: path.middle)
    else { return false }
    do {
      _ = try WeightPlane(through: a, b, middle)
      return false
    } catch { return true }
  }

  /// What the plane shows in a direction: `[from, to]`.
  func range(_ coordinate: KeyPath<Point, Double>) -> JSONValue {
    let (lower, upper) = bounds(coordinate)
    return .array([JSONValue(lower), JSONValue(upper)])
  }

  private func bounds(_ coordinate: KeyPath<Point, Double>) -> (Double, Double) {
    let values = corners.map { $0[keyPath: coordinate] }
    let (lower, upper) = (values.min() ?? 0, values.max() ?? 0)
    let room = WeightPlane.margin * max(corners[1].x, corners[2].y)
    return (lower - room, upper + room)
  }

  /// The point at a column and a row of a grid over all that is shown.
  func point(column: Int, row: Int, of size: Int) -> Point {
    func place(_ index: Int, _ bounds: (Double, Double)) -> Double {
      bounds.0 + (bounds.1 - bounds.0) * Double(index) / Double(size - 1)
    }
    return Point(x: place(column, bounds(\.x)), y: place(row, bounds(\.y)))
  }

  /// The weights at a point.
  func weights(at point: Point) throws -> Weights {
    try Weights(
      network: origin.network,
      tensors: origin.tensors.indices.map { index in
        WeightPlane.combination([
          (origin[index], 1), (directions[0][index], point.x), (directions[1][index], point.y),
        ])
      })
  }

  /// Where weights lie, projected onto the plane.
  func coordinates(of weights: Weights) -> Point {
    let offset = WeightPlane.difference(weights, origin)
    return Point(
      x: WeightPlane.product(offset, directions[0]), y: WeightPlane.product(offset, directions[1]))
  }

  private static func difference(_ a: Weights, _ b: Weights) -> [Tensor] {
    zip(a.tensors, b.tensors).map { combination([($0, 1), ($1, -1)]) }
  }

  private static func combination(_ terms: [(Tensor, Double)]) -> Tensor {
    Tensor.combination(
      terms.map(\.0), coefficients: terms.map(\.1), shape: terms[0].0.shape)
  }

  private static func product(_ a: [Tensor], _ b: [Tensor]) -> Double {
    zip(a, b).reduce(0) { sum, pair in
      zip(pair.0.elements, pair.1.elements).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
    }
  }
}
