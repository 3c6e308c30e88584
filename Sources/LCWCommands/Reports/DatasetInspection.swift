// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFiles
import LCWNumerics
import LCWReport

/// What a data set is: shape, classes, counts, moments, and a digest by which it is known again.
struct DatasetInspection {
  private let reference: PluginReference
  private let data: any LabelledData
  private let parts: [Part]
  private let digest: String

  /// A split, gone through once.
  private struct Part {
    let split: DataSplit
    let counts: [Int]
    let all: ValueSummary
    let channels: [ValueSummary]
  }

  /// The values of a channel or of all channels, as networks see them.
  private struct ValueSummary {
    var mean: Double
    var deviation: Double
    var least: Float
    var greatest: Float
  }

  init(
    _ reference: PluginReference, _ data: any LabelledData, _ locations: DataLocations
  ) throws {
    self.reference = reference
    self.data = data
    // The canonical form: what networks see, whatever files have it, so that the same samples as bytes and
    // as floats are the same. A line for each block keeps memory small.
    var form = Array("lcw samples \(data.sampleShape) \(data.classes)\n".utf8)
    for name in data.classNames ?? [] { form += Array("\(name.utf8.count) \(name)\n".utf8) }
    parts = try DataSplit.allCases.map { split in
      Self.part(split, try data.samples(split, in: locations), &form)
    }
    digest = SHA256.hexDigest(of: form)
  }

  /// The samples of a block of the digest's canonical form.
  private static let blockSize = 1024

  private static func part(
    _ split: DataSplit, _ samples: SampleSet, _ form: inout [UInt8]
  ) -> Part {
    form += Array("\(split.rawValue) \(samples.count)\n".utf8)
    var counts = [Int](repeating: 0, count: samples.classes)
    for label in samples.labels { counts[Int(label)] += 1 }
    let rows = samples.sampleShape.rows
    let width = samples.sampleShape.count / max(1, rows)
    var moments = SampleMoments(.channel, sampleShape: samples.sampleShape)
    var least = [Float](repeating: .infinity, count: rows)
    var greatest = [Float](repeating: -.infinity, count: rows)
    for start in stride(from: 0, to: samples.count, by: blockSize) {
      let range = start..<min(samples.count, start + blockSize)
      let block = samples.block(range)
      var bytes = samples.labels[range].flatMap { label in
        (0..<4).map { UInt8(truncatingIfNeeded: label >> (8 * $0)) }
      }
      bytes += StoredTensor(block).bytes
      form += Array("\(SHA256.hexDigest(of: bytes))\n".utf8)
      moments.add(block.elements)
      for (index, value) in block.elements.enumerated() {
        let channel = index / width % rows
        least[channel] = min(least[channel], value)
        greatest[channel] = max(greatest[channel], value)
      }
    }
    let channels = zip(zip(moments.mean, moments.deviation), zip(least, greatest)).map {
      ValueSummary(mean: $0.0, deviation: $0.1, least: $1.0, greatest: $1.1)
    }
    let mean = channels.reduce(0) { $0 + $1.mean } / Double(max(1, rows))
    let variance =
      channels.reduce(0) {
        $0 + $1.deviation * $1.deviation + ($1.mean - mean) * ($1.mean - mean)
      } / Double(max(1, rows))
    let all = ValueSummary(
      mean: mean, deviation: variance.squareRoot(), least: least.min() ?? .nan,
      greatest: greatest.max() ?? .nan)
    return Part(split: split, counts: counts, all: all, channels: channels)
  }

  private func name(ofClass number: Int) -> String {
    data.classNames?[number] ?? "\(number)"
  }

  /// Channels beyond this number are left out of what people read.
  private static let shownChannels = 16

  /// What a row of the moments is about: vectors have no channels.
  private var unit: String { data.sampleShape.rank == 1 ? "feature" : "channel" }

  var text: String {
    var lines = [
      "\(reference): data set".asOneLine,
      "  classes: \(data.classes)",
      "  digest: sha256 \(digest)",
      "  preprocessing: \(data.preprocessing)".asOneLine,
      "  shape: \(data.sampleShape)",
      "",
    ]
    var classes = Table(
      columns: [.init("class")] + parts.map { .init($0.split.rawValue, alignment: .number) })
    for number in 0..<data.classes {
      classes.append(
        [.text(name(ofClass: number).asOneLine)] + parts.map { .integer($0.counts[number]) })
    }
    classes.append([.text("all")] + parts.map { .integer($0.counts.reduce(0, +)) })
    var moments = Table(
      columns: [.init("samples"), .init(unit)]
        + ["mean", "deviation", "min", "max"].map { .init($0, alignment: .number) })
    for part in parts {
      let shown = part.channels.count > 1 ? part.channels.prefix(Self.shownChannels) : []
      for (index, summary) in shown.enumerated() {
        moments.append(row(part.split, "\(index)", summary))
      }
      moments.append(row(part.split, "all", part.all))
    }
    lines += [classes.text, "", moments.text]
    if let count = parts.first?.channels.count, count > Self.shownChannels {
      lines.append("\(count - Self.shownChannels) more \(unit)s are shown by --format json")
    }
    return lines.joined(separator: "\n")
  }

  private func row(_ split: DataSplit, _ channel: String, _ summary: ValueSummary) -> [Table.Cell] {
    [.text(split.rawValue), .text(channel)]
      + [
        summary.mean, summary.deviation, Double(summary.least), Double(summary.greatest),
      ].map { .significant($0, digits: 6) }
  }

  var json: JSONValue {
    func object(_ summary: ValueSummary) -> JSONValue {
      .object([
        "deviation": JSONValue(summary.deviation), "maximum": JSONValue(Double(summary.greatest)),
        "mean": JSONValue(summary.mean), "minimum": JSONValue(Double(summary.least)),
      ])
    }
    return .object([
      "kind": "dataset", "dataset": .string("\(reference)"),
      "classes": .array((0..<data.classes).map { .string(name(ofClass: $0)) }),
      "digest": .string(digest), "preprocessing": .string(data.preprocessing),
      "shape": .array(data.sampleShape.dimensions.map(JSONValue.integer)),
      "splits": .object(
        Dictionary(
          parts.map { part in
            (
              part.split.rawValue,
              .object([
                "count": .integer(part.counts.reduce(0, +)),
                "classes": .array(part.counts.map(JSONValue.integer)),
                "values": object(part.all), "channels": .array(part.channels.map(object)),
              ])
            )
          }
        ) { first, _ in first }),
    ])
  }
}
