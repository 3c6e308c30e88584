// SPDX-License-Identifier: Apache-2.0
import CFuzzer

/// Changes an input so that it gets past the checksums: libFuzzer asks this function for each new
/// input, and it changes a part of the file and mends what depends on that part.
@c(LLVMFuzzerCustomMutator)
public func mutate(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maxSize: Int, _ seed: UInt32
) -> Int {
  var random = Random(UInt64(seed))
  let input = [UInt8](UnsafeBufferPointer(start: data, count: size))
  let result = mutated(input, maxSize: maxSize, &random)
  guard result.count <= maxSize else { return LLVMFuzzerMutate(data, size, maxSize) }
  _ = UnsafeMutableBufferPointer(start: data, count: maxSize).update(fromContentsOf: result)
  return result.count
}

private func mutated(_ input: [UInt8], maxSize: Int, _ random: inout Random) -> [UInt8] {
  // Every fourth input breaks whatever libFuzzer likes.
  if random.below(4) > 0 {
    if var tar = TarParts(input) {
      tar.mutate(&random)
      return tar.bytes
    }
    if var zip = ZipParts(input) {
      zip.mutate(&random)
      return zip.bytes
    }
    if var message = MessageParts(input) {
      for _ in 0...random.below(4) { message.mutate(&random) }
      return message.bytes
    }
    if var array = ArrayParts(input) {
      array.text = mutatedText(array.text, &random)
      return array.bytes
    }
    if var file = LengthPrefixed(input) {
      file.text = mutatedText(file.text, &random)
      return file.bytes
    }
  }
  return mutatedBytes(input, maxSize: maxSize)
}

/// Bytes as libFuzzer changes them.
func mutatedBytes(_ bytes: [UInt8], maxSize: Int) -> [UInt8] {
  var room = bytes + [UInt8](repeating: 0, count: max(0, maxSize - bytes.count))
  let count = LLVMFuzzerMutate(&room, bytes.count, maxSize)
  return Array(room[..<count])
}

/// JSON with one number exchanged for a more interesting one, a piece doubled or left out, or
/// changed as libFuzzer likes.
func mutatedText(_ text: [UInt8], _ random: inout Random) -> [UInt8] {
  switch random.below(4) {
  case 0, 1:
    let digits = text.indices.filter { isDigit(text[$0]) && ($0 == 0 || !isDigit(text[$0 - 1])) }
    guard !digits.isEmpty else { break }
    let start = digits[random.below(digits.count)]
    let end = text[start...].firstIndex { !isDigit($0) } ?? text.count
    let old = Int(String(decoding: text[start..<end], as: UTF8.self)) ?? 0
    let numbers = interestingNumbers(beside: old)
    return text[..<start] + Array(numbers[random.below(numbers.count)].utf8) + text[end...]
  case 2:
    // From one comma or brace to another.
    let marks = text.indices.filter { [0x2C, 0x7B, 0x7D, 0x5B, 0x5D].contains(text[$0]) }
    guard marks.count > 1 else { break }
    let ends = [marks[random.below(marks.count)], marks[random.below(marks.count)]].sorted()
    let piece = text[ends[0]..<ends[1]]
    guard piece.count < 1024 else { break }
    return random.below(2) == 0
      ? Array(text[..<ends[1]] + piece + text[ends[1]...])
      : Array(text[..<ends[0]] + text[ends[1]...])
  default: break
  }
  return mutatedBytes(text, maxSize: text.count + 64)
}

private func interestingNumbers(beside number: Int) -> [String] {
  let beside = [number &- 1, number &+ 1, number &* 2, number / 2, number &+ 14, number &+ 1024]
  return beside.map(String.init) + [
    "0", "1", "2", "3", "7", "8", "9", "255", "256", "1023", "1024", "32768", "65536", "524288",
    "16777216", "2147483648", "4294967295", "8589934591", "8589934592", "9007199254740991",
    "9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "-1", "1.0", "1e3", "01",
  ]
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

/// Pseudo-random numbers from the seed that libFuzzer gives, so that a run can be repeated
/// (SplitMix64).
struct Random {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// A number from 0 to just under `bound`.
  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }
}
