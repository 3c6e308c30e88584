// SPDX-License-Identifier: Apache-2.0
import Foundation
public import LCWCore
public import LCWNumerics

/// Handwritten digits of 28×28 pixels: LeCun, Cortes and Burges, *The MNIST database*.
///
/// Any data set of the same layout will do, such as Fashion-MNIST.
public struct MNIST: Dataset {
  /// `mnist`
  public static let name = "mnist"
  /// What it is.
  public static let summary = "handwritten digits of 28×28 pixels, from the four idx files"

  /// `[1, 28, 28]`
  public let sampleShape: Shape = [1, 28, 28]
  /// Ten digits.
  public let classes = 10
  /// How the pixels are scaled.
  public let preprocessing: String
  private let normalisation: Normalisation

  private static let normalising = NormalisationOptions(scale: Fraction(1, over: 255))

  /// Those of normalisation.
  public static let options = normalising.options

  /// The data set with the given options.
  public init(options: OptionValues) throws {
    normalisation = try Self.normalising.normalisation(options, channels: sampleShape.rows)
    preprocessing = normalisation.text(of: "pixel")
  }

  /// The samples of a split, from an idx file of images and one of labels, gzipped or not.
  ///
  /// Each is looked for in `mnist` and `MNIST/raw` of a location, and in the location itself.
  /// - Throws: ``DataError`` if a file is missing or not as it should be, and `FileError` if it
  ///   can't be read.
  public func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    let images = try images(split, in: locations)
    let prefix = MNIST.prefix(split)
    let labelsFile = try MNIST.file("\(prefix)-labels", kind: "idx1-ubyte", in: locations)
    let labels = try IDXFile(labelsFile, sizes: [images.content.sizes[0]])
    if let index = labels.bytes.firstIndex(where: { $0 >= classes }) {
      throw DataError.damaged(
        file: labelsFile.path,
        reason: "label \(labels.bytes[index]) of sample \(index) is not from 0 to \(classes - 1)")
    }
    let values = try normalisation.values(
      of: .bytes(images.content.bytes), sampleShape: sampleShape, name: MNIST.name
    ) {
      split == .train
        ? .bytes(images.content.bytes)
        : .bytes(try self.images(.train, in: locations).content.bytes)
    }
    return try SampleSet(
      name: images.file.path, sampleShape: sampleShape, classes: classes,
      labels: labels.bytes.map(Int32.init), values: values)
  }

  private static func prefix(_ split: DataSplit) -> String { split == .train ? "train" : "t10k" }

  private func images(
    _ split: DataSplit, in locations: DataLocations
  ) throws -> (file: URL, content: IDXFile) {
    let file = try MNIST.file(
      "\(MNIST.prefix(split))-images", kind: "idx3-ubyte", in: locations)
    return (file, try IDXFile(file, sizes: [nil, sampleShape[1], sampleShape[2]]))
  }
}

@section("lcw_plugins") @used
let mnistPlugin: PluginRecord = { $0.add(MNIST.self) }
