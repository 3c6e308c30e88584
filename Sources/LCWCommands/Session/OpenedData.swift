// SPDX-License-Identifier: Apache-2.0
import LCWCore
import Synchronization

/// The data set that was opened last, so that one of many rows is not read again for each network.
final class OpenedData: Sendable {
  private let last = Mutex<(reference: PluginReference, data: any LabelledData)?>(nil)

  /// The data set of a reference: the last one, or what `open` makes.
  func data(
    _ reference: PluginReference, open: () throws -> any LabelledData
  ) throws -> any LabelledData {
    if let known = last.withLock({ $0 }), known.reference == reference { return known.data }
    let data = try open()
    last.withLock { $0 = (reference, data) }
    return data
  }
}

extension Session {
  /// Requires a data set to have the classes that a network was trained to tell apart.
  /// - Throws: ``SessionError`` that names both lists.
  func requireClasses(
    of record: [String: JSONValue], in file: String, toBeThoseOf reference: PluginReference
  ) throws {
    guard let own = record[Session.classNamesField]?.array?.compactMap(\.string),
      let names = try data(reference).classNames, names != own
    else { return }
    func text(_ names: [String]) -> String {
      (names.prefix(12).map(\.asOneLine) + (names.count > 12 ? ["…"] : [])).joined(separator: ", ")
    }
    throw SessionError.inFile(
      file,
      problem: "its classes are \(text(own)), but those of \(reference) are \(text(names))")
  }

  /// The field of the metadata that has the classes' names.
  static let classNamesField = "class-names"
}
