// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

@Suite struct TableTests {
  /// What a table of these lines is, with more options behind the file's.
  private func table(
    _ text: String, _ more: String = "", test: String? = nil
  ) throws -> any LabelledData {
    try withTemporaryFolder { folder in
      try write(Array(text.utf8), to: "x.csv", in: folder)
      if let test { try write(Array(test.utf8), to: "t.csv", in: folder) }
      let options = (test == nil ? "" : ",test=t.csv") + (more.isEmpty ? "" : ",\(more)")
      return try data("table:train=x.csv\(options)", in: folder)
    }
  }

  private func problem(_ text: String, _ more: String = "", test: String? = nil) -> String {
    message { _ = try table(text, more, test: test) } ?? "no error"
  }

  /// The rows in the order of their first number, from both splits: the split shuffles.
  private func rows(_ data: any LabelledData) throws -> [[Float]] {
    let sets = try DataSplit.allCases.map { try data.samples($0) }
    let width = data.sampleShape.count
    return sets.flatMap { set in
      (0..<set.count).map { index in
        Array(set.all[index * width..<(index + 1) * width]) + [Float(set.labels[index])]
      }
    }.sorted { $0[0] < $1[0] }
  }

  private static let expected: [[Float]] = [[1, 0.5, 0], [2, -3, 1], [3, 1e-3, 0], [4, 25, 1]]

  /// The same table, written in other ways.
  private static let spellings = [
    "1,0.5,0\n2,-3,1\n3,1e-3,0\n4,+25.,1\n",
    "a,b,c\n1,.5,0\n2,-3,1\n3,0.001,0\n4,2.5E1,1",
    "a,b,c\r\n1,.5,0\r\n2,-3.0,1\r\n3,1E-3,0\r\n4,25,1\r\n",
    "\u{FEFF}a\tb\tc\n1\t0.5\t0\n2\t-3\t1\n3\t0.1e-2\t0\n4\t25\t1\n\n\n",
    "\"a\";\"b\";\"c\"\n\"1\";\"0.5\";\"0\"\n\"2\";\"-3\";\"1\"\n\"3\";\"0.001\";\"0\"\n4;25;1\n",
    "1|0.5|0\n 2 | -3 | 1 \n\n3|0.00100|0\n4|25|1",
    "  1 0.5  0\n2   -3 1\n3 0.001 0  \n4 25 1 \n",
    "a,b,c\r1,0.5,0\r2,-3,1\r3,0.001,0\r4,25,1\r",
    "a,b,c\n1,0.5000000000000000000000000000,0\n2,-3,1\n3,0.001,00\n4,0000000000000000000000025,1\n",
  ]

  @Test(arguments: spellings) func theSameTableHasManySpellings(text: String) throws {
    let data = try table(text)
    #expect(try rows(data) == Self.expected)
    #expect(data.classes == 2 && data.classNames == nil && data.sampleShape == [2])
  }

