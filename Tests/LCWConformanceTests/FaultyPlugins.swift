// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import LCWOperations
import SafetensorsFormat

private let faultOption = PluginOption("fault", default: "none", help: "what is wrong")

/// A small network with a fault.
struct FaultyArchitecture: Architecture {
  static let name = "faulty"
  static let summary = "a small network with a fault"
  private static let units = PluginOption("units", default: 9, help: "hidden units")
  static let options: [any PluginOptionDescription] = [faultOption, units]

  private let fault: String
  private let units: Int

  init(options: OptionValues) throws {
    fault = options[faultOption]
    units = options[Self.units]
  }

  func network(inputShape: Shape, classes: Int) throws -> Network {
    if fault == "refusal" { throw NetworkError.tooLarge(values: 1) }
    return try Network(
      inputShape: inputShape,
      layers: (inputShape.rank == 1 ? [] : [.flatten]) + [
        .dense(outputs: units, bias: true), .tanh,
        .dropout(rate: fault == "dropout" ? 0.999999 : 0),
        .dense(outputs: fault == "classes" ? classes + 1 : classes, bias: true),
      ])
  }

  func selfContained(_ reference: PluginReference) -> PluginReference {
    var options = reference.options
    if fault == "reference" { options["units"] = "10" }
    if fault == "comma" { options["fault"] = "a,b" }
    return PluginReference(name: reference.name, options: options)
  }
}

/// Safetensors with a fault.
struct FaultyFormat: CheckpointFormat {
  static let name = "faulty"
  static let summary = "safetensors with a fault"
  static let options: [any PluginOptionDescription] = [faultOption]
  static let fileExtensions = ["faulty"]
  static let canWrite = true

  private let fault: String
  private struct Undescribed: Error {}

  init(options: OptionValues) throws { fault = options[faultOption] }

  static func recognises(_ start: [UInt8]) -> Bool { Safetensors.recognises(start) }

  func open(_ file: URL) throws -> any CheckpointSource {
    do {
      let source = try Safetensors().open(file)
      if fault == "unreadable", source.entries.contains(where: { $0.elementType == .float64 }) {
        throw CheckpointError.metadata(field: "a", expected: "another in \(file.path)")
      }
      return fault == "generous" ? GenerousSource(base: try Checkpoint(reading: source)) : source
    } catch {
      switch fault {
      case "lenient": return Checkpoint()
      case "undescribed": throw Undescribed()
      case "nameless": throw CheckpointError.selection("something is wrong")
      default: throw error
      }
    }
  }

  func write(_ checkpoint: any CheckpointSource, to file: URL) throws {
    let doubles = checkpoint.entries.filter { $0.elementType == .float64 }
    let refusal = CheckpointError.cannotWrite(format: "faulty", reason: "it can't hold that")
    switch fault {
    case "other-error" where !doubles.isEmpty: throw CheckpointError.selection("odd")
    case "no-doubles" where !doubles.isEmpty: throw refusal
    case "no-double" where doubles.contains { $0.shape.rank == 0 }: throw refusal
    case "no-integers" where checkpoint.entries.contains { $0.elementType == .int64 }: throw refusal
    default: break
    }
    if fault == "in-place" { try Data("half".utf8).write(to: file) }
    guard fault == "zeros" else { return try Safetensors().write(checkpoint, to: file) }
    var changed = try Checkpoint(reading: checkpoint)
    changed.tensors = try changed.tensors.map {
      let zeros = [UInt8](repeating: 0, count: $0.tensor.bytes.count)
      return NamedTensor(
        $0.name,
        try StoredTensor(
          elementType: $0.tensor.elementType, shape: $0.tensor.shape, bytes: zeros))
    }
    try Safetensors().write(changed, to: file)
  }

  /// A source that has a tensor of any name.
  private struct GenerousSource: CheckpointSource {
    let base: Checkpoint

    var kind: CheckpointKind { base.kind }
    var metadata: [String: JSONValue] { base.metadata }
    var entries: [TensorEntry] { base.entries }

    func tensor(named name: String) throws -> StoredTensor {
      (try? base.tensor(named: name)) ?? StoredTensor(Tensor(zeros: []))
    }
  }
}

/// Safetensors that takes every file for its own.
struct GreedyFormat: CheckpointFormat {
  static let name = "greedy"
  static let summary = "safetensors that claims every file"
  static let options: [any PluginOptionDescription] = [faultOption]
  static let fileExtensions = ["greedy"]
  static let canWrite = true

  init(options: OptionValues) throws {}

  static func recognises(_ start: [UInt8]) -> Bool { true }
  func open(_ file: URL) throws -> any CheckpointSource { try Safetensors().open(file) }
  func write(_ checkpoint: any CheckpointSource, to file: URL) throws {
    try Safetensors().write(checkpoint, to: file)
  }
}

/// Random samples with a fault.
struct FaultyDataset: Dataset {
  static let name = "faulty"
  static let summary = "random samples with a fault"
  static let options: [any PluginOptionDescription] = [faultOption]

  let sampleShape: Shape = [4]
  var classes: Int { fault == "classes" ? 4 : 3 }
  let preprocessing = "none"

  private let fault: String

  init(options: OptionValues) throws { fault = options[faultOption] }

  func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    if fault == "missing", locations.folders.contains(where: { $0.path.contains("lcw-") }) {
      throw DataError.damaged(file: "a", reason: "is not there")
    }
    if fault == "absent" || fault == "no-test" && split == .test {
      throw DataError.missing(
        file: "a", searched: locations.folders.map(\.path), advice: "make it")
    }
    var random = RandomStream(seed: split == .train || fault == "splits" ? 1 : 2)
    if fault == "another" { random = RandomStream(seed: .random(in: 0 ... .max)) }
    var values = random.normal([60 * 4]).elements
    if fault == "values" { values[17] = .nan }
    return try SampleSet(
      name: "faulty", sampleShape: sampleShape, classes: 3,
      labels: (0..<60).map { fault == "labels" ? 0 : $0 % 3 }, values: .floats(values))
  }
}

/// A data set whose summary and options say too little.
struct Mumbling: Dataset {
  static let name = "mumbling"
  static let summary = "A data set."
  static let options: [any PluginOptionDescription] = [faultOption]

  let sampleShape: Shape = [4]
  let classes = 3
  let preprocessing = "none"

  init(options: OptionValues) throws {}

  func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    try SampleSet(name: "", sampleShape: [4], classes: 3, labels: [], values: .floats([]))
  }
}
