// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWReport

extension Experiment {
  /// Checks that fields agree with each other.
  ///
  /// How many networks there are in files is not known before they are looked for: what depends on it
  /// is checked when the experiment is resolved.
  /// - Throws: ``ExperimentError``.
  public func check() throws(ExperimentError) {
    if case .trained(let count) = networks { try check(networkCount: count) }
    var known: [String] = []
    for fit in fits {
      try fit.method.check(fits: known)
      known.append(fit.name)
    }
    for method in joiningMethods { try method.check(fits: known) }
  }

  /// Checks what depends on the number of networks.
  func check(networkCount count: Int) throws(ExperimentError) {
    guard (1...Experiment.mostNetworks).contains(count) else {
      throw .field("networks", expected: "from 1 to \(Experiment.mostNetworks)")
    }
    // Before there are any: each is a value with a digest, and a folder.
    let steps = stepCount(networkCount: count)
    guard steps <= Double(Experiment.mostSteps) else {
      throw .field(
        "pairs",
        expected: "so few that there are at most \(Experiment.mostSteps) steps, but there would be "
          + "\(String(steps, decimals: 0))")
    }
    guard joined(of: count).count > 1 || joiningMethods.isEmpty else {
      throw .field(
        "networks",
        expected: (networks.isOfFiles ? "2 or more different files" : "2 or more")
          + (fits.isEmpty ? "" : " that no fit has seen")
          + ", because methods or pictures need pairs")
    }
    if networks.isOfFiles, let fit = usedFits.first(where: { $0.networks.contains { $0 > count } })
    {
      throw .field(
        "fits.\(fit.name).networks",
        expected:
          "numbers of the files, from 1 to \(count); choose methods that need no model fitted to "
          + "other networks, or name more files")
    }
  }

  /// The steps that an experiment has at most.
  static let mostSteps = 100_000

  /// How many steps there are at most, before they are made.
  private func stepCount(networkCount: Int) -> Double {
    let count = Double(joined(of: networkCount).count)
    let pairs = min(count * max(0, count - 1) / 2, pairLimit.map(Double.init) ?? .infinity)
    let pictures = 2 * (middles.count + planes.count) + 1
    let networks = Set(1...networkCount).union(usedFits.flatMap(\.networks)).count
    // A path may be learned by a step of its own.
    return Double(networks + usedFits.count + heads.count + pictures)
      + 2 * pairs * Double(methods.count)
  }
}

extension MethodExpression {
  /// The names of the fits that options of the method refer to.
  var fitNames: [String] {
    ([method] + modifiers).flatMap { Array($0.options.values) }
      .filter { $0.hasPrefix("@") }.map { String($0.dropFirst()) }.sorted()
  }

  fileprivate func check(fits known: [String]) throws(ExperimentError) {
    if let name = fitNames.first(where: { !known.contains($0) }) {
      throw .unknownFit(name, known: known)
    }
  }
}
