// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Kernels of OpenBLAS that fit the processor.
enum FittingKernels {
  private static let variable = "OPENBLAS_CORETYPE"

  /// Starts this program again in its own place, with the core type in the environment, if OpenBLAS
  /// took the processor for one without its vectors; what the user says of it counts. OpenBLAS
  /// reads the variable while it is loaded, so that setting it here is too late for this process.
  ///
  /// It returns where nothing is to be done, and where the program can't be started again: then it is
  /// slow, and that is said.
  static func restartIfUnfit() {
    guard getenv(variable) == nil, let fitting = BLAS.fittingCoreType else { return }
    setenv(variable, fitting, 1)
    #if os(Linux)
      var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
      // By its own name, under which processes are listed; the link is there if that is gone.
      for path in [ExperimentRun.program, "/proc/self/exe"] { execv(path, &arguments) }
    #endif
    Console.printError(
      "warning: OpenBLAS does not use this processor's vector units, and is slow; "
        + "\(variable)=\(fitting) in the environment fixes that")
  }
}
