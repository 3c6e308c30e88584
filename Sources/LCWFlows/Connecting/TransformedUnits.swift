// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics
import LCWPaths

/// Hidden units on the way ν⁻¹[cos(πt/2) ν(A) + sin(πt/2) ν(B)] (Anokhin and Yarotsky 2020,
/// "Flow" and "Bijection").
///
/// If ν(A) and ν(B) are independent standard normal samples, so is every point between, and the
/// units have at each t the distribution that ν was fitted to.
///
/// ν⁻¹(ν(A)) is A but for rounding. So that the way begins at A and ends at B to the bit without a
/// jump, (1 − t) (A − ν⁻¹ν(A)) + t (B − ν⁻¹ν(B)) is added.
struct TransformedUnits: Sendable {
  let population: HiddenPopulation
  private let transformation: Transformation
  private let ends: (a: Weights, b: Weights)
  private let images: (a: Tensor, b: Tensor)
  private let corrections: (a: Tensor, b: Tensor)
  /// The larger of |A − ν⁻¹ν(A)| / |A| and the same of B: what rounding leaves.
  let rounding: Double
  private let workers: Workers

  init(
    _ transformation: Transformation, _ population: HiddenPopulation, from a: Weights,
    to b: Weights, workers: Workers
  ) throws {
    self.transformation = transformation
    self.population = population
    self.workers = workers
    ends = (a, b)
    typealias Image = (image: Tensor, correction: Tensor, rounding: Double)
    func image(_ weights: Weights, _ name: String) throws -> Image {
      let rows = population.neurons(of: weights)
      guard rows.isFinite else { throw ConnectionError.notFinite(network: name) }
      let trip = try transformation.roundTrip(
        of: rows, named: "the neurons of \(name)", workers: workers)
      return (
        trip.image,
        Tensor.combination([rows, trip.back], coefficients: [1, -1], shape: rows.shape),
        trip.rounding
      )
    }
    let (first, second) = (try image(a, "the first network"), try image(b, "the second network"))
    images = (first.image, second.image)
    corrections = (first.correction, second.correction)
    rounding = max(first.rounding, second.rounding)
  }

  var parameters: [Int] { population.parameters }

  /// The parameters' tensors at a time from 0 to 1.
  func tensors(at time: Double) throws -> [Int: Tensor] {
    if time <= 0 || time >= 1 {
      let end = time <= 0 ? ends.a : ends.b
      return Dictionary(uniqueKeysWithValues: parameters.map { ($0, end[$0]) })
    }
    let coefficients = Curve.arc.coefficients(at: time).suffix(2)
    let shape = images.a.shape
    let between = Tensor.combination(
      [images.a, images.b], coefficients: Array(coefficients), shape: shape)
    let rows = Tensor.combination(
      [try transformation.inverse(between, workers: workers), corrections.a, corrections.b],
      coefficients: [1, 1 - time, time], shape: shape)
    guard rows.isFinite else {
      throw FlowError.notFinite(rows: "the neurons at \(time) of the way by the model")
    }
    var weights = ends.a
    population.assign(rows, to: &weights)
    return Dictionary(uniqueKeysWithValues: parameters.map { ($0, weights[$0]) })
  }
}

extension TransformationModel {
  /// The motion of one hidden layer's units.
  /// - Throws: As ``transformation(ofUnitsIn:of:)``, and ``ConnectionError/notFinite(network:)``.
  public func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion {
    let (transformation, population) = try transformation(ofUnitsIn: layer, of: a.network)
    let units = try TransformedUnits(
      transformation, population, from: a, to: b, workers: context.workers)
    return LayerMotion(ofParameters: units.parameters) { try units.tensors(at: $0) }
  }

  /// The path between two networks of one hidden layer. The output layer's bias, which belongs to
  /// no unit, goes on the arc as in `arc`.
  /// - Throws: ``FlowError/needsModifier(method:layers:)`` for deeper networks, and as
  ///   ``motion(ofUnitsIn:from:to:in:)``.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let layers = a.network.weightedLayers
    guard layers.count >= 2 else {
      throw ConnectionError.tooFewLayers(method: method, needed: 2, found: layers.count)
    }
    guard layers.count == 2 else {
      throw FlowError.needsModifier(method: method, layers: layers.count)
    }
    let (transformation, population) = try transformation(ofUnitsIn: layers[0], of: a.network)
    return TransformedPath(
      units: try TransformedUnits(
        transformation, population, from: a, to: b, workers: context.workers),
      rest: try UnitCurve.arc.stage(from: a, to: b, label: method))
  }

  /// What the neurons of a network's first hidden layer that moves are mapped to, `[n, D]`.
  /// - Throws: As ``transformation(ofUnitsIn:of:)``.
  public func normalised(_ weights: Weights, in context: ConnectionContext) throws -> Tensor {
    let layer = weights.network.weightedLayers.dropLast().first { layer in
      weights.network.parameters.contains {
        $0.layer == layer && transformations.keys.contains($0.layerName)
      }
    }
    let (transformation, population) = try transformation(
      ofUnitsIn: layer ?? -1, of: weights.network)
    return try transformation.forward(
      population.neurons(of: weights), workers: context.workers
    ).rows
  }
}

/// A path of one stage on which the units of the only hidden layer go through a transformation.
private struct TransformedPath: ConnectionPath {
  let units: TransformedUnits
  let stages: [PathStage]

  init(units: TransformedUnits, rest: PathStage) {
    self.units = units
    var stage = rest
    for parameter in units.parameters { stage.motions[parameter] = .opaque }
    stages = [stage]
  }

  var network: Network { units.population.network }

  var remarks: [PathRemark] {
    [PathRemark("round-trip error of ν⁻¹ν on A or B, in millionths", units.rounding * 1e6)]
  }

  func weights(at t: Double) throws -> Weights {
    try weights(at: t, opaque: units.tensors(at: position(of: t).time))
  }
}
