// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The machine that runs a pickle's instructions: a stack, marks in it, and a memo.
struct Unpickler {
  var reader: PickleReader
  let limits: PickleLimits

  var stack: [PickleValue] = []
  /// The heights of the stack where a mark was set.
  var marks: [Int] = []
  var memo: [UInt64: PickleValue] = [:]
  /// The first name that is refused. It is known what for only when it is used, so the error waits
  /// until then, or until the end.
  var refusedName: String?

  var lists: [[PickleValue]] = []
  var tuples: [[PickleValue]] = []
  var dictionaries: [PickledDictionary] = []
  var storages: [PickledStorage] = []
  var tensors: [PickledTensor] = []
  var numPyTypes: [String] = []
  /// What the objects are called that are not built.
  var objects: [String] = []

  /// The items put into lists and dictionaries so far.
  var itemCount = 0
  /// Where the instruction that is run starts.
  var opcodePosition = 0

  init(reader: PickleReader, limits: PickleLimits) {
    self.reader = reader
    self.limits = limits
  }

  /// Runs the instructions up to the one that ends the pickle.
  mutating func run() throws(PickleError) -> PickleValue {
    while true {
      opcodePosition = reader.position
      let code = try reader.byte()
      guard let opcode = Opcode(rawValue: code) else {
        throw .unsupportedOpcode(code, position: opcodePosition)
      }
      if opcode == .stop { break }
      try run(opcode)
      guard stack.count <= limits.stackDepth, marks.count <= limits.markDepth else {
        throw .tooLarge(
          "its stack has more than \(limits.stackDepth) values or \(limits.markDepth) marks")
      }
      let containers =
        lists.count + tuples.count + dictionaries.count + storages.count + tensors.count
        + numPyTypes.count + objects.count
      guard containers <= limits.containerCount else {
        throw .tooLarge("it has more than \(limits.containerCount) containers and tensors")
      }
    }
    let root = try pop()
    guard stack.isEmpty, marks.isEmpty else { throw error("values are left on the stack") }
    if let refusedName { throw .global(refusedName) }
    return root
  }

  private mutating func run(_ opcode: Opcode) throws(PickleError) {
    switch opcode {
    case .proto: try checkProtocol()
    case .frame: try checkFrame()
    case .stop: break
    case .mark: marks.append(stack.count)
    case .pop: try popValueOrMark()
    case .popMark: _ = try popToMark()
    case .dup:
      let top = try pop()
      stack += [top, top]
    case .none: stack.append(.none)
    case .newTrue: stack.append(.bool(true))
    case .newFalse: stack.append(.bool(false))
    case .binInt: stack.append(.integer(Int(Int32(truncatingIfNeeded: try reader.word(4)))))
    case .binInt1: stack.append(.integer(Int(try reader.word(1))))
    case .binInt2: stack.append(.integer(Int(try reader.word(2))))
    case .long1: stack.append(try reader.integer(try reader.word(1)))
    case .long4: stack.append(try reader.integer(try reader.word(4)))
    case .binFloat: stack.append(.number(try reader.double()))
    case .shortBinString, .shortBinUnicode:
      stack.append(.string(try reader.text(lengthBytes: 1)))
    case .binString, .binUnicode: stack.append(.string(try reader.text(lengthBytes: 4)))
    case .binUnicode8: stack.append(.string(try reader.text(lengthBytes: 8)))
    case .shortBinBytes: stack.append(.bytes(Array(try reader.slice(try reader.word(1)))))
    case .binBytes: stack.append(.bytes(Array(try reader.slice(try reader.word(4)))))
    case .binBytes8, .byteArray8:
      stack.append(.bytes(Array(try reader.slice(try reader.word(8)))))
    case .emptyList: pushList([])
    case .list: pushList(try popToMark())
    case .append: try append([try pop()])
    case .appends: try append(try popToMark())
    // A set is a list here, as one of Python's has an order when it is saved.
    case .emptySet: pushList([])
    case .addItems: try append(try popToMark())
    case .frozenSet: pushList(try popToMark())
    case .emptyTuple: pushTuple([])
    case .tuple: pushTuple(try popToMark())
    case .tuple1: pushTuple(try pop(1))
    case .tuple2: pushTuple(try pop(2))
    case .tuple3: pushTuple(try pop(3))
    case .emptyDict: pushDictionary()
    case .dict:
      let items = try popToMark()
      pushDictionary()
      try set(items)
    case .setItem: try set(try pop(2))
    case .setItems: try set(try popToMark())
    case .global:
      let module = try reader.line()
      pushGlobal(module, try reader.line())
    case .stackGlobal:
      let names = try pop(2)
      guard case .string(let module) = names[0], case .string(let name) = names[1] else {
        throw error("a name is not a text")
      }
      pushGlobal(module, name)
    case .reduce: try reduce()
    case .newObj: try makeObject(try pop(2)[0])
    case .newObjEx: try makeObject(try pop(3)[0])
    case .obj:
      guard let first = try popToMark().first else { throw error("the stack is empty") }
      try makeObject(first)
    case .inst:
      let module = try reader.line()
      let name = qualifiedName(module, try reader.line())
      _ = try popToMark()
      try makeObject(.global(name))
    case .build: try build()
    case .binPersID: try pushStorage()
    case .binPut: try remember(try reader.word(1))
    case .longBinPut: try remember(try reader.word(4))
    case .memoize: try remember(UInt64(memo.count))
    case .binGet: try recall(try reader.word(1))
    case .longBinGet: try recall(try reader.word(4))
    }
  }
}

