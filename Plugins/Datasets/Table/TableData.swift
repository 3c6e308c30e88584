// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFiles
import LCWNumerics

/// Samples and labels of one's own, from CSV and TSV files: a row is a sample, one column is the label, and
/// all others are numbers.
public struct TableData: FileDataset {
  /// `table`
  public static let name = "table"
  /// What it is.
  public static let summary = "rows of numbers of your own with a label, from CSV and TSV files"

  private static let train = PluginOption(
    "train", default: FileName(""), help: "the file of the training samples")
  private static let test = PluginOption(
    "test", default: FileName(""), help: "the file of the test samples, with the same columns")
  private static let label = PluginOption(
    "label", default: "last",
    help: "the column of labels: its name, its number from 1, first or last")
  private static let skip = PluginOption(
    "skip", default: "", help: "columns to leave out, by name or number, joined by +: id+date")
  private static let header = PluginOption(
    "header", default: Header.auto, help: "whether the first row has the columns' names")
  private static let delimiter = PluginOption(
    "delimiter", default: Delimiter.auto, help: "the character between fields")
  private static let shape = PluginOption(
    "shape", default: "", help: "the shape of a sample, such as 1x28x28, if rows are images")
  private static let rowLimit = PluginOption(
    "max-row", default: 16_777_216, help: "maximum number of bytes of a row")
  private static let normalising = NormalisationOptions(scale: Fraction(1))

  /// The files, what their columns are, and what is done to the numbers.
  public static let options: [any PluginOptionDescription] =
    [train, test, label, skip, header, delimiter, shape, rowLimit]
    + SampleSplit.options + LabelCollector.options + normalising.options + DataMemory.options

  private let values: OptionValues
  private let split: SampleSplit
  private let memory: DataMemory
  private let longestRow: Int
  private let sampleShape: Shape?

  /// The data set with the given options.
  public init(options: OptionValues) throws {
    values = options
    guard !options[Self.train].text.isEmpty else {
      throw options.invalid(
        Self.train, reason: "name the file of the training samples, as in table:train=x.csv")
    }
    split = try SampleSplit(options)
    if !options[Self.test].text.isEmpty { try SampleSplit.requireNone(options, of: Self.name) }
    memory = try DataMemory(options)
    longestRow = try options.value(of: Self.rowLimit, in: 1...1 << 40)
    let shape = options[Self.shape]
    if shape.isEmpty {
      sampleShape = nil
    } else {
      guard let sizes = [Int](optionText: shape), let checked = try? Shape(checking: sizes) else {
        throw options.invalid(Self.shape, reason: "expected \([Int].typeName)")
      }
      sampleShape = checked
    }
    _ = try LabelCollector(options)
    _ = try Self.normalising.normalisation(options, channels: nil)
  }

  /// What is in the files.
  /// - Throws: ``DataError``, and `FileError` if a file can't be read.
  public func data(in context: DataContext) throws -> any LabelledData {
    let layout = try layout(values[Self.train], in: context, areClassesKnown: false)
    let columns = try TableColumns(
      layout, label: values[Self.label], skip: values[Self.skip])
    let isDrawn = values[Self.test].text.isEmpty
    var collector = try LabelCollector(values)
    let reader = TableReader(
      layout: layout, columns: columns, memory: memory,
      isCopied: Self.normalising.areGiven(in: values), share: isDrawn ? split.share : 0)
    var train = try reader.samples { label, line in
      try collector.number(of: label, at: line)
    }
    let classes: ClassList
    do throws(LabelProblem) {
      let (list, classOfLabel) = try collector.classes()
      classes = list
      for index in train.labels.indices {
        train.labels[index] = classOfLabel[Int(train.labels[index])]
      }
    } catch { throw reader.error(error) }
    let width = columns.features.count
    let shape = try shape(width: width, file: layout.file.path)
    let test =
      isDrawn
      ? try split.testSamples(from: &train, width: width, file: layout.file.path)
      : try testSamples(classes, of: layout, columns, in: context)
    return try LoadedData(
      name: layout.file.path, sampleShape: shape, classes: classes, train: train, test: test,
      normalisation: Self.normalising.normalisation(values, channels: shape.rows),
      value: "value", remark: isDrawn ? split.text : nil)
  }

  private func layout(
    _ name: FileName, in context: DataContext, areClassesKnown: Bool
  ) throws -> TableLayout {
    var layout = try TableLayout(
      context.file(name), delimiter: values[Self.delimiter], rowLimit: longestRow)
    let label = values[Self.label]
    let skipped = TableColumns.parts(of: values[Self.skip])
    let isNamed =
      ([label] + skipped).contains { Int($0) == nil && $0 != "last" && $0 != "first" }
    try layout.checkNumber(label, option: "label")
    for part in skipped { try layout.checkNumber(part, option: "skip") }
    let unused = Set(([label] + skipped).compactMap(layout.column))
    try layout.decideHeader(
      values[Self.header], isNamed: isNamed, label: layout.column(label),
      areClassesKnown: areClassesKnown
    ) { !unused.contains($0) }
    return layout
  }

  private func testSamples(
    _ classes: ClassList, of training: TableLayout, _ columns: TableColumns, in context: DataContext
  ) throws -> RawSamples {
    let layout = try layout(values[Self.test], in: context, areClassesKnown: true)
    guard layout.columns == training.columns else {
      throw DataError.damaged(
        file: layout.file.path,
        reason:
          "it has \(layout.columns) columns, but \(training.file.path) has \(training.columns)")
    }
    if let names = layout.names, let others = training.names,
      let column = names.indices.first(where: { names[$0] != others[$0] })
    {
      throw DataError.damaged(
        file: layout.file.path,
        reason:
          "column \(column + 1) is ‘\(names[column].asOneLine)’, but ‘\(others[column].asOneLine)’ "
          + "in \(training.file.path)")
    }
    let reader = TableReader(
      layout: layout, columns: columns, memory: memory,
      isCopied: Self.normalising.areGiven(in: values), share: 0)
    return try reader.samples { label, line in
      guard let known = classes.classNumber(of: Array(label)) else {
        throw LabelProblem(
          place: line,
          "the label ‘\(LabelText.shown(label))’ does not occur in the training set, whose classes "
            + "are \(classes.text)")
      }
      return known
    }
  }

  private func shape(width: Int, file: String) throws(DataError) -> Shape {
    guard let sampleShape else { return [width] }
    guard sampleShape.count == width else {
      throw .damaged(
        file: file,
        reason: "shape= says samples of \(sampleShape.count) values, but its rows have \(width)")
    }
    return sampleShape
  }
}

@section("lcw_plugins") @used
let tablePlugin: PluginRecord = { $0.add(TableData.self) }
