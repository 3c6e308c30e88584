// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// Tables of what other programs call a network's modules.
struct NameTableTests {
  private func renamed(_ rules: String, _ name: String) throws -> String {
    let table = try NameTable("[program]\n" + rules)
    return try #require(table.sections.first).renamed(name)
  }

  @Test(arguments: [
    ("fc = linear", "fc.weight", "linear.weight"),
    ("fc = linear", "module.fc.weight", "module.linear.weight"),
    ("fc = linear", "fc1.weight", "fc1.weight"),
    (
      "layer*.*.downsample = layer*.*.shortcut", "layer2.10.downsample.0.weight",
      "layer2.10.shortcut.0.weight"
    ),
    ("stage*.block* = s*.*", "stage3.block12.x", "s3.12.x"),
    ("a = b\nb = c", "a.weight", "c.weight"),
    ("conv0 = conv1.weight", "conv0", "conv1.weight"),
    ("a.b = c", "a.a.b.d", "a.c.d"),
    ("x* = y*", "x.w", "x.w"),
    ("*.a = b*", "12.a", "b12"),
    ("a = b # c", "a", "b"),
  ])
  func `rules replace the first run of whole parts`(
    rules: String, name: String, expected: String
  ) throws {
    #expect(try renamed(rules, name) == expected)
  }

  @Test(arguments: [
    ("fc = linear", 1, "section"), ("[a]\nfc", 2, "rule"), ("[a]\n\nx* = y", 3, "rule"),
    ("[a]\nx** = y**", 2, "rule"), ("[a]\nx*1 = y*", 2, "rule"), ("[a]\na..b = c", 2, "rule"),
    ("[a]\n = c", 2, "rule"), ("[a]\na = b = c", 2, "rule"),
    (String(repeating: "[a]\n", count: 33), 33, "sections"),
    ("[a]\n" + String(repeating: "a = b\n", count: 129), 130, "rules"),
    (String(repeating: "#", count: 70_000), 1, "bytes"),
  ])
  func `what is no table is refused with its line`(text: String, line: Int, word: String) {
    let error = #expect(throws: NameTableError.self) { try NameTable(text) }
    #expect(
      error?.line == line && error?.expected.contains(word) == true, "\(String(describing: error))")
  }

  @Test
  func `names bind by the section whose rules fit all of them, and none is lost`() throws {
    var sketch = NetworkSketch(inputShape: [4])
    sketch.append(.dense(outputs: 4, bias: false), named: "body.a")
    sketch.append(.dense(outputs: 4, bias: false), named: "body.b")
    let network = try sketch.network()
    let table = try NameTable("[one]\nx = body\n[two]\nx.first = body.b\nx.second = body.a")
    func entries(_ names: String...) -> [TensorEntry] {
      names.map { TensorEntry(name: $0, elementType: .float32, shape: [4, 4], storedBytes: 0) }
    }
    let binding = try CheckpointBinding(
      of: entries("net.x.first.weight", "net.x.second.weight"), to: network, table: table)
    #expect(binding.names == ["net.x.second.weight", "net.x.first.weight"])
    #expect(binding.rule == .name && binding.program == "two")
    // The network's own names need no table.
    let own = try CheckpointBinding(
      of: entries("body.b.weight", "body.a.weight"), to: network, table: table)
    #expect(own.program == nil && own.names == ["body.a.weight", "body.b.weight"])
    // Two tensors that would get one name are not the program's.
    #expect(throws: CheckpointError.self) {
      try CheckpointBinding(
        of: entries("x.a.weight", "body.a.weight", "y.q.weight"), to: network, table: table)
    }
  }
}
