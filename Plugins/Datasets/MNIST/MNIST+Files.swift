// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

extension MNIST {
  /// The file of a part of the data, by any of the names in use.
  /// - Throws: ``DataError/missing(file:searched:advice:)``.
  static func file(
    _ part: String, kind: String, in locations: DataLocations
  ) throws(DataError) -> URL {
    let spellings = ["\(part)-\(kind)", "\(part).\(kind)"]
    let folders = ["mnist/", "MNIST/raw/", ""]
    let names = folders.flatMap { folder in
      spellings.flatMap { ["\(folder)\($0).gz", "\(folder)\($0)"] }
    }
    return try locations.file(
      named: names,
      advice: "get the four files of MNIST, gzipped or not, from Yann LeCun's page or any mirror "
        + "and put them into a folder mnist there")
  }
}