// MARK: - Instructions

extension Unpickler {
  /// The instructions that are known, by their codes.
  private enum Opcode: UInt8 {
    case mark = 0x28, stop = 0x2E, pop = 0x30, popMark = 0x31, dup = 0x32
    case binBytes = 0x42, shortBinBytes = 0x43, binFloat = 0x47
    case binInt = 0x4A, binInt1 = 0x4B, binInt2 = 0x4D, none = 0x4E
    case binPersID = 0x51, reduce = 0x52, binString = 0x54, shortBinString = 0x55
    case binUnicode = 0x58, emptyList = 0x5D, append = 0x61, build = 0x62, global = 0x63
    case dict = 0x64, appends = 0x65, binGet = 0x68, inst = 0x69, longBinGet = 0x6A, list = 0x6C
    case obj = 0x6F, binPut = 0x71, longBinPut = 0x72, setItem = 0x73, tuple = 0x74
    case setItems = 0x75, emptyDict = 0x7D, emptyTuple = 0x29
    case proto = 0x80, newObj = 0x81, tuple1 = 0x85, tuple2 = 0x86, tuple3 = 0x87
    case newTrue = 0x88, newFalse = 0x89, long1 = 0x8A, long4 = 0x8B, shortBinUnicode = 0x8C
    case binUnicode8 = 0x8D, binBytes8 = 0x8E, emptySet = 0x8F, addItems = 0x90, frozenSet = 0x91
    case newObjEx = 0x92, stackGlobal = 0x93
    case memoize = 0x94, frame = 0x95, byteArray8 = 0x96
  }

  func error(_ reason: String) -> PickleError {
    .malformed(position: opcodePosition, reason: reason)
  }

  private mutating func checkProtocol() throws(PickleError) {
    let version = try reader.byte()
    guard version <= 5 else { throw error("the protocol \(version) is not known") }
  }

  /// A frame only says how far to read ahead.
  private mutating func checkFrame() throws(PickleError) {
    guard try reader.word(8) <= UInt64(reader.remaining) else { throw .truncated }
  }

  // MARK: The stack

  mutating func pop() throws(PickleError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw error("the stack is empty")
    }
    return value
  }

  mutating func pop(_ count: Int) throws(PickleError) -> [PickleValue] {
    guard stack.count >= (marks.last ?? 0) + count else { throw error("the stack is empty") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popValueOrMark() throws(PickleError) {
    if let mark = marks.last, stack.count == mark {
      marks.removeLast()
    } else {
      _ = try pop()
    }
  }

  mutating func popToMark() throws(PickleError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw error("there is no mark") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  func top() throws(PickleError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw error("the stack is empty")
    }
    return value
  }

  // MARK: The memo

  private mutating func remember(_ index: UInt64) throws(PickleError) {
    memo[index] = try top()
    guard memo.count <= limits.memoCount else {
      throw .tooLarge("it keeps more than \(limits.memoCount) values for later")
    }
  }

  private mutating func recall(_ index: UInt64) throws(PickleError) {
    guard let value = memo[index] else { throw error("nothing was kept as \(index)") }
    stack.append(value)
  }

  // MARK: Containers

  mutating func push(_ value: PickleValue) {
    stack.append(value)
  }

  mutating func pushNumPyType(_ name: String) {
    stack.append(.numPyType(numPyTypes.count))
    numPyTypes.append(name)
  }

  mutating func pushList(_ items: [PickleValue]) {
    stack.append(.list(lists.count))
    lists.append(items)
  }

  private mutating func pushTuple(_ items: [PickleValue]) {
    stack.append(.tuple(tuples.count))
    tuples.append(items)
  }

  mutating func pushDictionary(isOrdered: Bool = false) {
    stack.append(.dictionary(dictionaries.count))
    var dictionary = PickledDictionary()
    dictionary.isOrdered = isOrdered
    dictionaries.append(dictionary)
  }

  mutating func append(_ items: [PickleValue]) throws(PickleError) {
    if case .object = try top() { return try count(items) }
    guard case .list(let index) = try top() else { throw error("what should grow is no list") }
    try count(items)
    lists[index] += items
  }

  /// Sets keys and values, in turn, of the dictionary on the stack.
  mutating func set(_ items: [PickleValue]) throws(PickleError) {
    if case .object = try top() { return try count(items) }
    guard case .dictionary(let index) = try top() else {
      throw error("what should get a key is no dictionary")
    }
    guard items.count % 2 == 0 else { throw error("a key has no value") }
    try count(items)
    for place in stride(from: 0, to: items.count, by: 2) {
      dictionaries[index].set(items[place], to: items[place + 1])
    }
  }

  mutating func count(_ items: [PickleValue]) throws(PickleError) {
    itemCount += items.count
    guard itemCount <= limits.itemCount else {
      throw .tooLarge("its lists and dictionaries have more than \(limits.itemCount) items")
    }
  }
}
