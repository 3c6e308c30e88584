// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWFiles

/// The files of NumPy: `.npz`, a zip of arrays with their names, and `.npy`, one array.
///
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html describes them.
/// Arrays in Fortran order or with big-endian numbers are turned row-major and little-endian when
/// they are read. The array of an `.npy` file, which has no name there, is called `array`.
///
/// A file is written as `.npy` if its name ends so, which takes exactly one tensor, else as `.npz`.
/// The format has no place for metadata, so they are not written, and none for bfloat16 and for
/// floating-point numbers of 8 bits.
public struct NumPy: CheckpointFormat {
  /// `numpy`
  public static let name = "numpy"
  /// What it is.
  public static let summary = "NumPy's archives of arrays (npz) and single arrays (npy)"
  /// `npz`, `npy`
  public static let fileExtensions = ["npz", "npy"]
  /// It can be written.
  public static let canWrite = true

  private static let compressOption = PluginOption(
    "compress", default: false, help: "whether to compress the arrays of an npz when writing")

  /// `compress`.
  public static let options: [any PluginOptionDescription] = [compressOption]

  private let compress: Bool

  /// The format with the given options.
  public init(options: OptionValues) throws {
    self.init(compress: options[Self.compressOption])
  }

  /// The format.
  /// - Parameter compress: Whether to deflate the arrays of an npz when writing.
  public init(compress: Bool = false) {
    self.compress = compress
  }

  /// Whether the bytes are the start of an `.npy`, of a zip whose first entry's name ends in
  /// `.npy`, or a zip without entries.
  public static func recognises(_ start: [UInt8]) -> Bool {
    if start.starts(with: NumPyHeader.magic) { return true }
    if start.starts(with: ZipFile.emptyMark) { return true }
    return ZipFile.firstName(in: start).flatMap(NumPyHeader.arrayName) != nil
  }

  /// Whether a file is a zip that has an array, though not as its first entry.
  public static func recognises(contentsOf file: URL) -> Bool {
    guard let zip = try? ZipFile(file) else { return false }
    return zip.entries.contains { NumPyHeader.arrayName(ofEntry: $0.name) != nil }
  }

  /// Opens a file: reads and checks the headers of all its arrays.
  /// - Throws: ``NumPyError``, `ZipError` if the zip is damaged, and `FileError` if the file can't
  ///   be read.
  public func open(_ file: URL) throws -> any CheckpointSource {
    let input = try InputFile(file)
    let start = try input.prefix(NumPyHeader.magic.count)
    if start == NumPyHeader.magic { return try NumPyArrayReader(input) }
    guard start.starts(with: ZipFile.mark) || start.starts(with: ZipFile.emptyMark) else {
      throw NumPyError.notNumPy(file: input.path)
    }
    return try NumPyArchiveReader(file)
  }

  /// Writes a file, an array at a time.
  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source
  ///   throws, and `ZipError` and `FileError` if the system fails.
  public func write(_ checkpoint: any CheckpointSource, to file: URL) throws {
    try checkpoint.requireReadable()
    let writer = NumPyWriter(compress: compress)
    if file.pathExtension.lowercased() == "npy" {
      try writer.writeArray(checkpoint, to: file)
    } else {
      try writer.writeArchive(checkpoint, to: file)
    }
  }
}

@section("lcw_plugins") @used
let numPyPlugin: PluginRecord = { $0.add(NumPy.self) }
