// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// What people get wrong at first: each error says what to do.
struct SlipTests {
  private let program: Program

  init() throws {
    program = try Program()
    for (file, seed) in [("a.lcw", "1"), ("b.lcw", "2")] {
      try program.run(
        "train", "--architecture", "mlp:hidden=8", "--dataset", "digits", "--epochs", "1", "--seed",
        seed, "--quiet", "-o", file)
    }
  }

  @Test
  func `a method that is written otherwise is found`() throws {
    let expected = [
      "otwa": "did you mean ‘ot+wa’?", "ot-wa": "did you mean ‘ot+wa’?", "OT": "did you mean ‘ot’?",
      "wa": "it is a modifier; write it after a method, such as linear+wa",
      "wa+ot": " a modifier",
      "ot+rebasin": "‘rebasin’ is a method, but the name of a modifier",
      "mlp": "‘mlp’ is an architecture, but the name of a method",
      "linear,arc": "name one plugin at a time", "ark": "did you mean ‘arc’?",
    ]
    for (method, advice) in expected {
      for command in ["connect", "compare"] {
        let errors = try program.run(command, "a.lcw", "b.lcw", "-m", method, expecting: 64).errors
        #expect(errors.contains(advice), "\(command) -m \(method): \(errors)")
      }
    }
    let none = try program.run("connect", "a.lcw", "b.lcw", expecting: 64).errors
    #expect(none.contains("lcw plugins method lists them"))
  }

  @Test
  func `a data set or an architecture that is written otherwise is found`() throws {
    func errors(_ option: String, _ value: String) throws -> String {
      try program.run(
        "train", "--architecture", option == "a" ? value : "mlp:hidden=8", "--dataset",
        option == "d" ? value : "digits", "-o", "x.lcw", expecting: 64
      ).errors
    }
    #expect(try errors("d", "y.npz").contains("or table:train=y.npz"))
    #expect(try errors("d", "Digits").contains("did you mean ‘digits’?"))
    #expect(try errors("d", "digits:std=2").contains("did you mean ‘deviation’?"))
    #expect(try errors("a", "mlp:hidden=8,8").contains("numbers of a list stand with x or :"))
    #expect(try errors("a", "digits").contains("‘digits’ is a dataset, but the name of"))
  }

  @Test
  func `a file of another kind is said what to make of`() throws {
    try program.run("connect", "a.lcw", "b.lcw", "-m", "linear", "-o", "p.lcw")
    let path = try program.run("connect", "a.lcw", "p.lcw", "-m", "arc", expecting: 65).errors
    #expect(path.contains("lcw export --at middle makes a network of one of its points"))
    let network = try program.run(
      "export", "a.lcw", "--at", "middle", "-o", "x.lcw", expecting: 65
    ).errors
    #expect(network.contains("lcw connect -o makes a path"))
    let same = try program.run("connect", "a.lcw", "a.lcw", "-m", "linear", "--samples", "10")
    #expect(same.errors.contains("a.lcw and a.lcw hold the same weights"))
  }

  /// Networks of one form whose layers are named differently, and such as differ in a layer.
  @Test
  func `networks that differ are told apart by their first other layer`() throws {
    for (file, layers) in [
      ("named.lcw", "flatten; first = dense 8; relu; second = dense classes"),
      ("wide.lcw", "flatten; dense 9; relu; dense classes"),
    ] {
      try program.run(
        "train", "--architecture", "sequential:layers=\(layers)", "--dataset", "digits", "--epochs",
        "1", "--quiet", "-o", file)
    }
    let named = try program.run("connect", "a.lcw", "named.lcw", "-m", "arc", expecting: 65).errors
    #expect(named.contains("only the names of their layers differ"))
    #expect(named.contains("lcw convert named.lcw NEW.lcw --architecture mlp:hidden=8"))
    // As it says.
    try program.run(
      "convert", "named.lcw", "new.lcw", "--architecture", "mlp:hidden=8", "--dataset", "digits")
    try program.run("connect", "a.lcw", "new.lcw", "-m", "arc", "--samples", "10")
    let wide = try program.run("connect", "a.lcw", "wide.lcw", "-m", "arc", expecting: 65).errors
    #expect(wide.contains("a.lcw has ‘dense 8’ where wide.lcw has ‘dense 9’"), "\(wide)")
  }

  @Test
  func `a report replaces reports alone`() throws {
    let connect = ["connect", "a.lcw", "b.lcw", "-m", "linear", "--samples", "10", "--report"]
    try program.run(connect + ["r.html"])
    try program.run(connect + ["r.html"])
    let mine = program.folder.url.appendingPathComponent("mine.html")
    try Data("<p>lcw is not the author of this page</p>".utf8).write(to: mine)
    let refused = try program.run(connect + ["mine.html"], expecting: 64).errors
    #expect(refused.contains("mine.html exists and is not a report of lcw"))
    #expect(try program.bytes("mine.html").count == 41)
  }

