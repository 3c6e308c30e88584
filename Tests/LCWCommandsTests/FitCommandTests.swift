// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// `lcw fit`, and methods that join by what it makes.
@Suite(.serialized)
struct FitCommandTests {
  private let program: Program
  private let networks = ["digits-1.lcw", "digits-2.lcw", "digits-3.lcw", "digits-4.lcw"]
  private static let small = "layers=2,width=0.5,rate=0.01"

  init() throws {
    program = try Program()
    try program.run(
      "train", "--architecture", "mlp:hidden=40", "--dataset", "digits", "--threads", "2",
      "--epochs", "3", "--batch", "32", "--rate", "0.05", "--seeds", "1...4", "-o", ".", "--quiet")
  }

  @Test(arguments: ["flow", "bijection"])
  func `a model is fitted, and joins other networks`(method: String) throws {
    let options = method == "flow" ? "epochs=3" : "epochs=2,steps=3,batch=100"
    let fitted = try program.run(
      ["fit", "\(method):\(options),\(Self.small)"] + networks.prefix(3) + [
        "--hold-out", "1", "-o", "nu.lcw", "--threads", "2", "--report", "fit.html",
      ])
    #expect(fitted.output.contains("fitted to 2 networks"))
    #expect(fitted.errors.contains("held out"))
    let html = String(decoding: try program.bytes("fit.html"), as: UTF8.self)
    #expect(html.contains("The fit of dense1, by epoch"))
    let left = try program.json("inspect", "nu.lcw", "--json").object
    #expect(left?["kind"]?.string == "connection-model")
    let metadata = left?["metadata"]?.object
    #expect(metadata?["fitted-by"]?.string == method)
    #expect(metadata?["architecture"]?.string == "mlp:hidden=40")
    #expect(metadata?["dataset"]?.string == "digits")
    #expect(metadata?["networks"]?.object?["seeds"]?.array == ["1", "2", "3"])
    #expect(metadata?["histories"]?.object?["dense1/held-out"]?.array?.count ?? 0 > 2)
    try program.run("verify", "nu.lcw")
    try program.run(
      "connect", "digits-1.lcw", "digits-4.lcw", "-m", "linear", "-m", "arc", "-m",
      "\(method):model=nu.lcw", "-m", "\(method):model=nu.lcw+wa", "--points", "3", "--no-refine",
      "--report", "paths.html")
    let report = String(decoding: try program.bytes("paths.html"), as: UTF8.self)
    #expect(report.contains("Distribution of the neurons at the ends and in the middle"))
    #expect(report.contains("The transformed neurons"))
    #expect(report.contains("standard normal"))
    // A path by a model is computed again from the archive's networks and the model's file.
    try program.run(
      "connect", "digits-1.lcw", "digits-4.lcw", "-m", "\(method):model=nu.lcw", "-o", "path.lcw")
    try program.run("export", "path.lcw", "--at", "1", "-o", "end.lcw")
    try program.run("diff", "end.lcw", "digits-4.lcw")
  }

