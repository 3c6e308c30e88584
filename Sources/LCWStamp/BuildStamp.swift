// SPDX-License-Identifier: Apache-2.0
import CPluginSection
import LCWCore

/// What a program and a shared object must have in common, so that one can open the other: the same
/// types with the same layouts, compiled by the same compiler.
///
/// Swift's modules here promise no stable binary interface, so nothing less will do.
public struct BuildStamp: Sendable, Hashable, CustomStringConvertible {
  /// The version of the package.
  public let version: String
  /// The digest of the sources of the libraries that plugins are compiled against.
  public let sources: String
  /// The compiler.
  public let compiler: String

  /// The stamp of this program.
  public static let current = BuildStamp(
    version: LCWVersion.current, sources: sourceDigest, compiler: String(cString: lcw_compiler()))

  private init(version: String, sources: String, compiler: String) {
    self.version = version
    self.sources = sources
    self.compiler = compiler
  }

  /// What stands before a stamp in a shared object.
  public static let mark = "lcw-build-stamp:"

  /// The stamp as a shared object holds it.
  public var description: String { [version, sources, compiler].joined(separator: "|") }

  /// A stamp from its text.
  public init?(_ text: String) {
    let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    self.init(version: String(parts[0]), sources: String(parts[1]), compiler: String(parts[2]))
  }

  /// The stamp among the bytes of a file.
  public init?(in bytes: [UInt8]) {
    let mark = Array(Self.mark.utf8)
    var start = bytes.startIndex
    while let place = bytes[start...].firstIndex(of: mark[0]) {
      if bytes[place...].starts(with: mark) {
        let text = bytes[(place + mark.count)...].prefix { $0 != 0 }.prefix(1000)
        if let stamp = BuildStamp(String(decoding: text, as: UTF8.self)) {
          self = stamp
          return
        }
      }
      start = place + 1
    }
    return nil
  }

  /// In what another stamp differs, as words for an error; nothing if it does not.
  public func difference(from other: BuildStamp) -> String? {
    if version != other.version { return "version \(other.version) of lcw, and this is \(version)" }
    if compiler != other.compiler {
      return "the compiler \(other.compiler), and this by \(compiler)"
    }
    if sources != other.sources {
      return "other sources of lcw \(version) (digest \(other.sources.prefix(12)), and this from "
        + "\(sources.prefix(12)))"
    }
    return nil
  }
}
