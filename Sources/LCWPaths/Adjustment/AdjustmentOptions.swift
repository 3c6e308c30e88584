// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// How a layer is adjusted by least squares.
public struct AdjustmentOptions: Sendable, Hashable {
  /// The penalty on the change of the weights from the first network's, as a share of the features'
  /// mean square: 0 or more.
  ///
  /// Without one, directions that the features hardly take make the weights move far between
  /// neighbouring points while the function stays.
  public var ridge: Double
  /// Whether the bias is solved for with the weights, or kept.
  public var solvesBias: Bool
  /// How many of the samples to use, the first ones; all if there is no number.
  public var samples: Int?

  /// Options; the defaults are those of `wa`.
  public init(ridge: Double = 1e-5, solvesBias: Bool = true, samples: Int? = nil) {
    self.ridge = ridge
    self.solvesBias = solvesBias
    self.samples = samples
  }
}

/// What happens to the bias of an adjusted layer.
public enum AdjustedBias: String, OptionChoice {
  /// It is solved for with the weights.
  case solved
  /// It stays the first network's.
  case kept
}