  @Test
  func `results say on how many samples they were measured`() throws {
    let note = "measured on the first 10 training and 10 test samples"
    let connect = ["connect", "a.lcw", "b.lcw", "-m", "linear", "--report", "r.html"]
    #expect(try program.run(connect + ["--samples", "10"]).output.contains(note))
    #expect(String(decoding: try program.bytes("r.html"), as: UTF8.self).contains(note))
    #expect(try program.run("evaluate", "a.lcw", "--samples", "10").output.contains(note))
    let json = try program.json("evaluate", "a.lcw", "--samples", "10", "--format", "json")
    #expect(json.array?.first?.object?["test_samples"]?.integer == 10)
    // No more than there are.
    let all = try program.json("evaluate", "a.lcw", "--samples", "500", "--format", "json")
    #expect(all.array?.first?.object?["train_samples"]?.integer == 500)
    #expect(all.array?.first?.object?["test_samples"]?.integer == 360)
    #expect(try !program.run("evaluate", "a.lcw").output.contains("measured on the first"))
  }

  /// So that a later measurement that differs is noticed.
  @Test
  func `a converted network records what it was measured to have`() throws {
    try program.run("convert", "a.lcw", "a.safetensors")
    try program.run(
      "convert", "a.safetensors", "c.lcw", "--architecture", "mlp:hidden=8", "--dataset", "digits")
    let own = try program.json("inspect", "c.lcw", "--format", "json").object?["metadata"]
    let metrics = own?.object?["metrics"]?.object
    #expect(metrics?["test_accuracy"]?.double != nil)
    // A file that says more than is found here was prepared for otherwise: its own figure stays.
    try program.run(
      "train", "--architecture", "mlp:hidden=30", "--dataset", "digits", "--epochs", "20",
      "--quiet",
      "-o", "good.lcw")
    try program.run("convert", "good.lcw", "good.safetensors")
    let wrong = try program.run(
      "convert", "good.safetensors", "d.lcw", "--architecture", "mlp:hidden=30", "--dataset",
      "digits:mean=9,deviation=0.1")
    #expect(wrong.errors.contains("hint: good.safetensors says"), "\(wrong.errors)")
    let again = try program.run("evaluate", "d.lcw")
    #expect(again.errors.contains("hint: d.lcw says"), "\(again.errors)")
    let other = try program.run("evaluate", "c.lcw", "--dataset", "digits:mean=3")
    #expect(other.errors.contains("c.lcw was made for digits, and is measured on digits:mean=3"))
  }

  @Test
  func `a table or a data set that is taken for a file of weights is named as data`() throws {
    let rows = (0..<20).map { "\($0),\($0 % 3),\($0 % 2)" }
    try Data((["a,b,label"] + rows).joined(separator: "\n").utf8)
      .write(to: program.folder.url.appendingPathComponent("x.csv"))
    for command in ["inspect", "evaluate"] {
      let errors = try program.run(command, "x.csv", expecting: 65).errors
      #expect(errors.contains("name it as a data set, such as table:train="), "\(errors)")
    }
    // What is no table is not said to be one.
    try Data("import lcw\n".utf8).write(to: program.folder.url.appendingPathComponent("m.py"))
    #expect(try !program.run("inspect", "m.py", expecting: 65).errors.contains("table:"))
    let misspelt = try program.run("inspect", "digts", expecting: 66).errors
    #expect(misspelt.contains("did you mean the data set ‘digits’?"))
  }

  /// A long path's points are not all printed.
  @Test
  func `a path of many stages is shown by some of its points`() throws {
    for (file, seed) in [("c.lcw", "1"), ("d.lcw", "2")] {
      try program.run(
        "train", "--architecture", "mlp:hidden=40", "--dataset", "digits", "--epochs", "1",
        "--seed", seed, "--quiet", "-o", file)
    }
    let connect = ["connect", "c.lcw", "d.lcw", "--samples", "50", "--points", "3"]
    let table = try program.run(connect + ["-m", "exchange:blocks=20"])
    #expect(table.output.contains("41 of "))
    #expect(table.output.split(separator: "\n").count < 110)
    try program.run(
      connect + ["-m", "linear", "-m", "exchange:blocks=20", "--report", "r.html"])
    try program.run("connect", "c.lcw", "d.lcw", "-m", "exchange:blocks=20", "-o", "e.lcw")
    let listed = try program.run("inspect", "e.lcw").output
    #expect(listed.contains("the first 60 of ") && listed.split(separator: "\n").count < 100)
    let all = try program.json("inspect", "e.lcw", "--format", "json").object?["tensors"]?.array
    #expect(try #require(all).count > 60)
    let page = String(decoding: try program.bytes("r.html"), as: UTF8.self)
    #expect(page.contains("share of the path") && !page.contains("one unit per stage"))
  }
}
