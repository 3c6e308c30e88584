// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Photographs of 32×32 pixels in ten classes, from the binary or the Python version of CIFAR-10.
///
/// Krizhevsky, *Learning multiple layers of features from tiny images* (2009).
public struct CIFAR10: Dataset {
  /// `cifar10`
  public static let name = "cifar10"
  /// What it is.
  public static let summary =
    "photographs of 32×32 pixels in ten classes, from the binary or Python files"

  private static let augment = PluginOption(
    "augment", default: true, help: "whether training images are flipped and cropped at random")

  /// `augment` and those of normalisation.
  public static let options = [augment] + CIFARLayout.normalising.options

  private static let layout = CIFARLayout(
    title: "CIFAR-10", archiveFolder: "cifar-10-batches-bin",
    pythonFolder: "cifar-10-batches-py", folder: "cifar10",
    files: [
      .train: (1...5).map { "data_batch_\($0).bin" },
      .test: ["test_batch.bin"],
    ],
    labelClasses: [10], labelKeys: ["labels"], labelByte: 0)

  /// `[3, 32, 32]`
  public let sampleShape = CIFARLayout.sampleShape
  /// Ten classes.
  public let classes = 10
  /// How the pixels are scaled, and what happens to them in training.
  public let preprocessing: String
  private let isAugmented: Bool
  private let normalisation: Normalisation

  /// The data set with the given options.
  public init(options: OptionValues) throws {
    isAugmented = options[Self.augment]
    normalisation = try CIFARLayout.normalising.normalisation(
      options, channels: sampleShape.rows)
    preprocessing = CIFARLayout.preprocessing(normalisation, augmented: isAugmented)
  }

  /// The samples of a split: the five training batches in their order, or the test batch.
  ///
  /// Each is looked for in `cifar10`, `cifar-10-batches-bin` and `cifar-10-batches-py` of a location,
  /// and in the location itself.
  /// - Throws: ``DataError`` if a file is missing or not as it should be, and `FileError` if it
  ///   can't be read.
  public func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    try Self.layout.samples(
      split, normalisation: normalisation,
      augmentation: isAugmented ? CIFARLayout.augmentation : nil, in: locations)
  }
}

@section("lcw_plugins") @used
let cifar10Plugin: PluginRecord = { $0.add(CIFAR10.self) }
