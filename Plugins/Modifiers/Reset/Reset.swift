// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// Running statistics recomputed at every point of a path: what batch normalisations keep is right for the
/// ends alone.
///
/// Jordan, Sedghi, Saukh, Entezari and Neyshabur, ICLR 2023; see ``ResetMoments``.
public struct Reset: PathModifier {
  /// `reset`
  public static let name = "reset"
  /// What it is.
  public static let summary =
    "recomputes batch normalisation's running statistics at every point of the path"
  /// A pass over some samples at each point.
  public static func traits(modifying traits: MethodTraits) -> MethodTraits {
    traits.measuredAtEachPoint
  }
  /// That is what it does.
  public static let measuresRunningMoments = true
  /// All of them.
  public static let replacesRunningMoments = true

  private static let samples = PluginOption(
    "samples", default: 2000, help: "maximum number of training samples to measure with")
  /// The samples.
  public static let options: [any PluginOptionDescription] = [samples]

  private let reset: ResetMoments

  /// The modifier.
  public init(options: OptionValues) throws {
    reset = ResetMoments(samples: try options.value(of: Self.samples, in: 2...1_000_000_000))
  }

  /// The path with its running statistics recomputed.
  public func path(
    modifying path: any ConnectionPath, from a: Weights, to b: Weights,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try reset.path(modifying: path, name: Self.name, in: context)
  }
}

@section("lcw_plugins") @used
let resetPlugin: PluginRecord = { $0.add(Reset.self) }
