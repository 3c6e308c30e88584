// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// What a table's first row is, labels that are none, and files that are no tables.
@Suite struct TableContentTests {
  private func table(_ bytes: [UInt8], _ more: String, test: String?) throws -> any LabelledData {
    try withTemporaryFolder { folder in
      try write(bytes, to: "x.csv", in: folder)
      if let test { try write(Array(test.utf8), to: "t.csv", in: folder) }
      let options = (test == nil ? "" : ",test=t.csv") + (more.isEmpty ? "" : ",\(more)")
      return try data("table:train=x.csv\(options)", in: folder)
    }
  }

  private func count(_ text: String, _ more: String = "") throws -> Int {
    let data = try table(Array(text.utf8), more, test: nil)
    return try data.samples(.train).count + data.samples(.test).count
  }

  private func problem(_ text: String, _ more: String = "", test: String? = nil) -> String {
    message { _ = try table(Array(text.utf8), more, test: test) } ?? "no error"
  }

  @Test(arguments: ["0,1,2,label", "2019,2020,2021,label"])
  func namesMayBeNumbers(header: String) throws {
    let text = header + "\n0,0,0,0\n1,1,1,1\n2,2,2,0\n3,3,3,1\n"
    #expect(try count(text) == 4)
    let data = try table(Array(text.utf8), "", test: nil)
    #expect(data.classes == 2 && data.classNames == nil)
  }

  @Test func aFirstLabelThatDoesNotRecurIsAsked() throws {
    let text = "0,1,species\n0,0,dog\n1,1,cat\n2,2,dog\n3,3,cat\n"
    let says = problem(text)
    #expect(says.contains("x.csv: line 1 has numbers and ‘species’ in column 3"), "\(says)")
    #expect(says.contains("say header=yes or header=no"), "\(says)")
    #expect(try count(text, "header=yes") == 4)
    #expect(try count(text, "header=no") == 5)
    #expect(try count("9,9,dog\n0,0,dog\n1,1,cat\n") == 3)
    // The classes are known where a test set is read.
    let data = try table(
      Array("0,0,dog\n1,1,cat\n2,2,dog\n".utf8), "", test: "5,5,cat\n6,6,dog\n7,7,dog\n")
    #expect(try data.samples(.test).count == 3)
  }

  @Test(arguments: ["nan", "NA", "N/A", "null", "None", "?", "inf", "<NA>"])
  func aMissingLabelIsNoClass(word: String) throws {
    let says = problem("a,b,y\n0,0,0\n1,1,1\n2,2,\(word)\n")
    #expect(says.contains("x.csv: line 4: the label is missing: it is ‘\(word)’"), "\(says)")
    let first = problem("0,0,\(word)\n1,1,1\n2,2,0\n")
    #expect(first.contains("line 1: the label is missing"), "\(first)")
    let quoted = try table(
      Array("a,y\n0,x\n1,\"\(word)\"\n2,x\n3,x\n".utf8), "", test: nil)
    #expect(quoted.classNames == [word, "x"].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  @Test func plusAndMinusAreClasses() throws {
    let data = try table(Array("1,+\n2,-\n3,+\n4,-\n".utf8), "", test: nil)
    #expect(data.classNames == ["+", "-"])
  }

  @Test func filesThatAreNoTablesAreCalledWhatTheyAre() {
    let pointer = problem("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n")
    #expect(pointer.contains("x.csv: it is a pointer of Git LFS"), "\(pointer)")
    let page = problem("\n<!DOCTYPE html><html><body>404</body></html>\n")
    #expect(page.contains("x.csv: it is a web page"), "\(page)")
    let zip: [UInt8] = [0x50, 0x4B, 3, 4, 20, 0, 0, 0, 8, 0, 1, 2, 3, 4]
    let packed = message { _ = try table(zip, "", test: nil) } ?? "no error"
    #expect(packed.contains("it is a zip file, as .xlsx files are"), "\(packed)")
    let gzip = message { _ = try table(gzipped(Array("1,a\n2,b\n".utf8)), "", test: nil) }
    #expect(gzip?.contains("it is compressed with gzip; unpack it first") == true)
    let image = [0x89] + Array("PNG\r\n".utf8) + [0x1A, 10, 0, 0, 0, 13]
    let png = message { _ = try table(image, "", test: nil) }
    #expect(png?.contains("it is a PNG image; name a CSV or TSV file") == true)
  }

  @Test func letteredMarksMayBeNamesOfColumns() throws {
    #expect(try count("PAR1,GGUF,y\n1,2,0\n3,4,1\n") == 2)
  }

  @Test(arguments: [",", "\t", ";", " "]) func aCommentAboveTheTableIsTold(delimiter: String) {
    let rows = [["a", "b", "y"], ["1", "2", "0"], ["3", "4", "1"]]
      .map { $0.joined(separator: delimiter) }.joined(separator: "\n")
    let says = problem("#mine\n\n" + rows + "\n")
    #expect(says.contains("x.csv: line 1 has one field, line 3 has 3; take out"), "\(says)")
  }

  @Test func labelsBeyondExactNumbersAreTooLarge() {
    let says = problem("a,y\n0,9223372036854775807\n1,1\n")
    #expect(says.contains("line 2: the label 9223372036854775807 is too large"), "\(says)")
  }

  @Test func samplesStayFinite() throws {
    let text = "a,b,y\n0,1,0\n1,10,1\n"
    let scaled = problem(text, "scale=1e38", test: text)
    #expect(
      scaled.contains("x.csv: value 1 of sample 1 is 10.0 and would be infinite"), "\(scaled)")
    #expect(scaled.contains("scale= multiplies it by 1e+38"), "\(scaled)")
    #expect(try count(text, "scale=1e37") == 2)
  }
}
