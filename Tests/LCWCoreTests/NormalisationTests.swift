// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Testing

/// A data set of bytes with the options of normalisation.
private struct Pictures: Dataset {
  static let name = "pictures"
  static let summary = "bytes"
  static let normalising = NormalisationOptions(scale: Fraction(1, over: 255))
  static let options = normalising.options
  let sampleShape: Shape = [3, 2, 2]
  let classes = 1
  let preprocessing: String
  let normalisation: Normalisation

  init(options: OptionValues) throws {
    normalisation = try Self.normalising.normalisation(options, channels: 3)
    preprocessing = normalisation.text(of: "pixel")
  }

  func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    throw DataError.damaged(file: "pictures", reason: "there are none")
  }
}

@Suite struct NormalisationTests {
  private func pictures(_ options: String) throws -> Pictures {
    let text = options.isEmpty ? "pictures" : "pictures:\(options)"
    let found = try PluginRegistry([Pictures.self]).dataset(PluginReference(text))
    return try #require(found as? Pictures)
  }

  private func problem(_ options: String) -> String? {
    do { _ = try pictures(options) } catch { return "\(error)" }
    return nil
  }

  // MARK: - What users say

  @Test(arguments: [
    ("", "pixel / 255"),
    ("normalisation=none", "pixel / 255"),
    ("mean=0.1307,deviation=0.3081", "(pixel / 255 − 0.1307) / 0.3081"),
    ("normalisation=mnist", "(pixel / 255 − 0.1307) / 0.3081"),
    ("normalisation=half", "(pixel / 255 − 0.5) / 0.5"),
    ("normalisation=fashion", "(pixel / 255 − 0.286) / 0.353"),
    (
      "normalisation=cifar10",
      "(pixel / 255 − mean) / deviation with mean (0.4914, 0.4822, 0.4465) and deviation "
        + "(0.247, 0.2435, 0.2616)"
    ),
    (
      "normalisation=cifar100",
      "(pixel / 255 − mean) / deviation with mean (0.5071, 0.4867, 0.4408) and deviation "
        + "(0.2675, 0.2565, 0.2761)"
    ),
    ("mean=0.1:0.2:0.3", "pixel / 255 − mean with mean (0.1, 0.2, 0.3)"),
    ("deviation=2", "pixel / 255 / 2.0"),
    ("scale=1", "pixel"), ("scale=2/255", "pixel · 2 / 255"), ("scale=0.5", "pixel · 0.5"),
    ("scale=-1/255,mean=-1", "pixel · -1 / 255 − -1.0"),
    ("scale=1:2:3,mean=1", "pixel · scale − 1.0 with scale (1.0, 2.0, 3.0)"),
    (
      "scale=1/2:1/4:1,mean=1:2:3,deviation=3",
      "(pixel · scale − mean) / 3.0 with scale (1/2, 1/4, 1.0) and mean (1.0, 2.0, 3.0)"
    ),
    (
      "standardise=channel",
      "(pixel / 255 − mean) / deviation with mean and deviation of the training samples, one for "
        + "each channel"
    ),
    (
      "standardise=feature,scale=1",
      "(pixel − mean) / deviation with mean and deviation of the training samples, one for each "
        + "pixel"
    ),
  ])
  func optionsAreSaidInTheRecord(options: String, text: String) throws {
    #expect(try pictures(options).preprocessing == text)
  }

