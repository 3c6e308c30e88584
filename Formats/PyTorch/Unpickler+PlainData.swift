// SPDX-License-Identifier: Apache-2.0

/// Containers, bytes, devices and scalars, which a pickle states as calls: their arguments are
/// taken as data.
extension Unpickler {
  /// What a call of one of the names stands for, pushed on the stack.
  mutating func pushPlain(_ name: String, _ arguments: [PickleValue]) throws(PickleError) {
    let known = KnownGlobal(name)
    switch (known, arguments.first) {
    case (.counter, nil), (.defaultDictionary, nil), (.defaultDictionary, .global),
      (.defaultDictionary, .object), (.defaultDictionary, .some(.none)):
      pushDictionary()
    case (.counter, .dictionary), (.set, .list), (.set, .tuple): push(arguments[0])
    case (.set, nil): pushList([])
    case (.bytes, nil): push(.bytes([]))
    case (.bytes, .bytes): push(arguments[0])
    case (.bytes, .string(let text)), (.encoding, .string(let text)):
      guard arguments.count == 2, case .string(let encoding) = arguments[1],
        ["latin1", "latin-1"].contains(encoding)
      else { throw error("‘\(name)’ is not given latin-1") }
      push(.bytes(try latin(text)))
    case (.device, .string(let type)):
      switch arguments.dropFirst().first {
      case nil: push(.string(type))
      case .integer(let index): push(.string("\(type):\(index)"))
      default: throw error("the arguments of ‘\(name)’ are not those of a device")
      }
    case (.numPyType, .string(let type)): pushNumPyType(type)
    case (.numPyScalar, .numPyType(let index)):
      guard arguments.count == 2, case .bytes(let bytes) = arguments[1] else {
        throw error("‘\(name)’ is not given bytes")
      }
      push(NumPyScalar.value(of: bytes, type: numPyTypes[index]) ?? .bytes(bytes))
    default: throw error("the arguments of ‘\(name)’ are not what it takes")
    }
  }

  /// The bytes that a text's characters are the numbers of.
  private func latin(_ text: String) throws(PickleError) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { throw error("a byte is beyond 255") }
      bytes.append(byte)
    }
    return bytes
  }
}

/// A single number as NumPy pickles it.
enum NumPyScalar {
  /// The number that the bytes are of a type such as `<f8`; nothing if the type is no number's or
  /// the bytes are not as many as it has.
  static func value(of bytes: [UInt8], type: String) -> PickleValue? {
    let name = String(type.drop { "<>|=".contains($0) })
    let ordered = type.hasPrefix(">") ? bytes.reversed() : bytes
    guard let kind = name.first, Int(name.dropFirst()) == bytes.count, bytes.count <= 8 else {
      return nil
    }
    let word = ordered.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch (kind, bytes.count) {
    case ("f", 8): return .number(Double(bitPattern: word))
    case ("f", 4): return .number(Double(Float(bitPattern: UInt32(word))))
    case ("f", 2): return .number(half(UInt16(word)))
    case ("b", 1): return .bool(word != 0)
    case ("i", 1), ("i", 2), ("i", 4), ("i", 8):
      let unused = 64 - 8 * bytes.count
      return .integer(Int(Int64(bitPattern: word << UInt64(unused)) >> Int64(unused)))
    case ("u", 1), ("u", 2), ("u", 4), ("u", 8):
      return Int(exactly: word).map(PickleValue.integer) ?? .long(ordered + [0])
    default: return nil
    }
  }

  /// The number of IEEE half precision.
  private static func half(_ bits: UInt16) -> Double {
    let exponent = Int(bits >> 10 & 0x1F)
    let mantissa = Double(bits & 0x3FF)
    let magnitude: Double
    switch exponent {
    case 0: magnitude = mantissa * 0x1p-24
    case 31: magnitude = mantissa == 0 ? .infinity : .nan
    default:
      magnitude = Double(sign: .plus, exponent: exponent - 25, significand: mantissa + 1024)
    }
    return bits >> 15 == 1 ? -magnitude : magnitude
  }
}
