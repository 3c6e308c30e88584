// SPDX-License-Identifier: Apache-2.0
import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What is known of the machine the program runs on.
public enum Machine {
  /// Its memory in bytes.
  public static var physicalMemory: Double {
    Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Lets this process keep the memory it frees, up to 2 GB, in the place of returning it to the
  /// system. Blocks of many megabytes, as every step of training allocates and frees them anew,
  /// otherwise come fresh each time, and zeroing them took a seventh of the step's time.
  ///
  /// It concerns the whole process, so that a program decides on it and a library does not. With
  /// another C library than glibc it does nothing.
  public static func keepFreedMemory() { lcw_keep_freed_memory() }
}
