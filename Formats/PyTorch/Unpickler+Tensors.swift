// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension Unpickler {
  /// A storage by what identifies it: `('storage', class, key, place, count)`, and in the legacy
  /// format one value more, which is none for storages that are no part of another.
  mutating func pushStorage() throws(PickleError) {
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

  mutating func pushTensor(
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
  func lazyBits(
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
  func integers(_ value: PickleValue) -> [Int]? {
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
