// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

@Suite(.serialized)
struct TrainCommandTests {
  private let program: Program
  private let small = ["--architecture", "mlp:hidden=40", "--dataset", "digits", "--threads", "2"]

  init() throws {
    program = try Program()
  }

  @Test
  func `the same seed gives the same archive, byte for byte`() throws {
    for name in ["a.lcw", "b.lcw", "c.lcw"] {
      let seed = name == "c.lcw" ? "2" : "1"
      let outcome = try program.start(
        ["train"] + small + ["--epochs", "3", "--seed", seed, "-o", name]
      ).finish()
      #expect(outcome.status == 0)
      #expect(outcome.output.contains("test accuracy"))
      #expect(outcome.errors.contains("epoch 3/3"))
    }
    #expect(try program.bytes("a.lcw") == program.bytes("b.lcw"))
    #expect(try program.bytes("a.lcw") != program.bytes("c.lcw"))
  }

  @Test
  func `an interrupted run resumes to the same bytes`() throws {
    let arguments = ["train"] + small + ["--epochs", "60", "--save-every", "0", "--rate", "0.005"]
    #expect(try program.start(arguments + ["-o", "whole.lcw"]).finish().status == 0)
    let running = try program.start(arguments + ["-o", "part.lcw"])
    let deadline = Date.now + 60
    while !running.errors.contains("epoch 2/60"), Date.now < deadline { usleep(2000) }
    running.interrupt()
    let outcome = running.finish()
    #expect(outcome.status == 130)
    #expect(outcome.errors.contains("interrupted: part.lcw holds"))
    let left = try program.json("inspect", "part.lcw", "--json")
    let completed = try #require(
      left.object?["metadata"]?.object?["training"]?.object?["completed"]?.integer)
    #expect((2..<60).contains(completed))
    // What the interruption left is a network like any other.
    let measured = try program.run("evaluate", "part.lcw")
    #expect(measured.errors.contains("warning: part.lcw holds \(completed) of 60 epochs"))
    // Products of another precision would give other bits.
    if MatrixPrecision.hasTiles {
      let other = MatrixPrecision.standard == .high ? "highest" : "high"
      let refused = try program.run(
        arguments + ["-o", "part.lcw", "--resume"],
        environment: [MatrixPrecision.variable: other], expecting: 64)
      #expect(refused.errors.contains("precision"))
    }
    #expect(try program.start(arguments + ["-o", "part.lcw", "--resume"]).finish().status == 0)
    #expect(try program.bytes("part.lcw") == program.bytes("whole.lcw"))
  }

  @Test func `a precision that there is none of is refused`() throws {
    let wrong = try program.run(
      ["plugins"], environment: [MatrixPrecision.variable: "low"], expecting: 64)
    #expect(wrong.errors.contains("LCW_MATRIX_PRECISION=low"))
    #expect(wrong.errors.contains("highest or high"))
    let doctor = try program.run(
      ["doctor"], environment: [MatrixPrecision.variable: "low"], expecting: 1)
    #expect(doctor.output.contains("LCW_MATRIX_PRECISION=low is not known"))
  }

  @Test
  func `a run that is finished stays as it is`() throws {
    let arguments = ["train"] + small + ["--epochs", "3", "-o", "a.lcw"]
    let first = try program.run(arguments)
    let bytes = try program.bytes("a.lcw")
    let file = program.folder.url.appendingPathComponent("a.lcw").path
    let date = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
    let again = try program.run(arguments + ["--resume"])
    #expect(again.output == first.output.replacing("a.lcw:", with: "a.lcw is complete:"))
    #expect(try program.bytes("a.lcw") == bytes)
    #expect(
      try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date == date)
    // It is finished, whatever number of threads there is now; another run's it is not.
    try program.run(
      "train", "--architecture", "mlp:hidden=40", "--dataset", "digits", "--threads", "1",
      "--epochs", "3", "-o", "a.lcw", "--resume")
    #expect(try program.bytes("a.lcw") == bytes)
    let other = try program.run(arguments + ["--resume", "--seed", "7"], expecting: 64)
    #expect(other.errors.contains("its seed is"))
  }

  @Test
  func `several seeds fill a folder, whose complete networks are skipped`() throws {
    let arguments = ["train"] + small + ["--epochs", "3", "-o", "models"]
    let some = try program.run(arguments + ["--seeds", "2...3"])
    #expect(some.output.contains("models/digits-2.lcw: train accuracy"))
    // As if the second had been interrupted before it was measured.
    let whole = try program.bytes("models/digits-3.lcw")
    try FileManager.default.removeItem(
      at: program.folder.url.appendingPathComponent("models/digits-3.lcw"))
    let all = try program.run(arguments + ["--count", "3", "--seeds", "1...3"])
    #expect(all.output.contains("models/digits-2.lcw is complete"))
    #expect(!all.output.contains("models/digits-3.lcw is complete"))
    #expect(try program.bytes("models/digits-3.lcw") == whole)
    try program.run(["train"] + small + ["--epochs", "3", "--seed", "1", "-o", "one.lcw"])
    #expect(try program.bytes("models/digits-1.lcw") == program.bytes("one.lcw"))
    // Networks of another plan are no reason to skip anything.
    let other = try program.run(
      ["train"] + small + ["--epochs", "4", "-o", "models", "--count", "1"], expecting: 64)
    #expect(other.errors.contains("its epochs is 3, not 4"))
    let file = try program.run(
      ["train"] + small + ["--seeds", "1...2", "-o", "one.lcw"], expecting: 1)
    #expect(file.errors.contains("one.lcw is a file, where a folder is needed"))
  }

  @Test(arguments: [
    (["--seeds", "3...1"], "--seeds takes numbers"), (["--seeds", "x"], "--seeds takes numbers"),
    (["--count", "0"], "--count takes"), (["--count", "2", "--seeds", "1...3"], "--count gives 2"),
    (["--seed", "1", "--seeds", "1...3"], "conflict"),
  ])
  func `seeds that can't be are refused`(arguments: [String], says: String) throws {
    let outcome = try program.run(["train"] + small + ["-o", "models"] + arguments, expecting: 64)
    #expect(outcome.errors.contains(says))
  }

  @Test
  func `resuming another run is refused`() throws {
    let arguments = ["train"] + small
    #expect(
      try program.start(arguments + ["--epochs", "2", "-o", "a.lcw"]).finish().status == 0)
    let outcome = try program.start(
      arguments + ["--epochs", "3", "-o", "a.lcw", "--resume"]
    ).finish()
    #expect(outcome.status == 64)
    #expect(
      outcome.errors == "error: the checkpoint belongs to another run: its epochs is 2, not 3\n")
  }

  @Test(arguments: [
    (["--architecture", "mpl", "--dataset", "digits"], "did you mean ‘mlp’?"),
    (["--architecture", "mlp:hiden=3", "--dataset", "digits"], "did you mean ‘hidden’?"),
    (
      ["--architecture", "mlp:hidden=0", "--dataset", "digits"],
      "‘0’ is not a valid value for hidden"
    ),
    (["--architecture", "mlp", "--dataset", "digit"], "did you mean ‘digits’?"),
    (["--architecture", "mlp", "--dataset", "digits", "--schedule", "slow"], "is not a schedule"),
    (["--architecture", "mlp", "--dataset", "digits", "--optimiser", "x"], "is not an optimiser"),
    (["--architecture", "mlp", "--dataset", "digits", "--epochs", "0"], "--epochs takes"),
    (["--architecture", "mlp", "--dataset", "digits", "--rate", "nan"], "--rate takes"),
    (["--architecture", "mlp"], "--dataset"),
  ])
  func `wrong usage ends with 64 and says what would be right`(
    arguments: [String], says: String
  ) throws {
    let outcome = try program.start(["train", "-o", "a.lcw"] + arguments).finish()
    #expect(outcome.status == 64)
    #expect(outcome.errors.hasPrefix("error: "))
    #expect(outcome.errors.contains(says))
    #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path).isEmpty)
  }

  @Test
  func `missing data end with 66 and say where they were looked for`() throws {
    let outcome = try program.run(
      "train", "--architecture", "mlp", "--dataset", "mnist", "-o", "a.lcw", "--data", "nowhere",
      expecting: 66)
    #expect(outcome.errors.contains("nowhere"))
    #expect(outcome.errors.contains("--data or LCW_DATA"))
    let other = try program.run(
      "train", "--architecture", "mlp", "--dataset", "cifar10", "-o", "a.lcw",
      environment: ["LCW_DATA": "/elsewhere"], expecting: 66)
    #expect(other.errors.contains("/elsewhere"))
  }

  @Test
  func `a run goes on only with what it was begun with`() throws {
    let arguments = ["--dataset", "digits", "--epochs", "40", "--rate", "0.005", "-o", "a.lcw"]
    let running = try program.start(
      ["train", "--architecture", "mlp:hidden=40", "--threads", "2"] + arguments)
    let deadline = Date.now + 60
    while !running.errors.contains("epoch 1/40"), Date.now < deadline { usleep(2000) }
    running.interrupt()
    #expect(running.finish().status == 130)
    let before = try program.bytes("a.lcw")
    for (architecture, threads, field) in [
      ("mlp:activation=tanh,hidden=40", "2", "architecture"),
      ("mlp:hidden=41", "2", "architecture"), ("mlp:hidden=40", "1", "threads"),
    ] {
      let outcome = try program.start(
        ["train", "--architecture", architecture, "--threads", threads, "--resume"] + arguments
      ).finish()
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains("belongs to another run: its \(field)"), "\(outcome.errors)")
    }
    #expect(try program.bytes("a.lcw") == before)
  }

  @Test
  func `a file that is there is replaced only when told so`() throws {
    let arguments = ["train"] + small + ["--epochs", "1", "-o", "a.lcw", "--quiet"]
    #expect(try program.start(arguments).finish().status == 0)
    let before = try program.bytes("a.lcw")
    let refused = try program.start(arguments + ["--seed", "5"]).finish()
    #expect(refused.status == 64 && refused.errors.contains("--overwrite"))
    #expect(try program.bytes("a.lcw") == before)
    #expect(try program.start(arguments + ["--seed", "5", "--overwrite"]).finish().status == 0)
    #expect(try program.bytes("a.lcw") != before)
  }

  @Test(arguments: [
    ["--epochs", "10000000000000000"], ["--batch", "9223372036854775807"],
    ["--resume", "--overwrite"], ["--threads", "0"],
  ])
  func `numbers out of range are refused`(arguments: [String]) throws {
    let outcome = try program.start(["train"] + small + ["-o", "a.lcw"] + arguments).finish()
    #expect(outcome.status == 64)
    #expect(outcome.errors.hasPrefix("error: "))
  }

  @Test
  func `a network larger than the machine is refused`() throws {
    for hidden in ["99999999999", "9223372036854775807", "100000000"] {
      let outcome = try program.start(
        ["train", "--architecture", "mlp:hidden=\(hidden)", "--dataset", "digits", "-o", "a.lcw"]
      ).finish()
      #expect(outcome.status == 64)
      #expect(outcome.errors.hasPrefix("error: "))
    }
  }

  @Test
  func `a file that can't be written is told`() throws {
    let outcome = try program.start(
      ["train"] + small + ["--epochs", "1", "-o", "no/such/folder/a.lcw"]
    ).finish()
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("can't write no/such/folder/a.lcw: there is no folder"))
  }
}
