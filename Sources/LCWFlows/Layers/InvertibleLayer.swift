// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// One layer of a transformation of rows, with its inverse and the vector-Jacobian products of
/// both.
///
/// A layer is the description; the parameters are handed to it. All functions but the last work
/// on a chunk of rows on the calling thread.
protocol InvertibleLayer: Sendable {
  /// The number of parameters.
  var parameterCount: Int { get }

  /// The values of all parameters together.
  var valueCount: Int { get }

  /// Parameters with which the layer is the identity, but perhaps for the order of the columns.
  func initialParameters(_ random: inout RandomStream) -> [Tensor]

  /// Transforms rows, and adds the logarithm of the determinant of each row's derivative to `logs`.
  /// - Parameter precision: How exact its products have to be.
  func forward(
    _ rows: inout Tensor, logs: inout [Double], _ parameters: [Tensor],
    precision: MatrixPrecision
  ) -> LayerRecord

  /// Transforms rows back.
  func inverse(
    _ rows: inout Tensor, _ parameters: [Tensor], precision: MatrixPrecision
  ) -> LayerRecord

  /// The gradient before ``forward(_:logs:_:precision:)`` in the place of that behind it, with the gradients
  /// of `logs`. The record becomes that of the parameters' gradients.
  func backward(
    _ gradient: inout Tensor, logGradients: [Float], record: inout LayerRecord,
    _ parameters: [Tensor])

  /// The gradient before ``inverse(_:_:precision:)`` in the place of that behind it.
  ///
  /// As z = ν(θ), dθ = J⁻¹(dz − ∂ν/∂p dp): with g' the solution of Jᵀ g' = g, the gradient of z is g'
  /// and that of the parameters is the negative of what ``backward(_:logGradients:record:_:)`` has
  /// for g'. The record becomes that of the latter.
  func inverseBackward(
    _ gradient: inout Tensor, record: inout LayerRecord, _ parameters: [Tensor])

  /// Adds `sign` times the gradients of the parameters to `gradients`, which are first scaled by
  /// `carry`, from index `first` on.
  func addGradients(
    of records: [LayerRecord], sign: Float, carry: Float, to gradients: inout [Tensor],
    from first: Int, workers: Workers)

  /// The parameters as tensors with names, whole where they are kept in panels.
  func namedTensors(_ parameters: [Tensor]) -> [(name: String, tensor: Tensor)]

  /// The parameters from what ``namedTensors(_:)`` gave.
  func parameters(named tensor: (String, Shape) throws -> Tensor) throws -> [Tensor]
}

/// What a layer keeps of a chunk of rows on their way forward or back, for its gradients.
struct LayerRecord: Sendable {
  /// The rows on the side of the samples: before the layer on the way forward, behind it on the
  /// way back.
  var input: Tensor
  /// The values of each hidden layer.
  var hidden: [Tensor]
  /// Scales and their exponentials; once gradients are computed, the outputs' gradients.
  var outputs: Tensor
  /// The gradients before each hidden layer's tanh, once they are computed.
  var units: [Tensor] = []
}
