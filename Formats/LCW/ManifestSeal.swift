// SPDX-License-Identifier: Apache-2.0
import LCWFiles

/// The manifest's last member: the SHA-256 of all of its bytes before.
///
/// Nothing else would notice a letter that changed in a name or in the metadata. As the last member
/// at a fixed distance from the end, the digest leaves the manifest one JSON object, and is checked
/// before that is parsed.
enum ManifestSeal {
  /// The member's key.
  static let key = "sha256"
  private static let start = ",\"\(key)\":\""
  private static let end = "\"}\n"
  private static let digits = 64
  /// The bytes of the seal.
  static let length = start.utf8.count + digits + end.utf8.count

  /// A manifest without its closing brace, completed by its digest.
  static func sealed(_ body: String) -> String {
    body + start + SHA256.hexDigest(of: Array(body.utf8)) + end
  }

  /// Why the bytes of a manifest do not end in the digest of those before.
  static func problem(in manifest: [UInt8]) -> String? {
    let seal = manifest.suffix(length)
    let stated = seal.dropFirst(start.utf8.count).prefix(digits)
    guard seal.starts(with: start.utf8), stated.count == digits,
      seal.suffix(end.utf8.count).elementsEqual(end.utf8)
    else { return "it does not end in its SHA-256" }
    let found = SHA256.hexDigest(of: Array(manifest.dropLast(seal.count)))
    return stated.elementsEqual(found.utf8) ? nil : "it does not have the SHA-256 that it states"
  }
}
