// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks

/// What is to be done and measured, as plain data: a data set, networks trained on it, the pairs
/// among them, the methods that join them, and what else is asked of them.
///
/// An ``ExperimentDescription`` has one for each of its scales. Fields may be changed freely; a
/// ``ResolvedExperiment`` checks them, and knows what plugins and files say of them.
public struct Experiment: Sendable, Hashable {
  /// The name, which the file of results is called by: lower-case letters, digits, hyphens.
  public var name: String
  /// The title of tables and figures.
  public var title: String
  /// What the networks are trained on and measured with.
  public var dataset: PluginReference
  /// What the networks are.
  public var architecture: PluginReference
  /// How they are trained; network i has seed i. Networks of files were trained as these say.
  public var training: TrainingPlan
  /// Where the networks come from that are joined.
  public var networks: NetworkSource
  /// The models that are fitted to networks, which methods name as `@name`.
  public var fits: [Fit]
  /// The ways of joining them.
  public var methods: [MethodExpression]
  /// The number of pairs to join, the first of ``NetworkPair/all(of:)``; all if there is none.
  public var pairLimit: Int?
  /// How paths are evaluated.
  public var evaluation: Evaluation
  /// The heads of the ensembles of all networks, in layers with weights; none if there are none.
  public var heads: [Int]
  /// The methods whose neurons in the middle of the first pair's path are shown.
  public var middles: [MethodExpression]
  /// The methods through whose middle a plane with the first pair is drawn.
  public var planes: [MethodExpression]
  /// Who published the figures that stand beside those that are found.
  public var source: String?
  /// Figures to stand beside those that are found, by the method's text.
  public var published: [String: PublishedFigures]

  /// Where the networks come from that are joined.
  public enum NetworkSource: Sendable, Hashable {
    /// So many are trained, numbered from 1; the networks of fits may be others.
    case trained(Int)
    /// They are read from files, or from those that fit patterns such as `nets/*.lcw`.
    case files([String])

    /// Whether they are read from files.
    public var isOfFiles: Bool {
      if case .files = self { true } else { false }
    }
  }

  /// How paths are evaluated.
  public struct Evaluation: Sendable, Hashable {
    /// The points of the grid on each unit of a path.
    public var points: Int
    /// Whether a path is measured at its ends and in its middle alone, without a grid.
    public var isMiddleAlone: Bool
    /// Whether the worst points are looked for between those of the grid.
    public var refines: Bool
    /// The samples of each set of the data; all if there is no number.
    public var samples: Int?
  }

  /// A model that is fitted to networks, and that options of methods name as `@name`.
  public struct Fit: Sendable, Hashable {
    /// The name, without the sign.
    public var name: String
    /// The method to fit, with its options.
    public var method: MethodExpression
    /// The seeds of the networks.
    public var networks: [Int]
    /// The last networks are held out: they are not learned from, and tell when to stop.
    public var heldOut: Int
  }

  /// All methods that join two networks, for tables or pictures.
  var joiningMethods: [MethodExpression] { methods + middles + planes }

  /// The fits that a method needs, each behind those it begins with.
  public var usedFits: [Fit] {
    var names = Set(joiningMethods.flatMap(\.fitNames))
    for fit in fits.reversed() where names.contains(fit.name) {
      names.formUnion(fit.method.fitNames)
    }
    return fits.filter { names.contains($0.name) }
  }

  /// Those of a number of networks that are joined: those that no fit has seen.
  func joined(of count: Int) -> [Int] {
    let seen = Set(fits.flatMap(\.networks))
    return (1...count).filter { !seen.contains($0) }
  }

  /// The pairs to join, among a number of networks: neighbours on a ring first, then those two apart
  /// and so on.
  func pairs(of count: Int) -> [NetworkPair] {
    let joined = joined(of: count)
    return NetworkPair.all(of: joined.count).prefix(pairLimit ?? .max).map {
      NetworkPair(first: joined[$0.first - 1], second: joined[$0.second - 1])
    }
  }
}
