// SPDX-License-Identifier: Apache-2.0
import CFuzzer
import Foundation

// FuzzRuns --seeds FOLDER: writes what the fuzzer begins with.
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--seeds" {
  RunHarness.shared.writeSeeds(to: URL(fileURLWithPath: CommandLine.arguments[2]))
  exit(0)
}
var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    RunHarness.shared.examine([UInt8](UnsafeBufferPointer(start: data, count: size)))
    return 0
  })