  @Test
  func `an interrupted fit goes on to the same bytes`() throws {
    let arguments =
      ["fit", "flow:epochs=400,\(Self.small),patience=0"] + networks + ["--threads", "2"]
    try program.run(arguments + ["-o", "whole.lcw", "--quiet"])
    let running = try program.start(arguments + ["-o", "part.lcw"])
    let deadline = Date.now + 60
    while !running.errors.contains("epoch 3/400"), Date.now < deadline { usleep(2000) }
    running.interrupt()
    let outcome = running.finish()
    #expect(outcome.status == 130)
    #expect(outcome.errors.contains("--resume continues"))
    #expect(
      try program.run(arguments + ["-o", "part.lcw"], expecting: 64).errors.contains(
        "the state of an interrupted run"))
    try program.run(arguments + ["-o", "part.lcw", "--resume"])
    #expect(try program.bytes("part.lcw") == program.bytes("whole.lcw"))
    #expect(
      try program.run(arguments + ["-o", "part.lcw", "--resume"], expecting: 64).errors.contains(
        "part.lcw already exists"))
    // A fit that was to replace a model and was interrupted goes on with both.
    try program.run(["fit", "flow:epochs=1,\(Self.small)"] + networks + ["-o", "old.lcw"])
    let replacing = try program.start(arguments + ["-o", "old.lcw", "--overwrite"])
    while !replacing.errors.contains("epoch 3/400"), Date.now < deadline { usleep(2000) }
    replacing.interrupt()
    #expect(replacing.finish().status == 130)
    try program.run(arguments + ["-o", "old.lcw", "--resume", "--overwrite"])
    #expect(try program.bytes("old.lcw") == program.bytes("whole.lcw"))
  }

  @Test
  func `a state of another fit is refused and kept`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=20x15", "--dataset", "digits", "--epochs", "1",
      "--seeds", "1...2", "-o", "deep", "--quiet")
    let deep = ["deep/digits-1.lcw", "deep/digits-2.lcw"]
    let running = try program.start(
      ["fit", "flow:epochs=60,\(Self.small),patience=0"] + deep + [
        "-o", "nu.lcw", "--threads", "2",
      ])
    let deadline = Date.now + 60
    while !running.errors.contains("dense2  epoch 2/60"), Date.now < deadline { usleep(2000) }
    running.interrupt()
    #expect(running.finish().status == 130)
    let state = try program.bytes("nu.lcw.state.lcw")
    for (arguments, says) in [
      (["flow:epochs=60,\(Self.small),patience=0"] + deep + ["--seed", "9"], "seed"),
      (["flow:epochs=60,\(Self.small),patience=0,layer=1"] + deep, "fitted-"),
      (["flow:epochs=60,\(Self.small),patience=0,kind=iaf"] + deep, "fitted-designs"),
      (["flow:epochs=60,\(Self.small),patience=0", deep[0]], "networks"),
      (["bijection:epochs=60,\(Self.small)"] + networks, "another fit"),
    ] {
      let outcome = try program.run(
        ["fit"] + arguments + ["-o", "nu.lcw", "--resume", "--threads", "2"], expecting: 64)
      #expect(outcome.errors.contains("belongs to another fit"), "\(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(outcome.errors)")
      #expect(try program.bytes("nu.lcw.state.lcw") == state)
    }
  }

  @Test
  func `a model is never lost, and paths know the one they were made with`() throws {
    func fit(_ rate: String) throws {
      try program.run(
        ["fit", "flow:epochs=2,layers=2,width=0.5,rate=\(rate)"] + networks.prefix(3)
          + ["-o", "nu.lcw", "--overwrite", "--quiet"])
    }
    try fit("0.01")
    let connect = ["connect", "digits-1.lcw", "digits-4.lcw", "-m", "flow:model=nu.lcw", "-o"]
    let model = try program.bytes("nu.lcw")
    #expect(
      try program.run(connect + ["nu.lcw"], expecting: 64).errors.contains("name another file"))
    try program.run("fit", "flow:epochs=1", "digits-1.lcw", "-o", "other.lcw", "--quiet")
    let arc = [
      "connect", "digits-1.lcw", "digits-2.lcw", "-m", "arc", "-o", "other.lcw", "--overwrite",
    ]
    #expect(try program.run(arc, expecting: 64).errors.contains("holds a connection-model"))
    #expect(try program.bytes("nu.lcw") == model)

    try program.run(connect + ["path.lcw"])
    try program.run("export", "path.lcw", "--at", "0.5", "-o", "middle.lcw")
    // The model is found beside the path, too.
    let folder = program.folder.url.appendingPathComponent("moved")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["path.lcw", "nu.lcw"] {
      try FileManager.default.copyItem(
        at: program.folder.url.appendingPathComponent(name), to: folder.appendingPathComponent(name)
      )
    }
    try fit("0.03")
    try program.run("export", "moved/path.lcw", "--at", "0.5", "-o", "same.lcw")
    try program.run("diff", "middle.lcw", "same.lcw")
    #expect(
      try program.run("export", "path.lcw", "--at", "0.5", "-o", "x.lcw", expecting: 65).errors
        .contains("is not the file that the path in path.lcw was made with"))
  }

  @Test
  func `sets that can't be meant are refused, and the file is named`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=30", "--dataset", "digits", "--epochs", "1", "-o",
      "narrow.lcw", "--quiet")
    try program.run("fit", "flow:epochs=1,\(Self.small)", "digits-1.lcw", "-o", "nu.lcw", "--quiet")
    let flow = "flow:epochs=1,\(Self.small)"
    for (arguments, says, status) in [
      ([flow, "digits-1.lcw", "digits-1.lcw", "--hold-out", "1"], "named twice", 64),
      ([flow, "digits-1.lcw", "narrow.lcw"], "digits-1.lcw and narrow.lcw", 65),
      ([flow, "digits-1.lcw", "nu.lcw"], "nu.lcw: expected a checkpoint", 65),
      (["\(flow),model=nu.lcw", "digits-1.lcw"], "leave out ‘", 64),
      (["flow:model=nu.lcw", "digits-1.lcw"], "leave out ‘model’", 64),
      (["bijection:start=nu.lcw,kind=iaf", "digits-1.lcw", "digits-2.lcw"], "has a design", 64),
      (["flow:layers=64,bound=16", "digits-1.lcw"], "64 or less", 64),
      (["flow:epochs=1000000", "digits-1.lcw"], "5000", 64),
    ] as [([String], String, Int32)] {
      let outcome = try program.run(["fit"] + arguments + ["-o", "new.lcw"], expecting: status)
      #expect(outcome.errors.contains(says), "\(outcome.errors)")
    }
  }

  @Test
  func `wrong usage ends with 64 and says what would be right`() throws {
    for (arguments, says) in [
      (["arc"], "arc can't be fitted to a set of networks; these can: bijection, flow"),
      (["flow+wa"], "has no part in it"), (["flwo"], "did you mean ‘flow’?"),
      (["flow:layer=2"], "a transformation's layer is from 0 to 1"),
      (["flow:kind=maf"], "one of realnvp, iaf"),
      (["flow", "--hold-out", "4"], "--hold-out takes"),
    ] {
      let outcome = try program.run(
        ["fit", arguments[0]] + networks + arguments.dropFirst() + ["-o", "nu.lcw"],
        expecting: 64)
      #expect(outcome.errors.contains(says), "\(outcome.errors)")
    }
    let connect = ["connect", "digits-1.lcw", "digits-2.lcw", "-m"]
    #expect(
      try program.run(connect + ["flow"], expecting: 64).errors.contains(
        "flow:model=FILE; lcw fit flow makes one"))
    try program.run(connect + ["flow:model=absent.lcw"], expecting: 66)
    try program.run(connect + ["flow:model=digits-3.lcw"], expecting: 65)
  }
}
