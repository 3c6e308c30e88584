// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// connect, evaluate, export, convert and inspect on two small networks.
struct ConnectionCommandTests {
  private let program: Program

  init() throws {
    program = try Program()
    for (name, seed) in [("a.lcw", "1"), ("b.lcw", "2")] {
      try program.run(
        "train", "--architecture", "mlp:hidden=30", "--dataset", "digits", "--epochs", "4",
        "--rate", "0.05", "--seed", seed, "-o", name, "--quiet")
    }
  }

  private func metrics(_ file: String) throws -> JSONValue {
    var row = try #require(
      try program.json("evaluate", file, "--format", "json").array?.first?.object)
    row["network"] = nil
    return .object(row)
  }

  @Test(arguments: ["linear", "arc"])
  func `a path is written, evaluated, and its ends are the networks`(method: String) throws {
    try program.run("connect", "a.lcw", "b.lcw", "--method", method, "-o", "path.lcw")
    let study = try program.json("evaluate", "path.lcw", "--points", "11", "--format", "json")
    let points = try #require(study.object?["points"]?.array)
    #expect(points.count { $0.object?["on_grid"] == "yes" } == 11)
    #expect(points.count > 11)
    let summary = try #require(study.object?["summary"]?.array)
    #expect(summary.count == 3)
    let worst = try #require(summary[0].object?["worst_train_accuracy"]?.double)
    let accuracies = points.compactMap { $0.object?["train_accuracy"]?.double }
    #expect(accuracies.min() == worst)
    for (at, network) in [("0", "a.lcw"), ("1", "b.lcw")] {
      try program.run("export", "path.lcw", "--at", at, "-o", "end-\(at).lcw")
      #expect(try metrics("end-\(at).lcw") == metrics(network))
    }
    try program.run("export", "path.lcw", "--at", "0.5", "-o", "middle.lcw")
    let middle = try metrics("middle.lcw").object?["train_loss"]?.double
    let half = points.first { $0.object?["t"]?.double == 0.5 }
    let expected = try #require(half?.object?["train_loss"]?.double)
    #expect(abs(try #require(middle) - expected) < 1e-5)
  }

  @Test
  func `both strategies give one table`() throws {
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "path.lcw")
    var losses: [[Double]] = []
    for strategy in ["structured", "point-by-point"] {
      let study = try program.json(
        "evaluate", "path.lcw", "--no-refine", "--strategy", strategy, "--format", "json")
      losses.append(
        try #require(study.object?["points"]?.array).compactMap {
          $0.object?["train_loss"]?.double
        })
    }
    #expect(losses[0].count == 21)
    for (x, y) in zip(losses[0], losses[1]) { #expect(abs(x - y) < 1e-5) }
  }

  @Test
  func `several methods make one report`() throws {
    let outcome = try program.run(
      "connect", "a.lcw", "b.lcw", "--method", "linear", "--method", "arc",
      "--report", "report.html")
    #expect(outcome.output.contains("linear") && outcome.output.contains("length"))
    let data = try program.bytes("report.html")
    #expect(XMLParser(data: data).parse())
    let page = try #require(String(data: data, encoding: .utf8))
    #expect(page.contains("<svg"))
    #expect(
      page.contains("lcw connect a.lcw b.lcw --method linear --method arc --report report.html"))
    #expect(page.contains("neurons"))
    // Nothing is loaded from elsewhere.
    #expect(!page.contains("src=") && !page.contains("@import") && !page.contains("<link"))
  }

  @Test(arguments: ["linear+wa", "ot", "arc+bfly"])
  func `a path of stages is written as its networks and computed again`(method: String) throws {
    try program.run("connect", "a.lcw", "b.lcw", "-m", method, "-o", "path.lcw")
    let study = try program.json(
      "evaluate", "path.lcw", "--points", "5", "--no-refine", "--format", "json", "--report",
      "staged.html")
    let stages = try #require(study.object?["stages"]?.array)
    let points = try #require(study.object?["points"]?.array)
    #expect(stages.count > 1 && points.count == 4 * stages.count + 1)
    #expect(stages.allSatisfy { $0.object?["worst_train_accuracy"]?.double != nil })
    #expect(try !#require(study.object?["remarks"]?.array).isEmpty)
    for (at, network) in [("0", "a.lcw"), ("\(stages.count)", "b.lcw")] {
      try program.run("export", "path.lcw", "--at", at, "-o", "end-\(at).lcw")
      #expect(try metrics("end-\(at).lcw") == metrics(network))
    }
    let page = String(decoding: try program.bytes("staged.html"), as: UTF8.self)
    #expect(page.contains("What each stage costs") && page.contains("needs data"))
    let outside = try program.run(
      "export", "path.lcw", "--at", "9", "-o", "beyond.lcw", expecting: 64)
    #expect(outside.errors.contains("t runs from 0 to \(stages.count)"))
  }

  @Test
  func `what a path solves for can be kept beside its recipe`() throws {
    let evaluation = ["--points", "5", "--no-refine"]
    let made = try program.run(
      ["connect", "a.lcw", "b.lcw", "-m", "arc+wa", "-o", "kept.lcw", "--keep-adjusted"]
        + evaluation + ["--format", "csv"], expecting: 0)
    // Three points within each stage on which the layer behind is adjusted, and none where stages meet.
    #expect(made.errors.contains("it stores the solutions at 3 points, "), "\(made.errors)")
    let again = try program.run(
      ["evaluate", "kept.lcw"] + evaluation + ["--format", "csv"], expecting: 0)
    func losses(_ csv: String) -> [Substring] {
      csv.split(separator: "\r\n").map {
        $0.split(separator: ",").suffix(4).joined(separator: ",")[...]
      }
    }
    #expect(losses(again.output) == losses(made.output) && losses(again.output).count > 5)
    let plain = try program.run(
      "connect", "a.lcw", "b.lcw", "-m", "linear", "-o", "plain.lcw", "--keep-adjusted")
    #expect(plain.output.contains("nothing is solved for at its points"))
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "--keep-adjusted", expecting: 64)
  }

  @Test
  func `a curve is trained and saved whole`() throws {
    try program.run(
      "connect", "a.lcw", "b.lcw", "-m", "garipov:epochs=3,batch=32,rate=0.05", "-o", "curve.lcw")
    let summary = try program.json("evaluate", "curve.lcw", "--format", "json").object?["summary"]
    let worst = try #require(summary?.array?.first?.object?["worst_train_accuracy"]?.double)
    #expect(worst > 0.5)
    let files = try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path)
    #expect(files.contains("curve.lcw") && !files.contains { $0.contains("state") })
    let error = try program.run(
      "connect", "a.lcw", "b.lcw", "-m", "garipov:points=1", expecting: 64)
    #expect(error.errors.contains("points"))
  }

  @Test
  func `a state file is nobody else's`() throws {
    try program.run("convert", "a.lcw", "p.lcw.state.lcw")
    let before = try program.bytes("p.lcw.state.lcw")
    // A method that keeps no state leaves it alone.
    try program.run("connect", "a.lcw", "b.lcw", "-m", "linear", "-o", "p.lcw")
    #expect(try program.bytes("p.lcw.state.lcw") == before)
    for more in [[], ["--resume"]] {
      let curve =
        ["connect", "a.lcw", "b.lcw", "-m", "garipov:epochs=2", "-o", "p.lcw", "--overwrite"] + more
      let outcome = try program.run(curve, expecting: 64)
      #expect(outcome.errors.contains(more.isEmpty ? "--resume" : "another run"))
      #expect(try program.bytes("p.lcw.state.lcw") == before)
    }
    let input = try program.run(
      "connect", "p.lcw.state.lcw", "b.lcw", "-m", "garipov:epochs=2", "-o", "p.lcw",
      "--overwrite", expecting: 64)
    #expect(input.errors.contains("both an input and the output"))
    for wrong in [
      ["-m", "arc", "-o", "q.lcw"], ["-m", "garipov:epochs=2"],
      ["-m", "garipov:epochs=2", "-o", "q.lcw"],
    ] {
      try program.run(["connect", "a.lcw", "b.lcw", "--resume"] + wrong, expecting: 64)
    }
  }

  @Test
  func `an ensemble is written, evaluated and reported`() throws {
    let made = try program.json(
      "ensemble", "a.lcw", "b.lcw", "--head", "1", "-o", "both.lcw", "--report", "both.html",
      "--format", "json")
    let rows = try #require(made.array)
    #expect(
      rows.map { $0.object?["ensemble"] } == ["WA(1)", "WA(1)", "independent", "independent"])
    let read = try #require(
      try program.json("evaluate", "both.lcw", "--format", "json").array)
    #expect(read.count == 2)
    for (x, y) in zip(read, rows) {
      #expect(x.object?["test_accuracy"] == y.object?["test_accuracy"])
      #expect(x.object?["stored_values"] == y.object?["stored_values"])
    }
    #expect(XMLParser(data: try program.bytes("both.html")).parse())
    #expect(
      try program.run("ensemble", "a.lcw", "b.lcw", "--head", "5", expecting: 64).errors
        .contains("a head of 5 layers is not possible"))
    try program.run("ensemble", "a.lcw", expecting: 64)
    try program.run(
      "ensemble", "a.lcw", "b.lcw", "--head", "1", "--head", "2", "-o", "x.lcw", expecting: 64)
    try program.run("evaluate", "both.lcw", "a.lcw", expecting: 64)
  }

  @Test
  func `so many pairs are compared as are asked for`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=30", "--dataset", "digits", "--epochs", "1",
      "--seed", "3", "-o", "c.lcw", "--quiet")
    let all = try program.json(
      "compare", "a.lcw", "b.lcw", "c.lcw", "-m", "linear", "--quiet", "--format", "json")
    #expect(all.object?["pairs"]?.array?.count == 3)
    let two = try program.json(
      "compare", "a.lcw", "b.lcw", "c.lcw", "-m", "linear", "--pairs", "2", "--quiet", "--format",
      "json")
    #expect(
      two.object?["pairs"]?.array?.map { $0.object?["first"] } == ["a.lcw", "b.lcw"])
    // The mean of the ends is that of networks which are joined.
    let one = try program.run(
      "compare", "a.lcw", "b.lcw", "c.lcw", "-m", "linear", "--pairs", "1", "--quiet")
    #expect(one.output.contains("end points (2)"))
    try program.run("compare", "a.lcw", "b.lcw", "-m", "wa", expecting: 64)
  }

  @Test
  func `paths are compared in one report too`() throws {
    for method in ["linear", "arc"] {
      try program.run("connect", "a.lcw", "b.lcw", "-m", method, "-o", "\(method).lcw")
    }
    let csv = try program.run(
      "evaluate", "linear.lcw", "arc.lcw", "--format", "csv", "--report", "both.html", "--samples",
      "200")
    #expect(csv.output.split(separator: "\r\n").count > 42)
    #expect(try program.bytes("both.html").count > 10_000)
  }

  @Test
  func `a network goes to safetensors and comes back by name or by order`() throws {
    try program.run("convert", "a.lcw", "a.safetensors")
    let outcome = try program.run(
      "convert", "a.safetensors", "back.lcw", "--architecture", "mlp:hidden=30", "--dataset",
      "digits")
    #expect(outcome.output.contains("matched by name"))
    #expect(try metrics("back.lcw") == metrics("a.lcw"))
    let direct = try program.json(
      "evaluate", "a.safetensors", "--architecture", "mlp:hidden=30", "--dataset", "digits",
      "--format", "json")
    #expect(
      direct.array?.first?.object?["train_loss"] == (try metrics("a.lcw")).object?["train_loss"])
    let wrong = try program.run(
      "convert", "a.safetensors", "x.lcw", "--architecture", "mlp:hidden=31", "--dataset",
      "digits", expecting: 65)
    #expect(wrong.errors.contains("parameters: dense1.weight [31, 64]"))
    #expect(wrong.errors.contains("tensors: dense1.bias [30]"))
    // Written by this program, the file names its own network.
    let own = try program.json("evaluate", "a.safetensors", "--format", "json")
    #expect(own.array?.first?.object?["test_loss"] == (try metrics("a.lcw")).object?["test_loss"])
  }

  @Test
  func `inspect shows metadata and tensors`() throws {
    let table = try program.run("inspect", "a.lcw")
    for text in ["mlp:hidden=30", "digits", "dense1.weight", "[30, 64]", "f32"] {
      #expect(table.output.contains(text))
    }
    let json = try program.json("inspect", "a.lcw", "--json")
    #expect(json.object?["kind"] == "checkpoint")
    #expect(json.object?["tensors"]?.array?.count == 4)
    let metrics = json.object?["metadata"]?.object?["metrics"]?.object
    #expect(metrics?["test_accuracy"]?.double ?? 0 > 0.5)
  }

  @Test
  func `no input is ever replaced by an output`() throws {
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "path.lcw")
    let before = try ["a.lcw", "b.lcw", "path.lcw"].map(program.bytes)
    try FileManager.default.createSymbolicLink(
      at: program.folder.url.appendingPathComponent("link.lcw"),
      withDestinationURL: program.folder.url.appendingPathComponent("b.lcw"))
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "a.lcw", expecting: 64)
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "link.lcw", expecting: 64)
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "--report", "a.lcw", expecting: 64)
    try program.run("evaluate", "path.lcw", "--report", "a.lcw", expecting: 64)
    try program.run("export", "path.lcw", "--at", "0.5", "-o", "path.lcw", expecting: 64)
    try program.run("convert", "a.lcw", "./a.lcw", expecting: 64)
    #expect(try ["a.lcw", "b.lcw", "path.lcw"].map(program.bytes) == before)
  }

  @Test
  func `no output takes the place of a file unless that is wanted`() throws {
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "path.lcw")
    try program.run("ensemble", "a.lcw", "b.lcw", "-o", "both.lcw")
    try program.run("convert", "a.lcw", "copy.lcw")
    let files = ["copy.lcw", "path.lcw", "both.lcw"]
    let before = try files.map(program.bytes)
    let commands = [
      ["convert", "b.lcw", "copy.lcw"], ["convert", "b.lcw", "path.lcw"],
      ["extract", "b.lcw", "dense1.bias", "-o", "both.lcw"],
      ["export", "path.lcw", "--at", "0.5", "-o", "copy.lcw"],
      ["connect", "b.lcw", "a.lcw", "-m", "arc", "-o", "path.lcw"],
      ["ensemble", "b.lcw", "a.lcw", "-o", "both.lcw"],
    ]
    for command in commands {
      let outcome = try program.run(command, expecting: 64)
      #expect(outcome.errors.contains("already exists"), "\(outcome.errors)")
    }
    #expect(try files.map(program.bytes) == before)
    // With a word, but not a path by a network: only what copies any file may do that.
    try program.run(
      "export", "path.lcw", "--at", "0.5", "-o", "both.lcw", "--overwrite", expecting: 64)
    for (output, command) in [
      ("copy.lcw", ["convert", "b.lcw", "copy.lcw"]),
      ("copy.lcw", ["export", "path.lcw", "--at", "0.5", "-o", "copy.lcw"]),
      ("copy.lcw", ["extract", "b.lcw", "dense1.bias", "-o", "copy.lcw"]),
      ("path.lcw", ["connect", "b.lcw", "a.lcw", "-m", "arc", "-o", "path.lcw"]),
      ("both.lcw", ["ensemble", "b.lcw", "a.lcw", "-o", "both.lcw"]),
    ] {
      let old = try program.bytes(output)
      try program.run(command + ["--overwrite"])
      #expect(try program.bytes(output) != old, "\(command)")
    }
  }

  @Test
  func `what is printed beside an archive is the figures alone`() throws {
    let json = try program.json(
      "connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "p.lcw", "--format", "json", "--points", "3")
    let points = try #require(json.object?["points"]?.array)
    #expect(points.count { $0.object?["on_grid"] == "yes" } == 3)
    #expect(try program.run("inspect", "p.lcw").output.contains("path"))
  }

  @Test
  func `weights go back under the names that they came with`() throws {
    try program.run(
      "convert", "a.lcw", "torch.safetensors", "--rename", "dense1=net.0", "--rename",
      "dense2=net.2")
    try program.run(
      "convert", "torch.safetensors", "own.lcw", "--architecture", "mlp:hidden=30", "--dataset",
      "digits")
    try program.run("connect", "own.lcw", "b.lcw", "-m", "arc", "-o", "path.lcw")
    try program.run("export", "path.lcw", "--at", "0.5", "-o", "middle.lcw")
    try program.run(
      "convert", "middle.lcw", "back.safetensors", "--names-of", "torch.safetensors", "--dtype",
      "f64")
    let names = try program.json("inspect", "back.safetensors", "--json").object?["tensors"]?.array
    #expect(
      names?.compactMap { $0.object?["name"]?.string }.sorted()
        == ["net.0.bias", "net.0.weight", "net.2.bias", "net.2.weight"])
    #expect(names?.allSatisfy { $0.object?["dtype"] == "f64" } == true)
    try program.run(
      "convert", "own.lcw", "same.safetensors", "--names-of", "torch.safetensors")
    let same = try program.run("diff", "same.safetensors", "torch.safetensors")
    #expect(same.output == "0 of 4 tensors differ\n")
    let path = try program.run(
      "convert", "path.lcw", "x.safetensors", "--names-of", "torch.safetensors", expecting: 64)
    #expect(path.errors.contains("holds a path, not a network"))
    try program.run(
      "convert", "torch.safetensors", "x.lcw", "--names-of", "a.lcw", expecting: 64)
    try program.run(
      "convert", "own.lcw", "x.lcw", "--names-of", "a.lcw", "--select", "dense*", expecting: 64)
    try program.run(
      "train", "--architecture", "mlp:hidden=12", "--dataset", "digits", "--epochs", "1", "-o",
      "narrow.lcw", "--quiet")
    let other = try program.run(
      "convert", "narrow.lcw", "x.safetensors", "--names-of", "torch.safetensors", expecting: 65)
    #expect(other.errors.contains("do not fit"))
  }

  @Test
  func `layers that are alike go back under the names that were said to be theirs`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=12x12x12", "--dataset", "digits", "--epochs", "1",
      "-o",
      "deep.lcw", "--quiet")
    let names = ["dense2=zeta", "dense3=alpha", "dense1=first", "dense4=last"]
    try program.run(
      ["convert", "deep.lcw", "torch.safetensors"] + names.flatMap { ["--rename", $0] })
    let back = ["convert", "deep.lcw", "back.safetensors", "--names-of", "torch.safetensors"]
    #expect(try program.run(back, expecting: 65).errors.contains("several orders"))
    let renames = ["zeta=dense2", "alpha=dense3", "first=dense1", "last=dense4"].flatMap {
      ["--rename", $0]
    }
    let said = try program.run(back + renames)
    #expect(said.output.contains("dense2.weight [12, 12] as zeta.weight"))
    let same = try program.run("diff", "back.safetensors", "torch.safetensors")
    #expect(same.output == "0 of 8 tensors differ\n")
    // An order of the file is not enough: what was said on the way here may have been another.
    try program.run(
      ["convert", "deep.lcw", "torch.npz"] + names.flatMap { ["--rename", $0] })
    let other = ["convert", "deep.lcw", "other.npz", "--names-of", "torch.npz"]
    let told = try program.run(other, expecting: 64)
    #expect(told.errors.contains("do not tell which layer is which"), "\(told.errors)")
    try program.run(other + renames)
    #expect(try program.run("diff", "other.npz", "torch.npz").output == "0 of 8 tensors differ\n")
  }

  @Test
  func `a path is evaluated where something is said of how`() throws {
    for (place, option) in [["--strategy", "point-by-point"], ["--refine"], ["--no-refine"]]
      .enumerated()
    {
      let outcome = try program.run(
        ["connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "p\(place).lcw", "--quiet"] + option)
      #expect(outcome.output.contains("worst"), "\(option)")
    }
  }

  @Test
  func `pipes and folders are refused, not waited for or replaced`() throws {
    let pipe = program.folder.url.appendingPathComponent("pipe.lcw")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    let input = try program.run("inspect", "pipe.lcw", expecting: 1)
    #expect(input.errors.contains("not a regular file"))
    let output = try program.run("convert", "a.lcw", "pipe.lcw", expecting: 1)
    #expect(output.errors.contains("not a regular file"))
    #expect(
      try program.run("inspect", ".", expecting: 65).errors
        .contains("is a folder without an index of a checkpoint's files"))
  }

  /// A copy of `a.lcw` as Safetensors, the first weights replaced by one value.
  private func replaceWeights(by value: Float, in name: String) throws {
    try program.run("extract", "a.lcw", "dense1.weight", "-o", "w.raw", "--overwrite")
    try program.run("convert", "a.lcw", name)
    var bytes = try program.bytes(name)
    let weights = try program.bytes("w.raw")
    let place = try #require(bytes.range(of: weights))
    let word = withUnsafeBytes(of: value.bitPattern.littleEndian) { Data($0) }
    bytes.replaceSubrange(
      place, with: (0..<weights.count / 4).reduce(into: Data()) { data, _ in data += word })
    try bytes.write(to: program.folder.url.appendingPathComponent(name))
  }

  @Test
  func `what is not finite, or overflows, is joined by no method`() throws {
    try replaceWeights(by: .nan, in: "nan.safetensors")
    for arguments in [
      ["connect", "a.lcw", "nan.safetensors", "-m", "arc"],
      ["connect", "a.lcw", "nan.safetensors", "-m", "linear", "-o", "x.lcw"],
      ["compare", "a.lcw", "b.lcw", "nan.safetensors", "-m", "linear"],
    ] {
      let outcome = try program.run(arguments, expecting: 65)
      #expect(outcome.errors.contains("not finite"), "\(outcome.errors)")
    }
    // A unit's products with such weights add up to infinity.
    try replaceWeights(by: 1e38, in: "huge.safetensors")
    for strategy in ["structured", "point-by-point"] {
      let outcome = try program.run(
        "connect", "a.lcw", "huge.safetensors", "-m", "linear", "--strategy", strategy,
        expecting: 65)
      #expect(
        outcome.errors.contains("huge.safetensors: the weights of ‘dense1.weight’ are too large"),
        "\(outcome.errors)")
    }
    let all = try program.run(
      "compare", "a.lcw", "b.lcw", "huge.safetensors", "-m", "linear", expecting: 65)
    #expect(
      all.errors.contains("huge.safetensors: the weights of ‘dense1.weight’ are too large"),
      "\(all.errors)")
  }

  @Test
  func `paths of different networks are not mixed`() throws {
    for name in ["c.lcw", "d.lcw"] {
      try program.run(
        "train", "--architecture", "mlp:hidden=12", "--dataset", "digits", "--epochs", "1", "-o",
        name, "--quiet")
    }
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "wide.lcw")
    try program.run("connect", "c.lcw", "d.lcw", "-m", "arc", "-o", "narrow.lcw")
    let outcome = try program.run(
      "evaluate", "wide.lcw", "narrow.lcw", "--report", "x.html", expecting: 64)
    #expect(outcome.errors.contains("evaluate each alone"))
    let compare = try program.run("compare", "a.lcw", "b.lcw", "c.lcw", "-m", "arc", expecting: 65)
    #expect(compare.errors.contains("a.lcw and c.lcw hold different networks"))
    let table = try program.json(
      "compare", "a.lcw", "b.lcw", "-m", "arc", "-m", "arc", "--format", "json", "--quiet")
    #expect(table.object?["pairs"]?.array?.count == 1)
  }

  @Test
  func `full or closed outputs do not crash the program`() throws {
    let full = FileHandle(forWritingAtPath: "/dev/full")
    let device = try #require(full)
    let process = try program.start(["plugins"], output: device).finish()
    #expect(process.status == 1)
    let silent = try program.start(["inspect", "none.lcw"], errors: device).finish()
    #expect(silent.status == 66)
  }

  @Test
  func `what can't be done is told with its status`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=20", "--dataset", "digits", "--epochs", "1", "-o",
      "other.lcw", "--quiet")
    let mismatch = try program.run("connect", "a.lcw", "other.lcw", "-m", "arc", expecting: 65)
    #expect(mismatch.errors.contains("dense 30") && mismatch.errors.contains("dense 20"))
    #expect(
      try program.run("evaluate", "none.lcw", expecting: 66).errors
        == "error: there is no file \(program.folder.url.path)/none.lcw\n")
    try Data("hello".utf8).write(to: program.folder.url.appendingPathComponent("junk.lcw"))
    #expect(
      try program.run("inspect", "junk.lcw", expecting: 65).errors
        .contains("junk.lcw is text, which starts with ‘hello’"))
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "path.lcw")
    #expect(
      try program.run("export", "path.lcw", "--at", "1.5", "-o", "x.lcw", expecting: 64)
        .errors.contains("outside"))
    #expect(
      try program.run("connect", "a.lcw", "path.lcw", "-m", "arc", expecting: 65).errors
        .contains("expected a checkpoint"))
    #expect(
      try program.run("export", "a.lcw", "--at", "0", "-o", "x.lcw", expecting: 65).errors
        .contains("expected a path"))
    #expect(try program.run("convert", "a.lcw", "a.xyz", expecting: 64).errors.contains("a.xyz"))
    try program.run(
      "connect", "a.lcw", "b.lcw", "-m", "arc", "-m", "linear", "-o", "p.lcw", expecting: 64)
    let foreign = try program.run(
      "connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "p.npz", expecting: 64)
    #expect(foreign.errors.contains("not a path; give the file a name that ends in .lcw"))
    var cut = try program.bytes("a.lcw")
    cut.removeLast(700)
    try cut.write(to: program.folder.url.appendingPathComponent("cut.lcw"))
    try program.run("evaluate", "cut.lcw", expecting: 65)
  }
}
