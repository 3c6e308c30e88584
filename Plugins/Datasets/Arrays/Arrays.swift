// SPDX-License-Identifier: Apache-2.0
import Foundation
public import LCWCore
import LCWNumerics

/// Samples and labels of one's own, from arrays in any format that is known: NumPy, Safetensors.
///
/// The first dimension counts the samples. Bytes stay bytes, and are divided by 255 unless `scale=` says
/// otherwise; all other types become floats as they are.
public struct Arrays: FileDataset {
  /// `arrays`
  public static let name = "arrays"
  /// What it is.
  public static let summary =
    "samples and labels of your own, from .npz, .npy and Safetensors files"

  private static let train = PluginOption(
    "train", default: FileName(""),
    help: "the training samples, and their labels if the file has them")
  private static let trainLabels = PluginOption(
    "train-labels", default: FileName(""),
    help: "the training labels, if they are in a separate file")
  private static let test = PluginOption(
    "test", default: FileName(""), help: "the test samples, as train")
  private static let testLabels = PluginOption(
    "test-labels", default: FileName(""), help: "the test labels, as train-labels")
  private static let samples = PluginOption(
    "samples", default: "", help: "the array of samples; by default one with a usual name, as x")
  private static let labels = PluginOption(
    "labels", default: "", help: "the array of labels; by default one with a usual name, as y")
  private static let shape = PluginOption(
    "shape", default: "",
    help: "the shape of a sample, such as 1x28x28, if the array is flat")
  private static let channels = PluginOption(
    "channels", default: Channels.first,
    help: "whether images are channels, rows, columns (first) or rows, columns, channels (last)")
  private static let normalising = NormalisationOptions(scale: Fraction(1))
  // What bytes are multiplied by where nothing is said.
  private static let normalisingBytes = NormalisationOptions(scale: Fraction(1, over: 255))

  /// The files, which of their arrays are meant, and what is done to them.
  public static let options: [any PluginOptionDescription] =
    [train, trainLabels, test, testLabels, samples, labels, shape, channels]
    + SampleSplit.options + LabelCollector.options + normalising.options + DataMemory.options

  private enum Channels: String, OptionChoice {
    case first, last
  }

  private let values: OptionValues
  private let split: SampleSplit
  private let memory: DataMemory
  private let sampleShape: Shape?

  /// The data set with the given options.
  public init(options: OptionValues) throws {
    values = options
    guard !options[Self.train].text.isEmpty else {
      throw options.invalid(
        Self.train, reason: "name the file of the training samples, as in arrays:train=x.npz")
    }
    split = try SampleSplit(options)
    if !options[Self.test].text.isEmpty { try SampleSplit.requireNone(options, of: Self.name) }
    if options[Self.test].text.isEmpty, !options[Self.testLabels].text.isEmpty {
      throw options.misplaced("test-labels", reason: "no test samples are named with test=")
    }
    memory = try DataMemory(options)
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
  /// - Throws: ``DataError``, and what opening a file throws.
  public func data(in context: DataContext) throws -> any LabelledData {
    let reader = ArrayReader(
      context: context, memory: memory, samplesName: values[Self.samples],
      labelsName: values[Self.labels], sampleShape: sampleShape,
      areChannelsLast: values[Self.channels] == .last,
      isNormalised: Self.normalising.areGiven(in: values))
    var train = try reader.part(
      .train, samples: values[Self.train], labels: values[Self.trainLabels])
    var test: ArrayPart?
    if !values[Self.test].text.isEmpty {
      test = try reader.part(.test, samples: values[Self.test], labels: values[Self.testLabels])
    } else if try reader.hasTestSamples(values[Self.train]) {
      try SampleSplit.requireNone(values, of: Self.name)
      test = try reader.part(.test, samples: values[Self.train], labels: FileName(""))
    }
    let classes = try train.takeClasses(LabelCollector(values))
    if let found = test {
      try found.requireLike(train)
      test?.samples.labels = try found.labels(as: classes)
    }
    let width = train.sampleShape.count
    let options = train.areBytes ? Self.normalisingBytes : Self.normalising
    let normalisation = try options.normalisation(values, channels: train.sampleShape.rows)
    // What looks at some samples alone takes the first ones, which should be of all classes.
    var sorted: [String] = []
    if test != nil, train.samples.isSortedByClass {
      train.samples.shuffle(seed: split.seed, width: width)
      sorted.append("training")
    }
    if test?.samples.isSortedByClass == true {
      test?.samples.shuffle(seed: split.seed, width: width)
      sorted.append("test")
    }
    let drawn =
      try test?.samples
      ?? split.testSamples(from: &train.samples, width: width, file: train.samplesFile)
    return try LoadedData(
      name: train.samplesFile, sampleShape: train.sampleShape, classes: classes,
      train: train.samples, test: drawn, normalisation: normalisation, value: "value",
      remark: test == nil
        ? split.text
        : sorted.isEmpty
          ? nil
          : "\(sorted.joined(separator: " and ")) samples are sorted by class in the file, and shuffled"
    )
  }
}

@section("lcw_plugins") @used
let arraysPlugin: PluginRecord = { $0.add(Arrays.self) }