  @Test func numbersAreTheNearest() throws {
    let numbers = [
      "0.1", "3.4028234e38", "1e-45", "-0.0", "123456789.123456789", "9007199254740993",
      "1.17549435e-38", "0.30000000000000004", "2.2250738585072011e-308", "1e22", "1e23", "8.5e-23",
      "179769313486231570000000000000000000000", "16777217", "0.000000000000000000000000001e27",
    ]
    let text = numbers.map { "\($0),\($0.count % 2)" }.joined(separator: "\n")
    let data = try table("x,y\n" + text, test: "x,y\n" + text)
    for set in [try data.samples(.train), try data.samples(.test)] {
      for (number, value) in zip(numbers, set.all) {
        let expected = try Float(#require(Double(number)))
        #expect(value.bitPattern == expected.bitPattern, "\(number)")
      }
    }
  }

  @Test func columnsAreChosenByNameAndNumber() throws {
    let text = "id,kind,height,weight\n7,cat,1,2\n8,dog,3,4\n9,cat,5,6\n"
    let named = try table(text, "label=kind,skip=id")
    #expect(named.classNames == ["cat", "dog"])
    #expect(try rows(named) == [[1, 2, 0], [3, 4, 1], [5, 6, 0]])
    let numbered = try table(text, "label=2,skip=1+4")
    #expect(try rows(numbered) == [[1, 0], [3, 1], [5, 0]])
    let first = try table("b,1,2\na,3,4\n", "label=first")
    #expect(try rows(first) == [[1, 2, 1], [3, 4, 0]])
    #expect(first.classNames == ["a", "b"])
  }

  @Test func quotedFieldsMayHoldAnything() throws {
    let text = "x,\"the, \"\"kind\"\"\"\n1,\"a,b\"\n2,\"a\nb\"\n3,\"say \"\"a\"\"\"\n4,\"a,b\"\n"
    let data = try table(text)
    #expect(data.classNames == ["a\nb", "a,b", "say \"a\""])
    #expect(try rows(data) == [[1, 1], [2, 0], [3, 2], [4, 1]])
    // Lines are those of the file, also behind a quoted line end.
    #expect(problem(text + "five,\"a,b\"\n").contains("line 7: column 1 (‘x’) is ‘five’"))
  }

  @Test func labelsAreNumbersOrWords() throws {
    #expect(try table("1,1\n2,2\n3,3\n").classNames == ["1", "2", "3"])
    #expect(try rows(table("1,1\n2,2\n3,3\n")) == [[1, 0], [2, 1], [3, 2]])
    #expect(try table("1,10\n2,9\n3,9.0\n").classNames == ["9", "10"])
    #expect(try table("1,-1\n2,1\n").classNames == ["-1", "1"])
    #expect(try table("1,é\n2,Z\n3,a\n").classNames == ["Z", "a", "é"])
    #expect(try table("1,0\n2,2\n", "classes=4").classes == 4)
    #expect(try rows(table("1,0\n2,2\n", "classes=4")) == [[1, 0], [2, 2]])
    // A word among numbers makes words of them all.
    #expect(try table("1,1\n2,2\n3,x\n").classNames == ["1", "2", "x"])
  }

  @Test func aTestFileHasTheClassesOfTheTrainingFile() throws {
    let data = try table("x,y\n1,b\n2,a\n3,c\n", test: "x,y\n9,c\n8,a\n")
    #expect(try data.samples(.train).labels == [1, 0, 2])
    #expect(try data.samples(.train).all == [1, 2, 3])
    #expect(try data.samples(.test).labels == [2, 0])
    #expect(try data.samples(.test).all == [9, 8])
    #expect(
      problem("x,y\n1,b\n2,a\n", test: "x,y\n9,a\n8,d\n").contains(
        "t.csv: line 3: the label ‘d’ does not occur in the training set, whose classes are a, b"))
    #expect(try table("1,1\n2,2\n", test: "3,2\n4,1.0\n").samples(.test).labels == [1, 0])
  }

  @Test func aShareIsDrawnWithASeed() throws {
    let text = (0..<100).map { "\($0),\($0 % 2)" }.joined(separator: "\n")
    func drawn(_ more: String) throws -> [Float] { try table(text, more).samples(.test).all }
    #expect(try drawn("").count == 20)
    #expect(try drawn("split=0.33").count == 33)
    #expect(try drawn("seed=1") == drawn("seed=1"))
    #expect(try drawn("seed=1") != drawn("seed=2"))
    #expect(try rows(table(text)).map { $0[0] } == (0..<100).map { Float($0) })
    // Philox under the seed 0, stream of the purpose: the same in every release.
    let order = try drawn("split=0.05")
    var random = RandomStream(seed: 0, purpose: .split)
    #expect(order == random.permutation(of: 100).suffix(5).map { Float($0) })
  }

  @Test func rowsMayBeImages() throws {
    let text = (0..<6).map { "\($0 % 2),\($0),0,255,7" }.joined(separator: "\n")
    let data = try table(text, "label=1,shape=1x2x2,scale=1/255")
    #expect(data.sampleShape == [1, 2, 2])
    #expect(try data.samples(.train).block(0..<1).elements[2] == 1)
    #expect(data.preprocessing.contains("value / 255"))
    #expect(problem(text, "label=1,shape=1x2x3").contains("shape= says samples of 6 values"))
  }

