// SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import SafetensorsFormat

/// The size of archives of trained networks, and the speed of writing and reading them.
///
/// Sizes are of the networks as they are. To be timed, their tensors stand repeatedly under other
/// names, the networks in turn, so that what is equal lies far apart.
struct ArchiveBenchmarks {
  /// The types that are compared.
  private static let elementTypes: [ElementType] = [.float32, .bfloat16, .float16]
  /// The bytes in single precision that are timed, at least.
  private static let timedBytes = 100_000_000

  /// Files of trained networks in single precision.
  var files: [URL]

  /// A folder in memory where there is one: the format is to be timed, not the disk.
  static var folder: URL {
    let memory = URL(fileURLWithPath: "/dev/shm")
    return FileManager.default.fileExists(atPath: memory.path)
      ? memory : FileManager.default.temporaryDirectory
  }

  /// All of them: none if there are no networks.
  var all: [Benchmark] {
    guard !files.isEmpty else { return [] }
    return Self.elementTypes.flatMap { type in
      [size(type, .fast), size(type, .best)]
        + [Workers(1), Workers(2)].flatMap { workers in
          [
            encoding(type, workers), decoding(type, workers), writing(type, workers),
            reading(type, workers),
          ]
        }
    }
  }

  private func name(_ type: ElementType, _ what: String, _ workers: Workers) -> String {
    "archive \(type.rawValue) \(what)" + (workers.count == 1 ? "" : ", \(workers.count) threads")
  }

  private func size(_ type: ElementType, _ effort: Effort) -> Benchmark {
    Benchmark(
      name: "archive \(type.rawValue) \(effort == .fast ? "size" : "smallest size")",
      work: "the networks in one file, effort=\(effort.rawValue)",
      prepare: {
        let checkpoint = try networks(type)
        return {
          try inScratchFile { try LCWArchive(effort: effort).write(checkpoint, to: $0) }
        }
      }, runs: 1,
      bytes: { try networks(type).byteCount },
      stored: {
        let checkpoint = try networks(type)
        return try inScratchFile { file in
          try LCWArchive(effort: effort).write(checkpoint, to: file)
          return try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int ?? 0
        }
      })
  }

  private func encoding(_ type: ElementType, _ workers: Workers) -> Benchmark {
    Benchmark(
      name: name(type, "encode", workers), work: "in memory",
      prepare: {
        let tensors = try timed(type).tensors.map(\.tensor)
        let coder = TensorCoder(workers: workers)
        return { for tensor in tensors { _ = try coder.encode(tensor) } }
      }, bytes: { try timed(type).byteCount })
  }

  private func decoding(_ type: ElementType, _ workers: Workers) -> Benchmark {
    Benchmark(
      name: name(type, "decode", workers), work: "in memory",
      prepare: {
        let coder = TensorCoder(workers: workers)
        let tensors = try timed(type).tensors.map {
          let encoded = try coder.encode($0.tensor)
          return (encoded, encoded.joinedFrames, $0.tensor.bytes.count)
        }
        return {
          for (encoded, frames, count) in tensors {
            _ = try coder.decode(frames, of: encoded, elementType: type, rawBytes: count)
          }
        }
      }, bytes: { try timed(type).byteCount })
  }

  private func writing(_ type: ElementType, _ workers: Workers) -> Benchmark {
    Benchmark(
      name: name(type, "file write", workers), work: "to \(Self.folder.path)",
      prepare: {
        let checkpoint = try timed(type)
        return {
          try inScratchFile { try LCWArchive(workers: workers).write(checkpoint, to: $0) }
        }
      }, bytes: { try timed(type).byteCount })
  }

  private func reading(_ type: ElementType, _ workers: Workers) -> Benchmark {
    Benchmark(
      name: name(type, "file read", workers), work: "from \(Self.folder.path)",
      prepare: {
        let file = ScratchFile()
        try LCWArchive().write(try timed(type), to: file.url)
        return { _ = try Checkpoint(reading: LCWArchive(workers: workers).open(file.url)) }
      }, bytes: { try timed(type).byteCount })
  }

  /// The networks, each tensor under the name of its file and its own.
  private func networks(_ type: ElementType) throws -> Checkpoint {
    Checkpoint(
      tensors: try files.enumerated().flatMap { index, file in
        try Checkpoint(reading: Safetensors().open(file)).tensors.map {
          NamedTensor("\(index).\($0.name)", try converted($0.tensor, to: type))
        }
      })
  }

  /// The networks repeated.
  private func timed(_ type: ElementType) throws -> Checkpoint {
    let networks = try networks(type)
    let elements = networks.byteCount / type.width
    let copies = (Self.timedBytes + 4 * elements - 1) / (4 * elements)
    return Checkpoint(
      tensors: (0..<copies).flatMap { copy in
        networks.tensors.map { NamedTensor("\(copy).\($0.name)", $0.tensor) }
      })
  }

  private func converted(_ tensor: StoredTensor, to type: ElementType) throws -> StoredTensor {
    if tensor.elementType == type { return tensor }
    let floats = tensor.floats.elements
    let words = [UInt16](unsafeUninitializedCapacity: floats.count) { words, count in
      count = floats.count
      floats.withUnsafeBufferPointer { floats in
        guard let source = floats.baseAddress, let target = words.baseAddress else { return }
        if type == .float16 {
          lcw_float_to_half(target, source, count)
        } else {
          lcw_float_to_bfloat(target, source, count)
        }
      }
    }
    return try StoredTensor(
      elementType: type, shape: tensor.shape,
      bytes: words.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
  }
}

extension Checkpoint {
  /// The bytes of all elements.
  fileprivate var byteCount: Int { tensors.reduce(0) { $0 + $1.tensor.bytes.count } }
}

/// A name for a file that is deleted with this value.
private final class ScratchFile {
  let url = ArchiveBenchmarks.folder.appendingPathComponent("lcw-bench-\(UUID()).lcw")

  deinit { try? FileManager.default.removeItem(at: url) }
}

private func inScratchFile<Value>(_ body: (URL) throws -> Value) throws -> Value {
  let file = ScratchFile()
  return try withExtendedLifetime(file) { try body(file.url) }
}
