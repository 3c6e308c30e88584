// SPDX-License-Identifier: Apache-2.0
import CKernels
import COpenBLAS

/// The calls into BLAS, and what is known of it.
public enum BLAS {
  /// The processor OpenBLAS chose its kernels for, such as `SkylakeX`.
  public static var coreType: String { String(cString: openblas_get_corename()) }

  /// The core type that fits this processor, if OpenBLAS took it for another without its vectors;
  /// none if it chose well.
  ///
  /// Versions before 0.3.25 take Intel's processors that are newer than themselves for a Prescott of
  /// 2004, whose kernels are a fifth as fast. What it chose can't be changed once it is loaded:
  /// `OPENBLAS_CORETYPE` in the environment of a program that is then started can.
  public static var fittingCoreType: String? {
    fittingCoreType(chosen: coreType, vectorBits: Int(lcw_vector_bits()))
  }

  package static func fittingCoreType(chosen: String, vectorBits: Int) -> String? {
    chosen.lowercased() == "prescott" ? coreTypes[vectorBits] : nil
  }

  /// What a program that is started again sets, by the bits of the processor's vectors.
  private static let coreTypes = [512: "SkylakeX", 256: "Haswell"]

  /// The core type for which this processor's vectors suffice.
  package static var coreTypeOfVectors: String? { coreTypes[Int(lcw_vector_bits())] }

  /// OpenBLAS's version and build options.
  public static var configuration: String { String(cString: openblas_get_config()) }

  /// Keeps each call on the thread that makes it: products are divided among ``Workers`` instead.
  static func useCallingThread() { _ = calledOnce }

  private static let calledOnce: Void = openblas_set_num_threads(1)
}
