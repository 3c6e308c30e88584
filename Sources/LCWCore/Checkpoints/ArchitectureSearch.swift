// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// Which of the known architectures a file's tensors fit, by their names and shapes alone; none is read.
public struct ArchitectureSearch: Sendable {
  /// A network that the tensors fit.
  public struct Fit: Sendable {
    /// Its architecture.
    public let reference: PluginReference
    /// The network.
    public let network: Network
    /// Which tensor is which parameter.
    public let binding: CheckpointBinding
  }

  /// A network that they do not fit.
  public struct Miss: Sendable {
    /// Its architecture.
    public let reference: PluginReference
    /// How many of its parameters and of the tensors have no counterpart of their shape.
    public let distance: Int
    /// What keeps the tensors from fitting.
    public let obstacle: String
  }

  /// The networks that fit: those whose names tell so, or else those whose order or shapes do.
  public let fits: [Fit]
  /// Those that do not fit, the nearest first.
  public let misses: [Miss]

  /// The most references that are tried of one family.
  private static let mostOfOneFamily = 32

  /// Tries the candidates of all architectures of a registry.
  /// - Parameters:
  ///   - entries: The tensors.
  ///   - sampleShape: The shape of one sample.
  ///   - classes: The number of classes.
  ///   - registry: The architectures.
  ///   - areTransposed: Whether matrices were `[inputs, outputs]`.
  /// - Throws: ``NameTableError`` for an architecture whose table of names is malformed.
  public init(
    _ entries: [TensorEntry], sampleShape: Shape, classes: Int, registry: PluginRegistry,
    areTransposed: Bool = false
  ) throws {
    let survey = TensorSurvey(of: entries, sampleShape: sampleShape)
    var (fits, misses): ([Fit], [Miss]) = ([], [])
    for family in registry.plugins(of: .architecture).compactMap({ $0 as? any Architecture.Type }) {
      let table = try NameTable(family.nameTable)
      for reference in family.candidates(for: survey).prefix(Self.mostOfOneFamily) {
        do {
          let network = try registry.architecture(reference)
            .network(inputShape: sampleShape, classes: classes)
          do throws(CheckpointError) {
            let binding = try CheckpointBinding(
              of: entries, to: network, areTransposed: areTransposed, table: table)
            fits.append(Fit(reference: reference, network: network, binding: binding))
          } catch {
            misses.append(Miss(reference, network, survey, error))
          }
        } catch let error as any DescribedError {
          misses.append(
            Miss(reference: reference, distance: .max, obstacle: error.description.asOneLine))
        }
      }
    }
    // Names say more than an order does, and one network may be written in several ways.
    let named = fits.filter { $0.binding.rule == .name }
    self.fits = (named.isEmpty ? fits : named).reduce(into: []) { unique, fit in
      if !unique.contains(where: { $0.network == fit.network }) { unique.append(fit) }
    }
    self.misses = misses.enumerated().sorted {
      ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
    }.map(\.element)
  }
}

extension ArchitectureSearch.Miss {
  /// How far tensors are from a network, and the first of each that has no counterpart.
  fileprivate init(
    _ reference: PluginReference, _ network: Network, _ survey: TensorSurvey,
    _ error: CheckpointError
  ) {
    var left: [Shape: [TensorEntry]] = Dictionary(grouping: survey.entries, by: \.shape)
    var missing: [Parameter] = []
    for parameter in network.parameters where left[parameter.shape]?.popLast() == nil {
      missing.append(parameter)
    }
    let places = Set(left.values.joined().map { Array($0.name.utf8) })
    let over = survey.entries.filter { places.contains(Array($0.name.utf8)) }
    var reasons: [String] = []
    if let first = missing.first {
      reasons.append(
        "no tensor is left for ‘\(first.name)’ \(first.shape)"
          + (missing.count > 1 ? " and \(missing.count - 1) more" : ""))
    }
    if let first = over.first {
      reasons.append(
        "no place for ‘\(first.name)’ \(first.shape)"
          + (over.count > 1 ? " and \(over.count - 1) more" : ""))
    }
    if reasons.isEmpty, case .binding(let reason, _, _) = error {
      reasons.append("all shapes are there, but \(reason)")
    }
    self.init(
      reference: reference, distance: missing.count + over.count,
      obstacle: (reasons.isEmpty ? error.description : reasons.joined(separator: ", "))
        .asOneLine)
  }
}