  @Test func featuresAreStandardisedByTheTrainingSet() throws {
    let data = try table(
      "x,z,y\n1,10,a\n3,10,b\n5,40,a\n", "standardise=feature", test: "x,z,y\n3,20,a\n")
    let train = try data.samples(.train).all
    for column in 0..<2 {
      let values = [train[column], train[2 + column], train[4 + column]]
      let mean: Float = values.reduce(0, +) / 3
      let square: Float = values.map { $0 * $0 }.reduce(0, +) / 3
      #expect(abs(mean) < 1e-6 && abs(square - 1) < 1e-5)
    }
    // Mean 3 and deviation √(8/3); mean 20 and deviation √200.
    #expect(try data.samples(.test).all.allSatisfy { abs($0) < 1e-6 })
  }

  /// A table, more options, and what the error says.
  struct Fault: CustomTestStringConvertible {
    var name: String
    var text: String
    var more = ""
    var says: String

    var testDescription: String { name }
  }

  private static let faults = [
    Fault(name: "an empty file", text: "", says: "x.csv: it has no rows"),
    Fault(name: "a header alone", text: "a,b\n", says: "it has a header and no rows"),
    Fault(name: "one row", text: "a,b\n1,2\n", says: "all labels are ‘2’"),
    Fault(
      name: "one class", text: "1,0\n2,0\n", says: "all labels are ‘0’, but at least two classes"),
    Fault(
      name: "a word", text: "a,b,c\n1,2,x\n3,four,y\n",
      says: "x.csv: line 3: column 2 (‘b’) is ‘four’, not a number"),
    Fault(
      name: "a word without a header", text: "1,2,x\n3,four,y\n",
      says: "line 2: column 2 is ‘four’, not a number"),
    Fault(
      name: "a missing value", text: "a,b,c\n1,,x\n3,4,y\n",
      says: "line 2: column 2 (‘b’) has no value"),
    Fault(
      name: "NA", text: "a,b,c\n1,2,x\n3,NA,y\n", says: "column 2 (‘b’) is ‘NA’, which is no finite"
    ),
    Fault(name: "NaN", text: "a,c\n1,x\nnan,y\n", says: "‘nan’, which is no finite number"),
    Fault(name: "infinity", text: "a,c\n1,x\n-inf,y\n", says: "‘-inf’, which is no finite number"),
    Fault(name: "hexadecimal", text: "a,c\n1,x\n0x10,y\n", says: "‘0x10’, not a number"),
    Fault(name: "too large", text: "a,c\n1,x\n1e39,y\n", says: "too large for single precision"),
    Fault(
      name: "decimal commas", text: "a;c\n1,5;x\n2,5;y\n",
      says: "is ‘1,5’, not a number; decimals have"),
    Fault(name: "a missing label", text: "a,c\n1,x\n2,\n", says: "line 3: the label is missing"),
    Fault(
      name: "too few fields", text: "a,b,c\n1,2,x\n3,y\n",
      says: "line 3: it has 2 fields, but there are 3 columns"),
    Fault(name: "too many fields", text: "1,2,x\n3,4,y,5\n", says: "line 2: it has 4 fields"),
    Fault(
      name: "a duplicate header", text: "a,b,a,c\n1,2,3,x\n",
      says: "columns 1 and 3 are both called ‘a’"),
    Fault(
      name: "row numbers of other programs", text: ",a,y\n0,1,x\n1,2,z\n",
      says: "column 1 has no name in the header"),
    Fault(
      name: "half a header", text: "a,2,c\n1,2,x\n",
      says: "line 1 has numbers and other texts, such as ‘a’"
    ),
    Fault(
      name: "an unknown label", text: "height,kind\n1,x\n2,y\n", more: "label=knd",
      says: "there is no column ‘knd’, which label= names; did you mean ‘kind’?"),
    Fault(
      name: "a column beyond", text: "1,x\n2,y\n", more: "label=3",
      says: "no column ‘3’, which label="),
    Fault(
      name: "column 0", text: "1,x\n2,y\n", more: "skip=0", says: "no column ‘0’, which skip="),
    Fault(
      name: "a skipped label", text: "a,b\n1,x\n2,y\n", more: "label=b,skip=b",
      says: "both label and"),
    Fault(
      name: "nothing left", text: "a,b\n1,x\n2,y\n", more: "label=b,skip=a",
      says: "no column is left"),
    Fault(name: "one column", text: "1\n2\n3\n", says: "its rows have one field"),
    Fault(
      name: "quantities", text: "1,0.5\n2,1.5\n",
      says: "line 1: the label 0.5 is not a whole number"),
    Fault(
      name: "a label beyond", text: "1,0\n2,5\n", more: "classes=5",
      says: "line 2: the label ‘5’ is no number from 0 to 4"),
    Fault(
      name: "too many classes", text: "1,a\n2,b\n3,c\n", more: "max-classes=2",
      says: "line 3: more than 2 labels differ"),
    Fault(
      name: "an open quote", text: "a,b\n1,\"x\n2,y\n3,z\n",
      says: "line 2 opens a quote that is not closed"
    ),
    Fault(
      name: "a huge field",
      text: "a,b\n1,\"" + String(repeating: "x", count: 3_000_000) + "\n2,y\n",
      more: "max-row=1000000", says: "line 2 is longer than 1000000 bytes"),
    Fault(
      name: "memory", text: (0..<5000).map { "\($0),\($0 % 2)\n" }.joined(), more: "memory=0.00001",
      says: "5000 rows of 1 numbers take"),
    Fault(name: "UTF-16", text: "\u{0}a\u{0},\u{0}b", says: "it is no text of rows"),
    Fault(name: "no text", text: "a\u{0}b,c\n1,2\n", says: "it is no text of rows"),
  ]

