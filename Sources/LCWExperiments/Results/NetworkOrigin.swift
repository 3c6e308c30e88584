// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// Where a network comes from that the experiment did not train.
struct NetworkOrigin: Sendable, Hashable {
  /// The name of its file.
  var file: String
  /// The SHA-256 of the file.
  var digest: String
  /// How it was trained, if the file tells.
  var training: String?

  /// What results and weights keep of it.
  var json: JSONValue {
    .object(
      ["digest": .string(digest), "file": .string(file)].merging(
        training.map { ["training": .string($0)] } ?? [:]
      ) { $1 })
  }

  /// How a file's network was trained: a text, or the plan of a training by this program.
  static func training(in metadata: [String: JSONValue]) -> String? {
    if let text = metadata["training"]?.string {
      return kept(text.asOneLine)
    }
    guard let plan = metadata["training"]?.object else { return nil }
    let words = ["epochs", "batch", "rate", "schedule", "optimiser", "gain", "seed"].compactMap {
      key in
      plan[key].map { "\(key) \($0.string ?? $0.compactText)" }
    }
    return words.isEmpty ? nil : kept(words.joined(separator: ", "))
  }

  /// As much of a text as a result may hold: what is longer would not be believed when it is read again. A
  /// character can be of any number of bytes.
  private static func kept(_ text: String) -> String {
    var (bytes, scalars) = (0, String.UnicodeScalarView())
    for scalar in text.unicodeScalars {
      bytes += UTF8.width(scalar)
      guard bytes <= ResultLimits.labelBytes else { break }
      scalars.append(scalar)
    }
    return String(scalars)
  }

  /// - Throws: ``ResultProblem`` if something in it can't be.
  init(_ reader: ResultReader) throws(ResultProblem) {
    file = try reader.text("file")
    digest = try reader.text("digest")
    training = reader.has("training") ? try reader.text("training") : nil
  }

  init(file: String, digest: String, training: String?) {
    (self.file, self.digest, self.training) = (file, digest, training)
  }
}
