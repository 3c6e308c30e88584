// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// merge, plane and landscape on three small networks.
struct LandscapeCommandTests {
  private let program: Program

  init() throws {
    program = try Program()
    for (name, seed) in [("a.lcw", "1"), ("b.lcw", "2"), ("c.lcw", "3")] {
      try program.run(
        "train", "--architecture", "mlp:hidden=30", "--dataset", "digits", "--epochs", "3",
        "--rate", "0.05", "--seed", seed, "-o", name, "--quiet")
    }
  }

  private func rows(_ arguments: String...) throws -> [[String: JSONValue]] {
    let outcome = try program.run(arguments + ["--format", "json"])
    let json = try JSONValue(parsing: Array(outcome.output.utf8))
    return (json.array ?? json.object?["points"]?.array ?? []).compactMap(\.object)
  }

  /// The rows of a table in what a command printed.
  private func objects(_ field: String, of json: JSONValue) throws -> [[String: JSONValue]] {
    try #require(json.object?[field]?.array).compactMap(\.object)
  }

  private func loss(of file: String) throws -> Double {
    try #require(try rows("evaluate", file).first?["train_loss"]?.double)
  }

  @Test
  func `merge writes the network whose figures it prints`() throws {
    let table = try rows("merge", "a.lcw", "b.lcw", "c.lcw", "-m", "ot", "-o", "merged.lcw")
    #expect(
      table.map { $0["network"]?.string } == ["a.lcw", "b.lcw", "c.lcw", "ensemble", "merged"])
    let printed = try #require(table.last?["train_loss"]?.double)
    #expect(abs(try loss(of: "merged.lcw") - printed) < 1e-5)
    let ensemble = try #require(table[3]["test_accuracy"]?.double)
    #expect(ensemble >= table.prefix(3).compactMap { $0["test_accuracy"]?.double }.min() ?? 1)
    #expect(
      try program.run("inspect", "merged.lcw").output.contains("merged: 3"))
    _ = try program.run(
      "merge", "a.lcw", "b.lcw", "-m", "ot", "-o", "merged.lcw", expecting: 64)
    _ = try program.run("merge", "a.lcw", "b.lcw", "-m", "ot", "--to", "centre")
  }

  @Test
  func `a plane through three networks has their losses at its corners`() throws {
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "path.lcw")
    let report = try program.run(
      "plane", "a.lcw", "b.lcw", "c.lcw", "--size", "5", "--margin", "0", "--samples", "0",
      "--report", "plane.html")
    #expect(report.output.contains("nearest to c.lcw"))
    #expect(XMLParser(data: try program.bytes("plane.html")).parse())
    let points = try rows(
      "plane", "a.lcw", "b.lcw", "c.lcw", "--size", "5", "--margin", "0", "--samples", "0")
    #expect(points.count == 25)
    // Without a margin the first corner is the first network.
    let first = try #require(points[0]["train_loss"]?.double)
    #expect(abs(first - (try loss(of: "a.lcw"))) < 1e-4)
    let along = try program.run("plane", "path.lcw", "--size", "4", "--format", "csv")
    #expect(along.output.split(whereSeparator: \.isNewline).count == 17)
  }

  @Test
  func `a landscape has the network in its middle`() throws {
    let own = try loss(of: "a.lcw")
    for more in [[], ["--dimensions", "1"], ["--normalise", "none"]] {
      let points = try JSONValue(
        parsing: Array(
          try program.run(
            ["landscape", "a.lcw", "--size", "3", "--samples", "0", "--format", "json"] + more
          ).output.utf8)
      ).object?["points"]?.array?.compactMap(\.object)
      let found = try #require(points)
      #expect(found.count == (more.contains("1") ? 3 : 9))
      #expect(abs(try #require(found[found.count / 2]["train_loss"]?.double) - own) < 1e-4)
    }
    let ends = try rows(
      "landscape", "a.lcw", "b.lcw", "--directions", "ends", "--normalise", "none", "--size", "3",
      "--samples", "0")
    #expect(abs(try #require(ends[2]["train_loss"]?.double) - (try loss(of: "b.lcw"))) < 1e-4)
    try program.run("landscape", "a.lcw", "--size", "3", "--dimensions", "1", "--report", "l.html")
    #expect(XMLParser(data: try program.bytes("l.html")).parse())
  }

  @Test
  func `predictions along a path are looked at when that is asked for`() throws {
    let plain = try program.json("connect", "a.lcw", "b.lcw", "-m", "arc", "--format", "json")
    #expect(plain.object?["diagnostics"] == nil)
    let study = try program.json(
      "connect", "a.lcw", "b.lcw", "-m", "arc", "--points", "5", "--diagnostics", "--format",
      "json")
    let row = try #require(study.object?["diagnostics"]?.array?.first?.object)
    #expect(study.object?["predictions"]?.array?.count == 5)
    let ensemble = try #require(row["ensemble_accuracy"]?.double)
    #expect((0.5...1).contains(ensemble))
    let barrier = try #require(row["test_barrier_above_mean"]?.double)
    let losses = study.object?["points"]?.array?.compactMap { $0.object?["test_loss"]?.double }
    let found = try #require(losses)
    let mean = (found[0] + found[found.count - 1]) / 2
    #expect(abs(barrier - ((found.max() ?? 0) - mean)) < 1e-4)
    let refused = try program.run("evaluate", "a.lcw", "--diagnostics", expecting: 64)
    #expect(refused.errors.contains("--diagnostics needs paths"))
  }

  @Test
  func `running statistics are measured anew at each point where that is asked for`() throws {
    let files = ["r1.lcw", "r2.lcw", "r3.lcw"]
    for (seed, file) in files.enumerated() {
      try program.run(
        "train", "--architecture", "resnet:depth=8,width=0.25", "--dataset", "digits", "--epochs",
        "3", "--rate", "0.05", "--seed", "\(seed + 1)", "-o", file, "--quiet")
    }
    let grid = ["--size", "3", "--margin", "0", "--samples", "0", "--quiet"]
    let refused = try program.run(["plane"] + files + grid, expecting: 64)
    #expect(refused.errors.contains("--reset") && refused.errors.contains("--fold-batchnorm"))
    #expect(refused.output.isEmpty)
    func points(_ arguments: [String]) throws -> [[String: JSONValue]] {
      let json = try JSONValue(
        parsing: Array(try program.run(arguments + ["--format", "json"]).output.utf8))
      #expect(json.object?["resets_moments"] == .bool(arguments.contains("--reset")))
      return try objects("points", of: json)
    }
    let reset = try points(["plane"] + files + grid + ["--reset"])
    // The first corner is the first network, with moments of all training samples.
    let own = try loss(of: "r1.lcw")
    #expect(abs(try #require(reset[0]["train_loss"]?.double) - own) < 0.1 + own / 2)
    let ends = ["landscape", "r1.lcw", "r2.lcw", "--directions", "ends", "--normalise", "none"]
    let around = ["--size", "3", "--samples", "0", "--quiet"]
    #expect(try program.run(ends + around, expecting: 64).errors.contains("--reset"))
    let line = try points(ends + around + ["--reset"])
    // Both have the first network and its moments.
    let (corner, middle) = (
      try #require(reset[0]["train_loss"]?.double), try #require(line[1]["train_loss"]?.double)
    )
    #expect(abs(corner - middle) < 1e-4)
    // Random directions leave moments alone, unless they are measured.
    let random = ["landscape", "r1.lcw", "--dimensions", "1"] + around
    #expect(abs(try #require(try points(random)[1]["train_loss"]?.double) - own) < 1e-4)
    #expect(
      abs(try #require(try points(random + ["--reset"])[1]["train_loss"]?.double) - corner) < 1e-4)
    #expect(
      try program.run(random + ["--reset"]).output.contains(
        "Running statistics recomputed at each point, on 1437 training samples."))
    let needless = try program.run(
      "plane", "a.lcw", "b.lcw", "c.lcw", "--reset", expecting: 64)
    #expect(needless.errors.contains("a.lcw has none; leave it out"))
  }

  @Test
  func `diagnostics tell of each layer's units`() throws {
    let connect = ["connect", "a.lcw", "b.lcw", "-m", "linear", "-m", "ot", "--points", "5"]
    let study = try JSONValue(
      parsing: Array(
        try program.run(connect + ["--diagnostics", "--format", "json"]).output.utf8))
    let layers = try objects("layers", of: study)
    #expect(layers.map { $0["path"]?.string } == ["linear", "ot"])
    #expect(layers.allSatisfy { $0["layer"]?.string == "dense1" && $0["units"]?.integer == 30 })
    let correlations = layers.compactMap { $0["matched_correlation"]?.double }
    let ratios = layers.compactMap { $0["middle_variance_ratio"]?.double }
    // What is matched has more in common, and keeps more of its variance.
    #expect(correlations.count == 2 && correlations[0] + 0.1 < correlations[1])
    #expect(ratios.count == 2 && ratios[0] + 0.02 < ratios[1] && ratios[1] < 1)
    let points = try objects("layer_points", of: study)
    let middle = points.first { $0["path"]?.string == "linear" && $0["t"]?.double == 0.5 }
    #expect(middle?["variance_ratio"]?.double == ratios[0])
    // Only at the points at which units move, of which the first and the last are the networks.
    #expect(points.count { $0["path"]?.string == "ot" } == 5)
    for end in points where end["t"]?.double == 0 || end["t"]?.double == 1 {
      #expect(abs(try #require(end["variance_ratio"]?.double) - 1) < 1e-6)
    }
    for format in ["table", "markdown"] {
      let text = try program.run(connect + ["--diagnostics", "--format", format]).output
      #expect(text.contains("correlation of matched units"))
      #expect(text.contains("Measured on 1437 training samples"))
      #expect(try !program.run(connect + ["--format", format]).output.contains("matched units"))
    }
    try program.run(connect + ["--diagnostics", "--report", "layers.html"])
    let report = try program.bytes("layers.html")
    #expect(XMLParser(data: report).parse())
    #expect(
      String(decoding: report, as: UTF8.self).contains("hidden units do along the paths"))
  }

  @Test
  func `of a path that was written, and of batch normalisations, layers are told too`() throws {
    for seed in ["1", "2"] {
      try program.run(
        "train", "--architecture", "resnet:depth=8,width=0.25", "--dataset", "digits", "--epochs",
        "1", "--rate", "0.05", "--seed", seed, "-o", "r\(seed).lcw", "--quiet")
    }
    try program.run("connect", "r1.lcw", "r2.lcw", "-m", "linear+reset", "-o", "p.lcw", "--quiet")
    let layers = try objects(
      "layers",
      of: program.json(
        "evaluate", "p.lcw", "--points", "3", "--samples", "200", "--diagnostics", "--format",
        "json", "--quiet"))
    #expect(layers.count == 7 && layers[0]["layer"]?.string == "bn1")
    let twins = try objects(
      "layers",
      of: program.json(
        "connect", "r1.lcw", "r1.lcw", "-m", "linear", "--points", "3", "--samples", "200",
        "--diagnostics", "--format", "json", "--quiet"))
    #expect(twins.count == 7)
    for layer in twins {
      #expect(abs(try #require(layer["matched_correlation"]?.double) - 1) < 1e-5)
      #expect(abs(try #require(layer["middle_variance_ratio"]?.double) - 1) < 1e-5)
    }
  }

  @Test(arguments: [
    (["plane", "a.lcw", "b.lcw"], 64, "three networks"),
    (["plane", "a.lcw", "b.lcw", "a.lcw"], 64, "on a straight line"),
    (["plane", "a.lcw"], 64, "a plane goes through three networks"),
    (["landscape", "a.lcw", "b.lcw"], 64, "--directions ends"),
    (["landscape", "a.lcw", "--directions", "ends"], 64, "two or three"),
    (["landscape", "a.lcw", "a.lcw", "--directions", "ends"], 64, "zero"),
    (["landscape", "a.lcw", "--radius", "0"], 64, "--radius"),
    (["landscape", "a.lcw", "--size", "1"], 64, "--size"),
    (["merge", "a.lcw", "-m", "ot"], 64, "two networks or more"),
    (["merge", "a.lcw", "missing.lcw", "-m", "ot"], 66, "missing.lcw"),
    (["merge", "a.lcw", "b.lcw", "-m", "nothing"], 64, "nothing"),
  ])
  func `wrong input is one line that says what to do`(
    arguments: [String], status: Int32, text: String
  ) throws {
    let outcome = try program.run(arguments, expecting: status)
    #expect(outcome.errors.contains(text), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }
}
