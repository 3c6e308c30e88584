// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import LCWNetworks
import Testing

struct ExperimentTests {
  private func resolved(
    _ text: String, scale: String = ExperimentDescription.fullScale,
    _ change: (inout Experiment) throws -> Void = { _ in }
  ) throws -> ResolvedExperiment {
    try DescribedExperiment(text, scale: scale).resolved(by: .linked(), change)
  }

  private func failure(_ text: String) -> String {
    do {
      _ = try DescribedExperiment(text)
      return "nothing is wrong"
    } catch { return "\(error)" }
  }

  /// A description with fields put before what every experiment needs.
  private func description(_ fields: String) -> String {
    "{\(fields) \"name\": \"x\", \"dataset\": \"digits\", \"architecture\": \"mlp:hidden=9\"}"
  }

  @Test func fieldsAreReadAndOthersHaveTheirDefaults() throws {
    let read = try resolved(
      description(
        """
        "training": {"epochs": 4, "schedule": "constant"}, "networks": 4, "pairs": 3,
        "methods": ["arc", "ot+wa", "arc"], "heads": [2, 2, 1], "samples": 50, "refine": false,
        "published": {"arc": {"train": [97.5, 0.25], "test": 96}},
        """))
    #expect(try DescribedExperiment(description("\"title\": \"A\\nB\",")).experiment.title == "A B")
    #expect(read.title == "x" && read.training.epochs == 4 && read.training.batch == 128)
    #expect(read.training.rate == 0.01 && "\(read.training.schedule)" == "constant")
    #expect(read.methods.map(\.description) == ["arc", "ot+wa"] && read.heads == [2, 1])
    #expect(read.pairs.map(\.description) == ["1–2", "2–3", "3–4"])
    #expect(read.evaluation.points == 21 && !read.evaluation.refines)
    #expect(read.published["arc"]?.train?.text == "97.5 ± 0.25")
    #expect(read.published["arc"]?.test?.deviation == nil)
    #expect(read.scaledDown.isEmpty)
    let plain = try resolved(description(""))
    #expect(plain.networks == 2 && plain.training.epochs == 30 && plain.methods.isEmpty)
    #expect(plain.evaluation.samples == nil && plain.pairs.count == 1)
  }

  @Test(arguments: [
    ("\"netwroks\": 3,", "networks"), ("\"networks\": \"3\",", "an integer from 1 to 1000"),
    ("\"networks\": 1, \"methods\": [\"arc\"],", "2 or more"),
    ("\"training\": {\"epoch\": 1},", "training.epochs"), ("\"training\": 3,", "a JSON object"),
    ("\"methods\": \"arc\",", "a list of methods"), ("\"refine\": 1,", "true or false"),
    ("\"published\": {\"arc\": {\"train\": [1, 2, 3]}},", "published.arc.train"),
    ("\"scales\": {\"paper\": {}},", "none called paper"),
    ("\"scales\": {\"small\": {\"networks\": 0}},", "from 1 to 1000"),
    ("\"scales\": {\"a/b\": {}},", "lower-case letters"),
    ("\"fits\": [{\"name\": \"N\", \"method\": \"flow\", \"networks\": [3]}],", "fits[0].name"),
    ("\"fits\": [{\"name\": \"n\", \"method\": \"flow\", \"networks\": []}],", "different seeds"),
    ("\"fits\": [{\"name\": \"n\", \"networks\": [3]}],", "fits[0].method"),
    (
      "\"fits\": [{\"name\": \"n\", \"method\": \"flow\", \"networks\": [3], \"hold-out\": 1}],",
      "from 0 to 0"
    ),
    ("\"methods\": [\"flow:model=@n\"],", "‘@n’, but there is no such fit"),
    (
      "\"methods\": [\"arc\"], \"fits\": [{\"name\": \"n\", \"method\": \"flow\", \"networks\": [2]}],",
      "that no fit has seen"
    ),
  ])
  func whatIsWrongIsNamed(fields: String, part: String) {
    #expect(failure(description(fields)).contains(part), "\(failure(description(fields)))")
  }

  @Test func networksOfFitsAreKeptOutOfPairs() throws {
    let text =
      description(
        """
        "networks": 5, "methods": ["flow:model=@a", "arc"], "fits": [
          {"name": "start", "method": "flow", "networks": [8, 9]},
          {"name": "a", "method": "bijection:start=@start", "networks": [2, 7], "hold-out": 1},
          {"name": "unused", "method": "flow", "networks": [11]}],
        """)
    let fitted = try resolved(text)
    #expect(fitted.joined == [1, 3, 4, 5] && fitted.trained == [1, 2, 3, 4, 5, 7, 8, 9])
    #expect(fitted.pairs.count == 6 && fitted.pairs.allSatisfy { $0.first != 2 && $0.second != 2 })
    #expect(fitted.usedFits.map(\.name) == ["start", "a"])
    let steps = fitted.steps
    let fit = try #require(steps.first { $0.name == "fit a" })
    let start = try #require(steps.first { $0.name == "fit start" })
    #expect(fit.needs.contains(start.key) && fit.level == 2 && start.level == 1)
    for step in steps {
      if case .connect(let method, _) = step.work {
        #expect(step.needs.contains(fit.key) == ("\(method)" == "flow:model=@a"))
      }
    }
    let arc = try resolved(text) { $0.methods = [try MethodExpression("arc")] }
    #expect(arc.usedFits.isEmpty && arc.trained == [1, 2, 3, 4, 5] && arc.joined == fitted.joined)
  }

