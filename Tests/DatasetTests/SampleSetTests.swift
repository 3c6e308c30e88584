// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Testing

@Suite struct SampleSetTests {
  /// Five samples of two channels, three rows and four columns, none of whose bytes is 0.
  private let bytes = (0..<5 * 24).map { UInt8($0 + 1) }
  private let shape: Shape = [2, 3, 4]
  private let identity = SampleSet.ChannelScaling(scale: 1, offset: 0)

  private func set(_ augmentation: SampleSet.Augmentation? = nil) throws -> SampleSet {
    try SampleSet(
      name: "test", sampleShape: shape, classes: 3, labels: [0, 1, 2, 1, 0],
      values: .bytes(bytes, [identity]), augmentation: augmentation)
  }

  private func image(_ index: Int) -> [Float] {
    bytes[index * 24..<(index + 1) * 24].map { Float($0) }
  }

  private func drawn(_ set: SampleSet, _ index: Int, seed: UInt64) -> [Float] {
    set.block(at: [index]) { _ in RandomStream(seed: seed, purpose: .augmentation) }.elements
  }

  /// The flipped image, padded and cropped: the definition, pixel by pixel.
  private func version(
    of index: Int, flipped: Bool, down: Int, right: Int
  ) -> [Float] {
    var result: [Float] = []
    for channel in 0..<2 {
      for row in 0..<3 {
        for column in 0..<4 {
          let (y, x) = (row + down, column + right)
          guard (0..<3).contains(y), (0..<4).contains(x) else {
            result.append(0)
            continue
          }
          result.append(image(index)[channel * 12 + y * 4 + (flipped ? 3 - x : x)])
        }
      }
    }
    return result
  }

  @Test func aBlockOfIndicesIsTheSamplesInThatOrder() throws {
    let set = try set()
    let block = set.block(at: [3, 0, 3, 4])
    #expect(block.shape == [4, 2, 3, 4])
    #expect(block.elements == image(3) + image(0) + image(3) + image(4))
    #expect(set.block(1..<3).elements == image(1) + image(2))
    #expect(set.block(2..<2).shape == [0, 2, 3, 4])
  }

  @Test func eachChannelHasItsScaling() throws {
    let scalings = [
      SampleSet.ChannelScaling(mean: 0.5, deviation: 0.25),
      SampleSet.ChannelScaling(scale: 2, offset: -1),
    ]
    let set = try SampleSet(
      name: "test", sampleShape: shape, classes: 3, labels: [0, 1, 2, 1, 0],
      values: .bytes(bytes, scalings))
    let values = set.block(at: [4, 2]).elements
    let expected = [4, 2].flatMap { index in
      image(index).enumerated().map { position, byte in
        position < 12 ? (byte / 255 - 0.5) / 0.25 : 2 * byte - 1
      }
    }
    #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func floatsAreTakenAsTheyAre() throws {
    let floats: [Float] = [0.5, -1, .infinity, 3, 4, -0.0]
    let set = try SampleSet(
      name: "test", sampleShape: [2], classes: 2, labels: [0, 1, 1], values: .floats(floats),
      augmentation: SampleSet.Augmentation(flips: true, padding: 1))
    #expect(set.block(at: [2, 0]).elements == [4, -0.0, 0.5, -1])
    #expect(drawn(set, 1, seed: 1) == [.infinity, 3])
  }

  @Test func thePrefixHasTheFirstSamples() throws {
    let set = try set(SampleSet.Augmentation(flips: true, padding: 0))
    let prefix = set.prefix(2)
    #expect(prefix.labels == [0, 1])
    #expect(prefix.block(0..<2).elements == image(0) + image(1))
    #expect(prefix.augmentation == set.augmentation)
    #expect(set.prefix(9).count == 5)
    #expect(set.prefix(-1).count == 0)
  }

