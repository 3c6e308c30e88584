// SPDX-License-Identifier: Apache-2.0
import CImages
import Foundation
public import LCWCore
import LCWNumerics

/// Images of one's own: a folder for each class, PNG and JPEG, resized to one size.
///
/// It decodes with libpng and libjpeg. Where these were missing when the program was built, it says so.
public struct Images: FileDataset {
  /// `images`
  public static let name = "images"
  /// What it is.
  public static let summary =
    areDecoded
    ? "PNG and JPEG images of your own, a folder for each class"
    : "PNG and JPEG images of your own; not in this build: \(advice)"

  private static let areDecoded = lcw_images_are_there() != 0
  private static let advice =
    "it needs libpng and libjpeg (apt-get install libpng-dev libjpeg-dev), and lcw built again"

  private static let folder = PluginOption(
    "folder", default: FileName(""),
    help: "the folder with one folder per class, or with train and test, which have these")
  private static let size = PluginOption(
    "size", default: "",
    help: "rows and columns to resize images to, as 32x32; otherwise all must have one size")
  private static let channels = PluginOption(
    "channels", default: 3, help: "3 for red, green and blue, 1 for grey")
  private static let pixelLimit = PluginOption(
    "max-pixels", default: 100_000_000, help: "maximum number of pixels of an image")
  private static let byteLimit = PluginOption(
    "max-bytes", default: 268_435_456, help: "maximum number of bytes of an image's file")
  private static let classLimit = PluginOption(
    "max-classes", default: 10_000, help: "maximum number of classes")
  private static let normalising = NormalisationOptions(scale: Fraction(1, over: 255))

  /// The folder, the size, and what is done to the pixels.
  public static let options: [any PluginOptionDescription] =
    [folder, size, channels, pixelLimit, byteLimit, classLimit]
    + SampleSplit.options + normalising.options + DataMemory.options

  private let values: OptionValues
  private let split: SampleSplit
  private let memory: DataMemory
  private let normalisation: Normalisation
  private let reader: ImageReader
  private let largestClassCount: Int

  /// The data set with the given options.
  public init(options: OptionValues) throws {
    values = options
    guard !options[Self.folder].text.isEmpty else {
      throw options.invalid(
        Self.folder, reason: "name the folder of the classes, as in images:folder=photos,size=32x32"
      )
    }
    split = try SampleSplit(options)
    memory = try DataMemory(options)
    let channels = options[Self.channels]
    guard channels == 1 || channels == 3 else {
      throw options.invalid(Self.channels, reason: "expected 1 or 3")
    }
    var size: PixelSize?
    if !options[Self.size].isEmpty {
      guard let sizes = [Int](optionText: options[Self.size]), sizes.count == 2,
        sizes.allSatisfy({ $0 <= 1 << 14 })
      else {
        throw options.invalid(Self.size, reason: "expected rows and columns such as 32x32")
      }
      size = PixelSize(rows: sizes[0], columns: sizes[1])
    }
    reader = ImageReader(
      size: size, channels: channels,
      pixelLimit: try options.value(of: Self.pixelLimit, in: 1...1 << 34),
      byteLimit: try options.value(of: Self.byteLimit, in: 1...1 << 34))
    largestClassCount = try options.value(of: Self.classLimit, in: 2...1_000_000)
    normalisation = try Self.normalising.normalisation(options, channels: channels)
  }

  /// What is in the folder.
  /// - Throws: ``DataError`` that names the file, and `FileError` if one can't be read.
  public func data(in context: DataContext) throws -> any LabelledData {
    guard Self.areDecoded else {
      throw DataError.unavailable(dataset: Self.name, reason: Self.advice)
    }
    let folder = try context.file(values[Self.folder])
    let tree = try ImageTree(folder)
    if tree.test != nil { try SampleSplit.requireNone(values, of: Self.name) }
    let classes = tree.train.map(\.name)
    guard (2...largestClassCount).contains(classes.count) else {
      throw DataError.damaged(
        file: folder.path,
        reason: classes.count < 2
          ? "it has \(classes.count) folders of images, but at least two classes are needed"
          : "it has \(classes.count) classes; allow more with max-classes=")
    }
    let size = try reader.size ?? reader.commonSize(of: tree)
    let files = tree.train.reduce(0) { $0 + $1.files.count } + tree.testCount
    try memory.require(
      Double(files) * Double(size.count * reader.channels)
        * (tree.test == nil ? 1 + split.share : 1),
      file: folder.path, content: "\(files) images of \(size.rows)×\(size.columns)")
    let list = ClassList(names: classes)
    var train = try samples(of: tree.train, list, size)
    let width = size.count * reader.channels
    let test =
      try tree.test.map { try samples(of: $0, list, size) }
      ?? split.testSamples(from: &train, width: width, file: folder.path)
    var remarks: [String] = []
    if reader.size != nil { remarks.append("resized to \(size.rows)×\(size.columns)") }
    if let name = tree.testName {
      if name != "test" { remarks.append("the test set is the folder ‘\(name)’") }
    } else {
      remarks.append(split.text)
    }
    return try LoadedData(
      name: folder.path, sampleShape: [reader.channels, size.rows, size.columns], classes: list,
      train: train, test: test, normalisation: normalisation, value: "pixel",
      remark: remarks.isEmpty ? nil : remarks.joined(separator: "; "))
  }

  /// The images of a split. Files are in the order of their classes, so they are shuffled.
  private func samples(
    of folders: [ImageTree.ClassFolder], _ classes: ClassList, _ size: PixelSize
  ) throws -> RawSamples {
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    let width = size.count * reader.channels
    pixels.reserveCapacity(folders.reduce(0) { $0 + $1.files.count } * width)
    for folder in folders {
      guard let label = classes.classNumber(of: Array(folder.name.utf8)) else {
        throw DataError.damaged(
          file: folder.url.path,
          reason: "the class does not occur in the training set, whose classes are \(classes.text)")
      }
      for file in folder.files {
        pixels += try reader.pixels(of: file, size)
        labels.append(label)
      }
    }
    var samples = RawSamples(values: .bytes(pixels), labels: labels)
    pixels = []
    samples.shuffle(seed: split.seed, width: width)
    return samples
  }
}

@section("lcw_plugins") @used
let imagesPlugin: PluginRecord = { $0.add(Images.self) }
