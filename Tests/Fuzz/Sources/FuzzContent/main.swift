// SPDX-License-Identifier: Apache-2.0
import CFuzzer
import Foundation

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    ContentHarness.shared.examine([UInt8](UnsafeBufferPointer(start: data, count: size)))
    return 0
  })
