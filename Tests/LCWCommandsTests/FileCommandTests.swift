// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// verify, diff, extract, and what convert and inspect do to any file.
struct FileCommandTests {
  private let program: Program

  init() throws {
    program = try Program()
    try program.run(
      "train", "--architecture", "mlp:hidden=300", "--dataset", "digits", "--epochs", "1", "-o",
      "a.lcw", "--quiet")
  }

  @Test
  func `verify passes what is whole and names what is damaged`() throws {
    let good = try program.run("verify", "a.lcw")
    #expect(good.output == "a.lcw: checkpoint, 4 tensors, 90040 bytes, intact\n")
    var bytes = try program.bytes("a.lcw")
    // In the middle of the file lie the weights of the first layer.
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: program.folder.url.appendingPathComponent("bad.lcw"))
    let bad = try program.run("verify", "bad.lcw", "a.lcw", expecting: 65)
    #expect(bad.errors.contains("bad.lcw") && bad.errors.contains("‘dense1.weight’, chunk 0"))
    #expect(bad.output.contains("a.lcw: checkpoint"))
    try program.run("verify", "none.lcw", expecting: 66)
  }

  @Test
  func `convert selects, renames and changes the type`() throws {
    try program.run(
      "convert", "a.lcw", "half.lcw", "--dtype", "bf16", "--select", "dense1.*", "--rename",
      "dense1=fc.0")
    let json = try program.json("inspect", "half.lcw", "--json")
    let tensors = try #require(json.object?["tensors"]?.array).compactMap(\.object)
    #expect(tensors.map { $0["name"] } == ["fc.0.bias", "fc.0.weight"])
    #expect(tensors.allSatisfy { $0["dtype"] == "bf16" })
    #expect(json.object?["metadata"]?.object?["architecture"] == nil)
    for arguments in [
      ["--select", "conv*"], ["--rename", "conv1=x"], ["--rename", "dense1=dense2"],
      ["--rename", "x"], ["--dtype", "f8"],
    ] {
      let outcome = try program.start(["convert", "a.lcw", "x.lcw"] + arguments).finish()
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("error: "))
    }
    try program.run("convert", "a.lcw", "b.lcw")
    #expect(try program.bytes("a.lcw") == program.bytes("b.lcw"))
  }

  @Test
  func `diff tells equal from different, and how far`() throws {
    try program.run("convert", "a.lcw", "b.safetensors")
    #expect(try program.run("diff", "a.lcw", "b.safetensors").output == "0 of 4 tensors differ\n")
    try program.run("convert", "a.lcw", "half.lcw", "--dtype", "f16")
    let half = try program.start(["diff", "a.lcw", "half.lcw", "--format", "json"]).finish()
    #expect(half.status == 1)
    let rows = try #require(try JSONValue(parsing: Array(half.output.utf8)).array)
    #expect(rows.count == 4)
    let relative = try #require(rows[1].object?["relative_difference"]?.double)
    #expect(relative > 1e-5 && relative < 1e-3)
    try program.run("convert", "a.lcw", "part.lcw", "--select", "dense1.*")
    let part = try program.run("diff", "a.lcw", "part.lcw", expecting: 1)
    #expect(part.output.contains("only in the first"))
    #expect(part.output.contains("2 of 4 tensors differ"))
  }

  @Test
  func `extract writes a tensor as it is`() throws {
    try program.run("extract", "a.lcw", "dense1.bias", "-o", "bias.raw")
    let raw = try program.bytes("bias.raw")
    #expect(raw.count == 1200)
    try program.run("extract", "a.lcw", "dense1.bias", "dense2.bias", "-o", "both.safetensors")
    try program.run("extract", "both.safetensors", "dense1.bias", "-o", "again.raw")
    #expect(try program.bytes("again.raw") == raw)
    let wrong = try program.run("extract", "a.lcw", "dense1.bia", "-o", "x.raw", expecting: 65)
    #expect(wrong.errors.contains("did you mean ‘dense1.bias’?"))
    try program.run(
      "extract", "a.lcw", "dense1.bias", "dense2.bias", "-o", "x.raw", expecting: 64)
  }

  @Test
  func `inspect shows the statistics of a tensor`() throws {
    let json = try program.json("inspect", "a.lcw", "dense1.weight", "--json")
    let statistics = try #require(json.object?["statistics"]?.object)
    #expect(statistics["count"] == 19200)
    #expect(statistics["histogram"]?.array?.compactMap(\.integer).reduce(0, +) == 19200)
    let text = try program.run("inspect", "a.lcw", "dense1.weight").output
    #expect(text.contains("19200 elements") && text.contains("█"))
    #expect(try program.run("inspect", "a.lcw", "--stats").output.contains("deviation"))
  }

  @Test
  func `standard input is a file like any other`() throws {
    let input = program.folder.url.appendingPathComponent("a.lcw")
    for arguments in [
      ["verify", "-"], ["inspect", "-"], ["diff", "-", "a.lcw"], ["convert", "-", "c.lcw"],
    ] {
      let outcome = try program.start(arguments, input: input).finish()
      #expect(outcome.status == 0, "\(arguments) said \(outcome.errors)")
    }
    #expect(try program.bytes("c.lcw") == program.bytes("a.lcw"))
  }
}
