// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWNumerics
import LCWPaths

extension Session {
  /// What is known of a data set; the files that its options name are opened, once.
  func data(_ reference: PluginReference) throws -> any LabelledData {
    try opened.data(reference) {
      try registry.data(
        reference, in: DataContext(locations: locations, open: { try open($0) }))
    }
  }

  /// The files that a data set's options name, which are no outputs.
  func files(ofDataset text: String?) throws -> [String] {
    guard let text else { return [] }
    let context = DataContext(locations: locations)
    return try registry.files(namedByDataset: datasetReference(text)).flatMap {
      context.places(of: $0).map(\.path)
    }
  }

  /// A data set that a file of weights names, which may name no files of its own.
  /// - Parameter file: The file of weights, which an error names.
  func unopened(_ recorded: PluginReference, in file: String?) throws -> PluginReference {
    let place = file.map { "\($0): " } ?? ""
    do {
      try registry.refuseFiles(namedBy: recorded, of: .dataset, recordedAs: "dataset")
      _ = try registry.dataset(recorded)
      return recorded
    } catch let error as CheckpointError {
      throw SessionError.recordedDataset(
        "\(place)\(error); if that is the data you mean, say so: "
          + "--dataset \("\(recorded)".shellQuoted)")
    } catch let error as PluginError {
      // Which data set is not here is told as for one that the user named.
      if case .unknownPlugin = error { throw error }
      throw SessionError.recordedDataset(
        "\(place)\(CheckpointError.recorded(field: "dataset", problem: error.description))")
    }
  }

  /// A data set as a user names it.
  /// - Throws: `PluginError`; where a file is named instead, with the data sets that read files.
  func datasetReference(_ text: String) throws -> PluginReference {
    let isFile = !text.contains("=") && (text.contains(".") || text.contains("/"))
    let readers = isFile ? dataReaders(of: text) : []
    guard readers.isEmpty else {
      throw SessionError.wrongUse(
        "‘\(text)’ is no data set; a file or folder of samples is \(readers.map { "\($0)" }.joined(separator: " or "))"
      )
    }
    return try PluginReference(text)
  }

  /// The data sets that read files, each given this one.
  func dataReaders(of path: String) -> [PluginReference] {
    registry.plugins(of: .dataset).filter { $0 is any FileDataset.Type }.compactMap { type in
      type.options.first(where: \.namesFile).map {
        PluginReference(name: type.name, options: [$0.key: path])
      }
    }
  }

  /// Both parts of a data set: the one given, or else the one recorded in a file of weights.
  /// - Parameters:
  ///   - file: The file of weights.
  ///   - loaded: What was loaded before, with the same limit; it is not loaded again.
  func data(
    given: String?, recorded: PluginReference?, in file: String? = nil, limit: Int? = nil,
    loaded: (reference: PluginReference, samples: EvaluationData)? = nil
  ) throws -> (reference: PluginReference, samples: EvaluationData) {
    guard
      let reference = try given.map(datasetReference)
        ?? recorded.map({ try unopened($0, in: file) })
    else { throw file.map { SessionError.needsDataset(file: $0) } ?? SessionError.noDataset }
    if let loaded, loaded.reference == reference { return loaded }
    let dataset = try self.data(reference)
    func samples(_ split: DataSplit) throws -> SampleSet {
      let all = try dataset.samples(split, in: locations)
      return limit.map(all.prefix) ?? all
    }
    return (
      reference, EvaluationData(train: try samples(.train), test: try samples(.test))
    )
  }
}
