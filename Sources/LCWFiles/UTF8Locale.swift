// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Calling libarchive so that names in UTF-8 pass through it unchanged.
///
/// It converts names to the encoding of the thread's locale, which is plain ASCII in a program
/// that has set none, and then replaces all other letters.
enum UTF8Locale {
  /// Calls `body` with a UTF-8 locale for this thread, where the system has one.
  static func use<Result>(_ body: () -> Result) -> Result {
    // The mask of the character encoding alone; it is a macro that Swift may not import.
    guard let locale = newlocale(1 << LC_CTYPE, "C.UTF-8", nil) else { return body() }
    let former = uselocale(locale)
    defer {
      uselocale(former)
      freelocale(locale)
    }
    return body()
  }
}
