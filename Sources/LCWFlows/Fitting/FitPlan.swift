// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks

/// What determines how a transformation is fitted, besides its design and the samples.
public struct FitPlan: Sendable, Hashable {
  /// The most epochs that a fit can have: the figures of each are kept in a model's metadata, which an
  /// archive bounds.
  public static let epochLimit = 5000

  /// The most epochs.
  public var epochs: Int
  /// Adam's rate at the start.
  public var rate: Double
  /// What the rate is multiplied by after every ``decayEpochs`` epochs.
  public var decay: Double
  /// The epochs between two falls of the rate.
  public var decayEpochs: Int
  /// The steps of linear warm-up of the rate. Adam's first steps have the full size for every
  /// weight, however uncertain its gradient is, and in wide networks their sum is a jump.
  public var warmUp: Int
  /// The epochs without a better figure after which the fit ends; 0 for never.
  public var patience: Int
  /// The seed of the networks' first weights and of whatever is drawn.
  public var seed: UInt64

  /// A plan.
  public init(
    epochs: Int, rate: Double, decay: Double = 0.9, decayEpochs: Int = 20, warmUp: Int = 0,
    patience: Int = 0, seed: UInt64 = 0
  ) {
    self.epochs = epochs
    self.rate = rate
    self.decay = decay
    self.decayEpochs = decayEpochs
    self.warmUp = warmUp
    self.patience = patience
    self.seed = seed
  }

  /// The rate of a step, counted from 1, in an epoch, counted from 0.
  func rate(in epoch: Int, step: Int) -> Float {
    let schedule = Schedule.step(epochs: max(1, decayEpochs), factor: decay)
    let share = warmUp > 0 ? min(1, Double(step) / Double(warmUp)) : 1
    return Float(rate * share * schedule.factor(epoch: epoch, of: epochs))
  }

  /// The plan as metadata.
  var json: [String: JSONValue] {
    [
      "decay": JSONValue(decay), "decay-epochs": .integer(decayEpochs),
      "epochs": .integer(epochs), "patience": .integer(patience), "rate": JSONValue(rate),
      "seed": .string("\(seed)"), "warm-up": .integer(warmUp),
    ]
  }
}

/// What one epoch of a fit came to.
public struct FitFigures: Sendable, Hashable {
  /// On a part of what is learned from, at the end of the epoch.
  public var train: Double
  /// On networks that were held out, if there are any.
  public var heldOut: Double?

  /// Figures of an epoch.
  public init(train: Double, heldOut: Double?) {
    self.train = train
    self.heldOut = heldOut
  }
}
