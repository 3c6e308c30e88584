// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

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
  /// The principal axes of the incoming weights that the layers see and move, those along which
  /// neurons differ most; along all others there is a standardisation alone. 0 for no axes: the
  /// layers move all coordinates as they are.
  public var axes: Int
  /// The number of the first coordinates, a neuron's incoming weights, that the axes are of.
  public var incoming: Int

  /// A design.
  public init(
    kind: TransformationKind, dimension: Int, layers: Int, hidden: Int, depth: Int = 1,
    normalisation: TransformationNormalisation = .fixed, bound: Double = 2, axes: Int = 0,
    incoming: Int = 0
  ) {
    self.kind = kind
    self.dimension = dimension
    self.layers = layers
    self.hidden = hidden
    self.depth = depth
    self.normalisation = normalisation
    self.bound = bound
    self.axes = axes
    self.incoming = incoming
  }

  /// The number of coordinates that the layers see and move.
  public var moved: Int { axes == 0 ? dimension : axes + dimension - incoming }

  /// Checks that there can be such a transformation.
  /// - Throws: ``FlowError/design(option:expected:found:)``.
  public func check() throws(FlowError) {
    func require(_ isRight: Bool, _ option: String, _ expected: String, _ found: Any)
      throws(FlowError)
    {
      guard isRight else { throw .design(option: option, expected: expected, found: "\(found)") }
    }
    try require((2...1 << 20).contains(dimension), "dimension", "from 2 to 1048576", dimension)
    try require(
      (0...dimension).contains(incoming), "number of incoming weights", "from 0 to \(dimension)",
      incoming)
    try require((0...incoming).contains(axes), "axes", "from 0 to \(incoming)", axes)
    try require(
      axes == 0 || incoming <= SymmetricMatrix.largestDecomposed,
      "number of incoming weights that have axes",
      "at most \(SymmetricMatrix.largestDecomposed)", incoming)
    try require(moved >= 2, "number of coordinates that move", "2 or more", moved)
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
  ///
  /// - Parameters:
  ///   - memory: The bytes there are.
  ///   - samples: The bytes of what it is fitted to.
  ///   - isNew: Whether its principal axes, if it has any, have still to be found.
  /// - Throws: ``FlowError/tooLarge(gigabytes:)``.
  func checkFits(
    in memory: Double, besides samples: Double, isNew: Bool = true
  ) throws(FlowError) {
    try check()
    // Before the fit: covariances, and eigenvectors with what finding them takes, in double precision.
    let square = isNew && axes > 0 ? Double(incoming) * Double(incoming) : 0
    let needed = max(10 * bytes, 48 * square) + samples
    guard needed <= memory else { throw .tooLarge(gigabytes: Int(needed / 1e9) + 1) }
  }

  /// The number of layers, actnorms counted.
  var layerCount: Int { normalisation == .actnorm ? 2 * layers : layers }

  /// A layer by its place in the order, in which an actnorm comes before each other one.
  func makeLayer(_ place: Int) -> any InvertibleLayer {
    let hasActNorms = normalisation == .actnorm
    if hasActNorms, place % 2 == 0 { return ActNorm(dimension: moved) }
    let index = hasActNorms ? place / 2 : place
    switch kind {
    case .realnvp:
      return CouplingLayer(
        dimension: moved, movesLast: index % 2 == 0, hidden: hidden, depth: depth,
        bound: Float(bound))
    case .iaf:
      return AutoregressiveLayer(
        dimension: moved, hidden: hidden, depth: depth, bound: Float(bound))
    }
  }

  /// The layers in order, actnorms among them.
  func makeLayers() -> [any InvertibleLayer] { (0..<layerCount).map(makeLayer) }

  /// The order of the standardised coordinates: first those that move as the first layer finds
  /// them, for couplings those of even index before the others, so that either half has every other
  /// one; then those that do not. With axes these are the first ``incoming``'s first coordinates,
  /// and come behind the other coordinates that move.
  var order: [Int] {
    let moving = axes == 0 ? Array(0..<dimension) : Array(incoming..<dimension) + Array(0..<axes)
    let first =
      switch kind {
      case .iaf: moving
      case .realnvp: [0, 1].flatMap { stride(from: $0, to: moved, by: 2).map { moving[$0] } }
      }
    return first + (axes == 0 ? [] : Array(axes..<incoming))
  }
}
