// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import PyTorchFormat
import Testing

/// The machine that reads pickles, instruction by instruction.
struct PickleTests {
  /// Bytes and the value they stand for.
  struct Case: Sendable, CustomTestStringConvertible {
    var bytes: [UInt8]
    var text: String
    var testDescription: String { text }

    init(_ bytes: [UInt8], _ text: String) {
      self.bytes = bytes
      self.text = text
    }

    /// Instructions that are characters.
    init(_ code: String, _ text: String) {
      self.init(Array(code.utf8) + Op.stop, text)
    }
  }

  private static let ordered = Op.global("collections", "OrderedDict")

  static let values: [Case] = [
    Case([0x80, 2] + Op.none + Op.stop, "None"),
    Case([0x80, 5, 0x95, 2, 0, 0, 0, 0, 0, 0, 0] + Op.none + Op.stop, "None"),
    Case("N", "None"),
    Case([0x88] + Op.stop, "True"),
    Case([0x89] + Op.stop, "False"),
    Case([0x4A, 0xFE, 0xFF, 0xFF, 0xFF] + Op.stop, "-2"),
    Case([0x4A, 0, 0, 0, 0x7F] + Op.stop, "2130706432"),
    Case([0x4B, 0xFF] + Op.stop, "255"),
    Case([0x4D, 0xFF, 0xFF] + Op.stop, "65535"),
    Case([0x8A, 0] + Op.stop, "0"),
    Case([0x8A, 1, 0x80] + Op.stop, "-128"),
    Case([0x8A, 2, 0xFF, 0] + Op.stop, "255"),
    Case([0x8A, 8] + little(Int64.min) + Op.stop, "-9223372036854775808"),
    Case([0x8A, 9] + little(Int64.min) + [0xFF] + Op.stop, "-9223372036854775808"),
    Case([0x8A, 9] + little(Int64.max) + [0] + Op.stop, "9223372036854775807"),
    Case(
      [0x8A, 9] + little(UInt64.max) + [0] + Op.stop,
      "long[255, 255, 255, 255, 255, 255, 255, 255, 0]"),
    Case(
      [0x8A, 9] + little(Int64.max) + [0xFF] + Op.stop,
      "long[255, 255, 255, 255, 255, 255, 255, 127, 255]"),
    Case([0x8B, 3, 0, 0, 0, 1, 2, 3] + Op.stop, "197121"),
    Case([0x47, 0xBF, 0xE0, 0, 0, 0, 0, 0, 0] + Op.stop, "-0.5"),
    Case(Op.text("é∂") + Op.stop, "'é∂'"),
    Case([0x8C, 2, 0xC3, 0xA9] + Op.stop, "'é'"),
    Case([0x8D, 1, 0, 0, 0, 0, 0, 0, 0, 0x61] + Op.stop, "'a'"),
    Case([0x55, 1, 0x61] + Op.stop, "'a'"),
    Case([0x54, 1, 0, 0, 0, 0x61] + Op.stop, "'a'"),
    Case([0x43, 2, 0xFF, 0] + Op.stop, "b[255, 0]"),
    Case([0x42, 1, 0, 0, 0, 9] + Op.stop, "b[9]"),
    Case([0x8E, 1, 0, 0, 0, 0, 0, 0, 0, 9] + Op.stop, "b[9]"),
    Case([0x96, 1, 0, 0, 0, 0, 0, 0, 0, 9] + Op.stop, "b[9]"),
    Case("]", "[]"),
    Case("]Na", "[None]"),
    Case("](NNe", "[None, None]"),
    Case("](e", "[]"),
    Case("(NNl", "[None, None]"),
    Case(")", "()"),
    Case("(NNNNt", "(None, None, None, None)"),
    Case("(t", "()"),
    Case([0x4E, 0x85] + Op.stop, "(None)"),
    Case([0x4E, 0x88, 0x86] + Op.stop, "(None, True)"),
    Case([0x4E, 0x88, 0x89, 0x87] + Op.stop, "(None, True, False)"),
    Case("}", "{}"),
    Case("}K\u{1}Ns", "{1: None}"),
    Case("}(K\u{1}NK\u{2}Nu", "{1: None, 2: None}"),
    Case("(K\u{1}Nd", "{1: None}"),
    Case("NK\u{1}0", "None"),
    Case("N(0", "None"),
    Case("N(NN1", "None"),
    Case("]N2aa", ""),
    Case("K\u{1}q\u{5}0h\u{5}", "1"),
    Case("K\u{1}r\u{5}\u{0}\u{0}\u{0}0j\u{5}\u{0}\u{0}\u{0}", "1"),
    Case([0x4B, 7, 0x94, 0x30, 0x68, 0] + Op.stop, "7"),
    // Lists and dictionaries are shared, and may hold themselves.
    Case("]q\u{0}h\u{0}a", "[[[[[[[[[[[[[[[[[[[[…]]]]]]]]]]]]]]]]]]]]"),
    Case("]q\u{0}0(h\u{0}h\u{0}Nat", "([None], [None])"),
    Case(ordered + Op.emptyTuple + Op.reduce + Op.stop, "{}"),
    Case(
      ordered + Op.tuple([Array("((K\u{1}NlK\u{2}N\u{86}l".unicodeScalars.map { UInt8($0.value) })])
        + Op.reduce + Op.stop, "{1: None, 2: None}"),
    Case(
      ordered + Op.emptyTuple + Op.reduce + Op.emptyDict + Op.text("_metadata") + Op.none
        + Op.setItem + Op.build + Op.stop, "{}"),
    Case(Op.global("torch", "float32") + Op.stop, "torch.float32"),
    Case(Op.text("torch") + Op.text("float32") + [0x93] + Op.stop, "torch.float32"),
    Case(
      Op.global("torch", "Size") + Op.tuple([Op.integers([2, 3])]) + Op.reduce + Op.stop,
      "(2, 3)"),
    Case(Op.storage("LongStorage", key: "k", count: 3) + Op.stop, "storage(k, i64, 3)"),
    Case(
      Op.storage("UntypedStorage", module: "torch.storage", count: 8) + Op.stop,
      "storage(0, bytes, 8)"),
    Case(
      Op.tensor(Op.storage(count: 6), [2, 3], [3, 1], offset: 1) + Op.stop,
      "tensor(0, f32, 1, [2, 3], [3, 1])"),
    Case(
      Op.global("torch._utils", "_rebuild_tensor")
        + Op.tuple([
          Op.storage("HalfStorage", count: 6), Op.integer(0), Op.integers([]), Op.integers([]),
        ]) + Op.reduce + Op.stop, "tensor(0, f16, 0, [], [])"),
    Case(
      Op.global("torch._utils", "_rebuild_parameter")
        + Op.tuple([
          Op.tensor(Op.storage("BFloat16Storage", count: 6), [6], [1]), [0x88],
          ordered + Op.emptyTuple + Op.reduce,
        ]) + Op.reduce + Op.stop, "tensor(0, bf16, 0, [6], [1])"),
    Case(tensorWithType("int16"), "tensor(0, i16, 0, [4], [1])"),
  ]

