// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// Small files of kinds that people reported to other tools: what each command says of them.
struct ReportedInputTests {
  private let program: Program
  private static let network = ["--architecture", "mlp:hidden=20", "--dataset", "digits"]

  init() throws {
    program = try Program()
    let folder = Bundle.module.bundleURL.appendingPathComponent("Fixtures/Reports")
    for file in try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    {
      // What a fixture may be, a test's file may be written over.
      try Data(contentsOf: file)
        .write(to: program.folder.url.appendingPathComponent(file.lastPathComponent))
    }
  }

  @discardableResult
  private func run(_ arguments: [String], expecting status: Int32 = 0) throws -> Program.Outcome {
    try program.run(arguments + Self.network, expecting: status)
  }

  // MARK: Equal units

  @Test(arguments: ["ot", "ot+wa", "ot+bfly"])
  func `equal units of a network joined to itself stay where they are`(method: String) throws {
    let twins = "09_twins.safetensors"
    let outcome = try run(
      ["connect", twins, twins, "-m", method, "--points", "3", "--format", "json", "--quiet"])
    let study = try JSONValue(parsing: Array(outcome.output.utf8)).object
    let costs = try #require(study?["costs"]?.array?.first?.object)
    #expect(costs["length"]?.double == 0)
    #expect(costs["stages"]?.integer == (method == "ot" ? 1 : 2))
  }

  // MARK: Numbers that nothing can be computed with

  private static let reasons = [
    ("12_huge.safetensors", "12_huge.safetensors: the weights of ‘0.weight’ are too large"),
    (
      "13_nan.safetensors",
      "13_nan.safetensors: 1 of the 1280 values of ‘0.weight’ is not finite (NaN or infinity)"
    ),
    ("13_tiny.safetensors", "13_tiny.safetensors: the weights of ‘0.weight’ are too small"),
  ]

  @Test(arguments: reasons)
  func `every command says the true reason, and ends with 65`(file: String, reason: String) throws {
    let good = "03_0.safetensors"
    for method in [
      "linear", "arc", "ot", "garipov:epochs=1", "linear+wa", "arc+wa", "ot+wa", "linear+bfly",
      "arc+bfly", "ot+bfly",
    ] {
      for pair in [[good, file], [file, good], [file, file]] {
        let outcome = try run(["connect"] + pair + ["-m", method, "--quiet"], expecting: 65)
        #expect(outcome.errors.contains(reason), "\(method): \(outcome.errors)")
        #expect(outcome.output.isEmpty)
      }
    }
    for arguments in [
      ["connect", good, file, "-m", "linear", "-o", "x.lcw"],
      ["compare", good, "03_1.safetensors", file, "-m", "linear"],
      ["compare", good, "03_1.safetensors", file, "-m", "linear+wa"],
      ["evaluate", good, file], ["ensemble", good, "03_1.safetensors", file],
      ["fit", "flow:epochs=1", good, file, "-o", "x.lcw"],
      ["fit", "bijection:epochs=1,steps=1", good, file, "-o", "x.lcw"],
    ] {
      let outcome = try run(arguments, expecting: 65)
      #expect(outcome.errors.contains(reason), "\(arguments): \(outcome.errors)")
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path)
    #expect(!files.contains { $0.hasPrefix("x.lcw") })
  }

