// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The machine that runs a pickle's instructions: a stack, marks in it, and a memo.
struct Unpickler {
  var reader: PickleReader
  private let limits: PickleLimits

  private var stack: [PickleValue] = []
  /// The heights of the stack where a mark was set.
  private var marks: [Int] = []
  private var memo: [UInt64: PickleValue] = [:]
  /// The first name that is refused. It is known what for only when it is used, so the error waits
  /// until then, or until the end.
  private var refusedName: String?

  private(set) var lists: [[PickleValue]] = []
  private(set) var tuples: [[PickleValue]] = []
  private(set) var dictionaries: [PickledDictionary] = []
  private(set) var storages: [PickledStorage] = []
  private(set) var tensors: [PickledTensor] = []
  private(set) var numPyTypes: [String] = []
  /// What the objects are called that are not built.
  private(set) var objects: [String] = []

  /// The items put into lists and dictionaries so far.
  private var itemCount = 0
  /// Where the instruction that is run starts.
  private var opcodePosition = 0

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

  private mutating func pop() throws(PickleError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw error("the stack is empty")
    }
    return value
  }

  private mutating func pop(_ count: Int) throws(PickleError) -> [PickleValue] {
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

  private mutating func popToMark() throws(PickleError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw error("there is no mark") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private func top() throws(PickleError) -> PickleValue {
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

  private mutating func append(_ items: [PickleValue]) throws(PickleError) {
    if case .object = try top() { return try count(items) }
    guard case .list(let index) = try top() else { throw error("what should grow is no list") }
    try count(items)
    lists[index] += items
  }

  /// Sets keys and values, in turn, of the dictionary on the stack.
  private mutating func set(_ items: [PickleValue]) throws(PickleError) {
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

  private mutating func count(_ items: [PickleValue]) throws(PickleError) {
    itemCount += items.count
    guard itemCount <= limits.itemCount else {
      throw .tooLarge("its lists and dictionaries have more than \(limits.itemCount) items")
    }
  }

  // MARK: Names and what would be done with them

  private func qualifiedName(_ module: String, _ name: String) -> String {
    // It ends up in messages.
    String("\(module).\(name)".prefix(200)).asOneLine
  }

  private mutating func pushGlobal(_ module: String, _ name: String) {
    let name = qualifiedName(module, name)
    if KnownGlobal(name) == nil, RefusedGlobal.contains(name), refusedName == nil {
      refusedName = name
    }
    stack.append(.global(name))
  }

  /// An object of a class, which is kept by the class's name and never built. What it would be made
  /// of has been read as data.
  private mutating func makeObject(_ type: PickleValue) throws(PickleError) {
    guard case .global(let name) = type else { throw error("a class has no name") }
    guard KnownGlobal(name) == nil, !RefusedGlobal.contains(name) else { throw .object(name) }
    pushObject(name)
  }

  private mutating func pushObject(_ name: String) {
    stack.append(.object(objects.count))
    objects.append(name)
  }

  /// What a call of an unknown function or class gives: an object of that class, or of the one that
  /// is a function's first argument where it makes objects of any.
  private mutating func callUnknown(
    _ name: String, _ arguments: [PickleValue]
  ) throws(PickleError) {
    // The name of a layout says nothing; a tensor of another one is made by a call that is refused.
    let isName = name == "torch.serialization._get_layout"
    guard !RefusedGlobal.contains(name), isName || !RefusedGlobal.isTorchFunction(name) else {
      throw .call(name)
    }
    let makers = ["._reconstruct", "._reconstructor", ".__newobj__", ".__newobj_ex__"]
    if makers.contains(where: name.hasSuffix), case .global(let type)? = arguments.first {
      pushObject(type)
    } else {
      pushObject(name)
    }
  }

  /// Attributes: an `OrderedDict` of parameters has some, which say nothing of its tensors, a type of
  /// NumPy's has the order of its bytes, and those of an object are left out with it.
  private mutating func build() throws(PickleError) {
    let values = try pop(2)
    if case .object = values[0] {
      stack.append(values[0])
      return
    }
    if case .numPyType(let index) = values[0], case .tuple(let state) = values[1],
      tuples[state].count >= 2, case .string(let order) = tuples[state][1], order.utf8.count == 1
    {
      numPyTypes[index] = order + numPyTypes[index].drop { "<>|=".contains($0) }
      stack.append(values[0])
      return
    }
    guard case .dictionary(let index) = values[0], dictionaries[index].isOrdered,
      case .dictionary = values[1]
    else { throw error("attributes are set of what has none") }
    stack.append(values[0])
  }

  private mutating func reduce() throws(PickleError) {
    let values = try pop(2)
    guard case .global(let name) = values[0] else {
      throw error("what would be called has no name")
    }
    guard case .tuple(let index) = values[1] else { throw error("arguments are no tuple") }
    let arguments = tuples[index]
    try call(name, arguments)
  }

  private mutating func call(_ name: String, _ arguments: [PickleValue]) throws(PickleError) {
    switch KnownGlobal(name) {
    case .orderedDictionary: try pushOrderedDictionary(arguments)
    case .counter, .defaultDictionary, .set, .bytes, .encoding, .device, .numPyType, .numPyScalar:
      try pushPlain(name, arguments)
    case .size:
      guard arguments.count == 1, case .tuple = arguments[0] else {
        throw error("‘\(name)’ is not given a tuple")
      }
      stack.append(arguments[0])
    case .tensor: try pushTensor(arguments, count: 4...4, name: name)
    case .tensorWithHooks: try pushTensor(arguments, count: 6...7, name: name)
    case .tensorWithType: try pushTensor(arguments, count: 7...8, name: name, hasType: true)
    case .parameter:
      guard case .tensor? = arguments.first, (3...4).contains(arguments.count) else {
        throw error("‘\(name)’ is not given a tensor")
      }
      stack.append(arguments[0])
    case .tensorOfClass:
      guard arguments.count == 4, case .global(let function) = arguments[0],
        case .global(let type) = arguments[1], case .tuple(let index) = arguments[2],
        KnownGlobal(function)?.makesTensor == true
      else { throw error("the arguments of ‘\(name)’ are not those of a tensor") }
      guard KnownGlobal(type) == .tensorClass else { throw .object(type) }
      try call(function, tuples[index])
    case .storage, .elementType, .quantisedType, .plainClass, .tensorClass: throw .call(name)
    case nil: try callUnknown(name, arguments)
    }
  }

  /// Of nothing, or as Python 2 has it, of a list of pairs.
  private mutating func pushOrderedDictionary(
    _ arguments: [PickleValue]
  ) throws(PickleError) {
    pushDictionary(isOrdered: true)
    guard let argument = arguments.first else { return }
    guard arguments.count == 1, case .list(let index) = argument else {
      throw error("an OrderedDict is not made of a list")
    }
    for item in lists[index] {
      let pair: [PickleValue]
      switch item {
      case .list(let index): pair = lists[index]
      case .tuple(let index): pair = tuples[index]
      default: pair = []
      }
      guard pair.count == 2 else { throw error("an OrderedDict is not made of pairs") }
      try set(pair)
    }
  }
}

// MARK: - Tensors

extension Unpickler {
  /// A storage by what identifies it: `('storage', class, key, place, count)`, and in the legacy
  /// format one value more, which is none for storages that are no part of another.
  private mutating func pushStorage() throws(PickleError) {
    guard case .tuple(let index) = try pop() else { throw error("a persistent id is no tuple") }
    let parts = tuples[index]
    guard parts.count == 5 || parts.count == 6, parts[0] == .string("storage"),
      case .global(let name) = parts[1], case .string(let key) = parts[2],
      case .string = parts[3], case .integer(let count) = parts[4], count >= 0
    else { throw error("a persistent id is not that of a storage") }
    guard parts.count == 5 || parts[5] == .none else {
      throw error("a storage is a part of another, as very old versions wrote it")
    }
    let known = KnownGlobal(name)
    if known == .quantisedType { throw .quantised(name) }
    guard case .storage(let type) = known else { throw error("‘\(name)’ is no storage") }
    stack.append(.storage(storages.count))
    storages.append(PickledStorage(key: key, elementType: type, count: count))
  }

  private mutating func pushTensor(
    _ arguments: [PickleValue], count: ClosedRange<Int>, name: String, hasType: Bool = false
  ) throws(PickleError) {
    guard count.contains(arguments.count), case .storage(let storage) = arguments[0],
      case .integer(let offset) = arguments[1], let sizes = integers(arguments[2]),
      let strides = integers(arguments[3])
    else { throw error("the arguments of ‘\(name)’ are not those of a tensor") }
    var type = storages[storage].elementType
    if hasType {
      guard case .global(let typeName) = arguments[6] else { throw error("a type has no name") }
      let known = KnownGlobal(typeName)
      if known == .quantisedType { throw .quantised(typeName) }
      guard case .elementType(let own) = known, type == nil || type == own else {
        throw error("‘\(typeName)’ is not the type of a tensor in that storage")
      }
      type = own
    }
    guard let type else { throw error("the elements of a tensor have no type") }
    let flags = try arguments.dropFirst(hasType ? 7 : 6).first.map { value throws(PickleError) in
      try lazyBits(value, type: type)
    }
    stack.append(.tensor(tensors.count))
    tensors.append(
      PickledTensor(
        storage: storage, elementType: type, offset: offset, sizes: sizes, strides: strides,
        isNegated: flags?.isNegated ?? false, isConjugated: flags?.isConjugated ?? false))
  }

  /// What PyTorch's lazy bits do to a tensor's elements: whether they are those of the storage with
  /// the other sign, and whether they are the conjugates of these.
  private func lazyBits(
    _ value: PickleValue, type: PickledElementType
  ) throws(PickleError) -> (isNegated: Bool, isConjugated: Bool) {
    var bits = (isNegated: false, isConjugated: false)
    if value == .none { return bits }
    guard case .dictionary(let index) = value else { throw error("a tensor's flags are wrong") }
    for (key, value) in zip(dictionaries[index].keys, dictionaries[index].values)
    where value != .bool(false) && value != .none {
      switch (key, value, type) {
      case (.string("neg"), .bool(true), .foreign), (.string("conj"), .bool(true), .foreign): break
      case (.string("neg"), .bool(true), .known(let type)) where type != .bool:
        bits.isNegated = true
      case (.string("conj"), .bool(true), .known(.complex64)): bits.isConjugated = true
      default:
        guard case .string(let name) = key else { throw error("a tensor's flags are wrong") }
        throw .flag(String(name.prefix(100)).asOneLine)
      }
    }
    return bits
  }

  /// The items of a tuple or list of integers, of which a tensor has few.
  private func integers(_ value: PickleValue) -> [Int]? {
    let items: [PickleValue]
    switch value {
    case .tuple(let index): items = tuples[index]
    case .list(let index): items = lists[index]
    default: return nil
    }
    guard items.count <= PyTorch.rankLimit else { return nil }
    var result: [Int] = []
    for item in items {
      guard case .integer(let size) = item else { return nil }
      result.append(size)
    }
    return result
  }
}
