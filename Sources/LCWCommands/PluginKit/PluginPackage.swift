// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

/// A package with one plugin, its test and its host, as `lcw plugin new` writes it.
struct PluginPackage {
  /// The plugin's name, as users write it.
  let name: String
  let kind: PluginKind
  /// The package that it depends on: a folder or an address.
  let core: CorePackage

  /// - Throws: ``PluginKitError`` if there is no such template, or Swift could not tell the type
  ///   from another.
  init(name: String, kind: PluginKind, core: CorePackage) throws(PluginKitError) {
    guard PluginReference.isName(name) else { throw .name(name) }
    self.name = name
    self.kind = kind
    self.core = core
    guard !Self.taken.contains(type) else { throw .takenType(type, name: name) }
    guard !["lcw", core.identity.lowercased()].contains(name) else { throw .coreName(name) }
  }

  /// Types of the library that a plugin's name would make another of.
  private static let taken: Set<String> = [
    "ConnectionMethod", "ConnectionModifier", "MethodModifier", "PathModifier", "LayerwiseMethod",
    "LearnableMethod", "CheckpointFormat",
    "NetworkOperation",
    "LinearOperation", "AffineOperation",
  ]

  /// `my-detour` as `MyDetour`.
  private var camel: String {
    name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  var type: String { camel + kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst() }
  /// Named unlike the type, since Swift can't qualify a name that a module and a type share.
  var module: String { camel + "Plugin" }
  var host: String { "lcw-\(name)" }

  /// The files, by their path in the package.
  var files: [String: String] {
    let plugin: [UInt8] =
      switch kind {
      case .architecture: PackageResources.Architecture_template
      case .operation: PackageResources.Operation_template
      case .dataset: PackageResources.Dataset_template
      case .format: PackageResources.Format_template
      case .method: PackageResources.Method_template
      case .modifier: PackageResources.Modifier_template
      }
    let templates: [String: [UInt8]] = [
      "Package.swift": PackageResources.Package_template,
      "README.md": PackageResources.Readme_template,
      ".gitignore": PackageResources.Ignored_template,
      "Sources/\(module)/\(type).swift": plugin,
      "Sources/\(host)/main.swift": PackageResources.Host_template,
      "Tests/\(module)Tests/\(type)Tests.swift": PackageResources.Tests_template,
    ]
    return templates.mapValues(filled)
  }

  private func filled(_ template: [UInt8]) -> String {
    let camel = camel
    let values = [
      "name": name, "kind": kind.rawValue, "type": type, "module": module, "host": host,
      "variable": camel.prefix(1).lowercased() + camel.dropFirst() + "Record",
      "dependency": core.dependency, "package": core.identity, "example": example,
      "lcw": core.program, "test": core.testCommand, "products": core.products,
      "building": core.building,
    ]
    return values.reduce(String(decoding: template, as: UTF8.self)) { text, value in
      text.replacingOccurrences(of: "{{\(value.key)}}", with: value.value)
    }
  }

  /// What to do with the plugin first.
  private var example: String {
    let program = "\(core.products)/\(host)"
    let train = "\(program) train --epochs 20"
    let lines =
      switch kind {
      case .method, .modifier:
        [
          "\(train) --architecture mlp:hidden=50 --dataset digits --seeds 1...2 -o models",
          "\(program) connect models/*.lcw -m linear -m \(kind == .method ? name : "linear+\(name)") "
            + "--report report.html",
        ]
      case .architecture: ["\(train) --architecture \(name) --dataset digits -o a.lcw"]
      case .operation:
        [
          "\(train) --architecture 'sequential:layers=flatten; dense 50; \(name); dense classes' "
            + "--dataset digits -o a.lcw"
        ]
      case .dataset: ["\(train) --architecture mlp:hidden=50 --dataset \(name) -o a.lcw"]
      case .format:
        [
          "\(train) --architecture mlp:hidden=50 --dataset digits -o a.lcw",
          "\(program) convert a.lcw a.\(name)",
        ]
      }
    return (["```sh"] + lines + ["```"]).joined(separator: "\n")
  }

  /// Writes the files into a folder, which is made.
  /// - Throws: ``PluginKitError/folderInUse(_:)``, ``PluginKitError/coreFolder(_:)``, and
  ///   ``FileError`` if the system fails.
  func write(to folder: URL) throws {
    let manager = FileManager.default
    // The package manager tells packages apart by these alone.
    guard folder.standardizedFileURL.lastPathComponent.lowercased() != core.folderName.lowercased()
    else { throw PluginKitError.coreFolder(folder.path) }
    if let content = try? manager.contentsOfDirectory(atPath: folder.path), !content.isEmpty {
      throw PluginKitError.folderInUse(folder.path)
    }
    for (path, text) in files.sorted(by: { $0.key < $1.key }) {
      let file = folder.appendingPathComponent(path)
      try Folder.make(file.deletingLastPathComponent())
      try AtomicFile.write(Array(text.utf8), to: file)
    }
  }
}

/// The package `lcw` as another one names it.
enum CorePackage {
  case folder(URL)
  case address(String)

