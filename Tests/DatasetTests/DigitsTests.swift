// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

@Suite struct DigitsTests {
  private let nowhere = DataLocations(folders: [])

  @Test func theSplitsHaveTheirSizes() throws {
    let digits = try dataset("digits")
    let train = try digits.samples(.train, in: nowhere)
    let test = try digits.samples(.test, in: nowhere)
    #expect(digits.sampleShape == [1, 8, 8])
    #expect(digits.classes == 10)
    #expect((train.count, test.count) == (1437, 360))
    let counts = { (set: SampleSet) in (0..<10).map { c in set.labels.count { $0 == c } } }
    #expect(counts(train) == [143, 146, 142, 146, 144, 145, 144, 143, 141, 143])
    #expect(counts(test) == [35, 36, 35, 37, 37, 37, 37, 36, 33, 37])
  }

  @Test(arguments: [
    (DataSplit.train, UInt64(0x8F49_E8C4_E816_1E08)), (.test, 0x3D01_97B6_2B22_5FDA),
  ])
  func theDigestIsThatOfTheOriginal(split: DataSplit, digest: UInt64) throws {
    let samples = try dataset("digits").samples(split, in: nowhere)
    // FNV-1a over the rows of the original file: 64 pixels and the label each.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in 0..<samples.count {
      let pixels = samples.block(index..<index + 1).elements.map { UInt64($0 * 16) }
      for value in pixels + [UInt64(samples.labels[index])] {
        hash = (hash ^ value) &* 0x100_0000_01B3
      }
    }
    #expect(hash == digest)
  }

  @Test func pixelsAreFromZeroToOne() throws {
    let block = try dataset("digits").samples(.train, in: nowhere).block(0..<1437)
    #expect(block.shape == [1437, 1, 8, 8])
    #expect(Set(block.elements) == Set((0...16).map { Float($0) / 16 }))
  }

  @Test(.enabled(if: isShared("digits/digits.csv"), "the original file is not beside the package"))
  func theEmbeddedImagesAreTheOriginals() throws {
    let file = sharedData.appendingPathComponent("digits/digits.csv")
    let rows = try String(contentsOf: file, encoding: .utf8)
      .split(whereSeparator: \.isNewline).map { $0.split(separator: ",").compactMap { Int($0) } }
    let digits = try dataset("digits")
    let sets = try DataSplit.allCases.map { try digits.samples($0, in: nowhere) }
    let found = sets.flatMap { set in
      (0..<set.count).map { index in
        set.block(index..<index + 1).elements.map { Int($0 * 16) } + [Int(set.labels[index])]
      }
    }
    #expect(found == rows)
  }
}
