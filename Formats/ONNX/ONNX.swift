// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWFiles
import LCWNumerics

/// The format of https://onnx.ai, which every framework writes: a graph of operators and its weights.
///
/// A file becomes a network whose architecture is `sequential:layers=…`, with the tensors under the names
/// of its parameters; what the graph calls them is kept in the metadata under `onnx`. Operators of the
/// versions 7 to 24 are read. A node without a counterpart is refused, and all such nodes are named at
/// once. Weights are read when they are asked for, from the file and from files beside it; a name that
/// leads out of the model's folder is not followed.
///
/// A network is written with the operators of version 17.
public struct ONNX: CheckpointFormat {
  /// `onnx`
  public static let name = "onnx"
  /// What it is.
  public static let summary = "the graphs and weights that PyTorch and others export as ONNX"
  /// `onnx`
  public static let fileExtensions = ["onnx"]
  /// It can be written.
  public static let canWrite = true

  private static let input = PluginOption(
    "input", default: "",
    help: "the sizes of a sample, such as 3x224x224, if the file leaves them open")

  /// `input`
  public static let options: [any PluginOptionDescription] = [input]

  private let sizes: [Int]
  private let operations: OperationCatalog

  /// The format with the sizes of samples, for files that leave them open.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for sizes that are none.
  public init(options: OptionValues) throws {
    let text = options[Self.input]
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let sizes = parts.compactMap { Int($0) }.filter { (1...Int(Int32.max)).contains($0) }
    guard text.isEmpty || (sizes.count == parts.count && sizes.count <= 8) else {
      throw options.invalid(Self.input, reason: "expected sizes such as 3x224x224")
    }
    self.sizes = text.isEmpty ? [] : sizes
    operations = options.operations
  }

  /// Whether the bytes are the start of a model: its version, and behind it a field that models have.
  public static func recognises(_ start: [UInt8]) -> Bool {
    guard start.count >= 4, start[0] == 0x08, (1...63).contains(start[1]) else { return false }
    // The producer, its version, the domain, a number, a text, the graph, the operators, or properties.
    return [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72].contains(start[2])
  }

  /// Opens a file: reads its graph, makes a network of it, and checks its tensors.
  /// - Throws: ``ONNXError``, `NetworkError`, and `FileError` if the file can't be read.
  public func open(_ file: URL) throws -> any CheckpointSource {
    try ONNXReader.open(file, sizes: sizes, operations: operations)
  }

  /// Writes a network, a tensor at a time.
  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source throws, and
  ///   `FileError` if the system fails.
  public func write(_ checkpoint: any CheckpointSource, to file: URL) throws {
    try checkpoint.requireReadable()
    try ONNXWriter(operations: operations).write(checkpoint, to: file)
  }
}

@section("lcw_plugins") @used
let onnxPlugin: PluginRecord = { $0.add(ONNX.self) }
