// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import ONNXFormat
import SafetensorsFormat
import SequentialArchitecture

/// A file among the fixtures.
func fixture(_ name: String) -> URL {
  Bundle.module.bundleURL.appendingPathComponent("Fixtures").appendingPathComponent(name)
}

/// The plugins that are linked.
let registry: PluginRegistry = {
  guard let registry = try? PluginRegistry.linked() else { preconditionFailure("no plugins") }
  return registry
}()

/// The format as the command makes it.
func format(_ text: String = "onnx") throws -> any CheckpointFormat {
  try registry.format(PluginReference(text))
}

/// A folder that vanishes with the value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "lcw-onnx-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  func file(_ name: String, _ content: [UInt8]) throws -> URL {
    try Data(content).write(to: file(name))
    return file(name)
  }
}

/// What a network makes of samples, with what the file does behind it.
func output(of source: any CheckpointSource, for samples: Tensor) throws -> Tensor {
  let network = try source.trainedNetwork(from: registry)
  var result = try Runner(network.weights.network).output(of: samples, weights: network.weights)
  switch source.metadata["onnx"]?.object?["final"]?.string {
  case "Softmax": result.softmax(axis: 1, workers: .serial)
  case "LogSoftmax":
    result.softmax(axis: 1, workers: .serial)
    result = try Tensor(result.elements.map { Float(log(Double($0))) }, shape: result.shape)
  default: break
  }
  return result
}

/// The largest difference, in parts of the largest value.
func difference(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  let largest = b.elements.reduce(Float(0)) { max($0, abs($1)) }
  return zip(a.elements, b.elements).reduce(0) { max($0, Double(abs($1.0 - $1.1))) }
    / Double(largest)
}

/// Writes messages of protocol buffers for files that no exporter writes.
struct Message {
  var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func integer(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func data(_ field: Int, _ content: [UInt8], count: Int? = nil) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(count ?? content.count))
    bytes += content
  }

  mutating func text(_ field: Int, _ text: String) { data(field, Array(text.utf8)) }

  mutating func message(_ field: Int, _ write: (inout Message) -> Void) {
    var inner = Message()
    write(&inner)
    data(field, inner.bytes)
  }

  /// A model with a graph, an input `x` `[batch, 4]` and an output `y`.
  static func model(operatorSet: Int = 17, sizes: [Int] = [4], _ graph: (inout Message) -> Void)
    -> [UInt8]
  {
    var model = Message()
    model.integer(1, 8)
    model.message(7) { message in
      graph(&message)
      message.message(11) { $0.value("x", sizes) }
      message.message(12) { $0.value("y", sizes) }
    }
    model.message(8) {
      $0.text(1, "")
      $0.integer(2, operatorSet)
    }
    return model.bytes
  }

  mutating func value(_ name: String, _ sizes: [Int]) {
    text(1, name)
    message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, 1)
        tensor.message(2) { shape in
          shape.message(1) { $0.text(2, "batch") }
          for size in sizes { shape.message(1) { $0.integer(1, size) } }
        }
      }
    }
  }

  mutating func node(_ type: String, _ inputs: [String], _ output: String) {
    message(1) { node in
      for input in inputs { node.text(1, input) }
      node.text(2, output)
      node.text(3, "node of \(output)")
      node.text(4, type)
    }
  }

  mutating func tensor(_ name: String, _ sizes: [Int], raw: [UInt8], type: Int = 1) {
    message(5) { tensor in
      for size in sizes { tensor.integer(1, size) }
      tensor.integer(2, type)
      tensor.text(8, name)
      tensor.data(9, raw)
    }
  }

  mutating func external(_ name: String, _ sizes: [Int], location: String) {
    message(5) { tensor in
      for size in sizes { tensor.integer(1, size) }
      tensor.integer(2, 1)
      tensor.text(8, name)
      tensor.message(13) {
        $0.text(1, "location")
        $0.text(2, location)
      }
      tensor.integer(14, 1)
    }
  }
}

/// Little-endian bytes of numbers.
func bytes(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in
    (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * $0)) }
  }
}
