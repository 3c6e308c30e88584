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
  public let preprocessing = "pixel / 255"

  /// The data set; it takes no options.
  public init(options: OptionValues) throws {}

  /// The samples of a split, from an idx file of images and one of labels, gzipped or not.
  ///
  /// Each is looked for in `mnist` and `MNIST/raw` of a location, and in the location itself.
  /// - Throws: ``DataError`` if a file is missing or not as it should be, and `FileError` if it
  ///   can't be read.
  public func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    let prefix = split == .train ? "train" : "t10k"
    let imagesFile = try MNIST.file("\(prefix)-images", kind: "idx3-ubyte", in: locations)
    let labelsFile = try MNIST.file("\(prefix)-labels", kind: "idx1-ubyte", in: locations)
    let images = try IDXFile(imagesFile, sizes: [nil, sampleShape[1], sampleShape[2]])
    let labels = try IDXFile(labelsFile, sizes: [images.sizes[0]])
    if let index = labels.bytes.firstIndex(where: { $0 >= classes }) {
      throw DataError.damaged(
        file: labelsFile.path,
        reason: "label \(labels.bytes[index]) of sample \(index) is not from 0 to \(classes - 1)")
    }
    return try SampleSet(
      name: imagesFile.path, sampleShape: sampleShape, classes: classes,
      labels: labels.bytes.map(Int32.init), values: .bytes(images.bytes, [.init()]))
  }
}

@section("lcw_plugins") @used
let mnistPlugin: PluginRecord = { $0.add(MNIST.self) }
