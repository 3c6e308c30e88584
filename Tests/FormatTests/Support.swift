// SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation
import LCWCore
import LCWNumerics
import Synchronization

/// A folder that vanishes with the value.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lcw-format-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// A file with the given content.
  func file(_ name: String, _ content: [UInt8]) throws -> URL {
    let file = file(name)
    try Data(content).write(to: file)
    return file
  }

  /// The names in the folder, hidden ones included.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
  }
}

/// All bytes of a file.
func bytes(of file: URL) throws -> [UInt8] { [UInt8](try Data(contentsOf: file)) }

/// A file among the fixtures.
func fixture(_ name: String) -> URL {
  Bundle.module.bundleURL.appendingPathComponent("Fixtures").appendingPathComponent(name)
}

/// The folder of data sets and checkpoints beside the package; tests that need it are skipped
/// without it.
let sharedFolder = root.deletingLastPathComponent().appendingPathComponent("shared")

/// Pseudo-random numbers that are the same in every run (SplitMix64).
struct Noise {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count + 8)
    while result.count < count {
      withUnsafeBytes(of: next().littleEndian) { result += $0 }
    }
    return Array(result[..<count])
  }

  /// Roughly normal values of the size that trained weights have.
  mutating func weights(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      let word = next()
      let sum = (0..<4).reduce(Float(0)) {
        $0 + Float(UInt16(truncatingIfNeeded: word >> (16 * $1)))
      }
      return (sum / 65_536 - 2) * 0.05
    }
  }
}

/// A tensor of bytes, whatever they mean.
func tensor(
  _ type: ElementType, _ shape: Shape, _ bytes: [UInt8]
) throws -> StoredTensor {
  try StoredTensor(elementType: type, shape: shape, bytes: bytes)
}

/// A small checkpoint with several types, transforms and a metadata object.
func smallCheckpoint() throws -> Checkpoint {
  var noise = Noise(7)
  return Checkpoint(
    metadata: [
      "architecture": "mlp:hidden=4", "classes": 3, "note": "naïve ∂L/∂w",
      "record": .object(["accuracy": .number(0.5), "epochs": .array([1, 2])]),
    ],
    tensors: [
      NamedTensor(
        "bias", StoredTensor(try Tensor(noise.weights(4), shape: [4]))),
      NamedTensor("empty", try tensor(.float32, [0, 3], [])),
      NamedTensor("ids", try tensor(.int16, [600], noise.bytes(1200))),
      NamedTensor("mask", try tensor(.bool, [3], [1, 0, 1])),
      NamedTensor("weight", StoredTensor(try Tensor(noise.weights(300), shape: [100, 3]))),
    ])
}

/// A source that fails when a certain tensor is asked for.
struct FailingSource: CheckpointSource {
  struct Failure: Error {}
  var base: Checkpoint
  var failingName: String

  var kind: CheckpointKind { base.kind }
  var metadata: [String: JSONValue] { base.metadata }
  var entries: [TensorEntry] { base.entries }

  func tensor(named name: String) throws -> StoredTensor {
    if name == failingName { throw Failure() }
    return try base.tensor(named: name)
  }
}

/// A source that notes, whenever a tensor is asked for, how many bytes the files in a folder have.
struct WatchingSource: CheckpointSource {
  var base: Checkpoint
  var folder: TemporaryFolder
  let sizes = Sizes()

  /// The bytes at each call.
  final class Sizes: Sendable {
    private let values = Mutex<[Int]>([])

    var all: [Int] { values.withLock { $0 } }

    func append(_ size: Int) { values.withLock { $0.append(size) } }
  }

  var kind: CheckpointKind { base.kind }
  var metadata: [String: JSONValue] { base.metadata }
  var entries: [TensorEntry] { base.entries }

  func tensor(named name: String) throws -> StoredTensor {
    let total = try folder.names.reduce(0) { $0 + (try bytes(of: folder.file($1)).count) }
    sizes.append(total)
    return try base.tensor(named: name)
  }
}

/// The checkpoint's tensors in the order of their names' bytes, as an archive holds them.
func sorted(_ checkpoint: Checkpoint) -> Checkpoint {
  var result = checkpoint
  result.tensors.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  return result
}

/// The checksum that the content's frame has.
func checksum(of content: [UInt8]) -> UInt32 {
  var sum: UInt32 = 0
  (content + [0]).withUnsafeBufferPointer {
    if let base = $0.baseAddress { lcw_checksums(&sum, [base], [content.count], 1) }
  }
  return sum
}

/// The package's folder.
let root = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