  private static func tensorWithType(_ type: String) -> [UInt8] {
    Op.global("torch._utils", "_rebuild_tensor_v3")
      + Op.tuple([
        Op.storage("UntypedStorage", module: "torch.storage", count: 8), Op.integer(0),
        Op.integers([4]), Op.integers([1]), Op.no, ordered + Op.emptyTuple + Op.reduce,
        Op.global("torch", type),
      ]) + Op.reduce + Op.stop
  }

  @Test(arguments: values.filter { !$0.text.isEmpty })
  func isRead(_ value: Case) throws {
    let pickle = try Pickle(parsing: value.bytes)
    #expect(pickle.text == value.text)
    #expect(pickle.end == value.bytes.count)
    // It ends where it ends, whatever surrounds it.
    let inside = try Pickle(parsing: [1, 2] + value.bytes + [3], from: 2)
    #expect(inside.text == value.text)
    #expect(inside.end == value.bytes.count + 2)
    for length in value.bytes.indices {
      #expect(throws: PickleError.truncated, "\(length) bytes") {
        try Pickle(parsing: Array(value.bytes[..<length]))
      }
    }
  }

  /// Bytes and the error they lead to.
  struct Fault: Sendable, CustomTestStringConvertible {
    var bytes: [UInt8]
    var reason: String
    var testDescription: String { reason }

    init(_ bytes: [UInt8], _ reason: String) {
      self.bytes = bytes
      self.reason = reason
    }

    init(_ code: String, _ reason: String) { self.init(Array(code.utf8), reason) }
  }

  private static func system(_ module: String) -> [UInt8] {
    Op.global(module, "system") + Op.tuple([Op.text("true")])
  }

  static let faults: [Fault] = [
    // Functions and classes.
    Fault(system("os") + Op.reduce, "would call ‘os.system’"),
    Fault(system("posix") + Op.reduce + Op.stop, "would call ‘posix.system’"),
    Fault(
      Op.text("os") + Op.text("system") + [0x93] + Op.tuple([]) + Op.reduce,
      "would call ‘os.system’"),
    Fault(Op.global("os", "system") + Op.stop, "names ‘os.system’"),
    Fault(Op.global("os", "system") + [0x30] + Op.none + Op.stop, "names ‘os.system’"),
    Fault(Op.emptyDict + Op.global("os", "system") + Op.none + Op.setItem + Op.stop, "os.system"),
    Fault(system("os") + [0x81], "class ‘os.system’"),
    Fault(system("os") + Op.emptyDict + [0x92], "class ‘os.system’"),
    Fault(Op.mark + Op.global("os", "system") + Op.text("true") + [0x6F], "class ‘os.system’"),
    Fault("(ios\nsystem\n", "class ‘os.system’"),
    Fault(Op.global("builtins", "eval") + Op.tuple([]) + Op.reduce, "‘builtins.eval’"),
    Fault(Op.global("torch", "load") + Op.tuple([]) + Op.reduce, "‘torch.load’"),
    Fault(Op.global("torch", "FloatStorage") + Op.tuple([]) + Op.reduce, "‘torch.FloatStorage’"),
    Fault(Op.global("torch", "float32") + Op.tuple([]) + Op.reduce, "‘torch.float32’"),
    Fault(
      Op.global("os", "a\u{2028}x") + Op.stop, "names ‘os.a\\u{2028}x’"),
    Fault(Op.global("builtins", "exec") + Op.stop, "names ‘builtins.exec’"),
    Fault(
      Op.global("torch._utils", "_rebuild_unknown") + Op.tuple([]) + Op.reduce,
      "would call ‘torch._utils._rebuild_unknown’"),
    Fault(
      Op.global("builtins", "getattr") + Op.tuple([Op.global("a", "B"), Op.text("c")]) + Op.reduce
        + Op.emptyTuple + Op.reduce, "has no name"),
    Fault(Op.text("o") + Op.integer(1) + [0x93], "a name is not a text"),
    Fault(Op.none + Op.emptyTuple + Op.reduce, "has no name"),
    Fault(ordered + Op.none + Op.reduce, "arguments are no tuple"),
    Fault(ordered + Op.tuple([Op.none]) + Op.reduce, "not made of a list"),
    Fault(ordered + Op.tuple([Array("(Nl".utf8)]) + Op.reduce, "not made of pairs"),
    Fault(ordered + Op.tuple([Op.emptyList, Op.none]) + Op.reduce, "not made of a list"),
    Fault(Op.global("torch", "Size") + Op.tuple([Op.none]) + Op.reduce, "not given a tuple"),
    Fault(Op.emptyDict + Op.emptyDict + Op.build, "attributes are set"),
    Fault(Op.emptyList + Op.emptyDict + Op.build, "attributes are set"),
    Fault(ordered + Op.emptyTuple + Op.reduce + Op.none + Op.build, "attributes are set"),
    Fault(ordered + Op.emptyDict + Op.build, "attributes are set"),
    Fault(Op.emptyTuple + [0x81], "the stack is empty"),
    Fault(Op.none + Op.emptyTuple + [0x81], "a class has no name"),
    Fault([0x6F], "there is no mark"),
    Fault([0x28, 0x6F], "the stack is empty"),
    Fault(
      Op.global("torch._utils", "_rebuild_sparse_tensor") + Op.tuple([]) + Op.reduce,
      "save tensor.to_dense()"),
    // Storages and tensors.
    Fault(Op.none + Op.persistent, "is no tuple"),
    Fault(Op.emptyTuple + Op.persistent, "not that of a storage"),
    Fault(Op.storage("FloatStorage", count: -1), "not that of a storage"),
    Fault(Op.storage("float32", count: 1), "‘torch.float32’ is no storage"),
    Fault(Op.storage("system", module: "os", count: 1), "‘os.system’ is no storage"),
    Fault(Op.storage("QInt8Storage", count: 1), "type torch.QInt8Storage"),
    Fault(
      Op.tuple([
        Op.text("storage"), Op.global("torch", "FloatStorage"), Op.text("0"), Op.text("cpu"),
        Op.integer(1), Op.emptyTuple,
      ]) + Op.persistent, "part of another"),
    Fault(
      Op.tuple([Op.text("module"), Op.none, Op.none, Op.none, Op.none]) + Op.persistent,
      "not that of a storage"),
    Fault(Op.tensor(Op.none, [1], [1]), "not those of a tensor"),
    Fault(
      Op.tensor(Op.storage("UntypedStorage", module: "torch.storage", count: 1), [1], [1]),
      "have no type"),
    Fault(
      Op.tensor(
        Op.storage(count: 1), [Int](repeating: 1, count: 65), [Int](repeating: 1, count: 65)),
      "not those of a tensor"),
    Fault(tensorWithType("qint8"), "type torch.qint8"),
    Fault(tensorWithType("FloatStorage"), "‘torch.FloatStorage’ is not the type"),
    Fault(tensorWithType("system"), "‘torch.system’ is not the type"),
    Fault(
      Op.global("torch._utils", "_rebuild_tensor_v2") + Op.emptyTuple + Op.reduce,
      "not those of a tensor"),
    Fault(
      Op.global("torch._utils", "_rebuild_parameter") + Op.tuple([Op.none, Op.none, Op.none])
        + Op.reduce, "not given a tensor"),
    // The stack, the marks and the memo.
    Fault(".", "the stack is empty"),
    Fault("NN.", "left on the stack"),
    Fault("(N.", "left on the stack"),
    Fault("0", "the stack is empty"),
    Fault("1", "there is no mark"),
    Fault("2", "the stack is empty"),
    Fault("t", "there is no mark"),
    Fault("Nt", "there is no mark"),
    Fault([0x85], "the stack is empty"),
    Fault([0x4E, 0x86], "the stack is empty"),
    Fault([0x4E, 0x4E, 0x28, 0x86], "the stack is empty"),
    Fault("N(a", "the stack is empty"),
    Fault("e", "there is no mark"),
    Fault("N(Ne", "no list"),
    Fault("(Ne", "the stack is empty"),
    Fault("NNa", "no list"),
    Fault("Na", "the stack is empty"),
    Fault("NNNs", "no dictionary"),
    Fault("}Ns", "the stack is empty"),
    Fault("}(Nu", "a key has no value"),
    Fault("(Nd", "a key has no value"),
    Fault("R", "the stack is empty"),
    Fault("NR", "the stack is empty"),
    Fault("b", "the stack is empty"),
    Fault("Q", "the stack is empty"),
    Fault("q\u{0}", "the stack is empty"),
    Fault("N(q\u{0}", "the stack is empty"),
    Fault("h\u{0}", "nothing was kept as 0"),
    Fault("j\u{1}\u{0}\u{0}\u{0}", "nothing was kept as 1"),
    Fault([0x94], "the stack is empty"),
    Fault([0x4E, 0x93], "the stack is empty"),
    // Lengths and texts.
    Fault([0x58, 0xFF, 0xFF, 0xFF, 0xFF, 0x61], "ends early"),
    Fault([0x8D] + [UInt8](repeating: 0xFF, count: 8), "ends early"),
    Fault([0x8E] + [UInt8](repeating: 0xFF, count: 8), "ends early"),
    Fault([0x96] + [UInt8](repeating: 0x7F, count: 8), "ends early"),
    Fault([0x8B, 0xFF, 0xFF, 0xFF, 0xFF], "ends early"),
    Fault([0x95] + [UInt8](repeating: 0xFF, count: 8), "ends early"),
    Fault([0x8C, 1, 0xFF], "a text is not UTF-8"),
    Fault([0x58, 3, 0, 0, 0, 0xED, 0xA0, 0x80], "a text is not UTF-8"),
    Fault([0x63, 0xFF, 0x0A, 0x0A], "a name is not UTF-8"),
    Fault("cos\nsystem", "ends early"),
    Fault([0x80, 6], "protocol 6"),
    // Instructions of protocols 0 and 1, extensions and buffers; sets without what they need.
    Fault("I1\n.", "0x49"), Fault("L1L\n.", "0x4c"), Fault("F1\n.", "0x46"),
    Fault("S'a'\n.", "0x53"), Fault("Va\n.", "0x56"), Fault("Pid\n.", "0x50"),
    Fault("Np0\n.", "0x70"), Fault("g0\n.", "0x67"), Fault([0x82, 1], "0x82"),
    Fault([0x90], "no mark"), Fault([0x91], "no mark"),
    Fault(Op.emptyDict + Op.mark + [0x90], "no list"),
    Fault([0x83, 1, 1], "0x83"), Fault([0x84, 1, 1, 1, 1], "0x84"), Fault([0x97], "0x97"),
    Fault([0x98], "0x98"), Fault([0], "0x0"), Fault([0xFF], "0xff"), Fault([], "ends early"),
  ]

  @Test(arguments: faults)
  func isRefused(_ fault: Fault) {
    let error = #expect(throws: PickleError.self) { try Pickle(parsing: fault.bytes) }
    #expect(error?.description.contains(fault.reason) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains { $0.isNewline } == false)
  }

  @Test func whatIsTooLargeIsRefused() {
    func refuses(_ bytes: [UInt8], _ limits: PickleLimits, _ reason: String) {
      let error = #expect(throws: PickleError.self) {
        try Pickle(parsing: bytes, limits: limits)
      }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
      #expect(throws: PickleError.truncated) { try Pickle(parsing: bytes) }
    }
    func many(_ code: String, _ count: Int = 200) -> [UInt8] {
      Array(String(repeating: code, count: count).utf8)
    }
    var limits = PickleLimits()
    limits.stackDepth = 100
    refuses(many("N"), limits, "100 values")
    limits = PickleLimits()
    limits.markDepth = 100
    refuses(many("("), limits, "100 marks")
    limits = PickleLimits()
    limits.memoCount = 100
    refuses([0x4E] + [UInt8](repeating: 0x94, count: 200), limits, "keeps more than 100")
    limits = PickleLimits()
    limits.containerCount = 100
    for code in ["]", ")", "}"] { refuses(many(code), limits, "100 containers") }
    limits = PickleLimits()
    limits.itemCount = 100
    refuses(Op.emptyList + many("Na"), limits, "100 items")
    refuses(Op.emptyDict + many("NNs"), limits, "100 items")
    // An OrderedDict of one list again and again.
    let pair = Array("(NNl".utf8)
    let made = Self.ordered + [0x71, 0] + Op.mark + pair + pair + Array("lq\u{1}".utf8)
    let again = Array("h\u{0}h\u{1}".utf8) + [0x85] + Op.reduce
    refuses(made + (0..<200).flatMap { _ in again }, limits, "100 items")
  }

  @Test func deepNestingNeedsNoStackOfItsOwn() throws {
    let depth = 100_000
    for code in ["l", "t"] {
      let nested =
        [UInt8](repeating: 0x28, count: 1000) + Array(String(repeating: code, count: 1000).utf8)
      #expect(try Pickle(parsing: nested + Op.stop).end == 2001)
      let tuples = Op.none + [UInt8](repeating: 0x85, count: depth) + Op.stop
      #expect(try Pickle(parsing: tuples).tuples.count == depth)
    }
  }

  @Test func randomBytesAreErrorsOrValues() {
    var noise = Noise(11)
    // Mostly instructions that push, so that the others find something.
    let likely = Array("NNN((]})ttaesulhq0\u{1}\u{0}K.cRb2".utf8) + [0x85, 0x86, 0x87, 0x88, 0x94]
    for _ in 0..<20_000 {
      let count = Int(noise.next() % 40)
      let bytes = (0..<count).map { _ in
        noise.next() % 10 == 0
          ? UInt8(noise.next() & 0xFF) : likely[Int(noise.next() % UInt64(likely.count))]
      }
      do {
        _ = try Pickle(parsing: bytes + Op.stop).text
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }
}