  @Test func `a path between such networks gives no point`() throws {
    try run(["connect", "03_0.safetensors", "03_1.safetensors", "-m", "linear", "-o", "p.lcw"])
    try program.run("export", "p.lcw", "--at", "middle", "-o", "half.lcw")
    // An archive with another content, of a path that was never made by lcw.
    try run(["convert", "13_nan.safetensors", "nan.lcw"])
    let outcome = try program.run("evaluate", "nan.lcw", expecting: 65)
    #expect(
      outcome.errors.contains("nan.lcw: 1 of the 1280 values of ‘dense1.weight’ is not finite"),
      "\(outcome.errors)")
  }

  @Test func `outputs that overflow are named by their file`() throws {
    // Weights that are fine one by one: their products are not.
    try scale("03_0.safetensors", by: 1e25, to: "large.safetensors")
    for arguments in [
      ["evaluate", "03_1.safetensors", "large.safetensors"],
      ["compare", "03_1.safetensors", "large.safetensors", "-m", "linear"],
    ] {
      let outcome = try run(arguments, expecting: 65)
      #expect(
        outcome.errors.contains("large.safetensors: the loss is not finite: the outputs are too"),
        "\(outcome.errors)")
    }
    for (method, says) in [
      ("linear", "the loss at the end of the path is not finite"), ("ot", "distances of its units"),
      ("linear+wa", "single precision"),
    ] {
      let outcome = try run(
        ["connect", "03_1.safetensors", "large.safetensors", "-m", method, "--quiet"], expecting: 65
      )
      #expect(
        outcome.errors.contains("\(method) from 03_1.safetensors to large.safetensors: "),
        "\(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(outcome.errors)")
    }
  }

  /// A copy of a Safetensors file whose values are scaled.
  private func scale(_ name: String, by factor: Float, to output: String) throws {
    var bytes = try program.bytes(name)
    let start =
      8 + bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    for place in stride(from: start, to: bytes.count, by: 4) {
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
      let scaled = (Float(bitPattern: bits) * factor).bitPattern
      for index in 0..<4 {
        bytes[place + index] = UInt8(truncatingIfNeeded: scaled >> (8 * UInt32(index)))
      }
    }
    try bytes.write(to: program.folder.url.appendingPathComponent(output))
  }

  /// At each scale a fit either makes a model that joins its networks, or ends with an error.
  @Test(
    arguments: [Float(1e-37), 1e-30, 1e-12, 1e12, 1e18, 1e30, 1e36], ["realnvp", "iaf"])
  func `a fit to networks of extreme scale is usable or fails`(scale: Float, kind: String) throws {
    let pair = ["a.safetensors", "b.safetensors"]
    for (name, copy) in zip(["03_0.safetensors", "03_1.safetensors"], pair) {
      try self.scale(name, by: scale, to: copy)
    }
    let fit = try program.run(
      ["fit", "flow:epochs=2,kind=\(kind)"] + pair + ["-o", "nu.lcw", "--quiet"] + Self.network,
      expecting: nil)
    if fit.status == 0 {
      try run(["connect"] + pair + ["-m", "flow:model=nu.lcw", "-o", "p.lcw", "--quiet"])
    } else {
      #expect(fit.status == 65 && !fit.errors.contains("smaller rate;"), "\(fit.errors)")
      #expect(fit.errors.contains("error: "))
      let files = try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path)
      #expect(!files.contains { $0.hasPrefix("nu.lcw") })
    }
  }

  // MARK: Which file it is

  @Test func `an error names the file among many that it is about`() throws {
    let files = ["03_0.safetensors", "03_1.safetensors", "03_2.safetensors"]
    for arguments in [
      ["compare"] + files + ["-m", "linear"], ["evaluate"] + files, ["ensemble"] + files,
      ["connect", files[1], files[2], "-m", "ot"],
      ["fit", "flow:epochs=1"] + files + ["-o", "x.lcw"],
    ] {
      let outcome = try run(arguments, expecting: 65)
      #expect(
        outcome.errors.hasPrefix(
          "error: 03_2.safetensors: the tensors do not fit the architecture"),
        "\(outcome.errors)")
    }
    // The same of archives, which say themselves what they are.
    try run(["convert", files[0], "a.lcw"])
    try program.run(
      "convert", files[2], "c.lcw", "--architecture", "mlp:hidden=30", "--dataset", "digits")
    for arguments in [
      ["compare", "a.lcw", "c.lcw", "-m", "linear"], ["ensemble", "a.lcw", "c.lcw"],
      ["connect", "a.lcw", "c.lcw", "-m", "ot"],
      ["fit", "flow:epochs=1", "a.lcw", "c.lcw", "-o", "x.lcw"],
    ] {
      let outcome = try program.run(arguments, expecting: 65)
      #expect(
        outcome.errors.contains("a.lcw and c.lcw hold different networks"), "\(outcome.errors)")
    }
  }

  @Test func `an architecture that is given is for files that name none`() throws {
    let (foreign, wide) = ("03_0.safetensors", "03_2.safetensors")
    try run(["convert", "03_1.safetensors", "own.lcw"])
    try program.run(
      "convert", wide, "wide.lcw", "--architecture", "mlp:hidden=30", "--dataset", "digits")
    // Mixed inputs of one architecture.
    let mixed = try run(["connect", foreign, "own.lcw", "-m", "linear", "--quiet"])
    #expect(!mixed.errors.contains("warning"))
    // Each file's own network is measured, and what was said is not silently without effect.
    let outcome = try run(["evaluate", foreign, "wide.lcw", "--format", "json"])
    #expect(try JSONValue(parsing: Array(outcome.output.utf8)).array?.count == 2)
    #expect(
      outcome.errors
        == "warning: wide.lcw names its own network, mlp:hidden=30; mlp:hidden=20 is for "
        + "files that name none\n")
    let other = try run(["connect", foreign, "wide.lcw", "-m", "linear"], expecting: 65)
    #expect(other.errors.contains("\(foreign) and wide.lcw hold different networks"))
  }

  // MARK: Numbers as options

  @Test(arguments: [
    ("connect", "--seed", "a seed is a whole number from 0"),
    ("compare", "--seed", "a seed is a whole number from 0"),
    ("fit", "--seed", "a seed is a whole number from 0"),
    ("train", "--seed", "a seed is a whole number from 0"),
    ("connect", "--points", "--points takes"), ("connect", "--samples", "--samples takes"),
    ("connect", "--threads", "--threads takes"), ("compare", "--pairs", "--pairs takes"),
    ("evaluate", "--points", "--points takes"), ("ensemble", "--samples", "--samples takes"),
    ("ensemble", "--adjust-on", "--adjust-on takes"), ("ensemble", "--ridge", "--ridge takes"),
    ("ensemble", "--patches", "--patches takes"), ("ensemble", "--positions", "--positions takes"),
    ("ensemble", "--head", "head"),
    ("fit", "--hold-out", "--hold-out takes"), ("train", "--epochs", "--epochs takes"),
    ("train", "--batch", "--batch takes"), ("train", "--count", "--count takes"),
    ("train", "--rate", "--rate takes"), ("train", "--save-every", "--save-every takes"),
    ("reproduce", "--networks", "--networks takes"), ("reproduce", "--pairs", "--pairs takes"),
    ("reproduce", "--epochs", "--epochs takes"), ("reproduce", "--jobs", "--jobs takes"),
    ("demo", "--hidden", "--hidden takes"), ("demo", "--epochs", "--epochs takes"),
  ])
  func `a negative number is told what the option takes`(
    command: String, option: String, says: String
  ) throws {
    let files = ["03_0.safetensors", "03_1.safetensors"]
    let rest =
      switch command {
      case "connect", "compare": files + ["-m", "linear"] + Self.network
      case "evaluate", "ensemble": files + Self.network
      case "fit": ["flow"] + files + ["-o", "x.lcw"] + Self.network
      case "train": Self.network + ["-o", "x.lcw"]
      case "reproduce": ["digits"]
      default: [String]()
      }
    let outcome = try program.run([command] + rest + [option, "-5"], expecting: 64)
    #expect(outcome.errors.contains(says), "\(outcome.errors)")
    #expect(!outcome.errors.contains("Missing value"))
  }

  @Test func `a negative t is outside of the path`() throws {
    try run(["connect", "03_0.safetensors", "03_1.safetensors", "-m", "arc", "-o", "p.lcw"])
    let outcome = try program.run(
      "export", "p.lcw", "--at", "-0.5", "-o", "x.lcw", expecting: 64)
    #expect(outcome.errors.contains("t runs from 0 to 1 on this path; -0.5 is outside"))
  }

  // MARK: Middles, grids and formats

  @Test func `the middle of optimal transport is that of the transport`() throws {
    try run(
      ["connect", "03_0.safetensors", "03_1.safetensors", "-m", "ot", "-o", "p.lcw", "--quiet"])
    let said = try program.run("export", "p.lcw", "--at", "middle", "-o", "m.lcw").output
    #expect(said.contains("t = 0.5"))
    try program.run("export", "p.lcw", "--at", "0.5", "-o", "half.lcw")
    try program.run("diff", "m.lcw", "half.lcw")
    try program.run("export", "p.lcw", "--at", "midle", "-o", "x.lcw", expecting: 64)
  }

  @Test func `points of the grid are told from those that were added`() throws {
    let arguments = [
      "connect", "03_0.safetensors", "03_1.safetensors", "-m", "ot", "--points", "5", "--quiet",
      "--format",
    ]
    let study = try JSONValue(parsing: Array(try run(arguments + ["json"]).output.utf8)).object
    let points = try #require(study?["points"]?.array)
    let grid = points.count { $0.object?["on_grid"] == "yes" }
    let costs = try #require(study?["costs"]?.array?.first?.object)
    #expect(grid == 17 && points.count > grid)
    #expect(costs["grid_points"]?.integer == grid && costs["points"]?.integer == points.count)
    let csv = try run(arguments + ["csv"]).output
    #expect(csv.contains("on_grid") && csv.contains(",no\r\n") && csv.contains(",yes\r\n"))
    let table = try run(arguments + ["table"]).output
    #expect(table.contains("grid points") && table.contains("all points"))
  }

  @Test func `a format that can't be written names one that can`() throws {
    let outcome = try run(["convert", "03_0.safetensors", "middle.pt"], expecting: 64)
    #expect(
      outcome.errors.contains("middle.safetensors")
        && outcome.errors.contains("safetensors.torch.load_file"), "\(outcome.errors)")
  }

  @Test func `broken JSON is said by line`() throws {
    try Data("{\n  \"name\": \"x\",\n  \"dataset\": digits\n}\n".utf8)
      .write(to: program.folder.url.appendingPathComponent("x.json"))
    let outcome = try program.run("reproduce", "x.json", expecting: 65)
    #expect(outcome.errors.contains("at line 3, column 14"), "\(outcome.errors)")
  }
}
