// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// 1,797 handwritten digits of 8×8 pixels, embedded in the program: no file is needed.
///
/// Alpaydin and Kaynak, *Optical Recognition of Handwritten Digits* (UCI 1998), CC BY 4.0. The
/// last 360 images are the test set.
public struct Digits: Dataset {
  /// `digits`
  public static let name = "digits"
  /// What it is.
  public static let summary = "1,797 handwritten digits of 8×8 pixels, embedded"

  /// `[1, 8, 8]`
  public let sampleShape: Shape = [1, 8, 8]
  /// Ten digits.
  public let classes = 10
  /// How the pixels are scaled.
  public let preprocessing: String
  private let normalisation: Normalisation

  private static let normalising = NormalisationOptions(scale: Fraction(1, over: 16))

  /// Those of normalisation.
  public static let options = normalising.options

  private static let testCount = 360

  /// The data set with the given options.
  public init(options: OptionValues) throws {
    normalisation = try Self.normalising.normalisation(options, channels: sampleShape.rows)
    preprocessing = normalisation.text(of: "pixel")
  }

  /// The first 1,437 images, or the last 360; the locations are not looked at.
  /// - Throws: ``DataError/damaged(file:reason:)`` if the text in the program is not as it should
  ///   be.
  public func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    let (pixels, labels) = try decoded()
    let firstTest = labels.count - Digits.testCount
    let range = split == .train ? 0..<firstTest : firstTest..<labels.count
    func raw(_ range: Range<Int>) -> [UInt8] {
      let size = sampleShape.count
      return Array(pixels[range.lowerBound * size..<range.upperBound * size])
    }
    let values = try normalisation.values(
      of: .bytes(raw(range)), sampleShape: sampleShape, name: Digits.source
    ) { .bytes(raw(0..<firstTest)) }
    return try SampleSet(
      name: Digits.source, sampleShape: sampleShape, classes: classes,
      labels: Array(labels[range]), values: Digits.asEver(values))
  }

  /// A summand of −0 is written as 0, as it was before there were options: the digest of samples, which
  /// models that were fitted record, tells them apart.
  private static func asEver(_ values: SampleSet.Values) -> SampleSet.Values {
    guard case .bytes(let bytes, let scalings) = values else { return values }
    return .bytes(
      bytes, scalings.map { $0.offset == 0 ? .init(scale: $0.scale, offset: 0) : $0 })
  }

  private static let source = "the embedded digits"

  private func decoded() throws(DataError) -> (pixels: [UInt8], labels: [Int32]) {
    let text = digitsText.withUTF8Buffer { Array($0) }
    let lines = text.split(separator: UInt8(ascii: "\n"))
    guard lines.count > Digits.testCount else {
      throw .damaged(file: Digits.source, reason: "there are \(lines.count) images")
    }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(lines.count * sampleShape.count)
    var labels: [Int32] = []
    for (index, line) in lines.enumerated() {
      guard line.count == sampleShape.count + 1, let digit = line.last,
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit),
        line.dropLast().allSatisfy((UInt8(ascii: "a")...UInt8(ascii: "q")).contains)
      else {
        throw .damaged(
          file: Digits.source,
          reason: "line \(index + 1) is not \(sampleShape.count) letters from a to q and a digit")
      }
      pixels += line.dropLast().map { $0 - UInt8(ascii: "a") }
      labels.append(Int32(digit - UInt8(ascii: "0")))
    }
    return (pixels, labels)
  }
}

@section("lcw_plugins") @used
let digitsPlugin: PluginRecord = { $0.add(Digits.self) }
