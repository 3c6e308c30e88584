// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension Session {
  /// What stands for whichever architecture the tensors fit.
  static let searchedArchitecture = "auto"

  /// Whether an option asks for the architecture to be looked for.
  func isSearched(_ architecture: String?) -> Bool { architecture == Self.searchedArchitecture }

  /// The one architecture that a file's tensors fit, by their names and shapes.
  /// - Parameter dataset: The data set, whose samples and classes the network has to fit.
  /// - Throws: ``SessionError`` if none fits or several do, with what to write instead.
  func searched(
    _ source: any CheckpointSource, path: String, dataset: PluginReference?, areTransposed: Bool
  ) throws -> BoundNetwork {
    guard let dataset else { throw try needsDataset(source, path, areTransposed: areTransposed) }
    let data = try self.data(dataset)
    let search = try self.search(
      source, data.sampleShape, data.classes, areTransposed: areTransposed)
    guard let fit = search.fits.first else {
      throw SessionError.wrongUse(
        "\(path): " + (try misfit(source, search, dataset, data, areTransposed: areTransposed)))
    }
    guard search.fits.count == 1 else {
      throw SessionError.wrongUse(
        "\(path): the tensors fit \(search.fits.map { "\($0.reference)" }.listed(by: "and")); say which it "
          + "is, as in --architecture \("\(fit.reference)".shellQuoted)")
    }
    return BoundNetwork(
      architecture: fit.reference, dataset: dataset, network: fit.network, binding: fit.binding)
  }

  private func search(
    _ source: any CheckpointSource, _ shape: Shape, _ classes: Int, areTransposed: Bool
  ) throws -> ArchitectureSearch {
    try ArchitectureSearch(
      source.entries, sampleShape: shape, classes: classes, registry: registry,
      areTransposed: areTransposed)
  }

  /// Asks for the data set, and says which of those that are known the tensors fit.
  private func needsDataset(
    _ source: any CheckpointSource, _ path: String, areTransposed: Bool
  ) throws -> SessionError {
    var found: [String] = []
    for type in registry.plugins(of: .dataset) {
      guard let data = try? registry.dataset(PluginReference(name: type.name)) else { continue }
      let fits = try search(source, data.sampleShape, data.classes, areTransposed: areTransposed)
        .fits
      if !fits.isEmpty {
        found.append(
          "\(fits.map { "\($0.reference)" }.listed(by: "and")) with --dataset \(type.name)")
      }
    }
    return .wrongUse(
      "\(path) does not name its data set; give one with --dataset"
        + (found.isEmpty
          ? ", as in --dataset mnist" : ": the tensors fit \(found.listed(by: "or"))"))
  }

  /// The most misses that an error tells.
  private static let mostMisses = 3

  /// The most numbers of outputs that are tried where no network with the data set's fits.
  private static let mostOutputs = 8

  /// The most first parts of names that are tried by themselves.
  private static let mostParts = 16

  /// What to say of a file with several networks beside each other, such as weights and their moving average;
  /// nothing if no part of the names is one by itself.
  private func severalNetworks(
    in source: any CheckpointSource, _ data: any LabelledData, areTransposed: Bool
  ) throws -> String? {
    var parts: [String] = []
    for entry in source.entries {
      if let part = entry.name.split(separator: ".").first.map(String.init), part != entry.name,
        !parts.contains(part)
      {
        parts.append(part)
      }
    }
    var found: [(part: String, reference: PluginReference)] = []
    for part in parts.prefix(Self.mostParts) where parts.count > 1 {
      let fits = try ArchitectureSearch(
        source.entries.filter { $0.name.hasPrefix(part + ".") }, sampleShape: data.sampleShape,
        classes: data.classes, registry: registry, areTransposed: areTransposed
      ).fits
      if let fit = fits.first { found.append((part, fit.reference)) }
    }
    guard let first = found.first else { return nil }
    let names = found.map { "‘\($0.part).’" }.listed(by: "and")
    return
      "the tensors of \(names) are \(found.count == 1 ? "a network" : "networks") by themselves "
      + "(\(first.reference)); choose one with lcw convert --select "
      + "\("\(first.part).*".shellQuoted)"
  }

  /// Why no architecture fits, and what to do.
  private func misfit(
    _ source: any CheckpointSource, _ search: ArchitectureSearch, _ dataset: PluginReference,
    _ data: any LabelledData, areTransposed: Bool
  ) throws -> String {
    if let several = try severalNetworks(in: source, data, areTransposed: areTransposed) {
      return several
    }
    let outputs = Set(
      source.entries.filter { $0.shape.rank == 2 }.map { $0.shape[0] }
    ).subtracting([data.classes]).sorted().prefix(Self.mostOutputs)
    for count in outputs {
      let other = try self.search(source, data.sampleShape, count, areTransposed: areTransposed)
      if let fit = other.fits.first {
        return "the tensors fit \(fit.reference) of \(count) classes, and \(dataset) has "
          + "\(data.classes); name the data set that the network is for with --dataset"
      }
    }
    let turned = source.entries.map(\.transposed)
    if turned != source.entries, source.entries.allSatisfy({ $0.shape.rank < 3 }) {
      let other = try ArchitectureSearch(
        turned, sampleShape: data.sampleShape, classes: data.classes, registry: registry,
        areTransposed: !areTransposed)
      if let fit = other.fits.first {
        return areTransposed
          ? "the tensors fit \(fit.reference) as they are; leave out --transpose"
          : "the tensors fit \(fit.reference) when transposed; lcw convert --transpose transposes all "
            + "matrices"
      }
    }
    let help =
      "name one of lcw plugins architecture with its options, or write the network as text: "
      + "--architecture 'sequential:layers=…'"
    guard !search.misses.isEmpty else {
      return
        "no known architecture has tensors of such names and shapes for samples \(data.sampleShape) of "
        + "\(dataset); \(help)"
    }
    let nearest = search.misses.prefix(Self.mostMisses).map { "\($0.reference): \($0.obstacle)" }
    return
      "no known architecture fits \(dataset); the nearest are \(nearest.joined(separator: "; "));"
      + " \(help)"
  }
}

extension [String] {
  /// The texts with commas, and a word before the last.
  fileprivate func listed(by word: String) -> String {
    guard let last, count > 1 else { return joined() }
    return dropLast().joined(separator: ", ") + " \(word) " + last
  }
}
