// SPDX-License-Identifier: Apache-2.0
import LCWCore
import Testing

@Suite struct JSONTests {
  private func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), limits: limits)
  }

  @Test func messagesStayShort() throws {
    let error = #expect(throws: JSONError.self) {
      try parse(String(repeating: "1", count: 1_000_000))
    }
    #expect(error?.description.utf8.count ?? .max < 2100)
    #expect(error?.description.hasPrefix("the integer 1111") == true)
    #expect(
      error?.description.hasSuffix(
        "1 is too large at line 1, column 1000001 (at byte 1000000 of the JSON)") == true)
    #expect("a\u{202E}b\u{2069}".asOneLine == "a\\u{202E}b\\u{2069}")
    #expect("a\u{1B}[0m\nb\u{2028}é".asOneLine == "a\\u{1B}[0m\\nb\\u{2028}é")
  }

  // MARK: - Good texts

  @Test(
    arguments: [
      ("0", .integer(0)), ("-0", .integer(0)), ("17", .integer(17)),
      ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("0.5", .number(0.5)), ("-1.25e2", .number(-125)), ("1E+2", .number(100)),
      ("1e-2", .number(0.01)), ("0e0", .number(0)), ("1e-400", .number(0)),
      ("true", .bool(true)), ("false", .bool(false)), (" \t\r\n1 \n", .integer(1)),
      ("\"\"", .string("")), ("\"aé🙂\"", .string("aé🙂")), ("\"\u{7F}\"", .string("\u{7F}")),
      (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
      (#""\u00e9\uD83D\uDE42\u0000""#, .string("é🙂\0")),
      ("[]", .array([])), ("[ 1 , [] ]", .array([.integer(1), .array([])])),
      ("{}", .object([:])),
      ("{ \"a\" : {\"\": [true]} }", .object(["a": .object(["": .array([.bool(true)])])])),
    ] as [(String, JSONValue)])
  func goodTexts(text: String, value: JSONValue) throws {
    #expect(try parse(text) == value)
    #expect(try parse(value.compactText) == value)
    #expect(try parse(value.prettyText) == value)
  }

  // MARK: - Bad texts

  private static func marks(_ count: Int) -> String {
    String(String.UnicodeScalarView((0..<count).map { $0 % 2 == 0 ? "\u{301}" : "\u{323}" }))
  }

  @Test func marksAreCountedInARow() throws {
    let most = Self.marks(30)
    let text = "{\"\(most)a\(most)\":\"é\(most) \(most)\"}"
    #expect(try parse(text).object?.values.first == .string("é\(most) \(most)"))
    #expect(throws: JSONError.self) { try parse("\"\(most)\u{301}\"") }
    // Half a million marks in a key are refused at once.
    let clock = ContinuousClock()
    let time = clock.measure {
      #expect(throws: JSONError.self) { try parse("{\"\(Self.marks(500_000))\":1}") }
    }
    #expect(time < .seconds(5))
  }

  @Test(arguments: [
    ("", 0, "the text ends where a value should be"), ("  ", 2, "the text ends"),
    ("1 2", 2, "extra text after the value"), ("1,", 1, "extra text after the value"),
    ("{}}", 2, "extra text after the value"), ("\u{FEFF}1", 0, "expected a value"),
    ("null", 0, "null is not accepted"), ("[1,null]", 3, "null is not accepted"),
    ("tru", 0, "expected a value"), ("True", 0, "expected a value"),
    ("truex", 4, "extra text after the value"), ("nan", 0, "null is not accepted"),
    ("NaN", 0, "expected a value"), ("Infinity", 0, "expected a value"),
    ("'a'", 0, "expected a value"), ("+1", 0, "expected a value"),
    (".5", 0, "expected a value"), ("-", 1, "expected a value"), ("- 1", 1, "expected a value"),
    ("01", 2, "starts with a zero"), ("-01", 3, "starts with a zero"),
    ("00", 2, "starts with a zero"), ("1.", 2, "expected a digit"),
    ("1.e3", 2, "expected a digit"), ("1e", 2, "expected a digit"),
    ("1e+", 3, "expected a digit"), ("0x10", 1, "extra text after the value"),
    ("1_000", 1, "extra text after the value"), ("9223372036854775808", 19, "too large"),
    ("-9223372036854775809", 20, "too large"), ("1e999", 5, "too large"),
    ("-1e999", 6, "too large"), ("\"a", 2, "a string does not end"),
    ("\"a\\\"", 4, "a string does not end"), ("\"\\", 2, "a string does not end"),
    ("\"a\nb\"", 2, "a control character"), ("\"\t\"", 1, "a control character"),
    ("\"\0\"", 1, "a control character"), (#""\x""#, 3, "an unknown escape"),
    (#""\u12" ""#, 3, "four hexadecimal digits"), (#""\u12"#, 3, "does not end"),
    (#""\u12G4""#, 3, "four hexadecimal digits"),
    (#""\uD83D""#, 7, "a surrogate stands alone"),
    (#""\uD83Dx""#, 7, "a surrogate stands alone"),
    (#""\uD83D\n""#, 7, "a surrogate stands alone"),
    (#""\uDE42""#, 7, "a surrogate stands alone"),
    (#""\uD83D\u0041""#, 13, "a surrogate stands alone"),
    (#""\uDE42\uD83D""#, 7, "a surrogate stands alone"),
    ("\"a\(marks(31))\"", 64, "more than 30 combining marks"),
    ("{\"\(marks(31))\":1}", 64, "more than 30 combining marks"),
    ("[", 1, "the text ends"), ("[1", 2, "expected a comma or a closing bracket"),
    ("[1,]", 3, "expected a value"), ("[,1]", 1, "expected a value"),
    ("[1 2]", 3, "expected a comma or a closing bracket"),
    ("[1}", 2, "expected a comma or a closing bracket"), ("]", 0, "expected a value"),
    ("{", 1, "expected a key"), ("{1:2}", 1, "expected a key"), ("{a:1}", 1, "expected a key"),
    ("{\"a\"}", 4, "expected a colon"), ("{\"a\":}", 5, "expected a value"),
    ("{\"a\":1,}", 7, "expected a key"), ("{\"a\" 1}", 5, "expected a colon"),
    ("{\"a\":1 \"b\":2}", 7, "expected a comma or a closing brace"),
    ("{\"a\":1,\"a\":2}", 7, #"the key "a" is repeated"#),
    (#"{"a":1,"\u0061":2}"#, 7, #"the key "a" is repeated"#),
    ("{\"\u{E9}\":1,\"e\u{301}\":2}", 8, "is repeated"),
    ("[1] // done", 4, "extra text after the value"), ("/**/1", 0, "expected a value"),
  ])
  func badTexts(text: String, offset: Int, says: String) {
    let error = #expect(throws: JSONError.self) { try parse(text) }
    #expect(error?.reason.contains(says) == true, "\(error?.reason ?? "")")
    #expect(error?.offset == offset)
    #expect(error?.category == .data)
  }

  @Test(
    arguments: [
      ("[1, 2", 1, 6), ("[\n1,\n2 3]", 3, 3), ("{\r\n  \"é🙂\": x}", 2, 9), ("\n\n", 3, 1),
      ("[1]\n\n  ,", 3, 3),
    ])
  func `errors tell line and column`(text: String, line: Int, column: Int) {
    let error = #expect(throws: JSONError.self) { try parse(text) }
    #expect(error?.line == line && error?.column == column, "\(error?.description ?? "")")
    #expect(error?.description.contains("at line \(line), column \(column)") == true)
  }

  @Test(
    arguments: [
      [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22],
      [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
    ] as [[UInt8]])
  func stringsMustBeUTF8(bytes: [UInt8]) {
    let error = #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
    #expect(error?.reason == "a string is not valid UTF-8")
  }

  @Test func depthIsLimited() throws {
    let nested = { (depth: Int) in
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try parse(nested(64)) }
    #expect(throws: JSONError.self) { try parse(nested(65)) }
    #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
    #expect(throws: JSONError.self) { try parse("[{}]", limits: JSONLimits(depth: 1)) }
  }

  @Test func valuesAreLimited() throws {
    #expect(throws: Never.self) { try parse("[1,2,3]", limits: JSONLimits(values: 4)) }
    let error = #expect(throws: JSONError.self) {
      try parse("[1,2,3,4]", limits: JSONLimits(values: 4))
    }
    #expect(
      error?.description
        == "there are more than 4 values at line 1, column 8 (at byte 7 of the JSON)")
  }

  // MARK: - Writing

  private let sample: JSONValue = .object([
    "b": .array([.integer(1), .number(0.1), .bool(true)]), "a": .string("x\"\\\n\u{1}é/"),
    "é": .object([:]), "Z": .array([]), "c": .array([.object(["k": .number(1e300)])]),
  ])

  @Test func compactTextIsDeterministic() {
    #expect(
      sample.compactText
        == #"{"Z":[],"a":"x\"\\\n\u0001é/","b":[1,0.1,true],"c":[{"k":1e+300}],"é":{}}"#)
  }

  @Test func prettyText() throws {
    #expect(
      sample.prettyText == #"""
        {
          "Z": [],
          "a": "x\"\\\n\u0001é/",
          "b": [1, 0.1, true],
          "c": [
            {
              "k": 1e+300
            }
          ],
          "é": {}
        }
        """#)
    #expect(try parse(sample.prettyText) == sample)
  }

  @Test(arguments: [
    0.1, -0.0, 1, 1e21, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1.0 / 3, 123_456_789.123,
  ])
  func numbersKeepTheirBits(value: Double) throws {
    let back = try parse(JSONValue(value).compactText)
    #expect(back.double?.bitPattern == value.bitPattern)
    #expect(back == .number(value))
  }

  @Test func numbersThatAreNotFiniteAreTexts() throws {
    #expect(JSONValue(Double.infinity).compactText == #""inf""#)
    #expect(JSONValue(-Double.infinity).double == -.infinity)
    #expect(JSONValue(Double.nan).double?.isNaN == true)
    #expect(JSONValue.string("infinity").double == nil)
  }

  @Test func accessors() {
    #expect(JSONValue.integer(3).double == 3)
    #expect(JSONValue.integer(3).integer == 3)
    #expect(JSONValue.number(3).integer == nil)
    #expect(JSONValue.bool(true).bool == true)
    #expect(JSONValue.string("a").string == "a")
    #expect(sample.object?["Z"]?.array == [])
    #expect(sample.string == nil && sample.bool == nil && sample.array == nil)
  }
}
