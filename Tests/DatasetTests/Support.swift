// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics

/// The data set that a reference such as `cifar10:augment=false` names among the linked plugins.
func dataset(_ text: String) throws -> any Dataset {
  try PluginRegistry.linked().dataset(PluginReference(text))
}

/// Calls `body` with a new folder, which is removed behind it.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("lcw-datasets-\(UUID().uuidString)", isDirectory: true)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// Writes a file under a folder, and the folders between.
func write(_ bytes: [UInt8], to name: String, in folder: URL) throws {
  let file = folder.appendingPathComponent(name)
  try FileManager.default.createDirectory(
    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(bytes).write(to: file)
}

/// The description of the error that `body` throws, or nothing if it throws none that is described.
func message(of body: () throws -> Void) -> String? {
  do { try body() } catch let error as any DescribedError { return error.description } catch {}
  return nil
}

/// Bytes that look random and differ from seed to seed.
func noise(_ count: Int, seed: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ seed &* 40_503) >> 7) }
}

/// Bytes as a gzip file of one stored block (RFC 1951 and 1952).
func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  precondition(bytes.count < 1 << 16, "one stored block holds no more")
  func littleEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  var checksum = UInt32.max
  for byte in bytes {
    checksum ^= UInt32(byte)
    for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
  }
  let length = UInt32(bytes.count)
  return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1]
    + littleEndian(length | ~length << 16) + bytes
    + littleEndian(~checksum) + littleEndian(length)
}

/// The folder of the data that may lie beside the package.
let sharedData = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("shared/data", isDirectory: true)

/// Whether a file lies beside the package.
func isShared(_ name: String) -> Bool {
  FileManager.default.fileExists(atPath: sharedData.appendingPathComponent(name).path)
}

/// What is in the files that a reference such as `table:train=x.csv` names, which lie in a folder.
func data(_ text: String, in folder: URL) throws -> any LabelledData {
  let registry = try PluginRegistry.linked()
  return try registry.data(
    PluginReference(text),
    in: DataContext(
      locations: DataLocations(folders: [folder]),
      open: { file in
        let format = file.pathExtension == "safetensors" ? "safetensors" : "numpy"
        return try registry.format(PluginReference(name: format)).open(file)
      }))
}

extension LabelledData {
  /// The samples of a split of a data set that needs no folder any more.
  func samples(_ split: DataSplit) throws -> SampleSet {
    try samples(split, in: DataLocations(folders: []))
  }
}

extension SampleSet {
  /// All values, one sample after the other.
  var all: [Float] { block(0..<count).elements }
}
