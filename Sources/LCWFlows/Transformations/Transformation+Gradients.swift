// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// Rows that went through a transformation one way, with what gradients need.
public struct TransformationPass: Sendable {
  /// The rows on the other side, `[n, D]`.
  public let rows: Tensor
  /// Of each row the logarithm of |det ∂ν/∂θ|; empty for the way back.
  public let logDeterminants: [Double]
  let ranges: [Range<Int>]
  let chunks: [Transformation.Chunk]
}

extension Transformation {
  /// Zeros in the place of each parameter, for gradients.
  public var zeroGradients: [Tensor] { parameters.map { Tensor(zeros: $0.shape) } }

  /// The way forward, no more exact than gradients have to be, keeping what ``backward(_:gradient:logGradients:into:carry:workers:)`` needs.
  /// - Throws: ``FlowError/dimension(expected:found:)``.
  public func forwardPass(_ rows: Tensor, workers: Workers) throws -> TransformationPass {
    try check(rows)
    return try pass(rows, workers) {
      forward(rows, $0, isKeeping: true, precision: .standard)
    }
  }

  /// The way back, no more exact than gradients have to be, keeping what ``inverseBackward(_:gradient:into:carry:workers:)`` needs.
  /// - Throws: ``FlowError/dimension(expected:found:)``.
  public func inversePass(_ rows: Tensor, workers: Workers) throws -> TransformationPass {
    try check(rows)
    return try pass(rows, workers) {
      inverse(rows, $0, isKeeping: true, precision: .standard)
    }
  }

  private func pass(
    _ rows: Tensor, _ workers: Workers, _ body: @Sendable (Range<Int>) -> Chunk
  ) throws -> TransformationPass {
    let ranges = ranges(rows.shape.rows, workers)
    let chunks = try workers.map(ranges.count) { body(ranges[$0]) }
    return TransformationPass(
      rows: joined(chunks.map(\.whole)), logDeterminants: chunks.flatMap(\.logs),
      ranges: ranges, chunks: chunks)
  }

  /// The gradient of the samples from those of ν(θ) and of the logarithmic determinants.
  ///
  /// - Parameters:
  ///   - pass: What ``forwardPass(_:workers:)`` gave.
  ///   - gradient: Of the rows, `[n, D]`.
  ///   - logGradients: Of the n logarithmic determinants.
  ///   - gradients: Take the gradients of the parameters.
  ///   - carry: What `gradients` keep of what they held: 1 to add to it, 0 to replace it.
  ///   - workers: The threads.
  public func backward(
    _ pass: TransformationPass, gradient: Tensor, logGradients: [Float],
    into gradients: inout [Tensor], carry: Float = 1, workers: Workers
  ) throws -> Tensor {
    let behind = try layersBackward(
      pass, gradient: gradient, logGradients: logGradients, into: &gradients, carry: carry,
      workers: workers)
    return joined(try workers.map(behind.count) { standardisation.backward(behind[$0]) })
  }

  /// The gradients of the parameters alone, with the arguments of
  /// ``backward(_:gradient:logGradients:into:carry:workers:)``.
  /// - Returns: The gradients behind the standardisation, chunk by chunk.
  @discardableResult
  func layersBackward(
    _ pass: TransformationPass, gradient: Tensor, logGradients: [Float],
    into gradients: inout [Tensor], carry: Float = 1, workers: Workers
  ) throws -> [Tensor] {
    let results = try workers.map(pass.ranges.count) { index in
      let range = pass.ranges[index]
      var (own, chunk) = (Chunk(gradient.rows(range), moved: design.moved), pass.chunks[index])
      backward(&own.rows, logGradients: Array(logGradients[range]), &chunk)
      return (gradient: own.whole, chunk: chunk)
    }
    addGradients(
      of: results.map(\.chunk), sign: 1, carry: carry, to: &gradients, workers: workers)
    return results.map(\.gradient)
  }

  /// The gradient of z from that of ν⁻¹(z).
  ///
  /// - Parameters:
  ///   - pass: What ``inversePass(_:workers:)`` gave.
  ///   - gradient: Of the rows, `[n, D]`.
  ///   - gradients: Take the gradients of the parameters.
  ///   - carry: What `gradients` keep of what they held: 1 to add to it, 0 to replace it.
  ///   - workers: The threads.
  public func inverseBackward(
    _ pass: TransformationPass, gradient: Tensor, into gradients: inout [Tensor],
    carry: Float = 1, workers: Workers
  ) throws -> Tensor {
    let results = try workers.map(pass.ranges.count) { index in
      var chunk = pass.chunks[index]
      var own = Chunk(
        standardisation.inverseBackward(gradient, pass.ranges[index]), moved: design.moved)
      for (position, place) in places.enumerated() {
        layers[position].inverseBackward(
          &own.rows, record: &chunk.records[position], Array(parameters[place]))
      }
      return (gradient: own.whole, chunk: chunk)
    }
    addGradients(
      of: results.map(\.chunk), sign: -1, carry: carry, to: &gradients, workers: workers)
    return joined(results.map(\.gradient))
  }

  /// The gradient behind the standardisation in the place of that of ν(θ).
  func backward(_ gradient: inout Tensor, logGradients: [Float], _ chunk: inout Chunk) {
    for (position, place) in places.enumerated().reversed() {
      layers[position].backward(
        &gradient, logGradients: logGradients, record: &chunk.records[position],
        Array(parameters[place]))
    }
  }

  func addGradients(
    of chunks: [Chunk], sign: Float, carry: Float, to gradients: inout [Tensor], workers: Workers
  ) {
    for (position, place) in places.enumerated() {
      layers[position].addGradients(
        of: chunks.map { $0.records[position] }, sign: sign, carry: carry, to: &gradients,
        from: place.lowerBound, workers: workers)
    }
  }
}
