// SPDX-License-Identifier: Apache-2.0
import CKernels
import Synchronization

/// Memory without content that is used again and again, since new pages cost more than what is
/// done with them.
final class ScratchMemory {
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit { memory.deallocate() }

  /// The bytes of the memory.
  var count: Int { memory.count }

  /// Room for that many bytes, whatever they are; it is this value's until the next call.
  func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    if memory.count < count {
      memory.deallocate()
      memory = .allocate(byteCount: count, alignment: 64)
      ScratchMemory.adviseLargePages(memory)
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
  }

  /// Asks the system for large pages for memory that is about to be written.
  static func adviseLargePages(_ memory: UnsafeMutableRawBufferPointer) {
    if let start = memory.baseAddress { lcw_advise_large_pages(start, memory.count) }
  }
}

/// Things that are costly to make, each for one user at a time.
final class Pool<Value: AnyObject & Sendable>: Sendable {
  private let free = Mutex<[Value]>([])

  /// Calls `body` with a value that nobody else uses meanwhile: a free one, or a new one.
  func with<Result>(
    _ new: @autoclosure () throws -> Value, _ body: (Value) throws -> Result
  ) throws -> Result {
    let value = try free.withLock { $0.popLast() } ?? new()
    defer { free.withLock { $0.append(value) } }
    return try body(value)
  }
}
