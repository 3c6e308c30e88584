// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// An idx file of unsigned bytes.
private func idx(_ sizes: [Int], _ bytes: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(sizes.count)]
    + sizes.flatMap { size in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) } } + bytes
}

@Suite struct MNISTTests {
  private let pixels = noise(3 * 784, seed: 1)
  private let labels: [UInt8] = [7, 0, 9]

  private func load(
    _ split: DataSplit = .train, images: [UInt8]? = nil, labels: [UInt8]? = nil,
    imagesName: String = "mnist/train-images-idx3-ubyte",
    labelsName: String = "mnist/train-labels-idx1-ubyte", in folder: URL
  ) throws -> SampleSet {
    try write(images ?? idx([3, 28, 28], pixels), to: imagesName, in: folder)
    try write(labels ?? idx([3], self.labels), to: labelsName, in: folder)
    return try dataset("mnist").samples(split, in: DataLocations(folders: [folder]))
  }

  @Test(arguments: ["mnist/", "MNIST/raw/", ""], [".gz", ""])
  func filesAreFoundByEveryName(folder: String, ending: String) throws {
    for spelling in ["-idx", ".idx"] {
      for (split, prefix) in [(DataSplit.train, "train"), (.test, "t10k")] {
        let packed = { (bytes: [UInt8]) in ending.isEmpty ? bytes : gzipped(bytes) }
        let samples = try withTemporaryFolder {
          try load(
            split, images: packed(idx([3, 28, 28], pixels)), labels: packed(idx([3], labels)),
            imagesName: "\(folder)\(prefix)-images\(spelling)3-ubyte\(ending)",
            labelsName: "\(folder)\(prefix)-labels\(spelling)1-ubyte\(ending)", in: $0)
        }
        #expect(samples.labels == [7, 0, 9])
        #expect(samples.sampleShape == [1, 28, 28])
        #expect(samples.block(0..<3).shape == [3, 1, 28, 28])
        let values = samples.block(0..<3).elements
        #expect(zip(values, pixels).allSatisfy { abs($0 - Float($1) / 255) < 1e-7 })
        #expect(values.max() == 1 && values.min() == 0)
      }
    }
  }

  @Test func anIdxFileMayBeNamedLikeAGzipFileAndViceVersa() throws {
    let samples = try withTemporaryFolder {
      try load(
        labels: gzipped(idx([3], labels)), imagesName: "mnist/train-images-idx3-ubyte.gz", in: $0)
    }
    #expect(samples.count == 3)
  }

  @Test func aMissingFileIsNamedWithFolderAndAdvice() throws {
    let folder = URL(fileURLWithPath: "/nowhere/at-all", isDirectory: true)
    let error = #expect(throws: DataError.self) {
      try dataset("mnist").samples(.test, in: DataLocations(folders: [folder]))
    }
    #expect(error?.category == .missingFile)
    let text = error?.description ?? ""
    #expect(text.contains("mnist/t10k-images-idx3-ubyte.gz is not in /nowhere/at-all"))
    #expect(text.contains("Yann LeCun's page") && error?.remedy == .nameDataFolder)
    #expect(!text.contains("\n"))
  }

  /// A fault, the part of the message that names it, and the files that have it.
  struct Fault: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var file: String
    var says: String
    var images: [UInt8]?
    var labels: [UInt8]?

    init(
      _ name: String, in file: String, says: String, images: [UInt8]? = nil, labels: [UInt8]? = nil
    ) {
      (testDescription, self.file, self.says) = (name, file, says)
      (self.images, self.labels) = (images, labels)
    }
  }

  static let faults = [
    Fault(
      "labels in the images' place", in: "images",
      says: "starts with 00 00 08 03, but this one "
        + "with 00 00 08 01", images: idx([2352], noise(2352, seed: 1))),
    Fault(
      "floats", in: "images", says: "starts with 00 00 08 03, but this one with 00 00 0D 03",
      images: [0, 0, 0x0D, 3] + idx([3, 28, 28], noise(2352, seed: 1)).dropFirst(4)),
    Fault("an empty file", in: "images", says: "takes 16 bytes, but the file has 0", images: []),
    Fault(
      "half a header", in: "labels", says: "takes 8 bytes, but the file has 7",
      labels: Array(idx([3], []).dropLast())),
    Fault(
      "other dimensions", in: "images", says: "size 2 should be 28, but the header says 32",
      images: idx([3, 32, 28], noise(3 * 32 * 28, seed: 1))),
    Fault(
      "no images", in: "images", says: "size 1 should be at least 1, but the header says 0",
      images: idx([0, 28, 28], []), labels: idx([0], [])),
    Fault(
      "truncated images", in: "images", says: "3×28×28 bytes should follow the header, but 2351 do",
      images: idx([3, 28, 28], noise(2351, seed: 1))),
    Fault(
      "images that are too long", in: "images", says: "but 2353 do",
      images: idx([3, 28, 28], noise(2353, seed: 1))),
    Fault(
      "a count beyond the file", in: "images", says: "4294967295×28×28 bytes should follow",
      images: idx([0xFFFF_FFFF, 28, 28], noise(784, seed: 1))),
    Fault(
      "fewer labels than images", in: "labels", says: "size 1 should be 3, but the header says 2",
      labels: idx([2], [1, 2])),
    Fault(
      "a label that is no digit", in: "labels", says: "label 10 of sample 1 is not from 0 to 9",
      labels: idx([3], [1, 10, 2])),
    Fault(
      "a gzip file that breaks off", in: "images", says: "damaged",
      images: Array(gzipped(idx([3, 28, 28], noise(2352, seed: 1))).prefix(1000))),
  ]

  @Test(arguments: faults) func aFaultIsNamedWithItsFile(fault: Fault) throws {
    try withTemporaryFolder { folder in
      let text = try #require(
        message { _ = try load(images: fault.images, labels: fault.labels, in: folder) })
      let kind = fault.file == "images" ? "idx3" : "idx1"
      #expect(text.hasPrefix("\(folder.path)/mnist/train-\(fault.file)-\(kind)-ubyte"))
      #expect(text.contains(fault.says), "\(text)")
      #expect(!text.contains("\n"))
    }
  }

  @Test(
    .enabled(
      if: isShared("mnist/train-images-idx3-ubyte.gz"), "MNIST is not beside the package"))
  func theRealFilesLoad() throws {
    let locations = DataLocations(folders: [sharedData])
    let mnist = try dataset("mnist")
    let train = try mnist.samples(.train, in: locations)
    let test = try mnist.samples(.test, in: locations)
    #expect((train.count, test.count) == (60_000, 10_000))
    #expect(train.labels.prefix(5) == [5, 0, 4, 1, 9])
    #expect(test.labels.prefix(5) == [7, 2, 1, 0, 4])
    // LeCun's training pixels have the mean 0.1307.
    let mean = (0..<60).reduce(0.0) { sum, part in
      sum + train.block(part * 1000..<(part + 1) * 1000).elements.reduce(0.0) { $0 + Double($1) }
    }
    #expect(abs(mean / (60_000 * 784) - 0.1307) < 1e-4)
  }
}
