// SPDX-License-Identifier: Apache-2.0
import CFuzzer
import LCWCore

/// Changes an input: its first byte says what it is, and the rest is JSON, of which one value is
/// exchanged, left out or doubled. Every fourth input breaks whatever libFuzzer likes.
@c(LLVMFuzzerCustomMutator)
public func mutate(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maxSize: Int, _ seed: UInt32
) -> Int {
  var random = SplitMix(state: UInt64(seed))
  let input = [UInt8](UnsafeBufferPointer(start: data, count: size))
  guard random.below(4) > 0, let first = input.first,
    let value = try? JSONValue(parsing: Array(input.dropFirst()))
  else { return LLVMFuzzerMutate(data, size, maxSize) }
  var changed = value
  for _ in 0...random.below(3) {
    var place = random.below(max(1, changed.count))
    changed = changed.mutated(at: &place, &random) ?? changed
  }
  let output = [first] + Array(changed.compactText.utf8)
  guard output.count <= maxSize else { return LLVMFuzzerMutate(data, size, maxSize) }
  _ = UnsafeMutableBufferPointer(start: data, count: maxSize).update(fromContentsOf: output)
  return output.count
}

extension JSONValue {
  /// How many values it holds, itself counted.
  fileprivate var count: Int {
    switch self {
    case .array(let values): values.reduce(1) { $0 + $1.count }
    case .object(let members): members.values.reduce(1) { $0 + $1.count }
    default: 1
    }
  }

  /// The value with the one at a place, counted in order, changed; nothing if it is left out.
  fileprivate func mutated(at place: inout Int, _ random: inout SplitMix) -> JSONValue? {
    if place == 0 {
      place = -1
      return replaced(&random)
    }
    place -= 1
    switch self {
    case .array(let values):
      var result: [JSONValue] = []
      for value in values {
        guard place >= 0 else {
          result.append(value)
          continue
        }
        guard let changed = value.mutated(at: &place, &random) else { continue }
        result += Array(repeating: changed, count: place < 0 && random.below(8) == 0 ? 3 : 1)
      }
      return .array(result)
    case .object(let members):
      var result: [String: JSONValue] = [:]
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        result[key] = place < 0 ? value : value.mutated(at: &place, &random)
      }
      return .object(result)
    default: return self
    }
  }

  private func replaced(_ random: inout SplitMix) -> JSONValue? {
    if case .string(let text) = self, random.below(2) == 0 {
      return .string(random.one(of: JSONValue.options(after: text)))
    }
    switch random.below(8) {
    case 0: return nil
    case 1: return .array([])
    case 2: return .object([:])
    case 3: return .array([self, self])
    case 4: return .number(random.one(of: JSONValue.doubles))
    case 5: return .string(random.one(of: ["nan", "inf", "-inf", "", "arc", "digits"]))
    default: return .integer(random.one(of: JSONValue.integers))
    }
  }

  private static func options(after text: String) -> [String] {
    integers.map { "\(text.prefix { $0 != "=" })=\($0)" }
      + [text + "+wa", text + ",epochs=1e300", "\(text):\(text)", "@\(text)", text + "\u{1B}[2J"]
  }

  private static let doubles = [
    0.0, -0.0, 0.5, -1, 5e-324, 1e-300, 1e17, 1e19, -1e19, 1e39, 1e300, -1e300,
    .greatestFiniteMagnitude,
  ]

  private static let integers = [
    0, 1, 2, 3, -1, 7, 100, 1000, 10_000, 65_536, 1_000_000_000, 2_147_483_647, 2_147_483_648,
    4_294_967_296, 1 << 53, 1 << 61, 1 << 62, .max, .min, .min + 1,
  ]
}

/// Pseudo-random numbers from the seed that libFuzzer gives, so that a run can be repeated
/// (SplitMix64).
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

  mutating func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }
}
