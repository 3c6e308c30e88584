// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// A folder that vanishes with the value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lcw-foreign-format-tests-\(UUID().uuidString)")
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

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(next() & 0xFF) } }
}

/// A tensor of bytes, whatever they mean.
func tensor(_ type: ElementType, _ shape: Shape, _ bytes: [UInt8]) throws -> StoredTensor {
  try StoredTensor(elementType: type, shape: shape, bytes: bytes)
}

/// For each type a matrix of any bits, a scalar and a tensor without elements.
func everyType(_ types: [ElementType]) throws -> Checkpoint {
  var noise = Noise(3)
  var checkpoint = Checkpoint()
  for type in types {
    func values(_ count: Int) -> [UInt8] {
      let bytes = noise.bytes(count * type.width)
      return type == .bool ? bytes.map { $0 & 1 } : bytes
    }
    checkpoint.tensors += [
      NamedTensor("layer.\(type.rawValue)/λ", try tensor(type, [3, 5, 2], values(30))),
      NamedTensor("scalar.\(type.rawValue)", try tensor(type, [], values(1))),
      NamedTensor("empty.\(type.rawValue)", try tensor(type, [2, 0, 3], [])),
    ]
  }
  return checkpoint
}

// MARK: - Expected values

/// A tensor of `expected.json`.
struct ExpectedTensor: Decodable {
  var dtype: String
  var shape: [Int]
  var values: [Double]
}

/// The tensors of a fixture by their names.
func expectedTensors(of name: String) throws -> [String: ExpectedTensor] {
  let all = try JSONDecoder().decode(
    [String: [String: ExpectedTensor]].self,
    from: try Data(contentsOf: fixture("expected.json")))
  return try #require(all[name])
}

extension ElementType {
  /// The type's name in Python's libraries.
  var pythonName: String {
    switch self {
    case .float64: "float64"
    case .float32: "float32"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .int64: "int64"
    case .int32: "int32"
    case .int16: "int16"
    case .int8: "int8"
    case .uint8: "uint8"
    case .bool: "bool"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .float8E4M3: "float8_e4m3fn"
    case .float8E5M2: "float8_e5m2"
    case .complex64: "complex64"
    }
  }
}

extension StoredTensor {
  /// The elements; each is exact but for large integers, as in `expected.json`.
  var doubles: [Double] {
    func word(_ index: Int) -> UInt64 {
      bytes[index * elementType.width..<(index + 1) * elementType.width].reversed()
        .reduce(0) { $0 << 8 | UInt64($1) }
    }
    return (0..<shape.count).map { index in
      switch elementType {
      case .float64: Double(bitPattern: word(index))
      case .int64: Double(Int64(bitPattern: word(index)))
      case .int32: Double(Int32(truncatingIfNeeded: word(index)))
      default: Double(floats.elements[index])
      }
    }
  }
}

/// Compares a tensor with what is expected of it.
func expect(
  _ tensor: StoredTensor, is expected: ExpectedTensor, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    tensor.elementType.pythonName == expected.dtype, "\(name)", sourceLocation: sourceLocation)
  #expect(tensor.shape.dimensions == expected.shape, "\(name)", sourceLocation: sourceLocation)
  #expect(tensor.doubles == expected.values, "\(name)", sourceLocation: sourceLocation)
}

// MARK: - Damage

/// Opens and reads every cut of a file: an error, or the whole content where `mayEnd` allows it.
func everyTruncation(
  of file: URL, by format: any CheckpointFormat, as name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let whole = try bytes(of: file)
  let folder = try TemporaryFolder()
  let copy = try folder.file(name, whole)
  #expect(throws: Never.self, sourceLocation: sourceLocation) {
    try Checkpoint(reading: try format.open(copy))
  }
  let handle = try FileHandle(forUpdating: copy)
  for length in whole.indices.reversed() {
    try handle.truncate(atOffset: UInt64(length))
    #expect(throws: (any Error).self, "\(length) bytes", sourceLocation: sourceLocation) {
      try Checkpoint(reading: try format.open(copy))
    }
  }
  try handle.close()
}

/// Changes one byte at a time and reads the file: whatever comes is an error that describes itself
/// or a checkpoint. Returns how many were errors.
func mutations(
  of file: URL, by format: any CheckpointFormat, count: Int,
  sourceLocation: SourceLocation = #_sourceLocation
) throws -> Int {
  let whole = try bytes(of: file)
  let folder = try TemporaryFolder()
  let copy = try folder.file(file.lastPathComponent, whole)
  let handle = try FileHandle(forUpdating: copy)
  var noise = Noise(UInt64(whole.count))
  var errors = 0
  for _ in 0..<count {
    let place = Int(noise.next() % UInt64(whole.count))
    try handle.seek(toOffset: UInt64(place))
    try handle.write(contentsOf: [whole[place] ^ UInt8(1 + noise.next() % 255)])
    do {
      _ = try Checkpoint(reading: try format.open(copy))
    } catch {
      errors += 1
      #expect(
        error is any DescribedError && !"\(error)".contains { $0.isNewline }, "\(error)",
        sourceLocation: sourceLocation)
    }
    try handle.seek(toOffset: UInt64(place))
    try handle.write(contentsOf: [whole[place]])
  }
  try handle.close()
  return errors
}
