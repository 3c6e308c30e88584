// SPDX-License-Identifier: Apache-2.0

/// The instructions of pickles that build dictionaries, lists, numbers, texts and NumPy arrays of bytes.
struct BatchPickleMachine {
  /// A NumPy array as it is stated.
  struct Array {
    var type = ""
    var shape: [Int] = []
    var isColumnMajor = false
    var bytes: ArraySlice<UInt8> = []
  }

  /// What the stack holds. Lists and dictionaries grow after they were kept for later, so they are places in
  /// tables.
  enum Value {
    case none
    case bool(Bool)
    case integer(Int)
    /// A number with decimals, which no part of a batch that is used has.
    case number
    /// Bytes, or a text's UTF-8.
    case text(ArraySlice<UInt8>)
    case list(Int)
    case tuple([Value])
    case dictionary(Int)
    case name(String)
    case type(String)
    case array(Array)

    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  }

  // Bytes of a file that are to become values; CIFAR's batches have some 20,000.
  private static let mostValues = 10_000_000

  private let bytes: [UInt8]
  private var position = 0
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  private(set) var lists: [[Value]] = []
  private var dictionaries: [[String: Value]] = []
  private var valueCount = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Runs the pickle to its end, and gives the dictionary that it builds.
  mutating func run() throws -> [String: Value] {
    while true {
      let code = try byte()
      if code == 0x2E { break }
      try run(code)
      guard stack.count + marks.count + memo.count + valueCount <= Self.mostValues else {
        throw problem("it has more than \(Self.mostValues) values")
      }
    }
    guard stack.count == 1, case .dictionary(let index) = stack[0] else {
      throw problem("it holds no dictionary")
    }
    return dictionaries[index]
  }

  private mutating func run(_ code: UInt8) throws {
    switch code {
    case 0x80:  // PROTO
      guard try byte() <= 5 else { throw problem("its protocol is not known") }
    case 0x95: _ = try slice(8)  // FRAME, which only says how far to read ahead
    case 0x28: marks.append(stack.count)
    case 0x4E: stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case 0x4A: stack.append(.integer(Int(Int32(truncatingIfNeeded: try word(4)))))
    case 0x4B: stack.append(.integer(try word(1)))
    case 0x4D: stack.append(.integer(try word(2)))
    case 0x8A: try pushLong()
    case 0x47:
      _ = try slice(8)
      stack.append(.number)
    case 0x55, 0x43, 0x8C: stack.append(.text(try slice(try word(1))))
    case 0x54, 0x42, 0x58: stack.append(.text(try slice(try word(4))))
    case 0x8D, 0x8E, 0x96: stack.append(.text(try slice(try word(8))))
    case 0x5D: pushList([])
    case 0x6C: pushList(try poppedToMark())
    case 0x61: try append([try popped()])
    case 0x65: try append(try poppedToMark())
    case 0x29: stack.append(.tuple([]))
    case 0x74: stack.append(.tuple(try poppedToMark()))
    case 0x85, 0x86, 0x87: stack.append(.tuple(try popped(Int(code) - 0x84)))
    case 0x7D: pushDictionary()
    case 0x73: try set(try popped(2))
    case 0x75: try set(try poppedToMark())
    case 0x63: stack.append(.name("\(try line()).\(try line())"))
    case 0x93:
      let names = try popped(2)
      guard case .text(let module) = names[0], case .text(let name) = names[1] else {
        throw problem("a name is no text")
      }
      stack.append(.name("\(text(module)).\(text(name))"))
    case 0x52: try reduce()
    case 0x62: try build()
    case 0x71: try remember(try word(1))
    case 0x72: try remember(try word(4))
    case 0x94: try remember(memo.count)
    case 0x68: try recall(try word(1))
    case 0x6A: try recall(try word(4))
    default:
      throw problem("its instruction \(code) is none that a batch of CIFAR is written with")
    }
  }

  // MARK: Names

  /// A call is data: of the few names that are known, what they stand for is made here.
  private mutating func reduce() throws {
    let values = try popped(2)
    guard case .name(let name) = values[0], case .tuple(let arguments) = values[1] else {
      throw problem("a call has no name or no arguments")
    }
    switch (name.replacing(".core.", with: "._core."), arguments.first) {
    case ("numpy._core.multiarray._reconstruct", .name("numpy.ndarray")):
      stack.append(.array(Array()))
    case ("numpy.dtype", .text(let type)):
      stack.append(.type(String(text(type).drop { "|<>=".contains($0) })))
    case ("_codecs.encode", .text(let latin)): stack.append(.text(try encoded(latin)[...]))
    case ("numpy._core.numeric._frombuffer", .text(let content)):
      guard arguments.count == 4, case .type(let type) = arguments[1],
        case .tuple(let sizes) = arguments[2], case .text(let order) = arguments[3]
      else { throw problem("an array is not stated as NumPy does") }
      stack.append(
        .array(
          Array(
            type: type, shape: sizes.compactMap(\.integer), isColumnMajor: text(order) != "C",
            bytes: content)))
    default:
      throw problem("it calls ‘\(name.prefix(100))’, which a batch of CIFAR does not")
    }
  }

