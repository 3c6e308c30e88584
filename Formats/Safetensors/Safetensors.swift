// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore

/// The format of the `safetensors` library: a JSON header and the tensors' bytes as they stand.
///
/// https://github.com/huggingface/safetensors describes it. A file is read only if its tensors
/// fill it without holes, overlaps or a rest.
///
/// Its metadata are texts only: on writing, values that are not texts are written as compact JSON. What is
/// written says `format: pt`, which Python's libraries look for; a file that came with a format keeps its own.
public struct Safetensors: CheckpointFormat {
  /// `safetensors`
  public static let name = "safetensors"
  /// What it is.
  public static let summary = "the safetensors files of PyTorch and Hugging Face"
  /// `safetensors`
  public static let fileExtensions = ["safetensors"]
  /// It can be written.
  public static let canWrite = true

  /// The format, which has no options.
  public init(options: OptionValues) throws {}

  /// The format.
  public init() {}

  /// Whether the bytes are a length that a header can have, and an opening brace, before which
  /// white space may stand.
  public static func recognises(_ start: [UInt8]) -> Bool {
    start.count > SafetensorsHeader.lengthBytes
      && SafetensorsHeader.length(from: start) <= UInt64(SafetensorsHeader.limit)
      && SafetensorsHeader.startsObject(start.dropFirst(SafetensorsHeader.lengthBytes))
  }

  /// Opens a file: reads and checks its header.
  /// - Throws: ``SafetensorsError``, and `FileError` if the file can't be read.
  public func open(_ file: URL) throws -> any CheckpointSource {
    try SafetensorsReader(file)
  }

  /// Writes a file, a tensor at a time.
  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source
  ///   throws, and `FileError` if the system fails.
  public func write(_ checkpoint: any CheckpointSource, to file: URL) throws {
    try checkpoint.requireReadable()
    try SafetensorsWriter().write(checkpoint, to: file)
  }
}

@section("lcw_plugins") @used
let safetensorsPlugin: PluginRecord = { $0.add(Safetensors.self) }
