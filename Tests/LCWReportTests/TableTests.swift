// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWReport
import Testing

struct TableTests {
  let table = Table(
    caption: "Worst accuracy",
    columns: [
      Table.Column("method"),
      Table.Column("accuracy", key: "worst_accuracy", alignment: .number, note: "on the test set"),
      Table.Column("σ", alignment: .number),
      Table.Column("stages", alignment: .number),
    ],
    rows: [
      ["linear", .percent(0.5, decimals: 1), .number(0.0375, decimals: 3), 1],
      [
        "ot+wa", .percentMeanDeviation(mean: 0.875, deviation: 0.0125, decimals: 1),
        .meanDeviation(mean: 2, deviation: 0.25, decimals: 1), .empty,
      ],
    ])

  @Test func text() {
    #expect(
      table.text == """
        Worst accuracy

        method     accuracy          σ  stages
        ──────  ───────────  ─────────  ──────
        linear        50.0%      0.037       1
        ot+wa   87.5 ± 1.2%  2.0 ± 0.2       –

        accuracy: on the test set

        """)
  }

  @Test func csv() {
    #expect(
      table.csv
        == "method,worst_accuracy,worst_accuracy deviation,σ,σ deviation,stages\r\n"
        + "linear,0.5,,0.0375,,1\r\n" + "ot+wa,0.875,0.0125,2.0,0.25,\r\n")
  }

  @Test func json() {
    #expect(
      table.json
        == .array([
          .object([
            "method": "linear", "worst_accuracy": .number(0.5), "σ": .number(0.0375), "stages": 1,
          ]),
          .object([
            "method": "ot+wa",
            "worst_accuracy": .object(["mean": .number(0.875), "deviation": .number(0.0125)]),
            "σ": .object(["mean": .number(2), "deviation": .number(0.25)]),
          ]),
        ]))
  }

  @Test func markdown() {
    #expect(
      table.markdown == """
        **Worst accuracy**

        | method | accuracy | σ | stages |
        | :--- | ---: | ---: | ---: |
        | linear | 50.0% | 0.037 | 1 |
        | ot+wa | 87.5 ± 1.2% | 2.0 ± 0.2 | – |

        - accuracy: on the test set

        """)
  }

  @Test func manyColumnsAreMarked() {
    func table(_ count: Int) -> Table { Table(columns: (1...count).map { .init("c\($0)") }) }
    #expect(table(12).html.hasPrefix("<table>"))
    #expect(table(13).html.hasPrefix("<table class=\"broad\">"))
  }

  @Test func html() {
    #expect(
      table.html == """
        <table>
        <caption><span>Worst accuracy</span></caption>
        <thead>
        <tr><th scope="col">method</th><th scope="col" class="number">accuracy</th>\
        <th scope="col" class="number">σ</th><th scope="col" class="number">stages</th></tr>
        </thead>
        <tbody>
        <tr><th scope="row">linear</th><td class="number">50.0%</td>\
        <td class="number">0.037</td><td class="number">1</td></tr>
        <tr><th scope="row">ot+wa</th><td class="number">87.5 ± 1.2%</td>\
        <td class="number">2.0 ± 0.2</td><td class="number">–</td></tr>
        </tbody>
        </table>
        <ul class="notes">
        <li>accuracy: on the test set</li>
        </ul>

        """)
  }

  @Test func csvQuotes() {
    let table = Table(
      columns: [Table.Column("a,b"), Table.Column("c")],
      rows: [
        ["say \"hi\"", "two\nlines"], ["carriage\rreturn", " space"], ["both\r\n", "plain; text"],
      ])
    #expect(
      table.csv
        == "\"a,b\",c\r\n\"say \"\"hi\"\"\",\"two\nlines\"\r\n"
        + "\"carriage\rreturn\",\" space\"\r\n\"both\r\n\",plain; text\r\n")
  }

  @Test func csvKeepsAnEmptyRecord() {
    let table = Table(columns: [Table.Column("a")], rows: [[.empty], ["x"]])
    #expect(table.csv == "a\r\n\"\"\r\nx\r\n")
  }

  @Test func numbersKeepAllDigitsForMachines() {
    let table = Table(
      columns: [Table.Column("x", alignment: .number)],
      rows: [
        [.number(0.1 + 0.2, decimals: 1)], [.number(.nan, decimals: 1)],
        [.number(-.infinity, decimals: 1)],
      ])
    #expect(table.csv == "x\r\n0.30000000000000004\r\nnan\r\n-inf\r\n")
    #expect(
      table.json.compactText == "[{\"x\":0.30000000000000004},{\"x\":\"nan\"},{\"x\":\"-inf\"}]")
    #expect(table.text == "   x\n────\n 0.3\n nan\n-inf\n")
  }

  @Test func equalKeysAreToldApart() {
    let table = Table(
      columns: [Table.Column("loss"), Table.Column("loss"), Table.Column("loss 2")],
      rows: [[1, 2, 3]])
    #expect(table.json == .array([.object(["loss": 1, "loss 2": 2, "loss 2 2": 3])]))
    #expect(table.csv == "loss,loss 2,loss 2 2\r\n1,2,3\r\n")
  }

  @Test func textCannotBreakItsSurroundings() {
    let table = Table(
      caption: "a|b <i>",
      columns: [Table.Column("x")],
      rows: [["\u{1B}[2J one\ntwo | `*_[<&>"]])
    #expect(
      table.text == "a|b <i>\n\nx\n────────────────────────────\n\\u{1B}[2J one\\ntwo | `*_[<&>\n")
    #expect(
      table.markdown
        == "**a\\|b \\<i\\>**\n\n| x |\n| :--- |\n| \\\\u{1B}\\[2J one\\\\ntwo \\| \\`\\*\\_\\[\\<\\&\\> |\n"
    )
    #expect(table.html.contains("<span>a|b &lt;i&gt;</span>"))
    #expect(table.html.contains(">  [2J one two | `*_[&lt;&amp;&gt;<") == false)
    #expect(table.html.contains("| `*_[&lt;&amp;&gt;</th>"))
  }

  @Test func textThatASpreadsheetWouldComputeIsQuotedInCSV() {
    let table = Table(
      columns: [.init("a"), .init("b", alignment: .number)],
      rows: [
        ["=1+1", -1], ["@x", .number(-0.5, decimals: 1)], ["-inf", 2], ["+5", 3], ["-a", 4],
        ["\t=1", 5], ["a=1", .number(-.infinity, decimals: 1)],
      ])
    #expect(
      table.csv
        == "a,b\r\n'=1+1,-1\r\n'@x,-0.5\r\n-inf,2\r\n+5,3\r\n'-a,4\r\n'\t=1,5\r\na=1,-inf\r\n")
    #expect(table.text.contains("=1+1") && !table.text.contains("'"))
  }

  @Test func marksOfDirectionAreShown() {
    let table = Table(columns: [.init("a")], rows: [["a\u{202E}b\u{2066}"]])
    for text in [table.text, table.html] {
      #expect(text.contains("a\\u{202E}b\\u{2066}"))
    }
    #expect(table.json == .array([.object(["a": "a\u{202E}b\u{2066}"])]))
  }

  @Test func alignsGreekWideAndCombiningText() {
    let table = Table(
      columns: [Table.Column("x"), Table.Column("n", alignment: .number)],
      rows: [["αβγ", 1], ["網路", 22], ["e\u{301}t", 333]])
    #expect(
      table.text == "x       n\n────  ───\nαβγ     1\n網路   22\ne\u{301}t    333\n")
  }

  @Test func noRows() throws {
    let table = Table(columns: [Table.Column("a"), Table.Column("b", alignment: .number)])
    #expect(table.text == "a  b\n─  ─\n")
    #expect(table.csv == "a,b\r\n")
    #expect(table.json == .array([]))
    #expect(try MarkupDocument(table.html).named("tr").count == 1)
  }
}
