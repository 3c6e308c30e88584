// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The processor time that the calling thread has taken, in seconds: how long other tests keep the processors
/// busy does not count.
func processorSeconds() -> Double {
  var time = timespec()
  guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return .infinity }
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
