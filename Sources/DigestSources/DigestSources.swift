// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Writes the digest of the sources that plugins are compiled against as a Swift constant, whenever
/// one of them changes: two programs with one digest have the same types with the same layouts.
@main
struct DigestSources: BuildToolPlugin {
  /// The libraries that a plugin may import, the C headers their interfaces name, and the standard
  /// plugins, on which another may be built.
  private static let folders =
    [
      "CKernels/include", "CPluginSection/include", "LCWCore", "LCWExperiments", "LCWFiles",
      "LCWFlows", "LCWNetworks", "LCWNumerics", "LCWOperations", "LCWPaths", "LCWReport",
    ].map { "Sources/\($0)" } + ["Formats", "Plugins"]

  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let package = context.package.directoryURL
    let files = try Self.folders.flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: package.appending(path: folder).path)
        .filter { $0.hasSuffix(".swift") || $0.hasSuffix(".h") }
        .sorted().map { package.appending(path: folder).appending(path: $0) }
    }
    let output = context.pluginWorkDirectoryURL.appending(path: "SourceDigest.swift")
    // The shell's own tools, so that no program need be built for this; one of the two is there.
    let script = """
      set -eu
      output=$1
      shift
      if command -v sha256sum >/dev/null 2>&1; then sum=sha256sum; else sum='shasum -a 256'; fi
      digest=$(cat -- "$@" | $sum | cut -c 1-64)
      printf 'let sourceDigest = "%s"\\n' "$digest" > "$output"
      """
    return [
      .buildCommand(
        displayName: "Digesting the libraries' sources",
        executable: URL(filePath: "/bin/sh"),
        arguments: ["-c", script, "sh", output.path] + files.map(\.path),
        inputFiles: files, outputFiles: [output])
    ]
  }
}