  /// The rest of what an array or its type is.
  private mutating func build() throws {
    let values = try popped(2)
    guard case .tuple(let state) = values[1] else { throw problem("attributes are no tuple") }
    switch values[0] {
    // Of bytes, the only type that is used, the order says nothing.
    case .type: stack.append(values[0])
    case .array:
      guard state.count == 5, case .tuple(let sizes) = state[1], case .type(let type) = state[2],
        case .bool(let isColumnMajor) = state[3], case .text(let content) = state[4]
      else { throw problem("an array is not stated as NumPy does") }
      stack.append(
        .array(
          Array(
            type: type, shape: sizes.compactMap(\.integer), isColumnMajor: isColumnMajor,
            bytes: content)))
    default: throw problem("attributes are set of what has none")
    }
  }

  /// Bytes that Python 3 states in protocol 2 as the text whose characters they number.
  private func encoded(_ latin: ArraySlice<UInt8>) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(latin.count)
    var high: UInt8?
    for byte in latin {
      if let first = high {
        guard byte & 0xC0 == 0x80 else { throw problem("a text is not UTF-8") }
        bytes.append(first << 6 | byte & 0x3F)
        high = nil
      } else if byte < 0x80 {
        bytes.append(byte)
      } else {
        // Two bytes hold the characters from 128 to 255; longer ones are beyond a byte.
        guard byte == 0xC2 || byte == 0xC3 else { throw problem("a byte is beyond 255") }
        high = byte
      }
    }
    guard high == nil else { throw problem("a text is not UTF-8") }
    return bytes
  }

  // MARK: Stack, memo and containers

  private mutating func popped() throws -> Value {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw problem("its stack is empty")
    }
    return value
  }

  private mutating func popped(_ count: Int) throws -> [Value] {
    guard stack.count >= (marks.last ?? 0) + count else { throw problem("its stack is empty") }
    defer { stack.removeLast(count) }
    return Swift.Array(stack.suffix(count))
  }

  private mutating func poppedToMark() throws -> [Value] {
    guard let mark = marks.popLast() else { throw problem("a mark is missing") }
    defer { stack.removeLast(stack.count - mark) }
    return Swift.Array(stack[mark...])
  }

  private mutating func remember(_ index: Int) throws {
    guard let top = stack.last else { throw problem("its stack is empty") }
    memo[index] = top
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw problem("nothing was kept as \(index)") }
    stack.append(value)
  }

  private mutating func pushList(_ items: [Value]) {
    stack.append(.list(lists.count))
    lists.append(items)
    valueCount += 1 + items.count
  }

  private mutating func append(_ items: [Value]) throws {
    guard case .list(let index) = stack.last else { throw problem("what should grow is no list") }
    lists[index] += items
    valueCount += items.count
  }

  private mutating func pushDictionary() {
    stack.append(.dictionary(dictionaries.count))
    dictionaries.append([:])
    valueCount += 1
  }

  private mutating func set(_ items: [Value]) throws {
    guard case .dictionary(let index) = stack.last, items.count % 2 == 0 else {
      throw problem("what should get keys is no dictionary")
    }
    for place in stride(from: 0, to: items.count, by: 2) {
      guard case .text(let key) = items[place] else { throw problem("a key is no text") }
      dictionaries[index][text(key)] = items[place + 1]
    }
    valueCount += items.count
  }

  // MARK: Bytes

  private mutating func byte() throws -> UInt8 {
    guard position < bytes.count else { throw problem("it breaks off") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func slice(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else { throw problem("it breaks off") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// A little-endian number; beyond what memory could hold it is no length.
  private mutating func word(_ count: Int) throws -> Int {
    let word = try slice(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let value = Int(exactly: word) else { throw problem("it breaks off") }
    return value
  }

  private mutating func pushLong() throws {
    let digits = try slice(try word(1))
    guard digits.count <= 8 else { throw problem("an integer is beyond 64 bits") }
    let word = digits.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let unused = UInt64(64 - 8 * digits.count)
    stack.append(.integer(digits.isEmpty ? 0 : Int(Int64(bitPattern: word << unused) >> unused)))
  }

  private mutating func line() throws -> String {
    let start = position
    while try byte() != 0x0A {}
    return text(bytes[start..<position - 1])
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  private func problem(_ reason: String) -> BatchPickle.Problem {
    BatchPickle.Problem(reason: "it is no pickle of a CIFAR batch: \(reason)")
  }
}
