// SPDX-License-Identifier: Apache-2.0

/// Storages that were read and may be wanted again, up to so many bytes; those that were not wanted
/// for the longest time make room.
struct SharedStorages: Sendable {
  private var storages: [(key: [UInt8], bytes: [UInt8])] = []
  private var byteCount = 0
  private let budget: Int

  init(budget: Int = 1 << 28) {
    self.budget = budget
  }

  /// The bytes of a storage, if they are still there.
  mutating func bytes(of key: [UInt8]) -> [UInt8]? {
    guard let index = storages.firstIndex(where: { $0.key == key }) else { return nil }
    let found = storages.remove(at: index)
    storages.append(found)
    return found.bytes
  }

  /// Keeps the bytes of a storage. One that is larger than all may be together is kept alone, since
  /// the tensors that follow are likely to be parts of it.
  mutating func keep(_ bytes: [UInt8], of key: [UInt8]) {
    guard !storages.contains(where: { $0.key == key }) else { return }
    storages.append((key, bytes))
    byteCount += bytes.count
    while byteCount > budget, storages.count > 1 {
      byteCount -= storages.removeFirst().bytes.count
    }
  }
}
