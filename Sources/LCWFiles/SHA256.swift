// SPDX-License-Identifier: Apache-2.0

/// The digest SHA-256 of FIPS 180-4. Docs/Architecture.md says why it is written out here.
public enum SHA256 {
  private typealias State = InlineArray<8, UInt32>

  private static let start: State = [
    0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A,
    0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
  ]

  /// The digest in lower-case hexadecimal, 64 digits.
  public static func hexDigest(of bytes: [UInt8]) -> String {
    var state = start
    let rest = bytes.withUnsafeBytes { absorb($0, into: &state) }
    return text(of: state, finishedWith: rest, count: bytes.count)
  }

  /// The digest of a file's bytes, which are read a mebibyte at a time.
  /// - Throws: ``FileError`` if the file can't be read to its end.
  public static func hexDigest(of file: InputFile) throws(FileError) -> String {
    let block = 1 << 20
    var state = start
    var rest: [UInt8] = []
    for first in stride(from: 0, to: file.size, by: block) {
      // All blocks but the last are whole, so that only that one leaves a rest.
      let bytes = try file.bytes(in: first..<min(first + block, file.size))
      rest = bytes.withUnsafeBytes { absorb($0, into: &state) }
    }
    return text(of: state, finishedWith: rest, count: file.size)
  }

  /// Takes in all whole blocks of 64 bytes, and gives what is left.
  private static func absorb(_ bytes: UnsafeRawBufferPointer, into state: inout State) -> [UInt8] {
    let whole = bytes.count / 64 * 64
    for start in stride(from: 0, to: whole, by: 64) {
      absorb(block: UnsafeRawBufferPointer(rebasing: bytes[start..<start + 64]), into: &state)
    }
    return Array(bytes[whole...])
  }

  private static func text(
    of state: State, finishedWith rest: [UInt8], count: Int
  ) -> String {
    var state = state
    // The padding: a one bit, zeros, and the length in bits, to the end of a block.
    var tail = rest + [0x80]
    tail += [UInt8](repeating: 0, count: (120 - tail.count) % 64)
    withUnsafeBytes(of: UInt64(count * 8).bigEndian) { tail += $0 }
    _ = tail.withUnsafeBytes { absorb($0, into: &state) }
    var text = ""
    for index in state.indices {
      let digits = String(state[index], radix: 16)
      text += String(repeating: "0", count: 8 - digits.count) + digits
    }
    return text
  }

  private static func absorb(block: UnsafeRawBufferPointer, into state: inout State) {
    var words = InlineArray<64, UInt32>(repeating: 0)
    for t in 0..<16 {
      words[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
    }
    for t in 16..<64 {
      let x = words[t - 15]
      let y = words[t - 2]
      let s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3)
      let s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >> 10)
      words[t] = words[t - 16] &+ s0 &+ words[t - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<64 {
      let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ constants[t] &+ words[t]
      let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }

  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word &>> count | word &<< (32 &- count)
  }

  /// The first 32 bits of the fractions of the cube roots of the first 64 primes.
  private static let constants: InlineArray<64, UInt32> = [
    0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4,
    0xAB1C_5ED5, 0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE,
    0x9BDC_06A7, 0xC19B_F174, 0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F,
    0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA, 0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7,
    0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967, 0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC,
    0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85, 0xA2BF_E8A1, 0xA81A_664B,
    0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070, 0x19A4_C116,
    0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
    0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7,
    0xC671_78F2,
  ]
}
