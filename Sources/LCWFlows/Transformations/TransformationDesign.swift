// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// The family of a transformation.
public enum TransformationKind: String, OptionChoice {
  /// Affine coupling layers: forward and inverse cost the same.
  case realnvp
  /// Affine autoregressive layers: each coordinate depends on all before it.
  case iaf
}

/// What lies between the layers of a transformation.
public enum TransformationNormalisation: String, OptionChoice {
  /// Nothing: the coordinates are standardised once, before the first layer.
  case fixed
  /// A trained scale and shift of each coordinate before every layer.
  case actnorm
}

/// What a transformation is made of, all but its numbers.
public struct TransformationDesign: Sendable, Hashable {
  /// The family.
  public var kind: TransformationKind
  /// The number of coordinates.
  public var dimension: Int
  /// The number of coupling or autoregressive layers.
  public var layers: Int
  /// The units of each hidden layer of the networks that give scales and shifts.
  public var hidden: Int
  /// The hidden layers of these networks.
  public var depth: Int
  /// What lies between the layers.
  public var normalisation: TransformationNormalisation
  /// The bound of a layer's logarithmic scales: it stretches or shrinks a coordinate by the factor
  /// e to this power at most, so that no step of training makes numbers overflow.
  public var bound: Double

  /// A design.
  public init(
    kind: TransformationKind, dimension: Int, layers: Int, hidden: Int, depth: Int = 1,
    normalisation: TransformationNormalisation = .fixed, bound: Double = 2
  ) {
    self.kind = kind
    self.dimension = dimension
    self.layers = layers
    self.hidden = hidden
    self.depth = depth
    self.normalisation = normalisation
    self.bound = bound
  }

  /// Checks that there can be such a transformation.
  /// - Throws: ``FlowError/design(option:expected:found:)``.
  public func check() throws(FlowError) {
    func require(_ isRight: Bool, _ option: String, _ expected: String, _ found: Any)
      throws(FlowError)
    {
      guard isRight else { throw .design(option: option, expected: expected, found: "\(found)") }
    }
    try require((2...1 << 20).contains(dimension), "dimension", "from 2 to 1048576", dimension)
    try require((0...256).contains(layers), "number of layers", "from 0 to 256", layers)
    try require(
      (1...1 << 20).contains(hidden), "number of hidden units", "from 1 to 1048576", hidden)
    try require((1...8).contains(depth), "depth", "from 1 to 8", depth)
    try require(bound > 0 && bound <= 16, "bound", "above 0, to 16", bound)
    // The product of all layers' scales is a single-precision number with room for what it scales.
    try require(
      bound * Double(layers) <= 64, "bound times its number of layers", "64 or less",
      bound * Double(layers))
  }

  /// The bytes of all parameters.
  var bytes: Double {
    // Layers recur: an actnorm or none, and a coupling of one half or the other. Making all of them
    // may take the memory that is asked about.
    let values = (0..<min(layerCount, 4)).map { makeLayer($0).valueCount }
    return 4 * (0..<layerCount).reduce(0.0) { $0 + Double(values[$1 % 4]) }
  }

  /// Checks that a fit's memory is there: the parameters as they are and as they were best, their
  /// gradients and two moments, and the same again while a state is written.
  /// - Parameter samples: The bytes of what it is fitted to.
  /// - Throws: ``FlowError/tooLarge(gigabytes:)``.
  func checkFits(in memory: Double, besides samples: Double) throws(FlowError) {
    try check()
    let needed = 10 * bytes + samples
    guard needed <= memory else { throw .tooLarge(gigabytes: Int(needed / 1e9) + 1) }
  }

  /// The number of layers, actnorms counted.
  var layerCount: Int { normalisation == .actnorm ? 2 * layers : layers }

  /// A layer by its place in the order, in which an actnorm comes before each other one.
  func makeLayer(_ place: Int) -> any InvertibleLayer {
    let hasActNorms = normalisation == .actnorm
    if hasActNorms, place % 2 == 0 { return ActNorm(dimension: dimension) }
    let index = hasActNorms ? place / 2 : place
    switch kind {
    case .realnvp:
      return CouplingLayer(
        dimension: dimension, movesLast: index % 2 == 0, hidden: hidden, depth: depth,
        bound: Float(bound))
    case .iaf:
      return AutoregressiveLayer(
        dimension: dimension, hidden: hidden, depth: depth, bound: Float(bound))
    }
  }

  /// The layers in order, actnorms among them.
  func makeLayers() -> [any InvertibleLayer] { (0..<layerCount).map(makeLayer) }

  /// The order in which the first layer finds the coordinates: for couplings those of even index
  /// first, so that either half has every other one.
  var order: [Int] {
    switch kind {
    case .iaf: Array(0..<dimension)
    case .realnvp:
      Array(stride(from: 0, to: dimension, by: 2)) + Array(stride(from: 1, to: dimension, by: 2))
    }
  }
}
