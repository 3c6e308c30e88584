// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension Manifest {
  /// The entry's content: compact JSON with the keys in the specification's order, sealed.
  var text: String {
    ManifestSeal.sealed(body)
  }

  private var body: String {
    """
    {"format":\(JSONValue.quoted(Manifest.format)),"version":\(Manifest.version),\
    "minor":\(Manifest.minor),"kind":\(JSONValue.quoted(kind.rawValue)),"chunk":\(chunk),\
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