  @Test func whatIsScaledDownIsWhatRunsBesideFullScale() throws {
    let text = description(
      """
      "networks": 5, "methods": ["arc", "linear"], "heads": [1],
      "scales": {"quick": {"training": {"epochs": 3, "batch": 128}, "networks": 3, "points": 5,
                           "methods": ["arc"], "heads": [], "samples": 100, "refine": true}},
      """)
    let quick = try resolved(text, scale: "quick")
    #expect(
      quick.scaledDown == [
        "training.epochs: 3 instead of 30", "networks: 3 instead of 5",
        "methods: arc instead of arc, linear", "pairs: 3 instead of 10",
        "points: 5 instead of 21", "samples: 100 instead of all",
        "heads: none instead of 1",
      ])
    let larger = try resolved(text, scale: "quick") {
      $0.training.epochs = 30
      $0.networks = .trained(5)
      $0.pairLimit = 4
    }
    #expect(
      larger.scaledDown == [
        "methods: arc instead of arc, linear", "pairs: 4 instead of 10",
        "points: 5 instead of 21", "samples: 100 instead of all",
        "heads: none instead of 1",
      ])
    #expect(try resolved(text).scaledDown.isEmpty)
    let short = try resolved(text) { $0.training.epochs = 7 }
    #expect(short.scaledDown == ["training.epochs: 7 instead of 30"])
  }

  @Test func keysAreOfWhatAResultDependsOn() throws {
    let base = description(
      "\"networks\": 3, \"methods\": [\"arc\"], \"heads\": [1], \"planes\": [\"arc\"], "
        + "\"middles\": [\"arc\"],")
    let first = try resolved(base)
    func names(ofChanged change: (inout Experiment) throws -> Void) throws -> Set<String> {
      let other = try resolved(base, change)
      let known = Set(first.steps.map(\.key))
      return Set(other.steps.filter { !known.contains($0.key) }.map(\.name))
    }
    let paths: Set = ["arc 1–2", "arc 2–3", "arc 1–3"]
    let rest: Set = ["ensemble of heads of 1", "plane of arc 1–2"]
    #expect(Set(first.steps.map(\.key)).count == first.steps.count)
    #expect(try names { $0.title = "another" }.isEmpty)
    #expect(try names { $0.evaluation.points = 7 } == paths)
    #expect(try names { $0.evaluation.refines = false } == paths)
    #expect(try names { $0.evaluation.samples = 70 } == paths.union(rest))
    #expect(try names { $0.methods.append(try MethodExpression("ot")) }.count == 3)
    #expect(try names { $0.networks = .trained(4) }.contains("train 4"))
    #expect(try !names { $0.networks = .trained(4) }.contains("train 3"))
    #expect(try names { $0.training.epochs = 1 } == Set(first.steps.map(\.name)))
    // A key is for ever: results that are kept must be found again.
    #expect(
      first.steps[0].key == "7029f6ec95cdbac31d0ebced3ab1f4216559459019b304668cf6e1d408d2b6dc")
  }

  @Test func everyDescriptionInTheSourcesComesWithIt() throws {
    let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/LCWExperiments/Experiments")
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
    #expect(!names.isEmpty)
    #expect(Set(names) == Set(ExperimentDescription.included.keys.map { "\($0).json" }))
  }

  @Test func theExperimentsThatComeWithItAreReadAtEachScale() throws {
    for (name, bytes) in ExperimentDescription.included {
      let description = try ExperimentDescription(JSONValue(parsing: bytes))
      #expect(description.whole.name == name)
      for scale in description.scales.keys {
        let scaled = try included(name, scale)
        #expect(!scaled.scaledDown.isEmpty && !scaled.steps.isEmpty, "\(name), \(scale)")
      }
    }
    func included(_ name: String, _ scale: String) throws -> ResolvedExperiment {
      try DescribedExperiment(try #require(ExperimentDescription.included[name]), scale: scale)
        .resolved(by: .linked())
    }
    // Seven networks and their ensembles, and no pair.
    let ensembles = try included("cifar100-vgg16", "paper")
    #expect(ensembles.steps.count == 7 + 6 && ensembles.heads == [6, 10, 12, 13, 14, 16])
    // The networks of fits are others than those joined.
    let small = try included("mnist-two-layer", "small")
    #expect(small.trained == Array(1...20) && small.joined == Array(1...5))
    #expect(
      small.pairs.count == 3
        && small.usedFits.map(\.name) == ["iaf", "realnvp-flow", "realnvp", "iaf-bijection"])
    #expect(try included("cifar10-two-layer", "small").trained == Array(1...5))
    #expect(try included("cifar10-resnet20", "middle-width-2").evaluation.isMiddleAlone)
    // No method of that scale needs the model.
    #expect(try included("cifar10-two-layer", "quick").trained == [1, 2])
    #expect(try included("cifar10-two-layer", "paper").trained.count == 5 + 19)
  }
}
