// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// Experiments with networks of files.
extension ReproduceTests {
  @Test
  func `an experiment joins the networks of files, another program's too`() throws {
    for seed in 1...2 {
      try program.run(
        "train", "--architecture", "mlp:hidden=100", "--dataset", "digits", "--epochs", "2",
        "--seed", "\(seed)", "--threads", "1", "--quiet", "-o", "n\(seed).lcw")
      try program.run("convert", "n\(seed).lcw", "m\(seed).safetensors")
    }
    func reproduce(_ files: [String], _ output: String, _ more: String...) throws -> JSONValue {
      try program.run(
        ["reproduce", "digits", "--scale", "quick", "--methods", "linear", "--from"] + files
          + ["-o", output, "--threads", "1", "--quiet"] + more)
      return try results(output)
    }
    let own = try reproduce(["n*.lcw"], "own")
    let foreign = try reproduce(["m1.safetensors", "m2.safetensors"], "foreign", "--jobs", "2")
    #expect(own.object?["accuracy"] == foreign.object?["accuracy"])
    #expect(own.object?["networks"]?.array?.count == 2)
    let written = try JSONValue(parsing: Array(try program.bytes("own/results/results.json")))
    let command = written.object?["command"]?.string ?? ""
    #expect(command.hasSuffix("--method linear --from 'n*.lcw' --threads 1"), "\(command)")
    for (arguments, part) in [
      (["--from", "n1.lcw", "n2.lcw", "--networks", "2"], "--from conflicts with --networks"),
      (["--from", "absent*.lcw"], "absent*.lcw: no network file matches this"),
    ] {
      let outcome = try program.run(
        ["reproduce", "digits", "--scale", "quick", "-o", "z"] + arguments, expecting: 64)
      #expect(outcome.errors.contains(part), "\(outcome.errors)")
    }
    try Data("no network".utf8).write(to: program.folder.url.appendingPathComponent("bad.lcw"))
    let outcome = try program.run(
      [
        "reproduce", "digits", "--scale", "quick", "--methods", "linear", "--from", "n1.lcw",
        "bad.lcw", "-o", "w", "--quiet",
      ], expecting: 1)
    #expect(outcome.errors.contains("network 2 of bad.lcw"), "\(outcome.errors)")
  }
}
