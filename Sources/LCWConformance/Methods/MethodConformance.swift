// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
import LCWNumerics

/// Looks whether a method keeps the promises of ``ConnectionMethod``.
///
/// ```swift
/// let suite = try MethodConformance("detour:points=5+wa", in: .linked())
/// for broken in suite.brokenProperties() { print(broken) }
/// ```
public struct MethodConformance: Sendable {
  /// Joins two networks.
  public typealias Connect =
    @Sendable (Weights, Weights, ConnectionContext) throws -> any ConnectionPath

  /// The networks to join; the method may refuse some, but not all.
  public var networks: [Network]
  private let prepare: @Sendable (Network, ConnectionContext) throws -> Connect
  private let type: (any Plugin.Type)?

  /// The suite for a method, perhaps with a modifier, as it is written on the command line.
  /// - Throws: ``PluginError`` or ``ConnectionError`` if the registry has no such method.
  public init(_ expression: String, in registry: PluginRegistry) throws {
    let expression = try MethodExpression(expression)
    let connection = try registry.connection(expression)
    let method = try registry.method(expression.method)
    networks = try SuiteNetworks.all()
    type = Swift.type(of: method)
    prepare = { network, context in
      guard let learner = method as? any LearnableMethod,
        Swift.type(of: method).options.contains(where: { $0.key == Self.modelOption }),
        expression.method.options[Self.modelOption] == nil
      else { return { try connection.path(from: $0, to: $1, in: $2) } }
      let fitted = MethodExpression(
        // Options of the fit stand for nothing beside a model.
        PluginReference(name: expression.method.name, options: [Self.modelOption: "fitted"]),
        modifiers: expression.modifiers)
      let examples = try (11..<17).map { try Weights(randomFor: network, seed: $0) }
      let model = try learner.fit(
        to: Array(examples.dropLast()), heldOut: Array(examples.suffix(1)), in: context)
      let modelled = try registry.connection(fitted)
      return { first, second, context in
        var context = context
        context.open = { _ in model }
        return try modelled.path(from: first, to: second, in: context)
      }
    }
  }

  /// The suite for anything that joins two networks.
  public init(_ connect: @escaping Connect) throws {
    networks = try SuiteNetworks.all()
    prepare = { _, _ in connect }
    type = nil
  }

  /// The option by which a method that learns finds its model.
  private static let modelOption = "model"

  /// The promises that the method does not keep.
  public func brokenProperties() -> [BrokenProperty] {
    var broken = type.map(Conformance.brokenDescription) ?? []
    var refusals: [String] = []
    for network in networks {
      do {
        let pair = try SuitePair(network)
        let connect = try prepare(network, pair.context)
        let path = try connect(pair.first, pair.second, pair.context)
        broken += PathConformance(path, pair, again: connect).brokenProperties()
        broken += try brokenRefusals(connect, pair)
      } catch let error as any DescribedError {
        refusals.append("\(network): \(error)")
      } catch {
        broken.add(.refusesProperly, "\(network) is refused by \(error)")
      }
    }
    if refusals.count == networks.count {
      broken.add(.joins, "no network could be joined: \(refusals.joined(separator: "; "))")
    }
    return broken
  }

  /// Networks that differ, and one that is not finite.
  private func brokenRefusals(_ connect: Connect, _ pair: SuitePair) throws -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    for other in try SuiteNetworks.variations(of: pair.first.network) {
      let problem = Self.refusal {
        _ = try connect(pair.first, Weights(randomFor: other, seed: 2), pair.context)
      }
      switch problem {
      case .accepted:
        broken.add(.refusesMismatch, "‘\(pair.first.network)’ is joined to ‘\(other)’")
      case .undescribed(let error): broken.add(.refusesMismatch, "refused by \(error)")
      case .described: break
      }
    }
    var damaged = pair.second
    damaged[0].elements[0] = .nan
    if case .undescribed(let error) = Self.refusal({
      _ = try connect(pair.first, damaged, pair.context)
    }) {
      broken.add(.refusesProperly, "weights that are not finite are refused by \(error)")
    }
    return broken
  }

  private enum Refusal {
    case accepted
    case described
    case undescribed(any Error)
  }

  private static func refusal(_ body: () throws -> Void) -> Refusal {
    do { try body() } catch is any DescribedError { return .described } catch {
      return .undescribed(error)
    }
    return .accepted
  }
}
