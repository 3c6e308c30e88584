// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
import LCWNumerics
import Testing

/// The reader in Python that the documentation has, which shares no line with the one in Swift.
struct PythonReaderTests {
  /// A Python that has NumPy: that of `LCW_PYTHON`, else `python3`.
  private static let python: String? = {
    let given = ProcessInfo.processInfo.environment["LCW_PYTHON"] ?? "python3"
    let outcome = try? run(given, ["-c", "import numpy"])
    return outcome?.status == 0 ? given : nil
  }()

  private static let hasModule =
    python.map { (try? run($0, ["-c", "import zstandard"]))?.status == 0 } ?? false
  private static let hasProgram =
    python != nil && (try? run("zstd", ["--version"]))?.status == 0

  private static let page = root.appendingPathComponent("Docs/Examples")

  /// Prints each array's type, shape and the SHA-256 of its bytes.
  private static let script = """
    import sys, json, hashlib
    sys.path.insert(0, sys.argv[1])
    if sys.argv[2] == "program": sys.modules["zstandard"] = None
    import numpy
    import read_lcw
    def plain(manifest, name, a):
      narrow = any(t["name"] == name and t["dtype"][:2] == "f8" for t in manifest["tensors"])
      return numpy.where(numpy.isnan(a), numpy.float32("nan"), a) if narrow else a
    manifest, arrays = read_lcw.read_lcw(sys.argv[3])
    print(json.dumps({"kind": manifest["kind"], "metadata": manifest["metadata"], "arrays": [
      [name, str(a.dtype), list(a.shape), hashlib.sha256(plain(manifest, name, a).tobytes()).hexdigest()]
      for name, a in arrays.items()]}))
    """

  private static func run(
    _ program: String, _ arguments: [String]
  ) throws -> (status: Int32, output: [UInt8], errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let folder = try TemporaryFolder()
    let errors = try folder.file("errors", [])
    let output = Pipe()
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, [UInt8](text),
      String(decoding: try bytes(of: errors), as: UTF8.self)
    )
  }

  private static let typeNames = [
    "f64": "float64", "f32": "float32", "f16": "float16", "bf16": "float32", "i64": "int64",
    "i32": "int32", "i16": "int16", "i8": "int8", "u8": "uint8", "bool": "bool",
    "u16": "uint16", "u32": "uint32", "u64": "uint64", "c64": "complex64", "f8_e4m3": "float32",
    "f8_e5m2": "float32",
  ]

  @Test(
    .enabled(if: hasProgram, "there is no zstd, or no Python with NumPy; name one by LCW_PYTHON"))
  func readsWhatIsWrittenByTheProgramZstd() throws {
    try readsWhatIsWritten(unpacker: "program")
  }

  @Test(
    .enabled(
      if: hasModule, "there is no Python with NumPy and zstandard; name one by LCW_PYTHON"))
  func readsWhatIsWrittenByTheModuleZstandard() throws {
    try readsWhatIsWritten(unpacker: "module")
  }

  private func readsWhatIsWritten(unpacker: String) throws {
    let python = try #require(Self.python)
    let folder = try TemporaryFolder()
    for (name, checkpoint, format) in try GoldenArchives.all() {
      let file = folder.file(name)
      try format.write(checkpoint, to: file)
      let outcome = try Self.run(python, ["-c", Self.script, Self.page.path, unpacker, file.path])
      #expect(outcome.status == 0, "\(name): \(outcome.errors)")
      let found = try JSONValue(parsing: outcome.output).object ?? [:]
      #expect(found["kind"] == .string(checkpoint.kind.rawValue), "\(name)")
      #expect(found["metadata"] == .object(checkpoint.metadata), "\(name)")
      let expected: [JSONValue] = sorted(checkpoint).tensors.map { named in
        var bytes = named.tensor.bytes
        if named.tensor.elementType == .bfloat16 {
          bytes = stride(from: 0, to: bytes.count, by: 2).flatMap {
            [0, 0, bytes[$0], bytes[$0 + 1]]
          }
        }
        // A NaN of eight bits becomes one of those of 32.
        let isNarrow = [.float8E4M3, .float8E5M2].contains(named.tensor.elementType)
        if isNarrow {
          bytes = named.tensor.floats.elements.flatMap {
            withUnsafeBytes(of: ($0.isNaN ? .nan : $0).bitPattern.littleEndian, Array.init)
          }
        }
        return .array([
          .string(named.name),
          .string(Self.typeNames[named.tensor.elementType.rawValue] ?? ""),
          .array(named.tensor.shape.dimensions.map(JSONValue.integer)),
          .string(SHA256.hexDigest(of: bytes)),
        ])
      }
      #expect(found["arrays"] == .array(expected), "\(name)")
    }
  }

  @Test(
    .enabled(if: hasProgram, "there is no zstd, or no Python with NumPy; name one by LCW_PYTHON"))
  func noticesDamage() throws {
    let python = try #require(Self.python)
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try LCWArchive(digests: true).write(try smallCheckpoint(), to: file)
    let archive = try bytes(of: file)
    let name = try #require(archive.firstRange(of: Array("\"bias\"".utf8))).lowerBound
    let frame = try #require(archive.firstRange(of: [0x28, 0xB5, 0x2F, 0xFD])).lowerBound
    for index in [name + 1, frame + 10] {
      var damaged = archive
      damaged[index] ^= 1
      let other = try folder.file("b.lcw", damaged)
      let outcome = try Self.run(
        python, ["-c", Self.script, Self.page.path, "program", other.path])
      #expect(outcome.status != 0)
    }
  }
}
