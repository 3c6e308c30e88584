// SPDX-License-Identifier: Apache-2.0
import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Machine {
  /// The variable that tells OpenBLAS which processor's kernels to use.
  public static let kernelsVariable = "OPENBLAS_CORETYPE"

  /// Prepares a program for computing at the machine's speed; call it first, before there are threads or
  /// open files.
  ///
  /// If OpenBLAS took the processor for one without its vectors (see ``BLAS/fittingCoreType``), the program
  /// is started again in its own place, with the same arguments and with `OPENBLAS_CORETYPE` in the environment:
  /// OpenBLAS reads the variable while it is loaded. Nothing is done if the variable is set already. Then
  /// memory that is freed stays with the process, as ``keepFreedMemory()`` says.
  ///
  /// - Returns: What is slow and how to mend it, if the program can't be started again; nothing where all is well.
  public static func prepareProgram() -> String? {
    let unfit = restartIfUnfit()
    keepFreedMemory()
    return unfit
  }

  private static func restartIfUnfit() -> String? {
    guard getenv(kernelsVariable) == nil, let fitting = BLAS.fittingCoreType else { return nil }
    #if os(Linux)
      setenv(kernelsVariable, fitting, 1)
      var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
      // By its own name, under which processes are listed; the link is there if that is gone.
      for path in [programPath, "/proc/self/exe"].compactMap(\.self) { execv(path, &arguments) }
    #endif
    return "OpenBLAS does not use this processor's vector units, and is slow; "
      + "\(kernelsVariable)=\(fitting) in the environment fixes that"
  }

  /// The program's file.
  private static var programPath: String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { path in
      guard let base = path.baseAddress else { return nil }
      let length = readlink("/proc/self/exe", base, Int(PATH_MAX))
      guard length > 0 else { return nil }
      base[length] = 0
      return String(cString: base)
    }
  }
}
