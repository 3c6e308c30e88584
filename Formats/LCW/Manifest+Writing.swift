// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension Manifest {
  /// The bytes of the entry's content without padding.
  var textBytes: Int { body.utf8.count + ManifestSeal.length }

  /// The entry's content: compact JSON with the keys in the specification's order, spaces that fill
  /// the place that was kept for it, and the seal.
  /// - Parameter count: The bytes of the place, at least ``textBytes``.
  func text(ofBytes count: Int) -> String {
    let body = body
    let padding = count - body.utf8.count - ManifestSeal.length
    precondition(padding >= 0, "the manifest is longer than the place that was kept for it")
    return ManifestSeal.sealed(body + String(repeating: " ", count: padding))
  }

  private var body: String {
    """
    {"format":\(JSONValue.quoted(Manifest.format)),"version":\(Manifest.version),\
    "minor":\(minor),"kind":\(JSONValue.quoted(kind.rawValue)),"chunk":\(chunk),\
    "metadata":\(JSONValue.object(metadata).compactText),\
    "tensors":[\(tensors.map(\.text).joined(separator: ","))],\
    "segments":[\(segments.map(String.init).joined(separator: ","))]
    """
  }
}

extension TensorRecord {
  /// The record as compact JSON.
  var text: String {
    let digest = digest.map { ",\"sha256\":\(JSONValue.quoted($0))" } ?? ""
    return """
      {"name":\(JSONValue.quoted(name)),"dtype":\(JSONValue.quoted(elementType.rawValue)),\
      "shape":[\(shape.dimensions.map(String.init).joined(separator: ","))],\
      "transform":\(JSONValue.quoted(transform.rawValue)),\
      "segment":\(segment),"offset":\(offset),"stored":\(stored)\(digest)}
      """
  }
}
