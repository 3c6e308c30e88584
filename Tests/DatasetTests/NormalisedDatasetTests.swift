// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics
import Testing

/// The data sets of images with a normalisation of the user's own.
@Suite struct NormalisedDatasetTests {
  private let nowhere = DataLocations(folders: [])

  @Test func digitsTakeAMeanAndADeviation() throws {
    let plain = try dataset("digits").samples(.test, in: nowhere).block(0..<360).elements
    let own = try dataset("digits:mean=0.3,deviation=0.4").samples(.test, in: nowhere)
    #expect(
      zip(own.block(0..<360).elements, plain).allSatisfy { abs($0 - ($1 - 0.3) / 0.4) < 1e-6 })
    #expect(
      try dataset("digits:mean=0.3,deviation=0.4").preprocessing == "(pixel / 16 − 0.3) / 0.4")
    let raw = try dataset("digits:scale=1").samples(.test, in: nowhere).block(0..<360).elements
    #expect(zip(raw, plain).allSatisfy { $0 == $1 * 16 })
  }

  @Test func standardisedDigitsHaveTheTrainingSamplesMoments() throws {
    let digits = try dataset("digits:standardise=feature")
    let train = try digits.samples(.train, in: nowhere)
    let block = train.block(0..<train.count)
    for place in [3, 20, 36, 63] {
      let values = (0..<train.count).map { Double(block.elements[$0 * 64 + place]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count) - mean * mean
      #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-4)
    }
    // The first pixel is 0 in every image.
    #expect((0..<train.count).allSatisfy { block.elements[$0 * 64] == 0 })
    let test = try digits.samples(.test, in: nowhere).block(0..<360).elements
    let plain = try dataset("digits").samples(.test, in: nowhere).block(0..<360).elements
    let raw = try dataset("digits").samples(.train, in: nowhere).block(0..<1437).elements
    let column = (0..<1437).map { Double(raw[$0 * 64 + 20]) }
    let mean = column.reduce(0, +) / 1437
    let deviation = (column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1437).squareRoot()
    for image in 0..<360 {
      let expected = (Double(plain[image * 64 + 20]) - mean) / deviation
      #expect(abs(Double(test[image * 64 + 20]) - expected) < 1e-5)
    }
  }

  @Test func samplesStayFinite() throws {
    for split in DataSplit.allCases {
      let text = message {
        _ = try dataset("digits:deviation=1e-39").samples(split, in: nowhere)
      }
      #expect(text?.contains("would be infinite in single precision: deviation=") == true)
    }
    // Pixels are at most 16, so that what would be too much of 255 is not.
    let large = try dataset("digits:scale=1e37").samples(.test, in: nowhere)
    #expect(large.block(0..<large.count).elements.allSatisfy { $0.isFinite })
  }

  /// Models that were fitted record digests of the samples, of the bytes and of how they are scaled.
  @Test func digestsOfDefaultsAreAsTheyWere() throws {
    let digits = try dataset("digits").samples(.test, in: nowhere)
    let pixels = digits.block(0..<360).elements.map { UInt8($0 * 16) }
    let before = try SampleSet(
      name: "digits", sampleShape: [1, 8, 8], classes: 10, labels: digits.labels,
      values: .bytes(pixels, [.init(scale: 1 / 16, offset: 0)]))
    #expect(digits.digest == before.digest)
    #expect(
      try dataset("digits:mean=0.1").samples(.test, in: nowhere).digest != before.digest)
  }

  @Test func aFolderWithAFilesNameIsNoFile() throws {
    try withTemporaryFolder { folder in
      let bytes: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 1, 7]
      let images: [UInt8] =
        [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28] + noise(784, seed: 1)
      // As one archive in use unpacks: a folder named like the file, and the file beside it.
      for (name, content) in [("t10k-images", images), ("t10k-labels", bytes)] {
        let kind = name.hasSuffix("images") ? "idx3" : "idx1"
        try write([0], to: "\(name)-\(kind)-ubyte/\(name)-\(kind)-ubyte", in: folder)
        try write(content, to: "\(name).\(kind)-ubyte", in: folder)
      }
      let samples = try dataset("mnist").samples(.test, in: DataLocations(folders: [folder]))
      #expect(samples.labels == [7])
    }
  }

  @Test(
    .enabled(
      if: isShared("mnist/train-images-idx3-ubyte.gz"), "MNIST is not beside the package"))
  func theNamedNumbersAreMNISTsMoments() throws {
    let locations = DataLocations(folders: [sharedData])
    let named = try dataset("mnist:normalisation=mnist").samples(.test, in: locations)
    let own = try dataset("mnist:standardise=channel").samples(.test, in: locations)
    let (a, b) = (named.block(0..<100).elements, own.block(0..<100).elements)
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 2e-4 })
    #expect(a != b)
  }
}
