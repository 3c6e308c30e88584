// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore

/// `lcw plugin`
struct PluginCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin", abstract: "Creates a plugin of your own, checks it, and links it.",
    discussion: CommandExamples.text(of: "plugin"),
    subcommands: [PluginNewCommand.self, PluginCheckCommand.self, PluginLinkCommand.self])
}

/// `lcw plugin new`
struct PluginNewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Writes a package with a working plugin, its test and a host program.",
    discussion: """
      lcw plugin new method detour writes a folder detour; its swift test passes before you change \
      anything. Its README explains the next steps.
      """)

  @Argument(
    help: "What it is: method, modifier, architecture, operation, dataset or format.",
    completion: .list(PluginKind.allCases.map(\.rawValue)))
  var kind: String

  @Argument(help: "The name: lower-case letters, digits and hyphens.")
  var name: String

  @Option(
    help: "The folder to create for the package. The default is the plugin's name.",
    completion: .directory)
  var at: String?

  @Option(
    help: "The folder or address of the package lcw. The default is where this program was built.",
    completion: .directory)
  var lcw: String?

  func run() throws {
    guard let kind = PluginKind(rawValue: kind) else { throw PluginKitError.kind(kind) }
    let package = try PluginPackage(
      name: name, kind: kind, core: CorePackage(given: lcw, builtAt: ProgramFile.url))
    if try PluginRegistry.linked().plugins(of: kind).contains(where: { $0.name == name }) {
      throw SessionError.wrongUse(
        "there is a \(kind.rawValue) ‘\(name)’ already; choose another name")
    }
    try OutputCheck.checkName(at ?? name)
    let folder = URL(fileURLWithPath: at ?? name, isDirectory: true)
    try package.write(to: folder)
    try StandardOutput.text(
      """
      \(folder.path.asOneLine): a package with the \(kind.rawValue) ‘\(name)’
        Sources/\(package.module)/\(package.type).swift is the file to edit
      \(package.core.firstStep.map { "  \($0)    # first: it is not built yet\n" } ?? "")\
        \(package.core.program) plugin check \((at ?? name).shellQuoted)
        \(package.core.testCommand) --package-path \((at ?? name).shellQuoted)
      """)
  }
}

/// `lcw plugin check`
struct PluginCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Shows the errors in a plugin's sources, in seconds.",
    discussion: """
      The compiler checks only the plugin, against the modules beside this program. Nothing \
      is built or run; to test what the plugin does, use swift test. A target \
      that imports another of the same package can't be checked in this way.
      """)

  @Argument(
    help: "The package's folder, or a folder of sources.",
    completion: .directory)
  var folder: String = "."

  @Option(
    help: "The folder of the package lcw. The default is where this program was built.",
    completion: .directory)
  var lcw: String?

  func run() throws {
    let check = try PluginCheck(folder: URL(fileURLWithPath: folder, isDirectory: true))
    guard case .folder(let core) = try CorePackage(given: lcw, builtAt: ProgramFile.url) else {
      throw PluginKitError.noCore(given: lcw)
    }
    let broken = try check.run(core: core)
    guard broken.isEmpty else { throw PluginKitError.broken(targets: broken.map(\.module)) }
    for target in check.targets {
      let note = try PluginCheck.registers(target) ? "" : "; no line in it registers a plugin"
      try StandardOutput.line("\(target.module): no errors\(note)")
    }
  }
}

/// `lcw plugin link`
struct PluginLinkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link", abstract: "Links a plugin as a shared object, for lcw --plugin FILE.",
    discussion: """
      The plugin is a target that swift build built together with this program: its object files \
      are beside the program. The shared object holds only these, and loads into programs of the \
      same version, sources and compiler.
      """)

  @Argument(
    help: "The plugin's target, and others that it needs beyond lcw's own.",
    completion: .builtTargets)
  var targets: [String]

  @Option(
    name: .shortAndLong, help: "The shared object to write, such as libdetour.so.",
    completion: .file())
  var output: String

  func run() throws {
    try OutputCheck.check(output)
    try PluginObject.link(targets, to: URL(fileURLWithPath: output))
    try StandardOutput.line(
      "\(output): \(targets.joined(separator: ", ")), for lcw \(LCWVersion.current)")
  }
}
