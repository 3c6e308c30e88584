// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWNumerics

/// Looks whether a file format keeps the promises of ``CheckpointFormat``.
public struct FormatConformance: Sendable {
  let format: any CheckpointFormat
  let isChecksummed: Bool
  let examples: [URL]

  /// The suite for a format as it is written on the command line.
  /// - Parameters:
  ///   - text: The format.
  ///   - registry: Where it is looked for.
  ///   - isChecksummed: Whether no flipped bit may change a value unnoticed.
  ///   - examples: Files of the format, which a format that can't write needs.
  /// - Throws: ``PluginError`` if the registry has no such format.
  public init(
    _ text: String, in registry: PluginRegistry, isChecksummed: Bool = false, examples: [URL] = []
  ) throws {
    format = try registry.format(PluginReference(text))
    self.isChecksummed = isChecksummed
    self.examples = examples
  }

  var type: any CheckpointFormat.Type { Swift.type(of: format) }

  /// The promises that the format does not keep.
  public func brokenProperties() -> [BrokenProperty] {
    var broken = Conformance.brokenDescription(of: type)
    if type.fileExtensions.isEmpty {
      broken.add(.describesItself, "the format names no ending of file names")
    }
    if type.recognises([]) || type.recognises(Array("no format starts like this\n".utf8)) {
      broken.add(.recognisesFiles, "an empty file or a line of text is taken for the format")
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let file = folder.appendingPathComponent("whole.\(ending)")
      for example in examples { broken += try brokenReading(example, folder) }
      if type.canWrite {
        broken += brokenRoundTrips(file)
        let small = try small(in: folder)
        broken += try brokenWriting(small, folder)
        try format.write(small, to: file)
        broken += try brokenReading(file, folder)
      } else if examples.isEmpty {
        broken.add(.roundTrips, "a format that can't be written needs files to be read as examples")
      }
    } catch {
      broken.add(.roundTrips, "a small checkpoint can't be written and read: \(error)")
    }
    return broken
  }

  /// Two tensors of numbers such as networks have, and one of integers if the format holds them.
  private func small(in folder: URL) throws -> Checkpoint {
    var random = RandomStream(seed: 9)
    let weights = [
      NamedTensor("dense1.weight", StoredTensor(random.normal([3, 4]))),
      NamedTensor("dense1.bias", StoredTensor(random.normal([3]))),
    ]
    let steps = NamedTensor(
      "steps",
      try StoredTensor(elementType: .int64, shape: [1], bytes: [1, 2, 0, 0, 0, 0, 0, 0]))
    let whole = Checkpoint(tensors: weights + [steps])
    do {
      try format.write(whole, to: folder.appendingPathComponent("small.\(ending)"))
      return whole
    } catch let error as CheckpointError where error.isRefusal {
      return Checkpoint(tensors: weights)
    }
  }

  private var ending: String { type.fileExtensions.first ?? "bin" }

  /// A tensor with any bits an element can have, NaN with payloads among them.
  private static func tensor(
    _ type: ElementType, _ shape: Shape, _ random: inout RandomStream
  ) throws -> StoredTensor {
    let bytes = (0..<shape.count * type.width).map { _ in
      UInt8(truncatingIfNeeded: random.nextWord()) & (type == .bool ? 1 : 0xFF)
    }
    return try StoredTensor(elementType: type, shape: shape, bytes: bytes)
  }

  private static let shapes: [Shape] = [[], [1], [7], [0, 3], [2, 3, 4], [40, 25]]

  private func brokenRoundTrips(_ file: URL) -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    var random = RandomStream(seed: 8)
    for type in ElementType.allCases {
      do {
        let finding = try brokenRoundTrip(of: type, file, &random)
        broken.add(.roundTrips, finding.map { "\(type.rawValue): \($0)" })
      } catch let error as any DescribedError {
        broken.add(.roundTrips, "\(type.rawValue): \(error)")
      } catch {
        broken.add(.refusesProperly, "\(type.rawValue) is refused by \(error)")
      }
    }
    return broken
  }

  /// What is wrong with files of a type: one for each shape, and one with all of them. Weights are
  /// single precision; another type may be refused, but then in every shape.
  private func brokenRoundTrip(
    of elements: ElementType, _ file: URL, _ random: inout RandomStream
  ) throws -> String? {
    let tensors = try Self.shapes.enumerated().map { index, shape in
      NamedTensor("layer.\(index).weight", try Self.tensor(elements, shape, &random))
    }
    let contents = (tensors.map { [$0] } + [tensors]).map { Checkpoint(tensors: $0) }
    var refusals: [CheckpointError] = []
    for content in contents {
      do {
        try format.write(content, to: file)
      } catch let error as CheckpointError where error.isRefusal {
        refusals.append(error)
        continue
      }
      // What was written must be readable: no error counts as a refusal here.
      let back = try Checkpoint(reading: format.open(file))
      if let difference = Self.difference(back, content) { return difference }
    }
    guard let refusal = refusals.first else { return nil }
    if elements == .float32 { return "\(refusal)" }
    return refusals.count == contents.count
      ? nil : "some shapes are written and some are refused: \(refusal)"
  }

  /// What differs between the tensors of two checkpoints, whatever their order.
  static func difference(_ found: Checkpoint, _ expected: Checkpoint) -> String? {
    let names = found.tensors.map(\.name).sorted()
    guard names == expected.tensors.map(\.name).sorted() else {
      return "the tensors are \(names.joined(separator: ", "))"
    }
    for tensor in expected.tensors where !found.tensors.contains(tensor) {
      return "\(tensor.name) \(tensor.tensor.shape) is another"
    }
    return nil
  }

  /// A source whose second tensor can't be read.
  private struct FailingSource: CheckpointSource {
    struct Failure: Error {}
    let base: Checkpoint

    var kind: CheckpointKind { base.kind }
    var metadata: [String: JSONValue] { base.metadata }
    var entries: [TensorEntry] { base.entries }

    func tensor(named name: String) throws -> StoredTensor {
      if name == base.tensors[1].name { throw Failure() }
      return try base.tensor(named: name)
    }
  }

  private func brokenWriting(_ small: Checkpoint, _ folder: URL) throws -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    let place = folder.appendingPathComponent("atomic")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let file = place.appendingPathComponent("a.\(ending)")
    let failing = FailingSource(base: small)
    for (old, what) in [(nil, "a new file"), (Data("old".utf8), "the old file's replacement")] {
      if let old { try old.write(to: file) }
      do {
        try format.write(failing, to: file)
        broken.add(.writesAtomically, "a source that fails does not make writing fail")
      } catch {
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
        let isUntouched =
          old == nil
          ? names.isEmpty : try names == [file.lastPathComponent] && Data(contentsOf: file) == old
        if !isUntouched {
          broken.add(
            .writesAtomically, "writing \(what) failed, and left \(names.joined(separator: ", "))")
        }
      }
    }
    return broken
  }
}

extension CheckpointError {
  /// Whether the error says that a format can't hold something, as ``CheckpointFormat`` asks for.
  fileprivate var isRefusal: Bool {
    if case .cannotWrite = self { true } else { false }
  }
}
