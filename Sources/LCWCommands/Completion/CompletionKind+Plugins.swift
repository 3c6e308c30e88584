// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWExperiments

/// What shells offer for an argument. Plugins are those that the program has when it is asked, those
/// of shared objects among them.
extension CompletionKind {
  /// References to plugins of a kind, with their options.
  static func references(to kind: PluginKind) -> CompletionKind {
    offered { try ReferenceCompletion.linked.references(to: kind, startingWith: $0) }
  }

  /// References to formats that can be written, with their options.
  static var writableFormats: CompletionKind {
    offered {
      try ReferenceCompletion.linked.references(to: .format, startingWith: $0) {
        ($0 as? any CheckpointFormat.Type)?.canWrite == true
      }
    }
  }

  /// Methods, perhaps with a modifier.
  static var methods: CompletionKind {
    offered { try ReferenceCompletion.linked.expressions(startingWith: $0) }
  }

  /// Methods that can be fitted.
  static var learnableMethods: CompletionKind {
    offered {
      try ReferenceCompletion.linked.references(to: .method, startingWith: $0) {
        $0 is any LearnableMethod.Type
      }
    }
  }

  /// Files, and references to data sets with their options.
  static var filesAndDatasets: CompletionKind {
    offered { start in
      try ReferenceCompletion.linked.references(to: .dataset, startingWith: start)
        + FileNames.startingWith(start)
    }
  }

  /// The kinds of plugins, and the plugins' names.
  static var kindsAndPlugins: CompletionKind {
    offered { start in
      let kinds = PluginKind.allCases.map(\.rawValue)
      return (kinds + (try PluginRegistry.linked().plugins.map { $0.name }))
        .filter { $0.hasPrefix(start) }
    }
  }

  /// The included experiments, and files that may hold one.
  static var experiments: CompletionKind {
    offered { start in
      ExperimentDescription.included.keys.sorted().filter { $0.hasPrefix(start) }
        + FileNames.startingWith(start).filter { $0.hasSuffix("/") || $0.hasSuffix(".json") }
    }
  }

  /// The scales of the included experiment that is named, or of all.
  static var scales: CompletionKind {
    .custom { words, index, prefix in
      let named = ExperimentDescription.included.filter { words.contains($0.key) }
      let scales = (named.isEmpty ? ExperimentDescription.included : named).values.flatMap {
        (try? JSONValue(parsing: $0))?.object?["scales"]?.object?.keys.map { $0 } ?? []
      }
      let start = CompletedWord(prefix).text
      return ([ExperimentDescription.fullScale] + Set(scales).sorted()).filter {
        $0.hasPrefix(start)
      }
    }
  }

  /// The tensors of the first file on the line.
  static var tensors: CompletionKind {
    .custom { words, index, prefix in
      let files = words.prefix(max(0, index)).dropFirst(2).map { CompletedWord($0).text }
        .filter { FileManager.default.isReadableFile(atPath: $0) }
      guard let session = try? Session(ReadingOptions.parse([])),
        let source = files.lazy.compactMap({ try? session.open($0) }).first
      else { return [] }
      let start = CompletedWord(prefix).text
      return source.entries.map(\.name).filter { $0.hasPrefix(start) }
    }
  }

  /// The targets whose object files lie beside the program.
  static var builtTargets: CompletionKind {
    offered { start in PluginObject.builtTargets.filter { $0.hasPrefix(start) } }
  }

  /// What work gives for the beginning of a word. What goes wrong leaves nothing to offer: a message
  /// would stand in the middle of the user's line.
  private static func offered(
    _ work: @escaping @Sendable (String) throws -> [String]
  ) -> CompletionKind {
    .custom { _, _, prefix in (try? work(CompletedWord(prefix).text)) ?? [] }
  }
}

extension ReferenceCompletion {
  /// Of the plugins that the program has.
  fileprivate static var linked: ReferenceCompletion {
    get throws {
      ReferenceCompletion(registry: try PluginRegistry.linked(), files: FileNames.startingWith)
    }
  }
}

/// A word as shells hand it over: as it stands on the line.
struct CompletedWord {
  /// The word without a quotation mark at its beginning, and without the option it is the value of.
  let text: String

  init(_ word: String) {
    var text = Substring(word)
    if text.hasPrefix("--"), let equals = text.firstIndex(of: "=") {
      text = text[equals...].dropFirst()
    }
    if let first = text.first, "'\"".contains(first) {
      text = text.dropFirst()
      if text.last == first { text = text.dropLast() }
    }
    self.text = String(text)
  }
}

/// Names of files, for arguments that can be something else as well.
enum FileNames {
  /// The files and folders whose paths start with a text; folders end in a slash. Hidden ones are left
  /// out until their dot is there.
  static func startingWith(_ text: String) -> [String] {
    let folder = text.lastIndex(of: "/").map { text[...$0] } ?? ""
    let start = text.dropFirst(folder.count)
    let place = folder.isEmpty ? "." : NSString(string: String(folder)).expandingTildeInPath
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.sorted()
      .filter { $0.hasPrefix(start) && ($0.hasPrefix(".") == start.hasPrefix(".")) }
      .map { name in
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: "\(place)/\(name)", isDirectory: &isFolder)
        return folder + name + (isFolder.boolValue ? "/" : "")
      }
  }
}
