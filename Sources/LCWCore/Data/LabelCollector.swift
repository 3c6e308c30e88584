// SPDX-License-Identifier: Apache-2.0

/// Gathers labels as they are read, and tells which classes they are once all are known.
public struct LabelCollector: Sendable {
  /// The labels that differ, in the order in which they came.
  public private(set) var labels: [[UInt8]] = []
  private var firstPlaces: [Int] = []
  private var numbers: [[UInt8]: Int32] = [:]
  private var smallNumbers: [Int32] = []
  private var last: (label: ArraySlice<UInt8>, number: Int32)?
  private let limit: Int
  private let wantedClasses: Int

  private static let limitOption = PluginOption(
    "max-classes", default: 10_000, help: "maximum number of different labels")
  private static let classesOption = PluginOption(
    "classes", default: 0,
    help: "the number of classes, if labels are numbers from 0; 0 to infer it from the labels")

  /// What a plugin declares: `classes` and `max-classes`.
  public static let options: [any PluginOptionDescription] = [classesOption, limitOption]

  /// A collector for what a user's options say.
  /// - Throws: ``PluginError`` if a number is out of range.
  public init(_ values: OptionValues) throws(PluginError) {
    limit = try values.value(of: Self.limitOption, in: 2...1_000_000)
    wantedClasses = try values.value(of: Self.classesOption, in: 0...1_000_000)
    if wantedClasses == 1 {
      throw values.invalid(Self.classesOption, reason: "at least two classes are needed")
    }
  }

  /// The number, by its first place, of a label that differs from others by its bytes.
  /// - Parameter place: Where it stands, such as its line, for errors.
  /// - Throws: ``LabelProblem``.
  public mutating func number(
    of label: ArraySlice<UInt8>, at place: Int
  ) throws(LabelProblem) -> Int32 {
    if let last, last.label.elementsEqual(label) { return last.number }
    let bytes = Array(label)
    let number: Int32
    if let known = numbers[bytes] {
      number = known
    } else {
      number = try add(bytes, at: place)
    }
    last = (bytes[...], number)
    return number
  }

  /// The number, by its first place, of a label that is a whole number.
  /// - Throws: ``LabelProblem``.
  public mutating func number(of label: Int64, at place: Int) throws(LabelProblem) -> Int32 {
    let isSmall = (0..<4096).contains(label)
    if isSmall {
      if smallNumbers.isEmpty { smallNumbers = Array(repeating: -1, count: 4096) }
      let known = smallNumbers[Int(label)]
      if known >= 0 { return known }
    }
    let bytes = Array("\(label)".utf8)
    let number: Int32
    if let known = numbers[bytes] {
      number = known
    } else {
      number = try add(bytes, at: place)
    }
    if isSmall { smallNumbers[Int(label)] = number }
    return number
  }

  private mutating func add(_ label: [UInt8], at place: Int) throws(LabelProblem) -> Int32 {
    guard !label.isEmpty else { throw LabelProblem(place: place, "the label is missing") }
    guard String(validating: label, as: UTF8.self) != nil else {
      throw LabelProblem(place: place, "the label is not UTF-8")
    }
    guard labels.count < max(limit, wantedClasses) else {
      throw LabelProblem(
        place: place,
        "more than \(limit) labels differ; name another column of labels, or allow more with max-classes="
      )
    }
    let number = Int32(labels.count)
    labels.append(label)
    firstPlaces.append(place)
    numbers[label] = number
    return number
  }

  /// The classes, and for each label in the order of ``labels`` the class it stands for.
  /// - Throws: ``LabelProblem`` if labels are numbers that are not whole, or there are not two classes.
  public func classes() throws(LabelProblem) -> (list: ClassList, classOfLabel: [Int32]) {
    let whole = labels.map { WholeNumber($0)?.value }
    let areNumbers = whole.allSatisfy { $0 != nil }
    if wantedClasses > 0 {
      for (index, number) in whole.enumerated() {
        guard let number, (0..<wantedClasses).contains(number) else {
          throw LabelProblem(
            place: firstPlaces[index],
            "the label ‘\(Self.text(labels[index]))’ is no number from 0 to \(wantedClasses - 1), "
              + "which classes=\(wantedClasses) means")
        }
      }
      return (ClassList(count: wantedClasses), whole.map { Int32($0 ?? 0) })
    }
    let list: ClassList
    if areNumbers {
      let sorted = Set(whole.compactMap(\.self)).sorted()
      try requireTwo(sorted.count)
      list =
        sorted == Array(0..<sorted.count)
        ? ClassList(count: sorted.count)
        : ClassList(names: sorted.map { "\($0)" }, areNumbers: true)
    } else {
      if labels.allSatisfy({ Self.number($0) != nil }),
        let index = whole.firstIndex(where: { $0 == nil })
      {
        if let number = Self.number(labels[index]), number == number.rounded() {
          throw LabelProblem(
            place: firstPlaces[index],
            "the label \(Self.text(labels[index])) is too large; a label that is a number is within "
              + "±9007199254740992")
        }
        throw LabelProblem(
          place: firstPlaces[index],
          "the label \(Self.text(labels[index])) is not a whole number; networks here do "
            + "classification, not regression")
      }
      try requireTwo(labels.count)
      let sorted = labels.sorted { $0.lexicographicallyPrecedes($1) }
      list = ClassList(names: sorted.map { String(decoding: $0, as: UTF8.self) })
    }
    return (list, labels.map { list.classNumber(of: $0) ?? 0 })
  }

  private func requireTwo(_ count: Int) throws(LabelProblem) {
    guard count < 2 else { return }
    guard let label = labels.first else {
      throw LabelProblem(place: nil, "there is no sample")
    }
    throw LabelProblem(
      place: nil, "all labels are ‘\(Self.text(label))’, but at least two classes are needed")
  }

  static func text(_ label: [UInt8]) -> String { String(decoding: label, as: UTF8.self).asOneLine }

  /// The finite number that a text of digits, point and exponent means.
  static func number(_ text: [UInt8]) -> Double? {
    guard !text.isEmpty, text.allSatisfy({ isNumberByte($0) }) else { return nil }
    guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
      return nil
    }
    return value
  }

  private static func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
      UInt8(ascii: "E"):
      true
    default: false
    }
  }
}

/// What is wrong with a label, and at which place.
public struct LabelProblem: Error {
  /// The place that was given with the label; nothing if it is no single label.
  public let place: Int?
  /// A sentence without a full stop.
  public let reason: String

  /// A problem.
  public init(place: Int?, _ reason: String) {
    self.place = place
    self.reason = reason
  }
}
