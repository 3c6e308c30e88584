// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// What can be wrong with an `.lcw` archive.
public enum ArchiveError: DescribedError, Hashable {
  /// The file is not an `.lcw` archive.
  case notAnArchive(file: String, reason: String)
  /// The file follows a version of the format that this program does not know.
  case unknownVersion(file: String, version: Int)
  /// The tar around the entries is not as the format wants it.
  case container(file: String, entry: String, reason: String)
  /// The manifest as a whole, or one of its fields, is wrong.
  case manifest(file: String, place: String, reason: String)
  /// What the manifest says of a tensor is wrong.
  case tensor(file: String, tensor: String, reason: String)
  /// A zstd frame of a tensor is wrong.
  case frame(file: String, tensor: String, chunk: Int, plane: Int, reason: String)
  /// A tensor's elements do not have the digest that the manifest states.
  case digest(file: String, tensor: String)
  /// The archive is larger than is accepted.
  case limit(file: String, what: String, found: Int, limit: Int)
  /// libarchive or libzstd failed for a reason that is not the file's.
  case library(file: String, operation: String, reason: String)

  /// Wrong data, or a failure of a library.
  public var category: ErrorCategory {
    switch self {
    case .library: .failure
    case .notAnArchive, .unknownVersion, .container, .manifest, .tensor, .frame, .digest, .limit:
      .data
    }
  }

  /// One line with the file, the place in it, and the reason.
  public var description: String { text.asOneLine }

  private var text: String {
    switch self {
    case .notAnArchive(let file, let reason):
      "\(file) is not an .lcw archive: \(reason)"
    case .unknownVersion(let file, let version):
      "\(file) follows version \(version) of the .lcw format, but this program reads version "
        + "\(Manifest.version); use a newer lcw"
    case .container(let file, let entry, let reason):
      "\(file) is damaged at \(entry): \(reason)"
    case .manifest(let file, let place, let reason):
      "\(file): the manifest is wrong at \(place): \(reason)"
    case .tensor(let file, let tensor, let reason):
      "\(file): the manifest is wrong at the tensor ‘\(tensor)’: \(reason)"
    case .frame(let file, let tensor, let chunk, let plane, let reason):
      "\(file) is damaged in the tensor ‘\(tensor)’, chunk \(chunk), plane \(plane): \(reason)"
    case .digest(let file, let tensor):
      "\(file) is damaged: the tensor ‘\(tensor)’ does not have the SHA-256 the manifest states"
    case .limit(let file, let what, let found, let limit):
      "\(file) has \(found) \(what), but \(limit) is the most accepted; "
        + "if you trust it, raise that with --input-format lcw:limits=2 or more"
    case .library(let file, let operation, let reason):
      "can't \(operation) \(file): \(reason)"
    }
  }
}
