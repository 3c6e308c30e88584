// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// The data that may lie beside the package.
private let sharedData = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("shared/data", isDirectory: true)

private let hasMNIST = FileManager.default.fileExists(
  atPath: sharedData.appendingPathComponent("mnist/t10k-images-idx3-ubyte.gz").path)

/// How commands tell what samples a network was measured on.
struct NormalisationCommandTests {
  private let program: Program

  init() throws { program = try Program() }

  private func fixture(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      .appendingPathComponent(name)
  }

  // MARK: - A network of PyTorch's

  /// PyTorch's figures, which Tests/Reference/normalisation_fixture.py wrote.
  @Test(
    .enabled(if: hasMNIST, "MNIST is not beside the package"),
    arguments: [
      ("own", "mnist:mean=0.1307,deviation=0.3081"), ("own", "mnist:normalisation=mnist"),
      ("plain", "mnist"), ("shifted", "mnist:mean=0.1307"),
      ("channel", "mnist:standardise=channel"),
      ("feature", "mnist:standardise=feature"),
    ])
  func `a network has PyTorch's figures, to the sample`(name: String, dataset: String) throws {
    let figures = try JSONValue(
      parsing: Array(try Data(contentsOf: fixture("mnist_normalised.json"))))
    let figure = try #require(figures.object?[name]?.object)
    let correct = try #require(figure["correct"]?.integer)
    let loss = try #require(figure["loss"]?.double)
    let said = try program.run(
      "convert", fixture("mnist_normalised.safetensors").path, "a.lcw", "--architecture",
      "mlp:hidden=20x20", "--dataset", dataset, "--data", sharedData.path)
    let percent = String(format: "%.2f", Double(correct) / 100)
    #expect(
      said.output.contains(
        "  test accuracy \(percent) %, loss \(String(format: "%.4f", loss)) on 10000 test samples "
          + "like this: compare with your own result\n"))
    let row = try #require(
      try program.json("evaluate", "a.lcw", "--data", sharedData.path, "--format", "json")
        .array?.first?.object)
    #expect(row["test_accuracy"]?.double == Double(correct) / 10_000)
    #expect(abs(try #require(row["test_loss"]?.double) - loss) < 1e-6)
    #expect(row["dataset"]?.string?.hasPrefix("mnist") == true)
    // 94.29 % is what the file says.
    #expect(said.errors.hasPrefix("hint: ") == ["plain", "feature"].contains(name))
  }

  @Test(.enabled(if: hasMNIST, "MNIST is not beside the package"))
  func `an accuracy far below the recorded one hints at normalisation`() throws {
    let file = try fixture("mnist_normalised.safetensors").path
    let options = ["--architecture", "mlp:hidden=20x20", "--data", sharedData.path, "--dataset"]
    let wrong = try program.run(["evaluate", file] + options + ["mnist"])
    #expect(
      wrong.errors
        == "hint: \(file) says 94.29 % (test_accuracy), but here it has 93.07 %: were its "
        + "samples normalised differently? Then say how, as in --dataset mnist:mean=0.5,deviation=0.25 "
        + "(lcw plugins mnist lists the options)\n")
    #expect(wrong.output.contains("\nsamples of mnist: pixel / 255\n"))
    let right = try program.run(["evaluate", file] + options + ["mnist:normalisation=mnist"])
    #expect(right.errors == "")
    #expect(
      right.output.contains(
        "samples of mnist:normalisation=mnist: (pixel / 255 − 0.1307) / 0.3081"))
    // What the foreign file says is kept, so that what becomes of it hints as well.
    try program.run(["convert", file, "a.lcw", "--no-check"] + options + ["mnist"])
    #expect(
      try program.run("evaluate", "a.lcw", "--data", sharedData.path).errors
        .contains("hint: a.lcw says 94.29 % (accuracy)"))
  }

  // MARK: - Where no files are needed

  private func train(_ file: String, dataset: String = "digits") throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=30", "--dataset", dataset, "--epochs", "3", "-o",
      file, "--quiet")
  }

  @Test
  func `convert says and records the preprocessing, and measures`() throws {
    let dataset = "digits:deviation=0.4,mean=0.3"
    try train("a.lcw", dataset: dataset)
    try program.run(
      "convert", "a.lcw", "foreign.safetensors", "--rename", "dense1=fc.0", "--rename",
      "dense2=fc.2", "--select", "dense*")
    let convert = [
      "convert", "foreign.safetensors", "b.lcw", "--overwrite", "--architecture", "mlp:hidden=30",
      "--dataset", dataset,
    ]
    let said = try program.run(convert).output
    let row = try #require(
      try program.json("evaluate", "a.lcw", "--format", "json").array?.first?.object)
    let accuracy = try #require(row["test_accuracy"]?.double)
    #expect(said.contains("\n  samples of \(dataset): (pixel / 16 − 0.3) / 0.4\n"))
    #expect(
      said.contains("\n  test accuracy \(String(format: "%.2f", accuracy * 100)) %, loss "))
    #expect(said.hasSuffix("on 360 test samples like this: compare with your own result\n"))
    let metadata = try program.json("inspect", "b.lcw", "--json").object?["metadata"]?.object
    #expect(metadata?["dataset"]?.string == dataset)
    #expect(metadata?["preprocessing"]?.string == "(pixel / 16 − 0.3) / 0.4")
    let quick = try program.run(convert + ["--no-check"]).output
    #expect(quick.hasSuffix("samples of \(dataset): (pixel / 16 − 0.3) / 0.4\n"))
    // The figures are those of the weights that are written.
    let coarse = try program.run(convert + ["--dtype", "bf16"]).output
    let written = try #require(
      try program.json("evaluate", "b.lcw", "--format", "json").array?.first?.object)
    let loss = try #require(written["test_loss"]?.double)
    #expect(loss != row["test_loss"]?.double)
    #expect(coarse.contains(" %, loss \(String(format: "%.4f", loss)) on 360 test samples"))
  }

  @Test
  func `convert goes on without the data's files`() throws {
    let file = try fixture("mnist_normalised.safetensors").path
    let said = try program.run(
      "convert", file, "a.lcw", "--architecture", "mlp:hidden=20x20", "--dataset", "mnist",
      "--data", "nowhere")
    #expect(said.output.contains("\n  samples of mnist: pixel / 255\n  not measured: mnist/t10k-"))
    #expect(said.output.contains("is not in "))
    try program.run("verify", "a.lcw")
  }

  @Test
  func `layers of equal shapes are said, unless names tell them`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=64x64x64", "--dataset", "digits", "--epochs", "1",
      "-o", "deep.lcw", "--quiet")
    let names = (1...4).flatMap { ["--rename", "dense\($0)=skip.\($0)"] }
    try program.run(["convert", "deep.lcw", "foreign.safetensors", "--select", "dense*"] + names)
    func said(_ file: String) throws -> String {
      try program.run(
        "convert", file, "out.lcw", "--overwrite", "--architecture", "mlp:hidden=64x64x64",
        "--dataset", "digits"
      ).output
    }
    #expect(
      try said("foreign.safetensors").contains(
        "\n  dense1, dense2 and dense3 have equal shapes: only their order tells them apart, and no "
          + "weight file says whether a layer is skipped\n"))
    #expect(try !said("deep.lcw").contains("equal shapes"))
  }

  @Test
  func `evaluations say what they were measured on, in every format`() throws {
    try train("a.lcw", dataset: "digits:mean=0.3")
    try train("b.lcw")
    let note = "samples of digits:mean=0.3: pixel / 16 − 0.3"
    let both = try program.run("evaluate", "a.lcw", "b.lcw").output
    #expect(both.contains("\n\(note)\nsamples of digits: pixel / 16\n"))
    #expect(try program.run("evaluate", "a.lcw", "--format", "markdown").output.contains(note))
    let lines = try program.run("evaluate", "a.lcw", "--format", "csv").output
    #expect(lines.hasPrefix("network,train_accuracy,train_loss,test_accuracy,test_loss\r\n"))
    #expect(!lines.contains("pixel"))
    // The second is measured on what the first was made for, and that is said.
    let joined = try program.run(
      "connect", "a.lcw", "b.lcw", "-m", "linear", "--points", "3", "--samples", "50", "--report",
      "r.html")
    #expect(
      joined.errors.contains(
        "warning: b.lcw was made for digits, a.lcw for digits:mean=0.3; both are measured on "
          + "digits:mean=0.3, unless --dataset names another\n"))
    #expect(joined.output.contains(note))
    // Another spelling of the same numbers is nothing to warn of.
    try train("c.lcw", dataset: "digits:scale=1/16,mean=0.30")
    let alike = try program.run(
      "connect", "a.lcw", "c.lcw", "-m", "linear", "--points", "3", "--samples", "50", "--quiet")
    #expect(!alike.errors.contains("was made for"))
    #expect(String(decoding: try program.bytes("r.html"), as: UTF8.self).contains(note))
    let study = try program.json(
      "connect", "a.lcw", "a.lcw", "-m", "linear", "--samples", "50", "--format", "json")
    #expect(study.object?["preprocessing"]?.string == "pixel / 16 − 0.3")
    let compared = try program.json(
      "compare", "a.lcw", "a.lcw", "-m", "linear", "--samples", "50", "--format", "json", "--quiet",
      "--dataset", "digits")
    #expect(compared.object?["preprocessing"]?.string == "pixel / 16")
    #expect(compared.object?["dataset"]?.string == "digits")
    let ensemble = try program.json("ensemble", "a.lcw", "a.lcw", "--format", "json")
    #expect(ensemble.array?.first?.object?["preprocessing"]?.string == "pixel / 16 − 0.3")
  }

  @Test(arguments: [
    ("test_acc", "99.5", true), ("val_accuracy", "0.99", true), ("best_acc1", "99 %", true),
    ("Accuracy", "1.0", true), ("train_acc", "99.5", false), ("accumulate", "1", false),
    ("test_acc", "much", false), ("epoch", "90", false),
  ])
  func `fields that record an accuracy are known`(field: String, value: String, isOne: Bool) throws
  {
    try train("a.lcw")
    try program.run(
      "convert", "a.lcw", "plain.safetensors", "--select", "dense*")
    var bytes = Array(try program.bytes("plain.safetensors"))
    let count = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard case .object(var header) = try JSONValue(parsing: Array(bytes[8..<8 + count])) else {
      Issue.record("no header")
      return
    }
    header["__metadata__"] = .object([field: .string(value)])
    var text = Array(JSONValue.object(header).compactText.utf8)
    while text.count % 8 != 0 { text.append(0x20) }
    let size = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    bytes = size + text + bytes[(8 + count)...]
    try Data(bytes).write(to: program.folder.url.appendingPathComponent("stated.safetensors"))
    // Pixels of another range, which this network was not trained with.
    let measured = try program.run(
      "evaluate", "stated.safetensors", "--architecture", "mlp:hidden=30", "--dataset",
      "digits:mean=4")
    #expect(
      measured.errors.contains("hint: stated.safetensors says ") == isOne, "\(measured.errors)")
    #expect(measured.errors.contains("(\(field))") == isOne)
  }

  @Test
  func `networks that are measured on data prepared otherwise are warned of`() throws {
    try train("a.lcw", dataset: "digits:standardise=channel")
    let connect = ["connect", "a.lcw", "a.lcw", "-m", "linear", "--points", "2"]
    let other = try program.run(connect + ["--dataset", "digits:scale=20"]).errors
    #expect(
      other.contains(
        "warning: a.lcw was made for digits:standardise=channel, and is measured on digits:scale=20"
      ))
    let same = try program.run(connect + ["--dataset", "digits:standardise=channel"]).errors
    #expect(!same.contains("warning: a.lcw was made for"))
  }

  @Test
  func `a checkpoint's own metrics hint where the data set is said otherwise`() throws {
    try train("a.lcw", dataset: "digits:standardise=channel")
    #expect(try program.run("evaluate", "a.lcw").errors == "")
    let hint = try program.run("evaluate", "a.lcw", "--dataset", "digits:scale=20").errors
    #expect(hint.contains("(metrics.test_accuracy), but here it has "))
    #expect(
      hint.hasSuffix(": it was made for digits:standardise=channel; leave out --dataset\n"))
    // Other formats keep the record as texts.
    try program.run("convert", "a.lcw", "a.safetensors")
    #expect(
      try program.run("evaluate", "a.safetensors", "--dataset", "digits:scale=20").errors
        .contains("(metrics.test_accuracy)"))
  }
}
