// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWNetworks
import LCWNumerics

/// Looks whether a data set keeps the promises of ``Dataset``, on the files that are there.
public struct DatasetConformance: Sendable {
  private let type: any Plugin.Type
  private let reference: PluginReference
  private let registry: PluginRegistry
  private let locations: DataLocations
  private let isFolderGiven: Bool

  /// The suite for a data set as it is written on the command line.
  /// - Parameters:
  ///   - text: The data set.
  ///   - registry: Where it is looked for.
  ///   - folder: Where its files are, and have to be; nothing for where `lcw` looks for them, where
  ///     a machine may have none.
  /// - Throws: ``PluginError`` if the registry has no such data set.
  public init(_ text: String, in registry: PluginRegistry, folder: URL? = nil) throws {
    let reference = try PluginReference(text)
    guard let type = registry.plugins(of: .dataset).first(where: { $0.name == reference.name })
    else {
      throw PluginError.unknownPlugin(
        name: reference.name, kind: .dataset, known: registry.plugins(of: .dataset).map { $0.name })
    }
    _ = try type.init(options: OptionValues(reference, declaredBy: type))
    self.type = type
    self.reference = reference
    self.registry = registry
    isFolderGiven = folder != nil
    locations = DataLocations(
      given: folder?.path, environment: ProcessInfo.processInfo.environment)
  }

  /// The promises that the data set does not keep.
  public func brokenProperties() -> [BrokenProperty] {
    var broken = Conformance.brokenDescription(of: type)
    let nowhere = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    broken.add(.namesMissingFiles, unnamed(DataLocations(folders: [nowhere])))
    do {
      let dataset: any LabelledData
      do { dataset = try data(locations) } catch let error as DataError
        where error.category == .missingFile
      {
        // As of a data set that looks for its files only when samples are asked for.
        for split in isFolderGiven ? DataSplit.allCases : [] {
          broken.add(.hasSamples, "\(split.rawValue): \(error)")
        }
        return broken
      }
      let (found, missing) = try splits(dataset)
      // Without any of its files there is no more to look at, and the error was looked at above.
      if isFolderGiven || !found.isEmpty { broken += missing }
      for (split, samples) in found {
        broken += self.broken(samples, split, of: dataset)
        broken.add(.repeats, try unrepeated(samples, split))
      }
      if found.count == 2 { broken.add(.keepsSplitsApart, overlap(found[0].1, found[1].1)) }
    } catch let error as any DescribedError {
      broken.add(.hasSamples, "\(error)")
    } catch {
      broken.add(.refusesProperly, "the samples are refused by \(error)")
    }
    return broken
  }

  /// The data set, with its files looked for in some folders.
  private func data(_ locations: DataLocations) throws -> any LabelledData {
    try registry.data(
      reference, in: DataContext(locations: locations, open: { try registry.open($0) }))
  }

  /// The splits that are there, and what is said of those whose files are not.
  private func splits(
    _ dataset: any LabelledData
  ) throws -> (found: [(DataSplit, SampleSet)], missing: [BrokenProperty]) {
    var found: [(DataSplit, SampleSet)] = []
    var missing: [BrokenProperty] = []
    for split in DataSplit.allCases {
      do {
        found.append((split, try dataset.samples(split, in: locations)))
      } catch let error as DataError where error.category == .missingFile {
        missing.add(.hasSamples, "\(split.rawValue): \(error)")
      }
    }
    return (found, missing)
  }

  /// What the error of an empty folder lacks; a data set without files throws none.
  private func unnamed(_ locations: DataLocations) -> String? {
    do { _ = try data(locations).samples(.train, in: locations) } catch let error
      as any DescribedError
    {
      let isNamed = locations.folders.allSatisfy { "\(error)".contains($0.path) }
      return error.category == .missingFile && isNamed
        ? nil : "the error is not of a missing file that says where it was looked for: \(error)"
    } catch {
      return "the error is not described: \(error)"
    }
    return nil
  }

  private func broken(
    _ samples: SampleSet, _ split: DataSplit, of dataset: any LabelledData
  ) -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    guard samples.count > 0, samples.sampleShape == dataset.sampleShape,
      samples.classes == dataset.classes
    else {
      broken.add(
        .hasSamples,
        "\(split.rawValue) has \(samples.count) samples \(samples.sampleShape) of "
          + "\(samples.classes) classes, where \(dataset.sampleShape) and \(dataset.classes) are said"
      )
      return broken
    }
    var (least, greatest) = (Float.infinity, -Float.infinity)
    var areSmall = true
    for range in samples.ranges(ofSize: 500) {
      for value in samples.block(range).elements {
        (least, greatest) = (min(least, value), max(greatest, value))
        // Comparisons with what is not a number are false.
        areSmall = areSmall && abs(value) <= 1000
      }
    }
    if !areSmall || !(least < greatest) {
      broken.add(
        .hasRanges, "values of \(split.rawValue) run from \(least) to \(greatest)")
    }
    let missing = Set(0..<Int32(samples.classes)).subtracting(samples.labels).sorted()
    if !missing.isEmpty {
      broken.add(.hasLabels, "\(split.rawValue) has no sample of the classes \(missing)")
    }
    return broken
  }

  private func unrepeated(_ samples: SampleSet, _ split: DataSplit) throws -> String? {
    let again = try data(locations).samples(split, in: locations)
    let range = 0..<min(samples.count, again.count, 100)
    let isSame =
      again.labels == samples.labels
      && again.block(range).isIdentical(to: samples.block(range))
    return isSame ? nil : "\(split.rawValue) is another the second time"
  }

  /// Whether more than a tenth of the first test samples are trained on.
  private func overlap(_ train: SampleSet, _ test: SampleSet) -> String? {
    guard train.sampleShape == test.sampleShape else { return nil }
    // Hashes, so that the samples need not be kept as floats all at once.
    var trained = Set<Int>()
    for range in stride(from: 0, to: train.count, by: 500).map({
      $0..<min($0 + 500, train.count)
    }) {
      let block = train.block(range)
      for row in range.indices.map({ $0 - range.lowerBound }) {
        trained.insert(block.row(row).hashValue)
      }
    }
    let count = min(test.count, 500)
    let block = test.block(0..<count)
    let shared = (0..<count).count { trained.contains(block.row($0).hashValue) }
    return shared * 10 > count ? "\(shared) of \(count) test samples are trained on" : nil
  }
}

extension PluginRegistry {
  /// A file of arrays, in the first format that recognises it.
  fileprivate func open(_ file: URL) throws -> any CheckpointSource {
    let handle = try FileHandle(forReadingFrom: file)
    defer { try? handle.close() }
    let start = [UInt8](try handle.read(upToCount: 4096) ?? Data())
    let formats = plugins(of: .format).compactMap { $0 as? any CheckpointFormat.Type }
    guard
      let format = formats.first(where: { $0.recognises(start) })
        ?? formats.first(where: { $0.recognises(contentsOf: file) })
    else { throw CheckpointError.unknownFormat(file: file.path, known: formats.map { $0.name }) }
    return try self.format(PluginReference(name: format.name)).open(file)
  }
}
