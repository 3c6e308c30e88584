// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

/// The folders of classes and the files in them, in the order of their names' bytes.
struct ImageTree {
  /// A class's folder.
  struct ClassFolder {
    let name: String
    let url: URL
    let files: [URL]
  }

  let train: [ClassFolder]
  /// The test set's folders, where there are folders `train` and `test`.
  let test: [ClassFolder]?
  /// The name of the test set's folder; nothing where there is none.
  let testName: String?

  /// What the folder of a test set is called; the first that is there is taken.
  private static let testNames = ["test", "val", "valid", "validation"]

  var testCount: Int { (test ?? []).reduce(0) { $0 + $1.files.count } }

  /// - Throws: ``DataError`` for a folder without images and a file that is none.
  init(_ folder: URL) throws {
    func part(_ name: String) -> URL { folder.appendingPathComponent(name, isDirectory: true) }
    let training = part("train")
    guard Self.isFolder(training) else {
      (train, test, testName) = (try Self.classes(in: folder), nil, nil)
      return
    }
    // A class may be called train or val: then its folder has images. The name test always means a split.
    let hasFolders = try Self.hasFolders(training)
    let name = Self.testNames.first { name in
      Self.isFolder(part(name)) && (name == "test" || hasFolders)
    }
    guard name != nil || !hasFolders else {
      throw DataError.damaged(
        file: folder.path,
        reason: "‘train’ has no ‘test’ or ‘val’ beside it; name the folder ‘train’ itself to have "
          + "test images drawn from it")
    }
    train = try Self.classes(in: name == nil ? folder : training)
    test = try name.map { try Self.classes(in: part($0)) }
    testName = name
  }

  private static func hasFolders(_ folder: URL) throws -> Bool {
    try names(in: folder).contains { isFolder(folder.appendingPathComponent($0)) }
  }

  private static func classes(in folder: URL) throws -> [ClassFolder] {
    guard isFolder(folder) else {
      throw DataError.damaged(file: folder.path, reason: "it is no folder of the classes' folders")
    }
    // Files beside the folders, such as a licence, are of no class.
    return try names(in: folder).compactMap { name in
      let url = folder.appendingPathComponent(name, isDirectory: true)
      guard isFolder(url) else { return nil }
      let files = try names(in: url).map { url.appendingPathComponent($0) }
      guard !files.isEmpty else {
        throw DataError.damaged(file: url.path, reason: "the class's folder has no images")
      }
      for file in files {
        if isFolder(file) {
          throw DataError.damaged(
            file: file.path, reason: "a class's folder has images and no folders")
        }
        guard ImageKind(fileName: file.lastPathComponent) != nil else {
          throw DataError.damaged(
            file: file.path,
            reason: "its name is not that of a PNG or JPEG file; remove it from the folder")
        }
      }
      return ClassFolder(name: name, url: url, files: files)
    }
  }

  /// What is in a folder, without what begins with a dot.
  private static func names(in folder: URL) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { !$0.hasPrefix(".") && $0 != "__MACOSX" }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw DataError.damaged(file: folder.path, reason: "the folder can't be read")
    }
  }

  private static func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && isFolder.boolValue
  }
}

/// The kinds of images.
enum ImageKind: String {
  case png = "PNG"
  case jpeg = "JPEG"

  /// By the ending of a file's name.
  init?(fileName: String) {
    switch URL(fileURLWithPath: fileName).pathExtension.lowercased() {
    case "png": self = .png
    case "jpg", "jpeg": self = .jpeg
    default: return nil
    }
  }

  /// By the first bytes of a file.
  init?(content: [UInt8]) {
    if content.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if content.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else {
      return nil
    }
  }
}
