// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import Testing

@Suite struct RandomStreamTests {
  private func words(_ stream: RandomStream, _ count: Int) -> [UInt32] {
    var stream = stream
    return (0..<count).map { _ in stream.nextWord() }
  }

  /// Known answers that come with the authors' Random123.
  @Test(
    arguments: [
      (
        [UInt32](repeating: 0, count: 4), [UInt32](repeating: 0, count: 2),
        [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]
      ),
      (
        [UInt32](repeating: .max, count: 4), [UInt32](repeating: .max, count: 2),
        [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]
      ),
      (
        [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], [0xA409_3822, 0x299F_31D0],
        [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func philox(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
    let result = RandomStream.philox(
      counter: SIMD4(counter[0], counter[1], counter[2], counter[3]), key: SIMD2(key[0], key[1]))
    #expect((0..<4).map { result[$0] } == expected)
  }

  /// Words that files and papers may depend on: they can't change.
  @Test func theFirstWordsAreLocked() {
    #expect(
      words(RandomStream(seed: 42), 6)
        == [0x9CEA_F053, 0x77F5_493B, 0x12BF_50AD, 0x5742_B3D7, 0xFCDB_2127, 0x53BA_6CFD])
    #expect(
      words(RandomStream(seed: 0x1234_5678_9ABC_DEF0, stream: 0xFEDC_BA98_7654_3210), 5)
        == [0x90AA_FDC4, 0x2D4A_0D93, 0x13F8_6EDC, 0x98B4_EF2A, 0x1D23_7AA0])
    #expect(
      words(RandomStream(seed: 42, purpose: .order, index: 3), 4)
        == [0x3880_9CEB, 0x89A8_9656, 0x5CF7_30EF, 0x7FC9_01D0])
  }

  @Test func sixtyFourBitsAreTwoWordsLowFirst() {
    var stream = RandomStream(seed: 42)
    #expect(stream.next() == 0x77F5_493B_9CEA_F053)
    #expect(stream.next() == 0x5742_B3D7_12BF_50AD)
  }

  @Test func streamsDiffer() {
    var streams = [RandomStream(seed: 1), RandomStream(seed: 2), RandomStream(seed: 1 << 32)]
    streams += [RandomStream(seed: 1, stream: 1), RandomStream(seed: 1, stream: 1 << 32)]
    for purpose in [
      RandomStream.Purpose.initialisation, .order, .dropout, .augmentation, .connection,
    ] {
      streams += (0..<3).map { RandomStream(seed: 1, purpose: purpose, index: $0) }
    }
    let all = streams.flatMap { words($0, 64) }
    // 1,280 words of 32 bits: two equal ones by chance once in 5,000 times.
    #expect(Set(all).count == all.count)
    #expect(words(RandomStream(seed: 1), 64) == words(streams[0], 64))
  }

  @Test func aCopyGoesOnFromItsOwnPlace() {
    var stream = RandomStream(seed: 3)
    _ = stream.nextWord()
    let copy = stream
    #expect(words(copy, 9) == words(stream, 9))
  }

  // MARK: - Distributions

  private func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
  }

  @Test func uniformNumbers() {
    var stream = RandomStream(seed: 4)
    let count = 200_000
    for values in [
      (0..<count).map { _ in Double(stream.uniform()) },
      (0..<count).map { _ in stream.uniformDouble() },
    ] {
      let (mean, variance) = moments(values)
      // Five standard deviations of the estimates.
      #expect(abs(mean - 0.5) < 5 * (1 / 12.0 / Double(count)).squareRoot())
      #expect(abs(variance - 1 / 12.0) < 5 * (1 / 180.0 / Double(count)).squareRoot())
      #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    }
  }

  @Test func uniformTensors() {
    var stream = RandomStream(seed: 4)
    let tensor = stream.uniform([50, 1000], bound: 3)
    #expect(tensor.shape == [50, 1000])
    #expect(tensor.elements.allSatisfy { $0 >= -3 && $0 < 3 })
    let (mean, variance) = moments(tensor.elements.map { Double($0) })
    #expect(abs(mean) < 0.05 && abs(variance - 3) < 0.05)
  }

  @Test func normalNumbers() {
    var stream = RandomStream(seed: 5)
    let tensor = stream.normal([200_001], deviation: 2)
    #expect(tensor.count == 200_001)
    let values = tensor.elements.map { Double($0) / 2 }
    let (mean, variance) = moments(values)
    let n = Double(values.count)
    #expect(abs(mean) < 5 / n.squareRoot())
    #expect(abs(variance - 1) < 5 * (2 / n).squareRoot())
    let third = values.reduce(0) { $0 + $1 * $1 * $1 } / n
    let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n
    #expect(abs(third) < 5 * (15 / n).squareRoot())
    #expect(abs(fourth - 3) < 5 * (96 / n).squareRoot())
    let beyondTwo = Double(values.count { abs($0) > 2 }) / n
    #expect(abs(beyondTwo - erfc(2 / 2.0.squareRoot())) < 5 * (0.0455 / n).squareRoot())
  }

  @Test func noNumbers() {
    var stream = RandomStream(seed: 5)
    #expect(stream.normal([0, 3]).count == 0)
    #expect(stream.permutation(of: 0) == [])
  }

  @Test(arguments: [1, 2, 7, 10, 1000]) func integersAreUniform(bound: Int) {
    var stream = RandomStream(seed: 6)
    var counts = [Int](repeating: 0, count: bound)
    let draws = 200 * bound
    for _ in 0..<draws { counts[stream.integer(below: bound)] += 1 }
    expectUniform(counts, draws: draws)
  }

  /// With a bound of ¾ · 2³², scaling without rejection favours every third value.
  @Test func integersAreUniformBelowLargeBounds() {
    var stream = RandomStream(seed: 7)
    var (residues, thirds) = ([0, 0, 0], [0, 0, 0])
    let draws = 30_000
    for _ in 0..<draws {
      let value = stream.integer(below: 3 << 30)
      residues[value % 3] += 1
      thirds[value >> 30] += 1
    }
    expectUniform(residues, draws: draws)
    expectUniform(thirds, draws: draws)
    #expect((0..<100).map { _ in stream.integer(below: 1 << 32) }.max() ?? 0 > 1 << 31)
  }

  /// Chi square within five of its standard deviations.
  private func expectUniform(_ counts: [Int], draws: Int) {
    let mean = Double(draws) / Double(counts.count)
    let chiSquare = counts.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) / mean }
    let freedom = Double(counts.count - 1)
    #expect(chiSquare <= freedom + 5 * (2 * freedom).squareRoot())
  }

  @Test(arguments: [1, 2, 3, 100, 10_000]) func aPermutationHasEachOnce(count: Int) {
    var stream = RandomStream(seed: 8)
    let order = stream.permutation(of: count)
    #expect(order.sorted() == Array(0..<count))
    if count >= 100 { #expect(order != order.sorted()) }
  }

  @Test func everyPermutationComesEquallyOften() {
    var stream = RandomStream(seed: 9)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<24_000 { counts[stream.permutation(of: 4), default: 0] += 1 }
    #expect(counts.count == 24)
    expectUniform(Array(counts.values), draws: 24_000)
  }
}
