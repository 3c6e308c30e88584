// SPDX-License-Identifier: Apache-2.0
import CPluginSection
import Foundation
import LCWCore
import LCWFiles
import LCWStamp

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Shared objects with plugins, which were built apart from this program.
enum PluginObject {
  /// The environment variable that names folders of shared objects, with colons between.
  static let foldersVariable = "LCW_PLUGINS"

  /// Opens those that ``files(arguments:environment:)`` names.
  /// - Throws: ``PluginObjectError`` for the first that can't be opened.
  static func openAll(
    arguments: [String], environment: [String: String]
  ) throws {
    // The doctor opens them itself, to tell what is wrong with each.
    guard namedFiles(arguments).rest.first != DoctorCommand.name else {
      return
    }
    for file in try files(arguments: arguments, environment: environment) { try open(file) }
  }

  /// The objects of the variable's folders, in the order of their names, and those that stand as
  /// `--plugin FILE` before the subcommand. Commands that make plugins or tell of themselves get none of
  /// the folders', so that an object that is out of date does not keep one from linking it anew.
  /// - Throws: ``PluginObjectError`` for a folder that is not there, and for `--plugin` elsewhere.
  static func files(arguments: [String], environment: [String: String]) throws -> [URL] {
    // Completions are those that the line would have, whose words are as they stand on it.
    let asked = CompletionScript.line(askedAboutBy: arguments)
    let (files, rest) = namedFiles(asked ?? arguments)
    let named = files.map {
      URL(fileURLWithPath: asked == nil ? $0 : NSString(string: $0).expandingTildeInPath)
    }
    let words = rest.prefix { $0 != "--" }
    if asked == nil, words.contains(where: { $0 == "--plugin" || $0.hasPrefix("--plugin=") }) {
      throw PluginObjectError.misplaced
    }
    let needsNone =
      ["plugin", "manual", "help"].contains(rest.first)
      || words.contains {
        ["-h", "--help", "--version"].contains($0) || $0.hasPrefix("--generate-completion-script")
      }
    guard !needsNone else { return named }
    let folders = (environment[foldersVariable] ?? "").split(separator: ":").map(String.init)
    return try folders.flatMap { folder in
      guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
        throw PluginObjectError.noFolder(folder)
      }
      if FileTrust.isOpenToAll(URL(fileURLWithPath: folder)) {
        throw PluginObjectError.writable(folder, place: folder)
      }
      return names.sorted().filter { $0.hasSuffix(".so") }.map {
        URL(fileURLWithPath: folder).appendingPathComponent($0)
      }
    } + named
  }

  /// The objects that a command line names before its command, and the words from there on.
  static func namedFiles(_ arguments: [String]) -> (files: [String], rest: ArraySlice<String>) {
    var files: [String] = []
    var rest = arguments.dropFirst()
    while let first = rest.first {
      if first == "--plugin", let file = rest.dropFirst().first {
        files.append(file)
        rest = rest.dropFirst(2)
      } else if first.hasPrefix("--plugin=") {
        files.append(String(first.dropFirst("--plugin=".count)))
        rest = rest.dropFirst()
      } else {
        break
      }
    }
    return (files, rest)
  }

  private static let largest = 1 << 30

  /// Opens one, once its stamp is seen to be this program's: code of another layout must not run.
  static func open(_ file: URL) throws {
    if let place = FileTrust.placeOpenToAll(of: file) {
      throw PluginObjectError.writable(file.path, place: place.path)
    }
    guard let stamp = BuildStamp(in: try InputFile.contents(of: file, limit: largest)) else {
      throw PluginObjectError.noStamp(file.path)
    }
    if let difference = BuildStamp.current.difference(from: stamp) {
      throw PluginObjectError.otherBuild(file.path, difference: difference)
    }
    // Lives as long as the program: types can't be taken back.
    guard dlopen(file.path, RTLD_NOW | RTLD_LOCAL) != nil else {
      let reason = dlerror().map { String(cString: $0) } ?? "unknown"
      throw PluginObjectError.cannotOpen(file.path, reason: reason)
    }
  }

  /// The targets of the package lcw that every program which opens objects is made of. A second copy
  /// of their types would be other types.
  private static let parts: Set<String> = [
    "CFileSystem", "CImages", "CKernels", "CPluginSection", "LCWCommands", "LCWConformance",
    "LCWCore", "LCWExperiments", "LCWFiles", "LCWFlows", "LCWNetworks", "LCWNumerics",
    "LCWOperations", "LCWPaths", "LCWReport", "LCWStamp", "lcw",
  ]

  /// The targets beside this program that can be linked.
  static var builtTargets: [String] {
    let program = ProgramFile.url.resolvingSymlinksInPath().deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: program.path)) ?? []
    return names.filter { $0.hasSuffix(".build") }.map { String($0.dropLast(".build".count)) }
      .filter { !parts.contains($0) && !$0.hasSuffix("-tool") && !$0.hasSuffix("Tests") }
      .sorted()
  }

  /// Links a target's object files, which lie beside this program, with this program's stamp.
  /// - Throws: ``PluginKitError``.
  static func link(_ targets: [String], to output: URL) throws {
    let program = ProgramFile.url.resolvingSymlinksInPath().deletingLastPathComponent()
    var objects: [String] = []
    for (index, target) in targets.enumerated() {
      guard !parts.contains(target) else { throw PluginKitError.ownTarget(target) }
      guard !targets[..<index].contains(target) else {
        throw PluginKitError.repeatedTarget(target)
      }
      let folder = program.appendingPathComponent("\(target).build")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      // Objects of sources that were renamed or removed stay behind in the folder.
      let listed = try? String(
        contentsOf: folder.appendingPathComponent("sources"), encoding: .utf8)
      let sources = listed.map { text in
        Set(
          text.split(separator: "\n").map {
            URL(fileURLWithPath: $0.trimmingCharacters(in: ["'", "\""])).lastPathComponent
          })
      }
      let found = names.filter { name in
        name.hasSuffix(".o") && (sources?.contains(String(name.dropLast(2))) ?? true)
      }.sorted()
      guard !found.isEmpty else {
        throw PluginKitError.noObjects(target: target, folder: program.path)
      }
      objects += found.map { folder.appendingPathComponent($0).path }
    }
    let place = output.deletingLastPathComponent().appendingPathComponent(".lcw-\(UUID())")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: place) }
    let (source, object) = (
      place.appendingPathComponent("s.c"), place.appendingPathComponent("s.o")
    )
    try Data(announcement.utf8).write(to: source)
    try run("clang", ["-c", "-O1", "-fPIC", source.path, "-o", object.path])
    // swiftc knows what tells Swift's runtime of the types in a shared object. What the objects use
    // of the libraries stays open, and is found in the program that opens the result.
    let linked = place.appendingPathComponent("linked.so")
    try run("swiftc", ["-emit-library", object.path] + objects + ["-o", linked.path])
    guard rename(linked.path, output.path) == 0 else {
      throw FileError.failed(
        operation: "write", file: output.path, reason: String(cString: strerror(errno)))
    }
  }

  /// Tells the program of the section when the object is opened, and holds the stamp.
  private static var announcement: String {
    """
    typedef void (*Entry)(void *);
    typedef struct Section { const Entry *begin, *end; const struct Section *next; } Section;
    extern const Entry __start_lcw_plugins[] __attribute__((weak, visibility("hidden")));
    extern const Entry __stop_lcw_plugins[] __attribute__((weak, visibility("hidden")));
    extern void lcw_plugin_section_add(Section *);
    __attribute__((used)) static const char stamp[] = \(
      JSONValue.quoted("\(BuildStamp.mark)\(BuildStamp.current)"));
    static Section section;
    __attribute__((constructor)) static void announce(void) {
      section.begin = __start_lcw_plugins;
      section.end = __stop_lcw_plugins;
      lcw_plugin_section_add(&section);
    }

    """
  }

  private static func run(_ tool: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw PluginKitError.tool(tool, output: error.localizedDescription)
    }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw PluginKitError.tool(tool, output: text) }
  }
}

