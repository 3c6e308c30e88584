// SPDX-License-Identifier: Apache-2.0

/// A reproducible stream of random numbers: Philox 4×32 with ten rounds.
///
/// Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (SC 2011). The
/// generator is a bijection of a counter under a key: the seed is the key, the stream number is
/// the counter's upper half, the position its lower half. So each epoch, sample or worker can have
/// a stream of its own that no other overlaps, and a stream can be entered at any position.
///
/// The words are the same on every machine and in every release.
public struct RandomStream: RandomNumberGenerator, Sendable, Hashable {
  private let key: SIMD2<UInt32>
  private let stream: SIMD2<UInt32>
  private var position: UInt64 = 0
  private var words: SIMD4<UInt32> = .zero
  private var used = 4

  /// The stream with a number under a seed.
  public init(seed: UInt64, stream: UInt64 = 0) {
    self.key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.stream = SIMD2(
      UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
  }

  /// The stream for a purpose, of which `index` counts the uses (epochs, say).
  public init(seed: UInt64, purpose: Purpose, index: Int = 0) {
    self.init(
      seed: seed, stream: UInt64(purpose.rawValue) << 48 | UInt64(truncatingIfNeeded: index))
  }

  /// What random numbers are drawn for. Each purpose has streams of its own under one seed, so
  /// that drawing more for one never changes another.
  public enum Purpose: UInt16, Sendable {
    /// The initial weights of a network.
    case initialisation = 1
    /// The order of the samples in an epoch.
    case order = 2
    /// The units that dropout removes.
    case dropout = 3
    /// Flips and crops of training images.
    case augmentation = 4
    /// Draws of a connection method.
    case connection = 5
    /// Which samples are the test set.
    case split = 6
  }

  /// The next 32 random bits.
  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      words = RandomStream.philox(
        counter: SIMD4(
          UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
          stream[0], stream[1]),
        key: key)
      position &+= 1
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let low = UInt64(nextWord())
    return UInt64(nextWord()) << 32 | low
  }

  /// The ten rounds: 128 random bits for a counter under a key.
  public static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c, k) = (counter, key)
    for round in 0..<10 {
      if round > 0 { k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let first = UInt64(0xD251_1F53) * UInt64(c[0])
      let second = UInt64(0xCD9E_8D57) * UInt64(c[2])
      c = SIMD4(
        UInt32(second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second),
        UInt32(first >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: first))
    }
    return c
  }
}
