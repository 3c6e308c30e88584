// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import LCWReport
import Testing

struct FindingsTests {
  private let url: URL
  private let described: DescribedExperiment
  private let experiment: ResolvedExperiment
  private let whole: ResolvedExperiment
  private let folder: ResultFolder

  init() throws { try self.init(samples: nil, isResumed: false) }

  /// Results of three networks and two methods, made up so that means and deviations are round. Those
  /// of one method are as an older version kept them.
  private init(samples: Int?, isResumed: Bool) throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    let description = """
      {"name": "made-up", "title": "Made up | 100 %", "dataset": "digits",
       "architecture": "mlp:hidden=9", "networks": 3, "methods": ["arc", "ot+wa"],
       \(samples.map { "\"samples\": \($0), \"pairs\": 1," } ?? "")
       "source": "A. Author (1999)",
       "published": {"arc": {"train": [97.5, 0.25]}, "end points": {"test": 98}},
       "scales": {"quick": {"points": 3, "training": {"epochs": 2}}}}
      """
    let registry = try PluginRegistry.linked()
    whole = try DescribedExperiment(description).resolved(by: registry)
    described = try DescribedExperiment(description, scale: "quick")
    experiment = try described.resolved(by: registry)
    folder = try ResultFolder(url.appendingPathComponent("x"))
    for (index, step) in experiment.steps.enumerated() {
      switch step.work {
      case .train(let network):
        let accuracy = 0.375 + 0.125 * Double(network)
        try keep(step, "\"train\": [\(accuracy), 0.25], \"test\": [\(accuracy / 2), 0.5]")
      case .connect(let method, _):
        let shift = "\(method)" == "arc" ? 0 : 0.25
        let worst = 0.25 + shift + 0.125 * Double(index % 3)
        try keep(
          step,
          """
          "train": \(part(worst, -0.5)), "test": \(part(worst / 2, 0.125)), "length": 4.0,
          "distance": 3.0, "resumed": \(isResumed), "stages": ["arc"], "learning_seconds": 0.5,
          \("\(method)" == "arc" ? "\"construction_seconds\": 1.0, \"measuring_seconds\": 0.5," : "")
          "points": [\(point(0, 0.9)), \(point(0.5, worst)), \(point(1, 0.9))]
          """)
      default: Issue.record("\(step.name) is not of this experiment")
      }
    }
  }

  private func part(_ worst: Double, _ barrier: Double) -> String {
    """
    {"worst_accuracy": \(worst), "worst_accuracy_t": 0.5, "barrier": \(barrier), "mean_loss": 0.75,
     "worst_loss": 1.0}
    """
  }

  private func point(_ t: Double, _ accuracy: Double) -> String {
    "{\"t\": \(t), \"grid\": true, \"train\": [\(accuracy), 1.0], \"test\": [\(accuracy), 1.0]}"
  }

  private func keep(_ step: Step, _ fields: String) throws {
    let place = folder.folder(of: step)
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let text = "{\"key\": \"\(step.key)\", \"seconds\": 1.5, \"threads\": 2, \(fields)}"
    try Data(text.utf8).write(to: place.appendingPathComponent("result.json"))
    if let product = folder.product(of: step) { try Data().write(to: product) }
  }

  private func changed(_ change: (inout Experiment) -> Void) throws -> ResolvedExperiment {
    try described.resolved(by: .linked(), change)
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
  }

  @Test func tablesAreTheirResults() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let findings = Findings(of: experiment, in: folder)
    #expect(findings.missing.isEmpty && !findings.isEmpty && findings.seconds == 9 * 1.5)
    #expect(findings.threads == [2])
    try findings.write(to: url.appendingPathComponent("results"), command: "lcw reproduce made-up")
    #expect(
      try text("results/accuracy.csv")
        == "method,pairs,worst_train_accuracy,worst_train_accuracy deviation,published_train,"
        + "published_train deviation,worst_test_accuracy,worst_test_accuracy deviation,"
        + "published_test,train_barrier,train_barrier deviation,test_barrier,"
        + "test_barrier deviation,length,seconds,construction_seconds,measuring_seconds\r\n"
        + "arc,3,0.375,0.125,0.975,0.0025,0.1875,0.0625,,-0.5,0.0,0.125,0.0,4.0,2.0,1.5,0.5\r\n"
        + "ot+wa,3,0.625,0.125,,,0.3125,0.0625,,-0.5,0.0,0.125,0.0,4.0,2.0,,\r\n"
        + "end points (3),,0.9,0.0,,,0.9,0.0,0.98,,,,,,,,\r\n")
    #expect(
      try text("results/accuracy.tex") == """
        \\begin{table}
          \\centering
          \\caption{Made up \\textbar{} 100 \\% (quick): worst accuracy along the path, mean $\\pm$ \
        standard deviation over the pairs}
          \\label{tab:made-up-quick-accuracy}
          \\begin{tabular}{lrrrrrrrrrrr}
            \\toprule
            method & pairs & worst train & published & worst test & published & barrier train & \
        barrier test & length & seconds & to construct & to measure \\\\
            \\midrule
            arc & 3 & 37.50 $\\pm$ 12.50\\% & 97.50 $\\pm$ 0.25\\% & 18.75 $\\pm$ 6.25\\% & -- & \
        $-$0.5000 $\\pm$ 0.0000 & 0.1250 $\\pm$ 0.0000 & 4.0 & 2.0 & 1.5 & 0.500 \\\\
            ot+wa & 3 & 62.50 $\\pm$ 12.50\\% & -- & 31.25 $\\pm$ 6.25\\% & -- & \
        $-$0.5000 $\\pm$ 0.0000 & 0.1250 $\\pm$ 0.0000 & 4.0 & 2.0 & -- & -- \\\\
            end points (3) & -- & 90.00 $\\pm$ 0.00\\% & -- & 90.00 $\\pm$ 0.00\\% & 98.00\\% & -- & \
        -- & -- & -- & -- & -- \\\\
            \\bottomrule
          \\end{tabular}

          \\medskip
          \\begin{minipage}{\\linewidth}\\footnotesize
            seconds: to construct a path and to measure along it; only paths that were not \
        interrupted\\par
            published: A. Author (1999), at full scale\\par
            scaled down or changed: training.epochs: 2 instead of 30\\par
            scaled down or changed: points: 3 instead of 21\\par
          \\end{minipage}
        \\end{table}

        """)
    let json = try JSONValue(parsing: Array(try text("results/results.json").utf8)).object
    #expect(json?["scaled_down"]?.array?.count == 2 && json?["pairs"]?.array?.count == 6)
    let page = try text("results/report.html")
    #expect(page.contains("training.epochs: 2 instead of 30") && !page.contains("not set"))
  }

  @Test func aRecordHoldsOneSectionForEachExperiment() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let findings = Findings(of: experiment, in: folder)
    let name = "made-up-quick"
    let file = url.appendingPathComponent("Record.md")
    try findings.writeRecord(to: file, command: "run-1")
    let first = try text("Record.md")
    #expect(first.hasPrefix("# Reproduction\n") && first.contains("```sh\nrun-1\n```"))
    #expect(first.contains("](Record-figures/\(name)/accuracy-test.svg)"))
    #expect(try text("Record-figures/\(name)/accuracy-test.svg").contains("<svg"))
    // Text around the section stays, and so do other sections.
    let around =
      "Mine.\n\n" + first.replacing("made-up", with: "other") + "\nBetween.\n\n" + first + "After."
    // Figures that the section showed are removed, and no others.
    let shown = around.replacing(
      "begin \(name) -->", with: "begin \(name) -->\n![o](Record-figures/\(name)/old.svg)\n")
    try Data(shown.utf8).write(to: file)
    let stale = url.appendingPathComponent("Record-figures/\(name)/old.svg")
    let mine = url.appendingPathComponent("Record-figures/\(name)/mine.svg")
    for file in [stale, mine] { try Data().write(to: file) }
    try findings.writeRecord(to: file, command: "run-2")
    let second = try text("Record.md")
    #expect(
      second
        == "Mine.\n\n" + first.replacing("made-up", with: "other") + "\nBetween.\n\n"
        + first.replacing("run-1", with: "run-2") + "After.")
    #expect(!FileManager.default.fileExists(atPath: stale.path))
    #expect(FileManager.default.fileExists(atPath: mine.path))
    // A file without a section gets one at its end.
    try Data("# Ours\n\nText.".utf8).write(to: file)
    try findings.writeRecord(to: file, command: "run-3")
    #expect(
      try text("Record.md").hasPrefix("# Ours\n\nText.\n\n<!-- lcw reproduce: begin \(name) -->\n"))
    // Nothing is guessed where the comments do not match.
    let broken = "<!-- lcw reproduce: begin \(name) -->\n"
    try Data(broken.utf8).write(to: file)
    #expect(throws: ExperimentError.self) { try findings.writeRecord(to: file, command: "4") }
    #expect(try text("Record.md") == broken)
  }

  @Test func aScaleDoesNotTakeThePlaceOfAnother() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let file = url.appendingPathComponent("Record.md")
    try Findings(of: whole, in: folder).writeRecord(to: file, command: "full")
    let first = try text("Record.md")
    #expect(first.contains("begin made-up -->") && first.contains("\n## Made up \\| 100 %\n"))
    try Findings(of: experiment, in: folder).writeRecord(to: file, command: "quick")
    let both = try text("Record.md")
    #expect(both.hasPrefix(first) && both.contains("begin made-up-quick -->"))
    #expect(both.contains("\n## Made up \\| 100 % (quick)\n"))
  }

  @Test func endPointsAreOfTheSamplesOfThePaths() throws {
    let some = try FindingsTests(samples: 70, isResumed: false)
    defer { for url in [url, some.url] { try? FileManager.default.removeItem(at: url) } }
    let findings = Findings(of: some.experiment, in: some.folder)
    let table = findings.accuracyTable
    #expect(
      table.csv.split(separator: "\r\n").last
        == "end points (2),,0.9,0.0,,,0.9,0.0,0.98,,,,,,")
    #expect(table.notes.contains { $0.hasPrefix("measured on the first 70 samples") })
    #expect(findings.pairTable.notes.contains { $0.contains("first 70 samples") })
    #expect(findings.networkTable.notes.contains("measured on all samples"))
    #expect(findings.networkTable.csv.contains("0.625"))
    // Where there are no paths, networks are all there is.
    let none = try some.changed { $0.methods = [] }
    let row = Findings(of: none, in: some.folder).accuracyTable.csv
    #expect(row.contains("end points (3),,0.625,0.125"))
    // A network that is in no path says nothing of the paths.
    let few = try changed { $0.pairLimit = 1 }
    #expect(Findings(of: few, in: folder).accuracyTable.csv.contains("end points (2)"))
  }

  @Test func secondsOfInterruptedPathsAreMarked() throws {
    let resumed = try FindingsTests(samples: nil, isResumed: true)
    defer { for url in [url, resumed.url] { try? FileManager.default.removeItem(at: url) } }
    func tradeOff(_ tests: FindingsTests) -> String? {
      Findings(of: tests.experiment, in: tests.folder).figures
        .first { $0.name == "trade-off" }?.picture.svg()
    }
    #expect(tradeOff(resumed) == nil)
    // All seconds, two for both methods, on an axis of logarithms.
    let svg = tradeOff(self)
    #expect(svg?.contains("seconds per pair") == true && svg?.contains(">2.00<") == true)
    let rows = Findings(of: resumed.experiment, in: resumed.folder).pairTable.csv
      .split(separator: "\r\n")
    #expect(rows[0].hasSuffix("seconds,construction_seconds,measuring_seconds,resumed"))
    #expect(rows[1].hasSuffix(",2.0,1.5,0.5,yes") && rows[6].hasSuffix(",2.0,,,yes"))
    #expect(Findings(of: experiment, in: folder).pairTable.csv.contains(",2.0,1.5,0.5,no"))
  }

  @Test func filesOfOthersStayInAFolderOfResults() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let results = url.appendingPathComponent("results")
    try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
    let mine = results.appendingPathComponent("mine.csv")
    try Data("1,2".utf8).write(to: mine)
    let findings = Findings(of: experiment, in: folder)
    try findings.write(to: results, command: "1")
    let none = try changed { $0.methods = [] }
    #expect(FileManager.default.fileExists(atPath: results.path + "/accuracy-test.svg"))
    try Findings(of: none, in: folder).write(to: results, command: "2")
    // Those of the run before, which has more.
    for name in ["accuracy-test.svg", "pairs.csv", "pairs.tex"] {
      #expect(!FileManager.default.fileExists(atPath: results.path + "/" + name))
    }
    #expect(try text("results/mine.csv") == "1,2")
  }
}
