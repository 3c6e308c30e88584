// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics
import Testing

/// Checkpoints in several files.
struct ShardTests {
  /// A file of weights for these tests: a line for each tensor, its name and its value.
  private struct Lines: CheckpointSource {
    let kind: CheckpointKind = .checkpoint
    let metadata: [String: JSONValue] = [:]
    let tensors: [NamedTensor]
    var entries: [TensorEntry] { Checkpoint(tensors: tensors).entries }

    init(_ file: URL) throws {
      let text = String(decoding: try InputFile.contents(of: file), as: UTF8.self)
      tensors = try text.split(separator: "\n").map { line in
        let parts = line.split(separator: " ")
        let value = try #require(UInt8(parts[1]))
        return NamedTensor(
          String(parts[0]), try StoredTensor(elementType: .uint8, shape: [1], bytes: [value]))
      }
    }

    func tensor(named name: String) throws -> StoredTensor {
      try Checkpoint(tensors: tensors).tensor(named: name)
    }
  }

  private func write(_ files: [String: String], to folder: URL) throws {
    for (name, text) in files {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
  }

  private func open(_ folder: URL) throws -> ShardedCheckpoint {
    let file = try #require(try ShardIndex.find(in: folder))
    return try ShardedCheckpoint(try #require(try ShardIndex(file))) { try Lines($0) }
  }

  private func index(_ map: [(String, String)]) -> String {
    let places = map.map { "\(JSONValue.quoted($0)):\(JSONValue.quoted($1))" }
    return "{\"metadata\":{\"total_size\":3},\"weight_map\":{\(places.joined(separator: ","))}}"
  }

  @Test
  func `files are one checkpoint, in their order`() throws {
    try withTemporaryFolder { folder in
      let names = ["model-00002-of-00002.x", "model-00001-of-00002.x"]
      try write(
        [
          "model.safetensors.index.json": index([
            ("c", names[0]), ("a", names[1]), ("b", names[1]),
          ]), names[1]: "b 2\na 1\nextra 9\n", names[0]: "c 3\n",
        ], to: folder)
      let source = try open(folder)
      #expect(source.entries.map(\.name) == ["b", "a", "c"])
      for (name, value) in [("a", 1), ("c", 3), ("b", 2)] as [(String, UInt8)] {
        #expect(try source.tensor(named: name).bytes == [value])
      }
      #expect(source.metadata == ["total_size": 3])
      #expect(source.notes.count == 1 && source.notes[0].contains("1 tensor is left out"))
      #expect(throws: CheckpointError.missingTensor("extra", nearest: nil)) {
        try source.tensor(named: "extra")
      }
    }
  }

  @Test
  func `names that are equivalent in Unicode are two`() throws {
    try withTemporaryFolder { folder in
      try write(
        [
          "x.index.json": index([("\u{E9}", "1.x"), ("e\u{301}", "2.x")]), "1.x": "\u{E9} 1\n",
          "2.x": "e\u{301} 2\n",
        ], to: folder)
      let source = try open(folder)
      #expect(try source.tensor(named: "\u{E9}").bytes == [1])
      #expect(try source.tensor(named: "e\u{301}").bytes == [2])
    }
  }

  @Test(arguments: [
    "../w.x", "/etc/passwd", "sub/w.x", "..", ".", "", "a\\b", "a\u{0}b", "model.index.json",
    "other.index.json",
  ])
  func `no name leads out of the folder or to an index`(name: String) throws {
    try withTemporaryFolder { folder in
      try write(["w.x": "a 1\n", "model.index.json": index([("a", name)])], to: folder)
      let error = #expect(throws: CheckpointError.self) { try open(folder) }
      #expect(error?.category == .data)
      #expect(error?.description.contains { $0.isNewline } == false)
    }
  }

  @Test
  func `links lead out only to where the index lies`() throws {
    try withTemporaryFolder { folder in
      let (inside, store) = (
        folder.appendingPathComponent("in"), folder.appendingPathComponent("store")
      )
      for place in [inside, store] {
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      }
      try write(["w": "a 1\n", "i": index([("a", "w.x")])], to: store)
      try FileManager.default.createSymbolicLink(
        at: inside.appendingPathComponent("w.x"),
        withDestinationURL: store.appendingPathComponent("w"))
      try write(["m.index.json": index([("a", "w.x")])], to: inside)
      let error = #expect(throws: CheckpointError.self) { try open(inside) }
      #expect(error?.description.contains("w.x is a link that leads out of its folder") == true)
      // As in a cache of downloads, where the index is a link to the same place.
      let link = inside.appendingPathComponent("m.index.json")
      try FileManager.default.removeItem(at: link)
      try FileManager.default.createSymbolicLink(
        at: link, withDestinationURL: store.appendingPathComponent("i"))
      #expect(try open(inside).tensor(named: "a").bytes == [1])
    }
  }

  @Test
  func `what does not fit the index is said`() throws {
    let whole = ["1.x": "a 1\n", "2.x": "b 2\n"]
    let cases: [(map: [(String, String)], files: [String: String], reason: String)] = [
      ([("a", "1.x"), ("b", "3.x")], whole, "3.x is not beside it"),
      ([("a", "4.x"), ("b", "3.x")], whole, "2 of 2 files are not beside it, such as 3.x"),
      ([("a", "1.x"), ("b", "1.x")], whole, "‘b’ should be in 1.x, and is not"),
      ([("a", "1.x"), ("b\u{1B}[2J\n", "2.x")], whole, "‘b\\u{1B}[2J\\n’ should be in 2.x"),
      ([("a", "2.x"), ("b", "1.x")], whole, "‘a’ is in 1.x, but should be in 2.x"),
      (
        [("a", "1.x"), ("b", "2.x")], ["1.x": "a 1\n", "2.x": "b 2\na 3\n"],
        "‘a’ is in two files, 1.x and 2.x"
      ),
    ]
    for (map, files, reason) in cases {
      try withTemporaryFolder { folder in
        try write(files.merging(["m.index.json": index(map)]) { $1 }, to: folder)
        let error = #expect(throws: CheckpointError.self) { try open(folder) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
      }
    }
  }

  @Test
  func `an index that is wrong, and JSON that is none`() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("m.index.json")
      for (text, reason) in [
        ("{\"weight_map\":{\"a\":\"1.x\",\"a\":\"2.x\"}}", "is repeated"),
        ("{\"weight_map\":{\"a\":1}}", "‘a’ has no file's name"),
        ("{\"weight_map\":[]}", "expected an object"),
        ("{\"weight_map\":{", "at byte"),
      ] {
        try Data(text.utf8).write(to: file)
        let error = #expect(throws: CheckpointError.self) { try ShardIndex(file) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
      }
      for text in ["{}", "{\"a\":1}", "[]", "{"] {
        try Data(text.utf8).write(to: file)
        #expect(try ShardIndex(file) == nil)
      }
      try write(["n.index.json": "{}"], to: folder)
      #expect(throws: CheckpointError.self) { try ShardIndex.find(in: folder) }
    }
  }
}
