// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// `lcw inspect --groups`, of files and of architectures.
struct GroupCommandTests {
  private let program: Program

  init() throws {
    program = try Program()
  }

  private let residual =
    "sequential:layers=conv 4 3x3 pad 1; start = relu; conv 6 3x3 pad 1; batchnorm; relu; "
    + "conv 4 3x3 pad 1; add from conv3 start; flatten; dense classes"

  @Test
  func `an architecture's groups are shown without weights`() throws {
    let text = try program.run("inspect", residual, "--groups", "--dataset", "digits").output
    #expect(text.contains("4 groups, of which 2 may be permuted: 10 units"))
    let lines = text.split(separator: "\n").map(String.init)
    let stream = try #require(lines.first { $0.contains("conv1, conv3") })
    #expect(stream.contains("conv2, dense1") && stream.contains("yes"))
    #expect(lines.contains { $0.contains("conv2") && $0.contains("norm1") && $0.contains("conv3") })
    #expect(text.contains("no: the network's input") && text.contains("no: the network's output"))
    #expect(lines.contains { $0.contains("add") && $0.contains("conv3, start") })
  }

  @Test
  func `JSON has the graph and every site of each group`() throws {
    let json = try program.json("inspect", residual, "--groups", "--dataset", "digits", "--json")
    let groups = json.object?["groups"]?.array?.compactMap(\.object) ?? []
    #expect(groups.map { $0["units"]?.integer } == [1, 4, 6, 10])
    #expect(groups.map { $0["permutable"]?.bool } == [false, true, true, false])
    #expect(groups[0]["held_by"]?.array == ["the network's input"])
    let inner = groups[2]["sites"]?.array?.compactMap(\.object) ?? []
    #expect(
      inner.map { $0["parameter"]?.string } == [
        "conv2.weight", "conv2.bias", "norm1.scale", "norm1.shift", "norm1.mean", "norm1.variance",
        "conv3.weight",
      ])
    #expect(inner.last?["axis"] == 1 && inner.last?["use"] == "reads")
    // The graph is what `sequential:file=` reads.
    let graph = try #require(json.object?["network"])
    try Data(graph.prettyText.utf8)
      .write(to: program.folder.url.appendingPathComponent("net.json"))
    let again = try program.json(
      "inspect", "sequential:file=net.json", "--groups", "--dataset", "digits", "--json")
    #expect(again == json)
  }

  @Test
  func `a file's groups are those of its network, whatever its format`() throws {
    try program.run(
      "train", "--architecture", residual, "--dataset", "digits", "--epochs", "1", "-o", "a.lcw",
      "--quiet")
    let own = try program.run("inspect", "a.lcw", "--groups").output
    #expect(own == (try program.run("inspect", residual, "--groups", "--dataset", "digits").output))
    try program.run("convert", "a.lcw", "a.npz")
    let foreign = ["inspect", "a.npz", "--groups"]
    #expect(try program.run(foreign, expecting: 64).errors.contains("--architecture"))
    #expect(
      try program.run(foreign + ["--architecture", residual, "--dataset", "digits"]).output == own)
  }

  /// Archives that were written once, of networks with skips and with names of their own.
  @Test(arguments: ["graph-residual", "graph-concatenation"])
  func `archived graphs are read as they were written`(name: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("FormatTests/Golden/\(name).lcw").path
    let metadata = try program.json("inspect", file, "--json").object?["metadata"]?.object
    let architecture = try #require(metadata?["network"]?.string)
    let json = try program.json("inspect", file, "--groups", "--json")
    let nodes = json.object?["network"]?.object?["nodes"]?.array ?? []
    #expect(nodes.count == architecture.split(separator: ";").count)
    #expect(json.object?["groups"]?.array?.contains { $0.object?["permutable"] == true } == true)
    try program.run("verify", file)
    // Its tensors are the network's.
    try program.run("convert", file, "out.safetensors")
  }

  @Test
  func `what can't be shown is said`() throws {
    func errors(_ arguments: String...) throws -> String {
      try program.run(["inspect"] + arguments, expecting: 64).errors
    }
    #expect(try errors("mlp:hidden=3", "--groups").contains("--dataset"))
    #expect(try errors("digits", "--groups", "--stats").contains("leave out"))
    #expect(try errors("digits", "--dataset", "digits").contains("need --groups"))
    #expect(
      try errors("mlp:hidden=3", "--groups", "--dataset", "digits", "--architecture", "mlp")
        .contains("leave out --architecture"))
  }
}
