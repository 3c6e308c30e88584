// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// How one of the two data sets lays out its binary files.
///
/// A file is a sequence of records: the label bytes, and 3,072 pixels as planes of red, green and
/// blue, row by row. The layout has no header, so that a file's length and its labels are all
/// there is to check.
struct CIFARLayout {
  /// What users call the data set.
  var title: String
  /// The folder the archive unpacks to.
  var archiveFolder: String
  /// The folder users may have put the files into.
  var folder: String
  /// The files of each split.
  var files: [DataSplit: [String]]
  /// The number of classes that each label byte tells apart.
  var labelClasses: [Int]
  /// The label byte to use.
  var labelByte: Int

  static let sampleShape: Shape = [3, 32, 32]

  private var recordBytes: Int { labelClasses.count + CIFARLayout.sampleShape.count }

  // Ten times the largest file of either data set.
  private static let sizeLimit = 2_000_000_000

  /// The samples of a split.
  /// - Throws: ``DataError`` if a file is missing or not as it should be, and `FileError` if it
  ///   can't be read.
  func samples(
    _ split: DataSplit, augmentation: SampleSet.Augmentation?, in locations: DataLocations
  ) throws -> SampleSet {
    let inputs = try (files[split] ?? []).map { try open($0, in: locations) }
    let count = inputs.reduce(0) { $0 + $1.size / recordBytes }
    var labels: [Int32] = []
    var pixels: [UInt8] = []
    labels.reserveCapacity(count)
    pixels.reserveCapacity(count * CIFARLayout.sampleShape.count)
    for input in inputs { try append(input, to: &labels, &pixels) }
    return try SampleSet(
      name: title, sampleShape: CIFARLayout.sampleShape, classes: labelClasses[labelByte],
      labels: labels, values: .bytes(pixels, CIFARLayout.scalings),
      augmentation: split == .train ? augmentation : nil)
  }

  private func open(_ name: String, in locations: DataLocations) throws -> InputFile {
    let folders = ["\(folder)/", "\(archiveFolder)/", "\(folder)/\(archiveFolder)/", ""]
    let file = try locations.file(
      named: folders.map { $0 + name },
      advice: "get the binary version of \(title) from Alex Krizhevsky's page or any mirror and "
        + "unpack its folder \(archiveFolder) there")
    let input = try InputFile(file)
    guard input.size > 0, input.size % recordBytes == 0 else {
      throw DataError.damaged(
        file: input.path,
        reason: "its records are of \(recordBytes) bytes, but its \(input.size) bytes are no "
          + "positive whole number of them")
    }
    guard input.size <= CIFARLayout.sizeLimit else {
      throw FileError.tooLarge(file: input.path, limit: CIFARLayout.sizeLimit)
    }
    return input
  }

  private func append(
    _ input: InputFile, to labels: inout [Int32], _ pixels: inout [UInt8]
  ) throws {
    // A part of a file at a time, so that loading needs little more than the pixels themselves.
    let block = 1000 * recordBytes
    for start in stride(from: 0, to: input.size, by: block) {
      let bytes = try input.bytes(in: start..<min(input.size, start + block))
      for first in stride(from: 0, to: bytes.count, by: recordBytes) {
        for (byte, classes) in labelClasses.enumerated() where bytes[first + byte] >= classes {
          throw DataError.damaged(
            file: input.path,
            reason: "label \(bytes[first + byte]) of record \((start + first) / recordBytes) is "
              + "not from 0 to \(classes - 1)")
        }
        labels.append(Int32(bytes[first + labelByte]))
        pixels += bytes[first + labelClasses.count..<first + recordBytes]
      }
    }
  }
}

// MARK: - What both do to the pixels

extension CIFARLayout {
  private static let mean = [0.485, 0.456, 0.406]
  private static let deviation = [0.229, 0.224, 0.225]

  static let scalings = zip(mean, deviation).map {
    SampleSet.ChannelScaling(mean: $0, deviation: $1)
  }

  /// Mirrored half of the time, and cropped from a frame of four pixels: Anokhin and Yarotsky.
  static let augmentation = SampleSet.Augmentation(flips: true, padding: 4)

  static func preprocessing(augmented: Bool) -> String {
    let list = { (numbers: [Double]) in numbers.map { "\($0)" }.joined(separator: ", ") }
    let scaling =
      "(pixel / 255 − mean) / deviation with mean (\(list(mean))) and deviation "
      + "(\(list(deviation)))"
    guard augmented else { return scaling + "; no augmentation" }
    return scaling + "; in training, flipped left to right with probability 1/2 and cropped at "
      + "random from the image padded by \(augmentation.padding) pixels of 0"
  }
}
