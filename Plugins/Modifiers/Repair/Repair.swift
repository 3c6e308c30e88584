// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// Channels before activations brought back to the means and standard deviations between the two networks', at
/// every point of a path.
///
/// Jordan, Sedghi, Saukh, Entezari and Neyshabur, ICLR 2023, *REPAIR*; see ``RepairedChannels``.
public struct Repair: PathModifier {
  /// `repair`
  public static let name = "repair"
  /// What it is.
  public static let summary =
    "corrects channel means and standard deviations before activations at every point of the path"
  /// A pass over some samples at each point.
  public static func traits(modifying traits: MethodTraits) -> MethodTraits {
    traits.measuredAtEachPoint
  }
  /// What batch normalisations put out is corrected, whatever they keep.
  public static let measuresRunningMoments = true

  private static let moments = PluginOption(
    "moments", default: RepairedChannels.Moments.both,
    help: "what is corrected: means and standard deviations, or only standard deviations")
  private static let samples = PluginOption(
    "samples", default: 2000, help: "maximum number of training samples to measure with")
  /// The moments and the samples.
  public static let options: [any PluginOptionDescription] = [moments, samples]

  private let repair: RepairedChannels

  /// The modifier.
  public init(options: OptionValues) throws {
    repair = RepairedChannels(
      moments: options[Self.moments],
      samples: try options.value(of: Self.samples, in: 2...1_000_000_000))
  }

  /// The path with its channels corrected.
  public func path(
    modifying path: any ConnectionPath, from a: Weights, to b: Weights,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try repair.path(modifying: path, name: Self.name, in: context)
  }
}

@section("lcw_plugins") @used
let repairPlugin: PluginRecord = { $0.add(Repair.self) }
