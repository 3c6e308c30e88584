// SPDX-License-Identifier: Apache-2.0

/// A batch of the Python version: a pickled dictionary whose `data` is a NumPy array of bytes, a row for
/// each image, and whose labels are lists of integers.
///
/// A pickle is a program. This reader runs the instructions that build such a dictionary, as Python 2 and 3
/// write it in any protocol from 2 on. It knows the names by which NumPy arrays and bytes are stated, and no
/// other: nothing is imported or called, and what a class would do with its arguments is not done.
struct BatchPickle {
  /// What every pickle of protocol 2 or later starts with.
  static let firstByte: UInt8 = 0x80

  /// The labels under each key, as many as there are images.
  let labels: [[Int]]
  /// The images' bytes, one image after the other.
  let pixels: ArraySlice<UInt8>

  /// What is wrong with a batch.
  struct Problem: Error {
    var reason: String
  }

  /// Reads a batch.
  /// - Parameters:
  ///   - bytes: The file.
  ///   - labelKeys: The keys whose labels are wanted.
  ///   - sampleSize: The bytes of an image.
  /// - Throws: ``Problem``.
  init(_ bytes: [UInt8], labelKeys: [String], sampleSize: Int) throws {
    var machine = BatchPickleMachine(bytes)
    let content = try machine.run()
    func value(_ key: String) throws -> BatchPickleMachine.Value {
      guard let value = content[key] else {
        let known = content.keys.sorted().joined(separator: ", ").prefix(200)
        throw Problem(reason: "its dictionary has no ‘\(key)’, only: \(known)")
      }
      return value
    }
    guard case .array(let array) = try value("data"), array.type == "u1",
      array.shape.count == 2, array.shape[1] == sampleSize, !array.isColumnMajor,
      array.shape[0] > 0, array.bytes.count / sampleSize == array.shape[0],
      array.bytes.count % sampleSize == 0
    else {
      throw Problem(
        reason: "its ‘data’ is no array of unsigned bytes with \(sampleSize) columns, row by row")
    }
    pixels = array.bytes
    labels = try labelKeys.map { key in
      guard case .list(let index) = try value(key) else {
        throw Problem(reason: "its ‘\(key)’ is no list of integers")
      }
      let labels = machine.lists[index].compactMap(\.integer)
      guard labels.count == machine.lists[index].count, labels.count == array.shape[0] else {
        throw Problem(
          reason:
            "its ‘\(key)’ is no list of \(array.shape[0]) integers, one for each row of ‘data’")
      }
      return labels
    }
  }
}