  @Test func whatDoesNotFitIsRefused() {
    func error(_ labels: [Int32], _ values: SampleSet.Values) -> DataError? {
      #expect(throws: DataError.self) {
        try SampleSet(name: "f", sampleShape: shape, classes: 3, labels: labels, values: values)
      }
    }
    let sample = [UInt8](repeating: 1, count: 24)
    #expect(
      error([0, 1], .bytes(sample, [identity]))
        == .damaged(
          file: "f", reason: "2 labels need 48 values of samples [2, 3, 4], but there are 24"))
    #expect(
      error([3], .bytes(sample, [identity]))
        == .damaged(file: "f", reason: "label 3 of sample 0 is not from 0 to 2"))
    #expect(
      error([-1], .floats([Float](repeating: 0, count: 24)))
        == .damaged(file: "f", reason: "label -1 of sample 0 is not from 0 to 2"))
    #expect(
      error([0], .bytes(sample, [identity, identity, identity]))
        == .damaged(file: "f", reason: "3 channel scalings for samples [2, 3, 4]"))
  }

  // MARK: - Augmentation

  @Test func withoutAStreamNothingIsAugmented() throws {
    let set = try set(SampleSet.Augmentation(flips: true, padding: 2))
    #expect(set.block(at: [1]).elements == image(1))
  }

  @Test func oneStreamGivesOneVersion() throws {
    let set = try set(SampleSet.Augmentation(flips: true, padding: 2))
    let versions = (0..<50).map { drawn(set, 2, seed: $0) }
    #expect(versions == (0..<50).map { drawn(set, 2, seed: $0) })
    #expect(Set(versions).count > 10)
  }

  @Test func theStreamIsThatOfThePosition() throws {
    let set = try set(SampleSet.Augmentation(flips: true, padding: 2))
    let block = set.block(at: [4, 1, 4]) { RandomStream(seed: UInt64($0)) }
    for (position, index) in [4, 1, 4].enumerated() {
      let alone = set.block(at: [index]) { _ in RandomStream(seed: UInt64(position)) }
      #expect(Array(block.row(position)) == alone.elements)
    }
  }

  @Test(arguments: [1, 2, 3, 7]) func theBlockDoesNotDependOnTheWorkers(workers: Int) throws {
    let sample: Shape = [3, 32, 32]
    var random = RandomStream(seed: 3)
    let bytes = (0..<40 * sample.count).map { _ in UInt8(random.integer(below: 256)) }
    let labels = [Int32](repeating: 0, count: 40)
    let images = try SampleSet(
      name: "images", sampleShape: sample, classes: 1, labels: labels,
      values: .bytes(bytes, [.init(scale: 0.5, offset: 1)]),
      augmentation: .init(flips: true, padding: 4))
    let floats = try SampleSet(
      name: "floats", sampleShape: sample, classes: 1, labels: labels,
      values: .floats(bytes.map(Float.init)))
    let indices = (0..<101).map { $0 * 7 % 40 }
    for set in [images, floats] {
      let expected = set.block(at: indices) { RandomStream(seed: UInt64($0)) }
      let block = set.block(
        at: indices, augmenting: { RandomStream(seed: UInt64($0)) }, workers: Workers(workers))
      #expect(block == expected)
      #expect(set.block(at: [indices[100]]).count == sample.count)
    }
  }

  @Test func aFlipMirrorsEveryOtherTime() throws {
    let set = try set(SampleSet.Augmentation(flips: true, padding: 0))
    let mirrored = [4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9].flatMap { [Float($0)] }
    let versions = (0..<1000).map { drawn(set, 0, seed: $0) }
    let flipped = versions.filter { $0 != image(0) }
    #expect(flipped.allSatisfy { Array($0.prefix(12)) == mirrored })
    #expect(flipped.allSatisfy { $0 == version(of: 0, flipped: true, down: 0, right: 0) })
    // Five standard deviations around one half.
    #expect((421...579).contains(flipped.count))
  }

  @Test func aCropShiftsAndFillsWithZeros() throws {
    let set = try set(SampleSet.Augmentation(flips: false, padding: 1))
    let up: [Float] = [5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0]
    let versions = Set((0..<500).map { drawn(set, 0, seed: $0) })
    #expect(versions.contains { Array($0.prefix(12)) == up })
    let expected = (-1...1).flatMap { down in
      (-1...1).map { version(of: 0, flipped: false, down: down, right: $0) }
    }
    #expect(versions == Set(expected))
  }

  @Test func everyVersionComesEquallyOften() throws {
    let set = try set(SampleSet.Augmentation(flips: true, padding: 1))
    var counts: [[Float]: Int] = [:]
    for flipped in [false, true] {
      for down in -1...1 {
        for right in -1...1 {
          counts[version(of: 3, flipped: flipped, down: down, right: right)] = 0
        }
      }
    }
    #expect(counts.count == 18)
    let draws = 9000
    for seed in 0..<draws { counts[drawn(set, 3, seed: UInt64(seed)), default: 0] += 1 }
    #expect(counts.count == 18)
    let mean = Double(draws) / 18
    let chiSquare = counts.values.reduce(0) {
      $0 + (Double($1) - mean) * (Double($1) - mean) / mean
    }
    // Of 17 degrees of freedom; larger once in 100,000 times.
    #expect(chiSquare < 52)
  }

  @Test func paddingMayBeLargerThanTheImage() throws {
    let set = try set(SampleSet.Augmentation(flips: false, padding: 6))
    let versions = Set((0..<4000).map { drawn(set, 0, seed: $0) })
    // Windows beside the image hold nothing; 5 × 7 positions show a part of it.
    #expect(versions.count == 36)
    #expect(versions.contains([Float](repeating: 0, count: 24)))
  }
}
