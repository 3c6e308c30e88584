// SPDX-License-Identifier: Apache-2.0

/// Which part of samples that come without test samples is the test set: a share, drawn with a seed.
public struct SampleSplit: Sendable, Hashable {
  /// The test set's share of the samples.
  public let share: Double
  /// The seed it is drawn with.
  public let seed: UInt64

  private static let shareOption = PluginOption(
    "split", default: 0.2,
    help: "the fraction of samples to use as the test set, if you name no test set")
  private static let seedOption = PluginOption(
    "seed", default: 0, help: "random seed of the test set and of the samples' order")

  /// What a plugin declares: `split` and `seed`.
  public static let options: [any PluginOptionDescription] = [shareOption, seedOption]

  /// What a user's options say.
  /// - Throws: ``PluginError`` if a number is out of range.
  public init(_ values: OptionValues) throws(PluginError) {
    share = try values.value(of: Self.shareOption, in: 0.0001...0.9999)
    seed = UInt64(try values.value(of: Self.seedOption, in: 0...Int.max))
  }

  /// Requires that nothing is said of a split where a test set is named.
  /// - Throws: ``PluginError/misplacedOption(plugin:option:reason:)``.
  public static func requireNone(_ values: OptionValues, of plugin: String) throws(PluginError) {
    for option in options where values.given[option.key] != nil {
      throw .misplacedOption(
        plugin: plugin, option: option.key, reason: "a test set is named, so that none is drawn")
    }
  }

  /// Divides samples: shuffled, of which the last are the test set.
  /// - Parameters:
  ///   - samples: All samples; what remains is the training set.
  ///   - width: The values of one sample.
  ///   - file: What to call the samples in an error.
  /// - Returns: The test set.
  /// - Throws: ``DataError/damaged(file:reason:)`` if there are not two samples.
  public func testSamples(
    from samples: inout RawSamples, width: Int, file: String
  ) throws(DataError) -> RawSamples {
    guard samples.count >= 2 else {
      throw .damaged(
        file: file,
        reason:
          "it has \(samples.count) sample\(samples.count == 1 ? "" : "s"), which can't be split "
          + "into a training and a test set")
    }
    samples.shuffle(seed: seed, width: width)
    let count = Int((Double(samples.count) * share).rounded())
    return samples.removeLast(min(max(1, count), samples.count - 1), width: width)
  }

  /// What was done, for the record.
  public var text: String { "the test set is \(share) of the samples, drawn with seed \(seed)" }
}
