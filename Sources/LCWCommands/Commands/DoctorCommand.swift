// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWExperiments
import LCWFiles
import LCWNumerics

/// `lcw doctor`
struct DoctorCommand: ParsableCommand {
  static let name = "doctor"

  static let configuration = CommandConfiguration(
    commandName: name,
    abstract: "Checks libraries, speed, data sets, folders and plugins on this machine.",
    discussion: """
      Each line says what was found, and what to do where something is wrong. A missing data set is \
      no problem unless you want to use it. The exit status is 1 if there is a problem.
      """ + CommandExamples.text(of: "doctor"))

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var compute: ComputeOptions

  func run() throws {
    // Before plugins are listed: these bring some.
    let objects = objectChecks
    let session = try Session(compute)
    let checks =
      machineChecks(session) + objects + pluginChecks(session) + dataChecks(session) + folderChecks
    if json {
      try StandardOutput.text(JSONValue.array(checks.map(\.json)).prettyText)
    } else {
      let width = Check.State.allCases.map(\.rawValue.count).max() ?? 0
      for check in checks {
        let state = check.state.rawValue.padding(toLength: width, withPad: " ", startingAt: 0)
        try StandardOutput.line("\(state)  \(check.name): \(check.found.asOneLine)")
      }
    }
    if checks.contains(where: { $0.state == .problem }) { throw ExitCode.failure }
  }

  /// One thing that was looked at.
  private struct Check {
    enum State: String, CaseIterable {
      case good = "ok"
      /// Something is not there that not everybody needs.
      case missing
      case problem
    }

    var name: String
    var state: State
    /// What was found, and what to do about it.
    var found: String

    var json: JSONValue {
      .object([
        "check": .string(name), "found": .string(found), "state": .string(state.rawValue),
      ])
    }
  }

  private func machineChecks(_ session: Session) -> [Check] {
    let unfit = BLAS.fittingCoreType
    let speed = StepRunner.measuredSpeed(workers: session.workers) / 1e9
    return [
      Check(name: "program", state: .good, found: LCWVersion.program),
      Check(
        name: "OpenBLAS", state: unfit == nil ? .good : .problem,
        found: BLAS.configuration
          + (unfit.map {
            "; its kernels (\(BLAS.coreType)) do not fit this processor: set OPENBLAS_CORETYPE=\($0)"
          } ?? "; kernels \(BLAS.coreType)")),
      productsCheck,
      Check(name: "libraries", state: .good, found: LibraryVersions.text),
      Check(
        name: "threads", state: .good,
        found: "\(session.workers.count) of \(ExperimentRun.processors.counted("processor"))"),
      Check(
        name: "memory", state: .good,
        found: "\(String(Machine.physicalMemory / 1e9, decimals: 1)) GB"),
      Check(
        name: "speed", state: .good,
        found: "\(String(speed, decimals: 0)) GFLOP/s in matrix products, measured just now"),
    ]
  }

  /// How products of networks are computed, and whether the environment says so in words that exist.
  private var productsCheck: Check {
    let names = MatrixPrecision.allCases.map(\.rawValue).joined(separator: " or ")
    if let unknown = MatrixPrecision.unknownValue {
      return Check(
        name: "precision", state: .problem,
        found: "\(MatrixPrecision.variable)=\(unknown) is not known: set it to \(names)")
    }
    return Check(
      name: "precision", state: .good,
      found: MatrixPrecision.hasTiles
        ? "\(MatrixPrecision.standard.rawValue), on bfloat16 tiles; \(MatrixPrecision.variable) may be \(names)"
        : "single, on \(MatrixPrecision.unit): this processor has no bfloat16 tiles")
  }

  /// Whether each shared object that this command line and the environment name can be opened.
  private var objectChecks: [Check] {
    func check(_ name: String, _ work: () throws -> Void) -> Check {
      do {
        try work()
        return Check(name: name, state: .good, found: "its plugins are loaded")
      } catch let error as any DescribedError {
        return Check(name: name, state: .problem, found: error.advice)
      } catch {
        return Check(name: name, state: .problem, found: "\(error)")
      }
    }
    do {
      let files = try PluginObject.files(
        arguments: CommandLine.arguments, environment: ProcessInfo.processInfo.environment)
      return files.map { file in check("plugins of \(file.path)") { try PluginObject.open(file) } }
    } catch {
      return [check("folders of plugins") { throw error }]
    }
  }

  private func pluginChecks(_ session: Session) -> [Check] {
    let kinds = PluginKind.allCases.map { kind in
      session.registry.plugins(of: kind).count.counted("\(kind.rawValue)")
    }
    return [Check(name: "plugins", state: .good, found: kinds.joined(separator: ", "))]
  }

  /// Whether the data sets can be read whose files have fixed names.
  private func dataChecks(_ session: Session) -> [Check] {
    let locations = DataLocations(
      given: compute.data, environment: ProcessInfo.processInfo.environment)
    return session.registry.plugins(of: .dataset).compactMap { plugin in
      guard plugin is any Dataset.Type,
        let dataset = try? session.registry.dataset(PluginReference(name: plugin.name))
      else { return nil }
      do {
        let samples = try dataset.samples(.test, in: locations)
        return Check(
          name: "data set \(plugin.name)", state: .good,
          found: "\(samples.count.counted("test sample")) of \(samples.sampleShape)")
      } catch let error as any DescribedError {
        return Check(
          name: "data set \(plugin.name)",
          state: error.category == .missingFile ? .missing : .problem, found: error.advice)
      } catch {
        return Check(name: "data set \(plugin.name)", state: .problem, found: "\(error)")
      }
    }
  }

  private var folderChecks: [Check] {
    [
      ("current folder", FileManager.default.currentDirectoryPath),
      ("temporary folder", FileManager.default.temporaryDirectory.path),
    ].map { name, path in
      let isWritable = FileManager.default.isWritableFile(atPath: path)
      return Check(
        name: name, state: isWritable ? .good : .problem,
        found: path + (isWritable ? "" : " can't be written to; work in another folder"))
    }
  }
}
