// SPDX-License-Identifier: Apache-2.0
import LCWCore
public import LCWNumerics

/// An invertible transformation ν of rows `[n, D]`: a standardisation of the coordinates, then
/// layers of one family.
///
/// ```swift
/// var nu = try Transformation(design, standardisedOn: [samples], seed: 1)
/// let z = try nu.forward(rows)
/// let same = try nu.inverse(z.rows)
/// ```
///
/// Forward, inverse, logarithmic determinant and the vector-Jacobian products of both directions are
/// written out by hand. A new transformation is the standardisation alone: scales and shifts of
/// all layers start at zero. The coordinates of ν(θ) stand in an order of the layers' own, which
/// neither the density nor a path through ν⁻¹ depends on.
public struct Transformation: Sendable {
  /// What it is made of.
  public let design: TransformationDesign
  /// The first step.
  public let standardisation: Standardisation
  /// The numbers that are trained, layer by layer: panels of matrices, and biases. What an
  /// autoregressive layer may not see is zero in them and has zero gradients. The shapes can't
  /// change.
  public var parameters: [Tensor]
  let layers: [any InvertibleLayer]
  /// The parameters of each layer.
  let places: [Range<Int>]

  /// A transformation that standardises as samples say.
  ///
  /// - Parameters:
  ///   - design: What it is made of.
  ///   - samples: Rows `[n, D]` in parts, of which there may be principal axes too.
  ///   - seed: Of the networks' first weights.
  ///   - workers: The threads, for principal axes.
  /// - Throws: ``FlowError`` if the design can't be or the samples do not fit it.
  public init(
    _ design: TransformationDesign, standardisedOn samples: [Tensor], seed: UInt64,
    workers: Workers = .serial
  ) throws(FlowError) {
    try design.check()
    for rows in samples {
      guard rows.shape.rowCount == design.dimension else {
        throw .dimension(expected: design.dimension, found: rows.shape.rowCount)
      }
      guard rows.isFinite else { throw .notFinite(rows: "the samples") }
    }
    let parameters = design.makeLayers().enumerated().flatMap { index, layer in
      var random = RandomStream(seed: seed, purpose: .initialisation, index: index)
      return layer.initialParameters(&random)
    }
    var reflections: Reflections?
    if design.axes > 0 {
      let count = samples.reduce(0) { $0 + $1.shape.rows }
      guard design.axes < count else {
        throw .design(
          option: "axes", expected: "fewer than the \(count) samples", found: "\(design.axes)")
      }
      let axes = try PrincipalAxes.leading(
        design.axes, ofColumns: design.incoming, of: samples, workers: workers)
      do { reflections = try Reflections(turning: axes) } catch {
        throw .notFinite(rows: "the samples' principal axes")
      }
    }
    self.init(
      design,
      Standardisation(of: samples, order: design.order, reflections: reflections),
      parameters: parameters)
  }

  init(
    _ design: TransformationDesign, _ standardisation: Standardisation, parameters: [Tensor]
  ) {
    self.design = design
    self.standardisation = standardisation
    self.parameters = parameters
    layers = design.makeLayers()
    var first = 0
    places = layers.map { layer in
      let count = layer.parameterCount
      defer { first += count }
      return first..<first + count
    }
  }

  /// The number of trained values, without those that are always zero.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// The rows ν(θ), and of each the logarithm of |det ∂ν/∂θ|.
  /// - Throws: ``FlowError/dimension(expected:found:)``.
  public func forward(
    _ rows: Tensor, workers: Workers = .available
  ) throws -> (rows: Tensor, logDeterminants: [Double]) {
    try check(rows)
    let chunks = try workers.map(ranges(rows.shape.rows, workers).count) {
      forward(
        rows, ranges(rows.shape.rows, workers)[$0], isKeeping: false, precision: .highest)
    }
    return (joined(chunks.map(\.whole)), chunks.flatMap(\.logs))
  }

  /// The rows ν⁻¹(z).
  /// - Throws: ``FlowError/dimension(expected:found:)``.
  public func inverse(_ rows: Tensor, workers: Workers = .available) throws -> Tensor {
    try check(rows)
    let ranges = ranges(rows.shape.rows, workers)
    return joined(
      try workers.map(ranges.count) {
        inverse(rows, ranges[$0], isKeeping: false, precision: .highest).rows
      })
  }

  // MARK: Chunks

  /// A chunk of rows on its way, with what its gradients need.
  struct Chunk: Sendable {
    /// What the layers move.
    var rows: Tensor
    /// The coordinates behind it, which they do not.
    var rest: Tensor?
    var logs: [Double] = []
    var records: [LayerRecord] = []

    /// The rows from all of their coordinates, of which the first `moved` are moved by the layers.
    init(_ whole: Tensor, moved: Int) {
      let width = whole.shape.rowCount
      rows = moved == width ? whole : whole.columns(0..<moved)
      rest = moved == width ? nil : whole.columns(moved..<width)
    }

    /// All coordinates.
    var whole: Tensor {
      guard let rest else { return rows }
      let moved = rows.shape.rowCount
      var result = Tensor(unspecified: [rows.shape.rows, moved + rest.shape.rowCount])
      result.assignColumns(from: 0, of: rows, columns: 0..<moved)
      result.assignColumns(from: moved, of: rest, columns: 0..<rest.shape.rowCount)
      return result
    }
  }

  /// The most rows of a chunk: enough for the products, few enough for memory.
  private static let largestChunk = 1024

  /// Rows in chunks, as many for each worker.
  func ranges(_ rows: Int, _ workers: Workers) -> [Range<Int>] {
    let rounds =
      (rows + workers.count * Self.largestChunk - 1) / (workers.count * Self.largestChunk)
    let count = min(rows, max(1, rounds) * workers.count)
    return (0..<count).map { rows * $0 / count..<rows * ($0 + 1) / count }
  }

  func check(_ rows: Tensor) throws(FlowError) {
    guard rows.shape.rank == 2, rows.shape.rowCount == design.dimension else {
      throw .dimension(expected: design.dimension, found: rows.shape.rowCount)
    }
  }

  func forward(
    _ rows: Tensor, _ range: Range<Int>, isKeeping: Bool, precision: MatrixPrecision
  ) -> Chunk {
    var chunk = Chunk(standardisation.apply(rows, range), moved: design.moved)
    chunk.logs = [Double](repeating: standardisation.logDeterminant, count: range.count)
    for (layer, place) in zip(layers, places) {
      let record = layer.forward(
        &chunk.rows, logs: &chunk.logs, Array(parameters[place]),
        precision: precision)
      if isKeeping { chunk.records.append(record) }
    }
    return chunk
  }

  func inverse(
    _ rows: Tensor, _ range: Range<Int>, isKeeping: Bool, precision: MatrixPrecision
  ) -> Chunk {
    var chunk = Chunk(rows.rows(range), moved: design.moved)
    for (layer, place) in zip(layers, places).reversed() {
      let record = layer.inverse(
        &chunk.rows, Array(parameters[place]), precision: precision)
      if isKeeping { chunk.records.insert(record, at: 0) }
    }
    chunk.rows = standardisation.applyInverse(chunk.whole)
    chunk.rest = nil
    return chunk
  }

  func joined(_ chunks: [Tensor]) -> Tensor {
    if chunks.count == 1 { return chunks[0] }
    let rows = chunks.reduce(0) { $0 + $1.shape.rows }
    var result = Tensor(unspecified: [rows, design.dimension])
    var next = 0
    for chunk in chunks {
      result.elements.replaceSubrange(next..<next + chunk.count, with: chunk.elements)
      next += chunk.count
    }
    return result
  }
}