  /// What was given, or else the package that a program was built in.
  /// - Throws: ``PluginKitError`` if there is no such package.
  init(given: String?, builtAt program: URL) throws(PluginKitError) {
    if let given, given.contains("://") || given.hasPrefix("git@") {
      self = .address(given)
    } else if let given {
      let folder = URL(fileURLWithPath: given, isDirectory: true).standardizedFileURL
      guard Self.isCore(folder) else { throw .noCore(given: folder.path) }
      self = .folder(folder)
    } else {
      var folder = program.resolvingSymlinksInPath()
      repeat { folder.deleteLastPathComponent() } while !Self.isCore(folder) && folder.path != "/"
      guard folder.path != "/" else { throw .noCore(given: nil) }
      self = .folder(folder)
    }
  }

  private static func isCore(_ folder: URL) -> Bool {
    let manifest = folder.appendingPathComponent("Package.swift")
    let text = try? String(contentsOf: manifest, encoding: .utf8)
    return text?.contains("\n  name: \"lcw\",\n") ?? false
  }

  var dependency: String {
    switch self {
    case .folder(let folder): ".package(name: \"lcw\", path: \(JSONValue.quoted(folder.path)))"
    case .address(let address): ".package(url: \(JSONValue.quoted(address)), branch: \"main\")"
    }
  }

  /// The folder of its build, where it is a folder. Whatever depends on it can be built there, with
  /// the same flags, and finds the libraries compiled.
  private var build: String? {
    guard case .folder(let folder) = self else { return nil }
    return folder.appendingPathComponent(".build").path
  }

  /// What builds and tests a package that depends on it.
  var testCommand: String {
    "swift test -c release --disable-testable-imports"
      + (build.map { " --scratch-path \($0.shellQuoted)" } ?? "")
  }

  /// Where the programs lie that ``testCommand`` builds.
  var products: String { (build.map(\.shellQuoted) ?? ".build") + "/release" }

  /// The command lcw.
  var program: String { build == nil ? "lcw" : "\(products)/lcw" }

  /// What builds the command lcw, if it is a folder's and not there yet.
  var firstStep: String? {
    guard case .folder(let folder) = self,
      !FileManager.default.fileExists(atPath: folder.path + "/.build/release/lcw")
    else { return nil }
    return "make -C \(folder.path.shellQuoted) build"
  }

  /// What there is to know of building.
  var building: String {
    switch self {
    case .folder:
      """
      `swift test` builds the command as well, beside that of `lcw` and with the same flags, so that of the libraries \
      nothing is compiled again. Leave out `--scratch-path …` for a build of the package's own, which begins with several \
      minutes for the libraries.
      """
    case .address:
      """
      `swift test` builds the command as well. It begins with several minutes for the libraries; `plugin check` needs the \
      folder of a built `lcw`.
      """
    }
  }

  /// The name by which products refer to the package: of one from an address, its last part.
  var identity: String {
    switch self {
    case .folder: return "lcw"
    case .address(let address):
      let last = address.split { $0 == "/" || $0 == ":" }.last.map(String.init) ?? "lcw"
      return last.hasSuffix(".git") ? String(last.dropLast(4)) : last
    }
  }
}

extension CorePackage {
  /// The last part of the folder that the package is in, or of its address.
  fileprivate var folderName: String {
    if case .folder(let folder) = self { folder.lastPathComponent } else { identity }
  }
}

/// What keeps a plugin's package or shared object from being made.
enum PluginKitError: DescribedError, Hashable {
  case kind(String)
  case name(String)
  case takenType(String, name: String)
  case coreName(String)
  case coreFolder(String)
  case folderInUse(String)
  case noCore(given: String?)
  case noSources(String)
  case noModules(String)
  case broken(targets: [String])
  case noObjects(target: String, folder: String)
  case ownTarget(String)
  case repeatedTarget(String)
  case tool(String, output: String)

  var category: ErrorCategory {
    switch self {
    case .tool: .failure
    case .broken: .data
    default: .usage
    }
  }

  var description: String {
    switch self {
    case .kind(let kind):
      "there is no template for ‘\(kind)’; there are method, modifier, architecture, operation, "
        + "dataset and format"
    case .name(let name):
      "‘\(name)’ is not a valid plugin name: use lower-case letters, digits and hyphens"
    case .takenType(let type, let name):
      "‘\(name)’ would make a type \(type), which the library has already; choose another name"
    case .coreName(let name):
      "‘\(name)’ is the name of the package lcw, and package names must differ; choose another"
    case .coreFolder(let folder):
      "\(folder) has the name of the folder of the package lcw, and these names must differ; name "
        + "another with --at"
    case .folderInUse(let folder): "\(folder) exists and is not empty; name another with --at"
    case .noCore(let given?):
      "\(given) is not the package lcw; --lcw takes its folder or its address"
    case .noCore(nil):
      "this program is not in the build folder of the package lcw; give the package's folder or "
        + "address with --lcw"
    case .noSources(let folder):
      "\(folder) has no Swift sources of a plugin; name the package's folder, or that of the sources"
    case .noModules(let folder):
      "\(folder) has no modules of lcw beside this program; use the one in swift build's folder"
    case .broken(let targets):
      "\(targets.joined(separator: ", ")) \(targets.count == 1 ? "does" : "do") not compile"
    case .noObjects(let target, let folder):
      "there are no object files of \(target) in \(folder), beside this program; give the target of "
        + "a plugin that was built together with it by swift build"
    case .ownTarget(let target):
      "\(target) is part of lcw, so the program that loads the plugin already has it; name only the "
        + "plugin's own targets"
    case .repeatedTarget(let target): "\(target) is named twice"
    case .tool(let tool, let output): "\(tool) failed: \(output)"
    }
  }
}
