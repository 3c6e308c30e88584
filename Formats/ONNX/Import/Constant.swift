// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A whole number that may stand for the number of samples, or a multiple of it.
struct Count: Hashable, Sendable {
  /// The number, or what the number of samples is multiplied by.
  var number: Int
  /// Whether it is a multiple of the number of samples, which is not known.
  var isBatch = false

  init(_ number: Int, isBatch: Bool = false) {
    self.number = number
    self.isBatch = isBatch && number != 0
  }

  /// The number, if it does not depend on the number of samples.
  var known: Int? { isBatch ? nil : number }

  /// The sum; nothing where it can't be told, or is too large.
  static func + (a: Count, b: Count) -> Count? {
    guard a.isBatch == b.isBatch || a.number == 0 || b.number == 0 else { return nil }
    let (sum, overflow) = a.number.addingReportingOverflow(b.number)
    return overflow ? nil : Count(sum, isBatch: a.isBatch || b.isBatch)
  }

  /// The difference; nothing where it can't be told.
  static func - (a: Count, b: Count) -> Count? {
    let (minus, overflow) = 0.subtractingReportingOverflow(b.number)
    return overflow ? nil : a + Count(minus, isBatch: b.isBatch)
  }

  /// The product; nothing where it can't be told.
  static func * (a: Count, b: Count) -> Count? {
    guard !(a.isBatch && b.isBatch) else { return nil }
    let (product, overflow) = a.number.multipliedReportingOverflow(by: b.number)
    return overflow ? nil : Count(product, isBatch: a.isBatch || b.isBatch)
  }

  /// The quotient, towards zero; nothing where it can't be told.
  static func / (a: Count, b: Count) -> Count? {
    guard b.number != 0, b.number != -1 else { return nil }
    if a.isBatch == b.isBatch, a.isBatch {
      return a.number % b.number == 0 ? Count(a.number / b.number) : nil
    }
    guard !b.isBatch, !a.isBatch || a.number % b.number == 0 else { return nil }
    return Count(a.number / b.number, isBatch: a.isBatch)
  }
}

/// A value that does not depend on the sample.
struct Constant: Sendable {
  /// What it holds.
  enum Content: Sendable {
    /// Whole numbers and truth values, of which there are few: shapes, axes.
    case counts([Count])
    /// Numbers.
    case numbers(TensorRecipe)
  }

  /// The sizes.
  let shape: Shape
  /// What it holds.
  let content: Content

  init(_ counts: [Count], _ shape: Shape) {
    self.shape = shape
    content = .counts(counts)
  }

  init(_ recipe: TensorRecipe) {
    shape = recipe.shape
    content = .numbers(recipe)
  }

  /// A list of counts.
  init(_ counts: [Count]) { self.init(counts, [counts.count]) }

  /// The counts, if it holds these.
  var counts: [Count]? { if case .counts(let counts) = content { counts } else { nil } }

  /// The numbers; nothing if one depends on the number of samples.
  var recipe: TensorRecipe? {
    switch content {
    case .numbers(let recipe): return recipe
    case .counts(let counts):
      let known = counts.compactMap(\.known)
      return known.count == counts.count ? TensorRecipe(known.map { Float($0) }, shape) : nil
    }
  }
}