  @Test(arguments: [
    ("deviation=0", "‘0’ is not a valid value for deviation: a deviation is greater than 0"),
    ("deviation=0.2:0:0.2", "‘0.2:0:0.2’ is not a valid value for deviation: a deviation is"),
    ("deviation=-0.3", "not a valid value for deviation: a deviation is greater than 0"),
    ("deviation=nan", "‘nan’ is not a valid value for deviation: expected a number such as 0.5"),
    ("mean=inf", "‘inf’ is not a valid value for mean: expected a number"),
    (
      "mean=1e39",
      "‘1e39’ is not a valid value for mean: the values would be beyond single precision"
    ),
    (
      "mean=0.1:0.2",
      "‘0.1:0.2’ is not a valid value for mean: it has 2 numbers, but the samples have 3"
    ),
    (
      "deviation=1:1:1:1",
      "not a valid value for deviation: it has 4 numbers, but the samples have 3"
    ),
    ("scale=1:2", "not a valid value for scale: it has 2 numbers"),
    ("scale=0", "‘0’ is not a valid value for scale: all values would be 0"),
    ("scale=1e-50", "not a valid value for scale: the values would be beyond single precision"),
    (
      "deviation=1e-60",
      "not a valid value for deviation: the values would be beyond single precision"
    ),
    (
      "deviation=1e60",
      "not a valid value for deviation: the values would be beyond single precision"
    ),
    ("mean=", "‘’ is not a valid value for mean: expected a number"),
    ("scale=1/0", "‘1/0’ is not a valid value for scale"),
    // Two channels' numbers joined by a slash are no fraction.
    ("mean=0.485/0.456/0.406", "‘0.485/0.456/0.406’ is not a valid value for mean"),
    ("mean=0.4/0.5", "‘0.4/0.5’ is not a valid value for mean"),
    ("normalisation=mnist,mean=0", "leave out ‘normalisation’: mean and deviation say"),
    ("standardise=channel,mean=0", "leave out ‘mean’: standardise takes the training samples'"),
    ("standardise=feature,normalisation=none", "leave out ‘normalisation’: standardise"),
    (
      "normalisation=minst",
      "‘minst’ is not a valid value for normalisation: expected one of none, half"
    ),
    ("normalization=mnist", "no option ‘normalization’; did you mean ‘normalisation’?"),
  ])
  func whatCannotBeIsNamed(options: String, says: String) {
    #expect(problem(options)?.contains(says) == true, "\(problem(options) ?? "no error")")
  }

