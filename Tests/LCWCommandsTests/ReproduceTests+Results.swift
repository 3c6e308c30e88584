// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What is written, and what it is made of.
extension ReproduceTests {
  @Test
  func `results are tables, figures, a page and a record`() throws {
    try program.run(quick + ["-o", "x", "--record", "record.md"])
    let latex = String(decoding: try program.bytes("x/results/accuracy.tex"), as: UTF8.self)
    #expect(latex.contains("\\toprule") && latex.contains("$\\pm$") && latex.contains("\\%"))
    let figures = [
      "accuracy-test", "error-stages", "ensembles", "fit-realnvp", "middles", "plane-arc",
      "plane-garipov-epochs-4", "trade-off",
    ]
    for name in figures {
      #expect(XMLParser(data: try program.bytes("x/results/\(name).svg")).parse())
      #expect(
        try program.bytes("record-figures/digits-quick/\(name).svg")
          == program.bytes("x/results/\(name).svg"))
    }
    #expect(latex.contains("Digits, 64-100-10 (quick)"))
    let pairs = String(decoding: try program.bytes("x/results/pairs.csv"), as: UTF8.self)
    #expect(pairs.contains("train_barrier,test_barrier"))
    let whole = try JSONValue(parsing: Array(try program.bytes("x/results/results.json"))).object
    #expect(whole?["experiment"] == "digits" && whole?["scale"] == "quick")
    #expect(whole?["command"]?.string?.contains("reproduce digits --scale quick") == true)
    // The program has kernels that fit the processor, whatever OpenBLAS chose for this process.
    let isChosen = ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] != nil
    let kernels = isChosen ? nil : BLAS.fittingCoreType
    #expect(
      whole?["machines"]?.object?.keys.first?.contains(
        "OpenBLAS for \(kernels ?? BLAS.coreType)") == true)
    #expect(try whole?["machines"]?.object?.values.compactMap(\.integer) == [steps("x").count])
    let page = String(decoding: try program.bytes("x/results/report.html"), as: UTF8.self)
    #expect(page.contains("Scaled down") && !page.contains("http-equiv=\"refresh\""))
    let record = String(decoding: try program.bytes("record.md"), as: UTF8.self)
    #expect(record.contains("lcw reproduce digits --scale quick"))
    #expect(record.contains("training.epochs: 3 instead of 20"))
    // The results' folder that nobody named is not that of the figures, and other text stays.
    try Data(("Mine.\n" + record).utf8).write(
      to: program.folder.url.appendingPathComponent("record.md"))
    try program.run(
      quick + ["--record", "record.md", "--method", "arc", "--epochs", "1", "--networks", "2"])
    let next = String(decoding: try program.bytes("record.md"), as: UTF8.self)
    #expect(next.hasPrefix("Mine.\n# Reproduction"))
    #expect(next.contains("networks: 2 instead of 3") && !next.contains("| ot+wa"))
    #expect(exists("digits-quick/steps"))
    try program.run(quick + ["-o", "r-figures/digits-quick", "--record", "r.md"], expecting: 64)
    try program.run(quick + ["-o", "x", "--record", "absent/r.md"], expecting: 1)
  }

  @Test
  func `a model is fitted to networks of its own, and its methods are extended by others`() throws {
    try program.run(quick + ["-o", "x", "--method", "bijection:model=@realnvp"])
    let before = try steps("x")
    #expect(before.keys.count { $0.hasPrefix("fit-bijection") } == 1)
    // Three networks that are joined, and two that the model has seen.
    #expect(before.keys.count { $0.hasPrefix("train") } == 5)
    let table = try results("x").object
    #expect(
      table?["accuracy"]?.array?.compactMap { $0.object?["method"]?.string }
        == ["bijection:model=@realnvp", "end points (3)"])
    #expect(table?["fits"]?.array?.first?.object?["learned_from"] == 2)
    #expect(table?["networks"]?.array?.count == 5)
    // Another method that names it needs no other fit; one that names none trains no networks for it.
    try program.run(
      quick + [
        "-o", "x", "--method", "bijection:model=@realnvp", "--add-method",
        "bijection:model=@realnvp+wa",
      ])
    #expect(try steps("x").keys.count { $0.hasPrefix("fit") || $0.hasPrefix("train") } == 6)
    let fit = try #require(before.keys.first { $0.hasPrefix("fit") })
    #expect(
      try steps("x")[fit]?.object?["histories"]?.object?.values.first?.array?.count ?? 0 > 1)
    let unknown = try program.run(
      quick + ["-o", "y", "--method", "flow:model=@nu"], expecting: 65)
    #expect(unknown.errors.contains("there are realnvp"))
  }

  @Test
  func `a learned curve is learned once, for its table and its pictures`() throws {
    let arguments = quick + ["-o", "x", "--networks", "2", "--method", "garipov:epochs=4"]
    try program.run(arguments)
    let names = try steps("x").keys
    let learned = try #require(names.first { $0.hasPrefix("learn-garipov") })
    let plane = try #require(names.first { $0.hasPrefix("plane-garipov") })
    let bytes = try program.bytes("x/steps/\(learned)/path.lcw")
    let kept = program.folder.url.appendingPathComponent("x/steps/\(learned)/path.lcw")
    let picture = try steps("x")[plane]?.object?["losses"]
    // Another curve of the same networks, put in the place of the kept one, is what is then shown.
    let networks = names.filter { $0.hasPrefix("train") }.sorted().map {
      "x/steps/\($0)/network.lcw"
    }
    try program.run(
      ["connect"] + networks + ["-m", "garipov:epochs=1,rate=0.2", "-o", "other.lcw", "--quiet"])
    try FileManager.default.removeItem(at: kept)
    try FileManager.default.copyItem(
      at: program.folder.url.appendingPathComponent("other.lcw"), to: kept)
    try FileManager.default.removeItem(
      at: program.folder.url.appendingPathComponent("x/steps/\(plane)"))
    try program.run(arguments)
    #expect(try steps("x")[plane]?.object?["losses"] != picture)
    #expect(try steps("x")[plane]?.object?["losses"] != nil)
    // What is removed is learned anew, to the same bits.
    for name in names where name.hasPrefix("plane-garipov") {
      try FileManager.default.removeItem(
        at: program.folder.url.appendingPathComponent("x/steps/\(name)"))
    }
    try FileManager.default.removeItem(at: kept)
    try program.run(arguments)
    #expect(try program.bytes("x/steps/\(learned)/path.lcw") == bytes)
    #expect(try steps("x")[plane]?.object?["losses"] == picture)
    // More points measure the same curve.
    let date = try modification("x/steps/\(learned)/result.json")
    let description = """
      {"name": "finer", "dataset": "digits", "architecture": "mlp:hidden=100", "networks": 2,
       "training": {"epochs": 3}, "methods": ["garipov:epochs=4"], "points": 9}
      """
    try Data(description.utf8).write(to: program.folder.url.appendingPathComponent("e.json"))
    try program.run("reproduce", "e.json", "-o", "x", "--threads", "1", "--quiet")
    #expect(try modification("x/steps/\(learned)/result.json") == date)
    #expect(try steps("x").keys.count { $0.hasPrefix("learn") } == 1)
    #expect(try steps("x").keys.count { $0.hasPrefix("connect-garipov") } == 2)
  }
}
