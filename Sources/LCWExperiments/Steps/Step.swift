// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFiles
import LCWNetworks

/// One piece of an experiment's work, with a result of its own.
public struct Step: Sendable, Hashable {
  /// What a step does.
  public enum Work: Sendable, Hashable {
    /// Trains and measures a network.
    case train(network: Int)
    /// Reads a network from its file and measures it.
    case open(network: Int)
    /// Fits a model to networks.
    case fit(Experiment.Fit)
    /// Learns the path of two networks.
    case learn(MethodExpression, NetworkPair)
    /// Joins two networks and measures along the path.
    case connect(MethodExpression, NetworkPair)
    /// Measures ensembles of all networks, of one, two and so on.
    case ensemble(head: Int)
    /// Projects the neurons in the middle of paths.
    case middles([MethodExpression], NetworkPair)
    /// Measures the loss on the plane through two networks and the middle of a path.
    case plane(MethodExpression, NetworkPair)

    /// The number of the network that it gives, if it gives one.
    var network: Int? {
      switch self {
      case .train(let network), .open(let network): network
      case .fit, .learn, .connect, .ensemble, .middles, .plane: nil
      }
    }
  }

  /// What is done.
  public let work: Work
  /// What it is called, such as `train 3` or `arc 1–2`.
  public let name: String
  /// The SHA-256 of everything the result depends on, in hexadecimal.
  public let key: String
  /// The keys of the steps whose results it needs.
  public let needs: [String]
  /// How many steps one behind the other it needs before it: the array of a cluster it belongs to.
  public let level: Int

  /// The folder of the result, such as `connect-linear-wa-1-2-` and the start of the key.
  ///
  /// Nothing in it but what the key is of: two ways to write one method name one folder.
  public var folderName: String {
    func plugins(_ method: MethodExpression) -> [String] {
      [method.method.name] + method.modifiers.map(\.name)
    }
    func ends(_ pair: NetworkPair) -> [String] { ["\(pair.first)", "\(pair.second)"] }
    let words =
      switch work {
      case .train(let network): ["train", "\(network)"]
      case .open(let network): ["network", "\(network)"]
      case .fit(let fit): ["fit"] + plugins(fit.method)
      case .learn(let method, let pair): ["learn"] + plugins(method) + ends(pair)
      case .connect(let method, let pair): ["connect"] + plugins(method) + ends(pair)
      case .ensemble(let head): ["ensemble", "\(head)"]
      case .middles(_, let pair): ["middles"] + ends(pair)
      case .plane(let method, let pair): ["plane"] + plugins(method) + ends(pair)
      }
    return "\(words.joined(separator: "-").prefix(100))-\(key.prefix(16))"
  }

  /// Whether a name may be that of a step's folder: it ends in a hyphen and a key's start.
  static func isFolderName(_ name: String) -> Bool {
    let end = name.utf8.suffix(17)
    return end.count == 17 && end.first == 45
      && end.dropFirst().allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// Whether its own work can be gone on from where it was interrupted.
  var isResumable: Bool {
    switch work {
    case .train, .fit, .learn: true
    case .open, .connect, .ensemble, .middles, .plane: false
    }
  }

  init(_ work: Work, name: String, inputs: [String: JSONValue], needs: [Step]) {
    self.work = work
    self.name = name
    self.needs = needs.map(\.key)
    level = (needs.map(\.level).max() ?? -1) + 1
    let identity = inputs.merging([
      "layout": .integer(Step.layout), "needs": .array(needs.map { .string($0.key) }),
    ]) { $1 }
    key = SHA256.hexDigest(of: Array(JSONValue.object(identity).compactText.utf8))
  }

  /// Is raised when what results hold, or how they are found, changes.
  private static let layout = 3
}
