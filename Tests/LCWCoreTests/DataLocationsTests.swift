// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

@Suite struct DataLocationsTests {
  private func folders(_ given: String?, _ environment: [String: String]) -> [String] {
    DataLocations(given: given, environment: environment).folders.map(\.path)
  }

  @Test func whatIsGivenComesFirst() {
    let here = FileManager.default.currentDirectoryPath
    #expect(folders("/a", ["LCW_DATA": "/b", "HOME": "/home/x"]) == ["/a"])
    #expect(folders(nil, ["LCW_DATA": "/b", "HOME": "/home/x"]) == ["/b"])
    let standard = ["\(here)/data", "/home/x/.local/share/lcw/data"]
    #expect(folders(nil, ["HOME": "/home/x"]) == standard)
    #expect(folders(nil, ["LCW_DATA": "", "HOME": "/home/x"]) == standard)
    #expect(folders(nil, [:]) == ["\(here)/data"])
    #expect(folders("rel/dir", [:]) == ["\(here)/rel/dir"])
  }

  @Test func theFirstFolderAndNameThatExistsCounts() throws {
    let root = FileManager.default.temporaryDirectory
      .appendingPathComponent("lcw-core-\(UUID().uuidString)", isDirectory: true)
    defer { try? FileManager.default.removeItem(at: root) }
    let (first, second) = (
      root.appendingPathComponent("first"), root.appendingPathComponent("second")
    )
    for folder in [first, second] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("sub"), withIntermediateDirectories: true)
    }
    for file in ["first/b", "second/a", "second/sub/c"] {
      try Data([1]).write(to: root.appendingPathComponent(file))
    }
    let locations = DataLocations(folders: [first, second])
    let found = { (names: [String]) in
      try locations.file(named: names, advice: "look").path
    }
    #expect(try found(["a", "b"]) == first.path + "/b")
    #expect(try found(["a"]) == second.path + "/a")
    #expect(try found(["x", "sub/c"]) == second.path + "/sub/c")
    let error = #expect(throws: DataError.self) { try found(["x", "y"]) }
    #expect(
      error
        == .missing(file: "x", searched: [first.path, second.path], advice: "look"))
    #expect(
      error?.description
        == "x is not in \(first.path) or \(second.path); look")
    #expect(error?.remedy == .nameDataFolder)
    #expect(error?.category == .missingFile)
  }

  @Test func otherErrors() {
    let damaged = DataError.damaged(file: "f", reason: "it is short")
    #expect(damaged.description == "f: it is short")
    #expect(damaged.category == .data)
    #expect(
      DataError.shape(expected: [784], found: [3, 32, 32]).description
        == "the network takes samples [784], but the data has [3, 32, 32]")
    #expect(
      DataError.classes(expected: 10, found: 100).description
        == "the network has 10 classes, but the data has 100")
  }
}
