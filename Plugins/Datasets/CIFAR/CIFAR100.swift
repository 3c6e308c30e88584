// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Photographs of 32×32 pixels in 100 classes of 20 groups, from the binary or the Python version of
/// CIFAR-100.
///
/// Krizhevsky, *Learning multiple layers of features from tiny images* (2009).
public struct CIFAR100: Dataset {
  /// `cifar100`
  public static let name = "cifar100"
  /// What it is.
  public static let summary =
    "photographs of 32×32 pixels in 100 classes, from the binary or Python files"

  private static let augment = PluginOption(
    "augment", default: true, help: "whether training images are flipped and cropped at random")
  private static let labels = PluginOption(
    "labels", default: Labels.fine, help: "the 100 fine classes or the 20 coarse groups of them")

  /// `augment`, `labels` and those of normalisation.
  public static let options = [augment, labels] + CIFARLayout.normalising.options

  /// The raw value is the option's; a record holds the coarse label first.
  private enum Labels: String, OptionChoice {
    case fine, coarse
  }

  /// `[3, 32, 32]`
  public let sampleShape = CIFARLayout.sampleShape
  /// 100 fine classes or 20 coarse ones.
  public let classes: Int
  /// How the pixels are scaled, and what happens to them in training.
  public let preprocessing: String
  private let isAugmented: Bool
  private let normalisation: Normalisation
  private let layout: CIFARLayout

  /// The data set with the given options.
  public init(options: OptionValues) throws {
    isAugmented = options[Self.augment]
    normalisation = try CIFARLayout.normalising.normalisation(
      options, channels: sampleShape.rows)
    preprocessing = CIFARLayout.preprocessing(normalisation, augmented: isAugmented)
    layout = CIFARLayout(
      title: "CIFAR-100", archiveFolder: "cifar-100-binary", pythonFolder: "cifar-100-python",
      folder: "cifar100",
      files: [.train: ["train.bin"], .test: ["test.bin"]],
      labelClasses: [20, 100], labelKeys: ["coarse_labels", "fine_labels"],
      labelByte: options[Self.labels] == .coarse ? 0 : 1)
    classes = layout.labelClasses[layout.labelByte]
  }

  /// The samples of a split.
  ///
  /// The file is looked for in `cifar100`, `cifar-100-binary` and `cifar-100-python` of a location, and
  /// in the location itself.
  /// - Throws: ``DataError`` if the file is missing or not as it should be, and `FileError` if it
  ///   can't be read.
  public func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    try layout.samples(
      split, normalisation: normalisation,
      augmentation: isAugmented ? CIFARLayout.augmentation : nil, in: locations)
  }
}

@section("lcw_plugins") @used
let cifar100Plugin: PluginRecord = { $0.add(CIFAR100.self) }
