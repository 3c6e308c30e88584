// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// Files whose architecture is looked for, networks that files name themselves, and the way back.
struct SearchedArchitectureTests {
  private let program: Program

  private static let tests = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()

  init() throws { program = try Program() }

  private func architecture(_ name: String) -> String {
    Self.tests.appendingPathComponent("ArchitectureTests/Fixtures/\(name)").path
  }

  private func foreign(_ name: String) -> String {
    Self.tests.appendingPathComponent("ForeignFormatTests/Fixtures/\(name)").path
  }

  private func metadata(_ file: String) throws -> [String: JSONValue] {
    try program.json("inspect", file, "--json").object?["metadata"]?.object ?? [:]
  }

  @Test
  func `the one architecture that fits is bound, under torchvision's names too`() throws {
    for (file, expected) in [
      ("resnet18_stem.safetensors", "resnet-imagenet:stem=cifar,width=0.015625"),
      ("resnet20_padding.pt", "resnet:width=0.125"),
      ("vgg13_batch_cifar.safetensors", "vgg:depth=13,width=0.015625"),
    ] {
      let said = try program.run(
        "convert", architecture(file), "a.lcw", "--architecture", "auto", "--dataset", "cifar10",
        "--no-check", "--overwrite"
      ).output
      #expect(said.hasPrefix("a.lcw: \(expected), matched by name"), "\(said)")
      #expect(try metadata("a.lcw")["architecture"]?.string == expected)
    }
  }

  @Test
  func `two networks in one file are told apart`() throws {
    let file = architecture("resnet20_padding.pt")
    var places: [String: JSONValue] = [:]
    for part in ["model", "ema"] {
      let shard = "\(part).safetensors"
      try program.run("convert", file, shard, "--rename", "state_dict.module=\(part)")
      let json = try program.json("inspect", shard, "--json")
      for tensor in try #require(json.object?["tensors"]?.array) {
        places[try #require(tensor.object?["name"]?.string)] = .string(shard)
      }
    }
    try Data(JSONValue.object(["weight_map": .object(places)]).prettyText.utf8)
      .write(to: program.folder.url.appendingPathComponent("both.safetensors.index.json"))
    let said = try program.run(
      "convert", "both.safetensors.index.json", "a.lcw", "--architecture", "auto", "--dataset",
      "cifar10",
      expecting: 64
    ).errors
    #expect(said.contains("‘model.’") && said.contains("‘ema.’"), "\(said)")
    #expect(said.contains("--select"))
  }

