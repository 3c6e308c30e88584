// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// How one of the two data sets lays out its files.
///
/// A binary file is a sequence of records: the label bytes, and 3,072 pixels as planes of red, green
/// and blue, row by row. The layout has no header, so that a file's length and its labels are all
/// there is to check. A file of the Python version is a pickle of the same pixels and labels. The first
/// byte tells them apart: a pickle's is no label.
struct CIFARLayout {
  /// What users call the data set.
  var title: String
  /// The folder the binary archive unpacks to.
  var archiveFolder: String
  /// The folder the archive of the Python version unpacks to.
  var pythonFolder: String
  /// The folder users may have put the files into.
  var folder: String
  /// The files of each split; in the Python version without the ending.
  var files: [DataSplit: [String]]
  /// The number of classes that each label byte tells apart.
  var labelClasses: [Int]
  /// What the Python version calls each label.
  var labelKeys: [String]
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
    _ split: DataSplit, normalisation: Normalisation, augmentation: SampleSet.Augmentation?,
    in locations: DataLocations
  ) throws -> SampleSet {
    let (labels, pixels) = try contents(of: split, in: locations)
    let values = try normalisation.values(
      of: .bytes(pixels), sampleShape: CIFARLayout.sampleShape, name: title
    ) { .bytes(split == .train ? pixels : try contents(of: .train, in: locations).pixels) }
    return try SampleSet(
      name: title, sampleShape: CIFARLayout.sampleShape, classes: labelClasses[labelByte],
      labels: labels, values: values, augmentation: split == .train ? augmentation : nil)
  }

  private func contents(
    of split: DataSplit, in locations: DataLocations
  ) throws -> (labels: [Int32], pixels: [UInt8]) {
    let inputs = try (files[split] ?? []).map { try open($0, in: locations) }
    let count = inputs.reduce(0) { $0 + $1.size / recordBytes }
    var labels: [Int32] = []
    var pixels: [UInt8] = []
    labels.reserveCapacity(count)
    pixels.reserveCapacity(count * CIFARLayout.sampleShape.count)
    for input in inputs {
      if try input.prefix(1) == [BatchPickle.firstByte] {
        try appendPickle(input, to: &labels, &pixels)
      } else {
        try appendRecords(input, to: &labels, &pixels)
      }
    }
    return (labels, pixels)
  }

  private func open(_ name: String, in locations: DataLocations) throws -> InputFile {
    func names(_ name: String, in archiveFolder: String) -> [String] {
      ["\(folder)/", "\(archiveFolder)/", "\(folder)/\(archiveFolder)/", ""].map { $0 + name }
    }
    let bare = name.hasSuffix(".bin") ? String(name.dropLast(4)) : name
    let file = try locations.file(
      named: names(name, in: archiveFolder) + names(bare, in: pythonFolder),
      advice: "get the binary or the Python version of \(title) from Alex Krizhevsky's page or any "
        + "mirror and unpack its folder \(archiveFolder) or \(pythonFolder) there")
    let input = try InputFile(file)
    guard input.size <= CIFARLayout.sizeLimit else {
      throw FileError.tooLarge(file: input.path, limit: CIFARLayout.sizeLimit)
    }
    return input
  }

  private func appendPickle(
    _ input: InputFile, to labels: inout [Int32], _ pixels: inout [UInt8]
  ) throws {
    let batch: BatchPickle
    do {
      batch = try BatchPickle(
        try input.bytes(in: 0..<input.size), labelKeys: labelKeys,
        sampleSize: CIFARLayout.sampleShape.count)
    } catch let error as BatchPickle.Problem {
      throw DataError.damaged(file: input.path, reason: error.reason)
    }
    for (index, values) in batch.labels.enumerated() {
      if let sample = values.firstIndex(where: { !(0..<labelClasses[index]).contains($0) }) {
        throw DataError.damaged(
          file: input.path,
          reason: "label \(values[sample]) of record \(sample) is not from 0 to "
            + "\(labelClasses[index] - 1)")
      }
    }
    labels += batch.labels[labelByte].map(Int32.init)
    pixels += batch.pixels
  }

  private func appendRecords(
    _ input: InputFile, to labels: inout [Int32], _ pixels: inout [UInt8]
  ) throws {
    guard input.size > 0, input.size % recordBytes == 0 else {
      throw DataError.damaged(
        file: input.path,
        reason: "its records are of \(recordBytes) bytes, but its \(input.size) bytes are no "
          + "positive whole number of them")
    }
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
  static let normalising = NormalisationOptions(
    default: .imagenet, scale: Fraction(1, over: 255))

  /// Mirrored half of the time, and cropped from a frame of four pixels: Anokhin and Yarotsky.
  static let augmentation = SampleSet.Augmentation(flips: true, padding: 4)

  static func preprocessing(_ normalisation: Normalisation, augmented: Bool) -> String {
    let scaling = normalisation.text(of: "pixel")
    guard augmented else { return scaling + "; no augmentation" }
    return scaling + "; in training, flipped left to right with probability 1/2 and cropped at "
      + "random from the image padded by \(augmentation.padding) pixels of 0"
  }
}