  @Test(arguments: faults) func aFaultIsNamedWithItsPlace(fault: Fault) {
    let text = problem(fault.text, fault.more)
    #expect(text.contains("x.csv"), "\(text)")
    #expect(text.contains(fault.says), "\(text)")
    #expect(!text.contains("\n"))
  }

  @Test func labelsThatAreNoUTF8AreRefused() throws {
    try withTemporaryFolder { folder in
      try write([49, 44, 0xE9, 10, 50, 44, 0x61, 10], to: "x.csv", in: folder)
      let text = message { _ = try data("table:train=x.csv", in: folder) }
      #expect(text?.contains("line 1: the label is not UTF-8") == true)
      try write([0xFF, 0xFE, 49, 0, 44, 0], to: "y.csv", in: folder)
      let wide = message { _ = try data("table:train=y.csv", in: folder) }
      #expect(wide?.contains("it is UTF-16; save it as UTF-8") == true)
    }
  }

  @Test func testFilesHaveTheSameColumns() {
    #expect(problem("1,2,x\n3,4,y\n", test: "1,x\n2,y\n").contains("t.csv: it has 2 columns"))
    #expect(
      problem("a,b,c\n3,4,y\n5,6,z\n", test: "b,a,c\n1,2,y\n").contains(
        "column 1 is ‘b’, but ‘a’ in"))
    #expect(
      problem("a,b\n1,x\n2,y\n", "split=0.5", test: "a,b\n1,x\n").contains(
        "a test set is named, so that none is drawn"))
  }

  @Test func rowsThatSpanBlocksAreWhole() throws {
    // Rows whose ends fall on every place around a block's end.
    var text = "x,z,y\n"
    var expected: [Float] = []
    for index in 0..<30_000 {
      let padding = String(repeating: "0", count: index % 97)
      text += "\(index).\(index % 10)\(padding),\(index % 7),\"w,\(index % 3)\"\n"
      expected.append(Float(Double("\(index).\(index % 10)") ?? .nan))
    }
    #expect(text.utf8.count > 1 << 20)
    let data = try table(text, test: "x,z,y\n1,2,\"w,1\"\n")
    let values = try data.samples(.train).all
    #expect(stride(from: 0, to: values.count, by: 2).map { values[$0] } == expected)
    #expect(data.classNames == ["w,0", "w,1", "w,2"])
  }

  @Test func theFileIsNamed() {
    #expect(
      message { _ = try PluginRegistry.linked().data(PluginReference("table"), in: nowhere) }?
        .contains("name the file of the training samples, as in table:train=x.csv") == true)
    let text =
      message {
        _ = try PluginRegistry.linked().data(PluginReference("table:train=none.csv"), in: nowhere)
      } ?? ""
    #expect(text.contains("none.csv is not in the current folder or /nowhere"))
  }

  private var nowhere: DataContext {
    DataContext(locations: DataLocations(folders: [URL(fileURLWithPath: "/nowhere")]))
  }
}