  @Test
  func `what fits nothing is told with the nearest, and other classes with their number`() throws {
    let file = architecture("resnet20_padding.pt")
    let classes = try program.run(
      "convert", file, "a.lcw", "--architecture", "auto", "--dataset", "cifar100", expecting: 64
    ).errors
    #expect(
      classes.contains("fit resnet:width=0.125 of 10 classes, and cifar100 has 100"), "\(classes)")
    let nothing = try program.run(
      "convert", file, "a.lcw", "--architecture", "auto", "--dataset", "cifar10", "--select",
      "*.conv1*", "--select", "*.layer1*", "--select", "*.linear*", expecting: 64
    ).errors
    #expect(nothing.contains("the nearest are resnet:"), "\(nothing)")
    #expect(nothing.split(separator: "\n").count == 1)
    let unnamed = try program.run(
      "convert", file, "a.lcw", "--architecture", "auto", expecting: 64
    ).errors
    #expect(unnamed.contains("resnet:width=0.125 with --dataset cifar10"), "\(unnamed)")
    #expect(
      !FileManager.default.fileExists(
        atPath: program.folder.url.appendingPathComponent("a.lcw").path))
  }

  @Test
  func `matrices that have to be turned are said, and other commands look too`() throws {
    let file = foreign("19_in_out.npz")
    let hint = try program.run(
      "convert", file, "a.lcw", "--architecture", "auto", "--dataset", "digits", expecting: 64)
    #expect(hint.errors.contains("fit mlp:hidden=20 when transposed"), "\(hint.errors)")
    let turned = try program.run(
      "convert", file, "a.lcw", "--architecture", "auto", "--dataset", "digits", "--transpose",
      "--no-check")
    #expect(turned.output.hasPrefix("a.lcw: mlp:hidden=20, "))
    try program.run("convert", "a.lcw", "b.npz", "--select", "dense*")
    let evaluated = try program.run(
      "evaluate", "b.npz", "--architecture", "auto", "--dataset", "digits")
    #expect(evaluated.errors.contains("note: b.npz: the tensors fit mlp:hidden=20"))
    // Names and layout as they came.
    try program.run("convert", "a.lcw", "back.npz", "--names-of", file, "--transpose")
    #expect(try program.run("diff", "back.npz", file).status == 0)
  }

  @Test
  func `a network that its file names takes a data set`() throws {
    try program.run(
      "train", "--architecture",
      "sequential:layers=flatten; dense 12; batchnorm; relu; dense classes",
      "--dataset", "digits", "--epochs", "2", "-o", "a.lcw", "--quiet")
    try program.run("convert", "a.lcw", "a.onnx")
    let said = try program.run(
      "convert", "a.onnx", "b.lcw", "--dataset", "digits:mean=0.3,deviation=0.4"
    ).output
    #expect(said.contains("samples of digits:deviation=0.4,mean=0.3: (pixel / 16 − 0.3) / 0.4"))
    #expect(said.contains("test accuracy "))
    let written = try metadata("b.lcw")
    #expect(written["dataset"]?.string == "digits:deviation=0.4,mean=0.3")
    #expect(written["preprocessing"]?.string == "(pixel / 16 − 0.3) / 0.4")
    let folded = try program.run(
      "convert", "a.onnx", "f.lcw", "--dataset", "digits", "--fold-batchnorm"
    ).output
    #expect(folded.contains("1 batch normalisation folded") && folded.contains("test accuracy "))
    #expect(try metadata("f.lcw")["dataset"]?.string == "digits")
    for options in [[], ["--fold-batchnorm"]] {
      let wrong = try program.run(
        ["convert", "a.onnx", "x.lcw", "--dataset", "mnist"] + options, expecting: 64)
      #expect(wrong.errors.contains("has samples [1, 28, 28]"), "\(wrong.errors)")
    }
    try program.run("convert", "a.lcw", "c.safetensors", "--select", "dense*")
    let unnamed = try program.run(
      "convert", "c.safetensors", "x.lcw", "--dataset", "digits", expecting: 64)
    #expect(unnamed.errors.contains("--architecture auto"), "\(unnamed.errors)")
  }

  @Test
  func `the middle of a path goes back into the keys of a file with batch normalisations`() throws {
    let file = architecture("resnet20_projection.safetensors")
    try program.run(
      "convert", file, "a.lcw", "--architecture", "auto", "--dataset", "cifar10", "--no-check")
    try program.run("convert", "a.lcw", "f.lcw", "--fold-batchnorm")
    try program.run("connect", "f.lcw", "f.lcw", "-m", "linear", "-o", "path.lcw")
    try program.run("export", "path.lcw", "--at", "0.5", "-o", "middle.lcw")
    let said = try program.run("convert", "middle.lcw", "m.safetensors", "--names-of", file).output
    #expect(said.contains("batch normalisations add the folded bias"), "\(said)")
    func names(_ path: String) throws -> Set<String> {
      let tensors = try program.json("inspect", path, "--json").object?["tensors"]?.array ?? []
      return Set(tensors.compactMap { $0.object?["name"]?.string })
    }
    #expect(try names("m.safetensors") == names(file))
    // Folded again it is the middle, bit for bit.
    try program.run(
      "convert", "m.safetensors", "n.lcw", "--architecture", "auto", "--dataset", "cifar10",
      "--no-check")
    try program.run("convert", "n.lcw", "g.lcw", "--fold-batchnorm")
    #expect(try program.run("diff", "g.lcw", "middle.lcw", expecting: nil).status == 0)
    let other = try program.run(
      "convert", "middle.lcw", "x.safetensors", "--names-of", file, "--architecture",
      "resnet:depth=14,width=0.125,shortcut=projection", expecting: 64)
    #expect(other.errors.contains("is not the folded form"), "\(other.errors)")
  }
}

/// The lines of the documents that take a path's middle back into a module of PyTorch.
struct BackToPyTorchTests {
  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let python = ProcessInfo.processInfo.environment["LCW_PYTHON"] ?? "python3"

  private static func run(_ arguments: [String], in folder: URL) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python] + arguments
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  private static var hasTorch: Bool {
    let modules = "import torch, torchvision, safetensors"
    return (try? run(["-c", modules], in: package))?.0 == 0
  }

  @Test(.enabled(if: hasTorch, "there is no Python with torch; LCW_PYTHON can name one"))
  func `the middle of a path has the logits that PyTorch computes for it`() throws {
    let folder = try TemporaryFolder()
    let command = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("lcw")
    let (status, output) = try Self.run(
      [
        Self.package.appendingPathComponent("Tests/Reference/back_to_pytorch.py").path,
        command.path,
        Self.package.appendingPathComponent("Docs/LCW.docc/PyTorchCheckpoints.md").path,
      ], in: folder.url)
    #expect(status == 0, "\(output)")
    #expect(output.contains("largest difference of the logits"), "\(output)")
  }
}