  @Test func oneChannelTakesNoThreeNumbers() throws {
    let options = try OptionValues(
      PluginReference("pictures:normalisation=imagenet"), declaredBy: Pictures.self)
    let error = #expect(throws: PluginError.self) {
      try Pictures.normalising.normalisation(options, channels: 1)
    }
    #expect(
      error?.description
        == "pictures: ‘imagenet’ is not a valid value for normalisation: it has 3 numbers, "
        + "but the samples have 1 channel")
    #expect(Pictures.normalising.areGiven(in: options))
  }

  // MARK: - What becomes of values

  private func values(_ options: String, _ raw: RawValues, training: RawValues? = nil) throws
    -> SampleSet
  {
    let pictures = try pictures(options)
    let values = try pictures.normalisation.values(
      of: raw, sampleShape: pictures.sampleShape, name: "training"
    ) { training ?? raw }
    let count =
      switch raw {
      case .bytes(let bytes): bytes.count / 12
      case .floats(let floats): floats.count / 12
      }
    return try SampleSet(
      name: "pictures", sampleShape: pictures.sampleShape, classes: 1,
      labels: Array(repeating: 0, count: count), values: values)
  }

  private let bytes: [UInt8] = (0..<60).map { UInt8(($0 * 37 + 11) % 256) }

  @Test(arguments: ["", "mean=0.1:0.2:0.3,deviation=0.4:0.5:0.6", "scale=1/7,mean=3,deviation=2"])
  func bytesAndFloatsAreScaledAlike(options: String) throws {
    let all = 0..<5
    let fromBytes = try values(options, .bytes(bytes)).block(all).elements
    let fromFloats = try values(options, .floats(bytes.map { Float($0) })).block(all).elements
    let isPlain = options.isEmpty
    let (scale, mean, deviation) =
      options.hasPrefix("scale")
      ? (1.0 / 7, [3.0, 3, 3], [2.0, 2, 2])
      : isPlain
        ? (1.0 / 255, [0, 0, 0], [1, 1, 1]) : (1.0 / 255, [0.1, 0.2, 0.3], [0.4, 0.5, 0.6])
    for (index, byte) in bytes.enumerated() {
      let channel = index / 4 % 3
      let expected = (Double(byte) * scale - mean[channel]) / deviation[channel]
      #expect(abs(Double(fromBytes[index]) - expected) < 3e-6 * max(1, abs(expected)))
      #expect(fromFloats[index] == Float(expected))
    }
  }

  @Test func defaultsAreAsTheyWereToTheBit() throws {
    guard case .bytes(_, let plain) = try values("", .bytes(bytes)).values else {
      Issue.record("bytes stay bytes")
      return
    }
    // As text too, since digests of samples are taken of it.
    #expect("\(plain)" == "\([SampleSet.ChannelScaling()])")
    guard case .bytes(_, let own) = try values("normalisation=imagenet", .bytes(bytes)).values
    else { return }
    let expected = zip([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).map {
      SampleSet.ChannelScaling(mean: $0, deviation: $1)
    }
    #expect("\(own)" == "\(expected)")
  }

  @Test(arguments: [("channel", 3), ("feature", 12)])
  func standardisedSamplesHaveMeanZeroAndDeviationOne(grouping: String, groups: Int) throws {
    let floats = bytes.map { 1000 + Float($0) / 7 }
    for raw in [RawValues.bytes(bytes), .floats(floats)] {
      let block = try values("standardise=\(grouping)", raw).block(0..<5).elements.map(Double.init)
      for group in 0..<groups {
        let members = block.indices.filter { $0 % 12 / (12 / groups) == group }.map { block[$0] }
        let mean = members.reduce(0, +) / Double(members.count)
        let variance = members.reduce(0) { $0 + $1 * $1 } / Double(members.count) - mean * mean
        #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-5, "\(mean), \(variance)")
      }
    }
  }

  @Test func testSamplesGetTheTrainingSamplesMoments() throws {
    let train = [UInt8](repeating: 10, count: 12) + [UInt8](repeating: 30, count: 12)
    let test = [UInt8](repeating: 40, count: 12)
    let set = try values("standardise=feature", .bytes(test), training: .bytes(train))
    #expect(set.block(0..<1).elements.allSatisfy { abs($0 - 2) < 1e-5 })
  }

  @Test func whatNeverChangesIsOnlyShifted() throws {
    for raw in [
      RawValues.bytes([UInt8](repeating: 51, count: 24)), .floats(Array(repeating: 0.1, count: 24)),
    ] {
      let block = try values("standardise=feature,scale=1", raw).block(0..<2)
      #expect(block.elements.allSatisfy { $0 == 0 })
    }
    let apart = try values(
      "standardise=feature", .bytes([UInt8](repeating: 102, count: 12)),
      training: .bytes([UInt8](repeating: 51, count: 24)))
    #expect(apart.block(0..<1).elements.allSatisfy { abs($0 - 0.2) < 1e-6 })
  }

  @Test func valuesThatAreNotFiniteHaveNoMoments() throws {
    var floats = [Float](repeating: 1, count: 24)
    floats[17] = .nan
    let error = #expect(throws: DataError.self) {
      try values("standardise=feature", .floats(floats))
    }
    #expect(
      error?.description.contains("feature 6 of the training samples has no finite mean") == true)
    // Without standardisation they stay as they are.
    #expect(try values("scale=1", .floats(floats)).block(1..<2).elements[5].isNaN)
  }

  @Test func momentsAddUpBlockByBlock() {
    var (whole, parts) = (
      SampleMoments(.channel, sampleShape: [3, 2, 2]),
      SampleMoments(.channel, sampleShape: [3, 2, 2])
    )
    let floats = bytes.map { Float($0) + 1e6 }
    whole.add(floats)
    for start in stride(from: 0, to: 60, by: 12) { parts.add(floats[start..<start + 12]) }
    #expect(whole.mean == parts.mean && whole.deviation == parts.deviation && parts.count == 5)
    var exact = SampleMoments(.channel, sampleShape: [3, 2, 2])
    exact.add(bytes)
    for (a, b) in zip(exact.deviation, whole.deviation) { #expect(abs(a - b) < 1e-9 * a) }
    for (a, b) in zip(exact.mean, whole.mean) { #expect(abs(a + 1e6 - b) < 1e-9 * b) }
  }
}
