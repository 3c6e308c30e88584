// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// A dense layer or a convolution whose weights are a combination of fixed tensors: its products
/// with a block are computed once, and combined at each time together with its bias and the ReLU
/// behind it.
struct CombinedLayer: Sendable {
  /// The value that it reads.
  let input: Network.Value
  /// The value that it computes: the layer's, or that of the ReLU behind it.
  let output: Network.Value
  /// The shape of one sample's output.
  let outputShape: Shape
  /// The shape of a sample and all nodes up to the layer: what decides the products besides weights.
  let origin: String

  private let operation: any LinearOperation
  private let inputShape: Shape
  private let clips: Bool
  /// The tensors of the shape of the weights.
  private let bases: [Basis]
  /// The bias at each time, if there is one.
  private let biases: [Tensor]?

  private struct Basis: Sendable {
    var tensor: Tensor
    /// The coefficient at each time.
    var coefficients: [Float]
    /// Whether the tensor is the motion's, not one that was made of it.
    var isOwn: Bool
    /// Whether all units share one row, so that the product is one number for each sample.
    var isShared: Bool
  }

  /// The products of a block with each basis.
  struct Products: Sendable {
    /// `[n]` and the shape of one sample's output.
    var full: [(tensor: Tensor, coefficients: [Float])]
    /// A number for each sample, or a plane of them.
    var shared: [(tensor: Tensor, coefficients: [Float])]
  }

  /// Nothing if the node does not multiply weights, or its motion is not known.
  init?(_ network: Network, node: Int, motions: [Motion], times: [Double]) {
    guard let operation = network.nodes[node].operation as? any LinearOperation,
      let weight = network.parameterIndex(ofLayer: node, role: .weight),
      let weightTerms = CombinedLayer.terms(of: motions[weight], times: times)
    else { return nil }
    let shape = network.parameters[weight].shape
    // A combination has at least one product of full width for the shared ones to be added to.
    let hasFullBasis = weightTerms.contains { $0.0.shape == shape }
    bases = weightTerms.enumerated().map { index, term in
      let (tensor, coefficients) = term
      let isShared =
        operation.parts == 1 && tensor.shape != shape
        && tensor.shape.dimensions == [1] + shape.dimensions.dropFirst()
        && (hasFullBasis || index > 0)
      return Basis(
        tensor: isShared || tensor.shape == shape
          ? tensor : Tensor.combination([tensor], coefficients: [1], shape: shape),
        coefficients: coefficients.map(Float.init), isOwn: isShared || tensor.shape == shape,
        isShared: isShared)
    }
    if let bias = network.parameterIndex(ofLayer: node, role: .bias) {
      guard let biasTerms = CombinedLayer.terms(of: motions[bias], times: times) else {
        return nil
      }
      biases = times.indices.map { time in
        Tensor.combination(
          biasTerms.map(\.0), coefficients: biasTerms.map { $0.1[time] }, shape: [shape.rows])
      }
    } else {
      biases = nil
    }
    self.operation = operation
    input = network.nodes[node].inputs[0]
    inputShape = network.shape(of: input)
    let own = Network.Value.output(ofNode: node)
    outputShape = network.shape(of: own)
    origin =
      ([network.inputShape.description]
      + network.nodes[...node].map { "\($0.layer) of \($0.inputs.map(\.index))" })
      .joined(separator: "\n")
    let readers = network.nodes.indices.filter { network.nodes[$0].inputs.contains(own) }
    clips =
      readers.count == 1 && network.nodes[readers[0]].operation.fusedActivation == .rectifier
    output = clips ? .output(ofNode: readers[0]) : own
  }

  private static func terms(of motion: Motion, times: [Double]) -> [(Tensor, [Double])]? {
    switch motion {
    case .fixed(let tensor): return [(tensor, times.map { _ in 1 })]
    case .combination(let bases, let curve):
      let coefficients = times.map(curve.coefficients(at:))
      return bases.indices.map { index in (bases[index], coefficients.map { $0[index] }) }
    case .opaque: return nil
    }
  }

  func products(of block: Tensor) -> Products {
    products { tensor, _ in product(of: block, with: tensor) }
  }

  /// The products of a block with each basis, each from its tensor and from whether that is the path's own:
  /// one that was made here is no one else's.
  func products(by product: (Tensor, _ isOwn: Bool) -> Tensor) -> Products {
    var products = Products(full: [], shared: [])
    for basis in bases {
      let product = product(basis.tensor, basis.isOwn)
      if basis.isShared {
        products.shared.append((product, basis.coefficients))
      } else {
        products.full.append((product, basis.coefficients))
      }
    }
    return products
  }

  /// A basis's product with a block.
  func product(of block: Tensor, with weight: Tensor) -> Tensor {
    operation.product(of: block, with: weight, input: inputShape, workers: .serial)
  }

  /// Whether products of all samples are small enough to be kept: a number for each unit and sample.
  var keepsProducts: Bool { outputShape.rank == 1 }

  /// Whether combining some rows at a time keeps them in a cache. Images are too large for that, and
  /// the convolutions behind want many of them.
  var prefersPieces: Bool { outputShape.rank == 1 }

  /// Some samples of the layer's output at a time, `[rows.count]` and the shape of one's output.
  func combine(_ products: Products, at time: Int, rows: Range<Int>) -> Tensor {
    var result = Tensor(unspecified: outputShape.batched(rows.count))
    if outputShape.rank == 1 {
      Tensor.combineRows(
        terms(products, at: time), bias: biases?[time],
        shifts: shifts(products, at: time, rows: rows), range: rows, clipping: clips,
        into: &result)
    } else {
      let shared = products.shared.filter { $0.coefficients[time] != 0 }
      Tensor.combinePlanes(
        terms(products, at: time),
        shared: shared.map { RowTerm($0.tensor, $0.coefficients[time]) }, bias: biases?[time],
        range: rows, clipping: clips, into: &result)
    }
    return result
  }

  /// Some rows of what a dense layer behind this one puts out at a time; this one is dense too.
  func combine(
    _ products: Products, at time: Int, rows: Range<Int>, weight: Tensor, weightBias: Tensor?
  ) -> Tensor {
    Tensor.combinedDense(
      terms(products, at: time), bias: biases?[time],
      shifts: shifts(products, at: time, rows: rows), range: rows, clipping: clips,
      weight: weight, weightBias: weightBias)
  }

  private func terms(_ products: Products, at time: Int) -> [RowTerm] {
    products.full.map { RowTerm($0.tensor, $0.coefficients[time]) }
  }

  private func shifts(_ products: Products, at time: Int, rows: Range<Int>) -> [Float]? {
    var shifts: [Float]?
    for (values, coefficients) in products.shared where coefficients[time] != 0 {
      var sums = shifts ?? [Float](repeating: 0, count: values.count)
      for row in rows { sums[row] += coefficients[time] * values.elements[row] }
      shifts = sums
    }
    return shifts
  }
}
