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
  // MARK: - Options

  @Test
  func `formats take options on the command line`() throws {
    try program.run("convert", "a.lcw", "best.lcw", "--format", "lcw:effort=best,sha256=true")
    #expect(
      String(decoding: try program.bytes("best.lcw").prefix(4096), as: UTF8.self)
        .contains("\"sha256\":\""))
    #expect(try program.bytes("best.lcw") != program.bytes("a.lcw"))
    try program.run("convert", "a.lcw", "serial.lcw", "--threads", "1")
    #expect(try program.bytes("serial.lcw") == program.bytes("a.lcw"))
    try program.run("convert", "a.lcw", "packed", "--format", "numpy:compress=true")
    try program.run("diff", "a.lcw", "packed")
    try program.run("extract", "a.lcw", "dense1.bias", "-o", "bias", "--format", "safetensors")
    try program.run("inspect", "bias", "--input-format", "safetensors")
    for arguments in [
      ["convert", "a.lcw", "x.lcw", "--format", "lcw:effort=most"],
      ["convert", "a.lcw", "x.lcw", "--format", "lwc"], ["convert", "a.lcw", "x.pt"],
      ["convert", "a.lcw", "x", "--format", "pytorch"],
      ["extract", "a.lcw", "dense1.bias", "-o", "x.raw", "--format", "lcw"],
      ["inspect", "a.lcw", "--input-format", "lcw:limits=0"],
      ["verify", "a.lcw", "--input-format", "lcw:limits=2", "--input-format", "lcw"],
    ] {
      let outcome = try program.start(arguments).finish()
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("error: "), "\(arguments)")
    }
    for command in ["inspect", "verify"] {
      try program.run(command, "a.lcw", "--input-format", "lcw:limits=2")
    }
  }

  /// The message of a limit names what raises it, and that does.
  @Test
  func `a limit can be raised as its message says`() throws {
    var header = "{"
    for index in 0..<65_537 {
      header += index > 0 ? "," : ""
      header += "\"t\(index)\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}"
    }
    header += "}"
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
    try Data(length + Array(header.utf8)).write(
      to: program.folder.url.appendingPathComponent("many.safetensors"))
    try program.run("convert", "many.safetensors", "many.lcw", expecting: 64)
    try program.run("convert", "many.safetensors", "many.lcw", "--format", "lcw:limits=2")
    let refused = try program.run("verify", "many.lcw", expecting: 65)
    #expect(refused.errors.contains("--input-format lcw:limits=2"))
    try program.run("verify", "many.lcw", "--input-format", "lcw:limits=2")
  }

  // MARK: - Binding

  @Test
  func `a network keeps its types and its metadata when it is bound`() throws {
    try program.run(
      "convert", "a.lcw", "foreign.safetensors", "--dtype", "f64", "--rename", "dense1=fc.0",
      "--rename", "dense2=fc.2")
    try program.run(
      "convert", "foreign.safetensors", "bound.lcw", "--architecture", "mlp:hidden=300",
      "--dataset", "digits")
    let json = try program.json("inspect", "bound.lcw", "--json")
    let tensors = try #require(json.object?["tensors"]?.array).compactMap(\.object)
    #expect(tensors.count == 4 && tensors.allSatisfy { $0["dtype"] == "f64" })
    #expect(try program.run("diff", "a.lcw", "bound.lcw", expecting: 1).output.contains("f32, f64"))
    try program.run("convert", "a.lcw", "again.lcw", "--architecture", "mlp:hidden=300")
    #expect(try program.bytes("again.lcw") == program.bytes("a.lcw"))
    let outcome = try program.start(["convert", "a.lcw", "x.lcw", "--data", "."]).finish()
    #expect(outcome.status == 64 && outcome.errors.contains("--dataset"))
  }

  @Test
  func `batch normalisations are told of, and folded`() throws {
    let layers = "conv 4 3; batchnorm; relu; flatten; dense classes"
    for (name, seed) in [("n1.lcw", "1"), ("n2.lcw", "2")] {
      try program.run(
        "train", "--architecture", "sequential:layers=\(layers)", "--dataset", "digits",
        "--epochs", "2", "--seed", seed, "-o", name, "--quiet")
    }
    let warned = try program.run("connect", "n1.lcw", "n2.lcw", "-m", "linear").errors
    #expect(warned.contains("warning: n1.lcw has running statistics (norm1)"), "\(warned)")
    #expect(warned.contains("lcw convert --fold-batchnorm"))
    let merged = try program.run("merge", "n1.lcw", "n2.lcw", "-m", "linear").errors
    #expect(merged.contains("warning: n1.lcw has running statistics (norm1)"), "\(merged)")
    for (input, output) in [("n1.lcw", "f1.lcw"), ("n2.lcw", "f2.lcw")] {
      let said = try program.run("convert", input, output, "--fold-batchnorm").output
      #expect(
        said == "\(output): sequential:layers=conv 4 3x3; relu; flatten; dense 10, "
          + "1 batch normalisation folded\n")
    }
    func losses(_ file: String) throws -> [Double] {
      let row = try program.json("evaluate", file, "--format", "json").array?.first?.object
      return [row?["train_loss"], row?["test_loss"]].compactMap { $0?.double }
    }
    let (own, folded) = (try losses("n1.lcw"), try losses("f1.lcw"))
    #expect(own.count == 2)
    for (x, y) in zip(own, folded) { #expect(abs(x - y) < 1e-4) }
    try program.run("connect", "f1.lcw", "f2.lcw", "-m", "linear", "-o", "path.lcw")
    let names = try program.run("convert", "f1.lcw", "x.safetensors", "--names-of", "n1.lcw")
    #expect(names.output.contains("1 batch normalisations add the folded bias"), "\(names.output)")
    let nothing = try program.run(
      "convert", "a.lcw", "x.lcw", "--fold-batchnorm", expecting: 64)
    #expect(nothing.errors.contains("no batch normalisation"))
    try program.run(
      "convert", "n1.lcw", "x.lcw", "--fold-batchnorm", "--dtype", "f16", expecting: 64)
  }

  /// A checkpoint that PyTorch wrote under torchvision's names, and what PyTorch makes of images.
  @Test(arguments: [("vgg16", "width=0.04"), ("vgg16_bn", "batchnorm=true,width=0.02")])
  func `torchvision's VGG16 is converted and evaluated`(name: String, options: String) throws {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("ArchitectureTests/Fixtures")
    let expected = try JSONValue(
      parsing: Array(Data(contentsOf: fixtures.appendingPathComponent("vgg.json"))))
    let loss = try #require(expected.object?[name]?.object?["loss"]?.double)
    let records = (0..<3).flatMap { (sample: Int) -> [UInt8] in
      let pixels = (0..<3072).map { (place: Int) -> UInt8 in
        let value = place * place * (sample + 1) + place / 32 * 37
        return UInt8(value % 251)
      }
      return [UInt8(sample)] + pixels
    }
    for file in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
      try Data(records).write(to: program.folder.url.appendingPathComponent(file))
    }
    let said = try program.run(
      "convert", fixtures.appendingPathComponent("\(name).pt").path, "vgg.lcw", "--architecture",
      "vgg16:\(options)", "--dataset", "cifar10"
    ).output
    #expect(said.hasPrefix("vgg.lcw: vgg16:\(options), matched by order and shape\n"))
    #expect(said.contains("conv1.weight [") && said.contains("from features.0.weight\n"))
    #expect(said.contains("dense3.bias [10] from classifier.6.bias\n"))
    if name == "vgg16_bn" {
      try program.run("convert", "vgg.lcw", "folded.lcw", "--fold-batchnorm")
      let names = try program.run(
        "convert", "folded.lcw", "x.safetensors", "--names-of",
        fixtures.appendingPathComponent("\(name).pt").path)
      #expect(names.output.contains(" as features.1.running_mean\n"), "\(names.output)")
    }
    let row = try program.json("evaluate", "vgg.lcw", "--data", ".", "--format", "json")
    for part in ["train_loss", "test_loss"] {
      let found = try #require(row.array?.first?.object?[part]?.double)
      #expect(abs(found - loss) < 2e-5)
    }
  }

  /// A residual network's checkpoint, as PyTorch wrote it behind `state_dict.module.`.
  @Test
  func `a residual network binds by name, and goes back under the same names`() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appendingPathComponent("ArchitectureTests/Fixtures/resnet20_padding.pt").path
    let said = try program.run(
      "convert", file, "residual.lcw", "--architecture", "resnet:width=0.125", "--dataset",
      "cifar10", "--no-check"
    ).output
    #expect(said.hasPrefix("residual.lcw: resnet:width=0.125, matched by name\n"), "\(said)")
    #expect(
      said.contains(
        "layer1.0.bn1.scale [2] from state_dict.module.layer1.0.bn1.weight\n"), "\(said)")
    try program.run("convert", "residual.lcw", "back.safetensors", "--names-of", file)
    func names(_ path: String) throws -> Set<String> {
      let tensors = try program.json("inspect", path, "--json").object?["tensors"]?.array ?? []
      return Set(
        tensors.compactMap { $0.object?["name"]?.string }.filter {
          !$0.hasSuffix("num_batches_tracked") && !$0.hasSuffix("best_prec1")
        })
    }
    #expect(try names("back.safetensors") == names(file))
    let folded = try program.run("convert", "residual.lcw", "folded.lcw", "--fold-batchnorm")
    #expect(folded.output.hasPrefix("folded.lcw: resnet:norm=none,width=0.125, "))
    let other = try program.run(
      "convert", file, "x.lcw", "--architecture", "resnet:depth=14,width=0.125", "--dataset",
      "cifar10", "--no-check", expecting: 65)
    #expect(other.errors.contains("the network has no place for ‘state_dict.module.layer1.2."))
  }

  @Test
  func `structured metadata survive other formats`() throws {
    try program.run("convert", "a.lcw", "b.safetensors")
    try program.run("convert", "b.safetensors", "b.lcw")
    #expect(try program.bytes("b.lcw") == program.bytes("a.lcw"))
  }

  // MARK: - What is said

  @Test
  func `what becomes infinite is said`() throws {
    let header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
    let values = [Float(1e30), 1].withUnsafeBytes { [UInt8]($0) }
    try Data(length + Array(header.utf8) + values).write(
      to: program.folder.url.appendingPathComponent("w.safetensors"))
    let outcome = try program.run("convert", "w.safetensors", "w.lcw", "--dtype", "f16")
    #expect(
      outcome.errors
        == "warning: 1 element of ‘w’ is too large for f16, and became infinite\n")
    #expect(try program.run("convert", "a.lcw", "h.lcw", "--dtype", "f16").errors == "")
  }

  @Test
  func `nothing in a file reaches the terminal as it is`() throws {
    let name = "a\u{1B}[2J\nb"
    let header = JSONValue.object([
      "__metadata__": .object(["note\u{7}": "line\n\u{1B}]0;x"]),
      name: .object([
        "dtype": "U8", "shape": .array([1]), "data_offsets": .array([0, 1]),
      ]),
      "odd": .object([
        "dtype": "F8\u{1B}", "shape": .array([1]), "data_offsets": .array([1, 2]),
      ]),
    ]).compactText
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
    try Data(length + Array(header.utf8) + [1, 2]).write(
      to: program.folder.url.appendingPathComponent("w.safetensors"))
    try program.run("convert", "w.safetensors", "empty.npz", "--select", "a*")
    for arguments in [
      ["inspect", "w.safetensors"], ["inspect", "w.safetensors", "--stats"],
      ["inspect", "w.safetensors", name], ["inspect", "w.safetensors", "--json"],
      ["extract", "w.safetensors", name, "-o", "x.raw"],
      ["diff", "a.lcw", "empty.npz"], ["diff", "a.lcw", "empty.npz", "--format", "csv"],
      ["verify", "w.safetensors"], ["convert", "w.safetensors", "x.lcw"],
    ] {
      let outcome = try program.start(arguments).finish()
      let text = (outcome.output + outcome.errors).unicodeScalars
      #expect(
        text.allSatisfy { $0 == "\n" || $0 == "\r" || $0.properties.generalCategory != .control },
        "\(arguments)")
    }
    let csv = try program.run("diff", "a.lcw", "empty.npz", "--format", "csv", expecting: 1).output
    #expect(csv.utf8.count { $0 == 10 } == 6 && csv.utf8.count { $0 == 13 } == 6)
    #expect(csv.hasSuffix("\r\n") && csv.contains("a\\u{1B}[2J\\nb"))
    let inspected = try program.run("inspect", "w.safetensors").output
    #expect(inspected.contains("1 more is of a type that can't be read"))
  }

  @Test
  func `a difference has a status of its own`() throws {
    try program.run("diff", "a.lcw", "a.lcw")
    try program.run("diff", "a.lcw", "none.lcw", expecting: 66)
    try program.run("diff", "a.lcw", "/dev/null", expecting: 2)
    try program.run("diff", "a.lcw", ".", expecting: 65)
  }

  @Test
  func `standard input is read once, and goes by its name`() throws {
    let input = program.folder.url.appendingPathComponent("text")
    try Data("no checkpoint".utf8).write(to: input)
    let wrong = try program.start(["inspect", "-"], input: input).finish()
    #expect(wrong.status == 65 && wrong.errors.hasPrefix("error: standard input is text, which"))
    var bytes = try program.bytes("a.lcw")
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: input)
    let damaged = try program.start(["verify", "-"], input: input).finish()
    #expect(damaged.status == 65 && damaged.errors.hasPrefix("error: standard input is damaged"))
    for arguments in [["diff", "-", "-"], ["verify", "-", "-"], ["evaluate", "-", "-"]] {
      let outcome = try program.start(arguments, input: input).finish()
      #expect(outcome.status == 64 && outcome.errors.contains("only once"), "\(arguments)")
    }
    let whole = program.folder.url.appendingPathComponent("a.lcw")
    let evaluated = try program.start(["evaluate", "-"], input: whole).finish()
    #expect(evaluated.status == 0, "\(evaluated.errors)")
  }
}
