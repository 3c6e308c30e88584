// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// Names, and what would be done with them: nothing is run but what makes tensors, containers and scalars.
extension Unpickler {
  func qualifiedName(_ module: String, _ name: String) -> String {
    // It ends up in messages.
    String("\(module).\(name)".prefix(200)).asOneLine
  }

  mutating func pushGlobal(_ module: String, _ name: String) {
    let name = qualifiedName(module, name)
    if KnownGlobal(name) == nil, RefusedGlobal.contains(name), refusedName == nil {
      refusedName = name
    }
    stack.append(.global(name))
  }

  /// An object of a class, which is kept by the class's name and never built. What it would be made
  /// of has been read as data.
  mutating func makeObject(_ type: PickleValue) throws(PickleError) {
    guard case .global(let name) = type else { throw error("a class has no name") }
    guard KnownGlobal(name) == nil, !RefusedGlobal.contains(name) else { throw .object(name) }
    pushObject(name)
  }

  mutating func pushObject(_ name: String) {
    stack.append(.object(objects.count))
    objects.append(name)
  }

  /// What a call of an unknown function or class gives: an object of that class, or of the one that
  /// is a function's first argument where it makes objects of any.
  mutating func callUnknown(
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
  mutating func build() throws(PickleError) {
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

  mutating func reduce() throws(PickleError) {
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