/// The file of this program.
enum ProgramFile {
  static var url: URL {
    let own = URL(fileURLWithPath: "/proc/self/exe")
    return FileManager.default.fileExists(atPath: own.path)
      ? own.resolvingSymlinksInPath() : URL(fileURLWithPath: CommandLine.arguments[0])
  }
}

/// Why a shared object is not opened.
enum PluginObjectError: DescribedError, Hashable {
  case misplaced
  case noFolder(String)
  case writable(String, place: String)
  case noStamp(String)
  case otherBuild(String, difference: String)
  case cannotOpen(String, reason: String)

  var category: ErrorCategory {
    switch self {
    case .misplaced: .usage
    case .noFolder: .missingFile
    case .writable, .noStamp, .otherBuild, .cannotOpen: .data
    }
  }

  var description: String {
    switch self {
    case .misplaced:
      "--plugin goes before the command: lcw --plugin FILE connect …"
    case .noFolder(let folder):
      "\(PluginObject.foldersVariable) names \(folder), which is not a readable folder"
    case .writable(let file, let place):
      "\(file) is not loaded as a plugin: everybody can write to \(place), and plugins run as code; "
        + "remove that permission, as with chmod o-w \(place.shellQuoted)"
    case .noStamp(let file):
      "\(file) has no stamp of lcw; link plugins with lcw plugin link"
    case .otherBuild(let file, let difference):
      "\(file) was built for \(difference); rebuild it and link it with lcw plugin link"
    case .cannotOpen(let file, let reason):
      "\(file) can't be opened: \(reason); if it is your own host, link that with -Xlinker "
        + "--export-dynamic"
    }
  }
}
