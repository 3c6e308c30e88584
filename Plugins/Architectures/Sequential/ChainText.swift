// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// A chain of layers as it is written, read and checked word by word.
struct ChainText: Sendable {
  /// The layers in the same words, with one semicolon and space between them.
  let text: String
  private let links: [Link]

  /// A layer, or the dense one whose outputs are the classes.
  private enum Link {
    case layer(Layer)
    case classes(bias: Bool)
  }

  /// - Parameter option: Where the text is from.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` that shows the layer and
  ///   says what was expected.
  init(_ source: String, of option: String, plugin: String) throws(PluginError) {
    var (texts, links): ([String], [Link]) = ([], [])
    for line in source.split(whereSeparator: \.isNewline) {
      for part in line.prefix(while: { $0 != "#" }).split(separator: ";") {
        let words = part.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !words.isEmpty else { continue }
        let text = words.joined(separator: " ")
        do throws(ChainProblem) {
          links.append(try ChainText.link(words))
        } catch {
          throw .invalidOption(
            plugin: plugin, option: option, value: text, reason: "expected \(error.expected)")
        }
        texts.append(text)
      }
    }
    guard !links.isEmpty else {
      throw .invalidOption(
        plugin: plugin, option: option, value: source, reason: "expected at least one layer")
    }
    guard !texts.contains(where: { $0.contains(",") }) else {
      throw .invalidOption(
        plugin: plugin, option: option, value: source, reason: "expected no comma")
    }
    self.text = texts.joined(separator: "; ")
    self.links = links
  }

  /// The layers for a number of classes.
  func layers(classes: Int) -> [Layer] {
    links.map { link in
      switch link {
      case .layer(let layer): layer
      case .classes(let bias): .dense(outputs: classes, bias: bias)
      }
    }
  }

  private static func link(_ words: [String]) throws(ChainProblem) -> Link {
    var words = ChainWords(words.reversed())
    let kind = words.next()
    let link: Link
    switch kind {
    case "dense":
      let outputs = words.next()
      let bias = !words.take("no-bias")
      if outputs == "classes" {
        link = .classes(bias: bias)
      } else {
        link = .layer(
          .dense(
            outputs: try size(outputs, "a number of outputs or ‘classes’ after dense"), bias: bias))
      }
    case "conv": link = .layer(.convolution(try convolution(&words)))
    case "maxpool": link = .layer(.maxPool(try pooling(&words)))
    case "avgpool": link = .layer(.averagePool(try pooling(&words)))
    case "dropout":
      guard let rate = words.next().flatMap({ Double($0) }), rate >= 0, rate < 1 else {
        throw ChainProblem("a rate from 0 to below 1 after dropout")
      }
      link = .layer(.dropout(rate: rate))
    case "relu": link = .layer(.relu)
    case "tanh": link = .layer(.tanh)
    case "flatten": link = .layer(.flatten)
    case "batchnorm": link = .layer(.batchNorm)
    default:
      throw ChainProblem(
        "dense, conv, relu, tanh, maxpool, avgpool, flatten, dropout or batchnorm")
    }
    if let rest = words.next() { throw ChainProblem("nothing where ‘\(rest)’ stands") }
    return link
  }

  private static func convolution(
    _ words: inout ChainWords
  ) throws(ChainProblem) -> Layer.Convolution {
    let filters = try size(words.next(), "a number of filters after conv")
    let text = words.next() ?? ""
    var kernel: [Int] = []
    for part in text.split(separator: "x", omittingEmptySubsequences: false) {
      kernel.append(try size(String(part), "a kernel such as 3x3 after the number of filters"))
    }
    if kernel.count == 1 { kernel.append(kernel[0]) }
    guard kernel.count == 2 else {
      throw ChainProblem("a kernel such as 3x3 after the number of filters")
    }
    let (stride, padding) = try words.strideAndPadding()
    return Layer.Convolution(
      filters: filters, kernel: kernel, stride: stride ?? 1, padding: padding ?? 0,
      bias: !words.take("no-bias"))
  }

  private static func pooling(_ words: inout ChainWords) throws(ChainProblem) -> Layer.Pooling {
    let size = try size(words.next(), "the size of a window")
    let (stride, padding) = try words.strideAndPadding()
    return Layer.Pooling(size: size, stride: stride ?? size, padding: padding ?? 0)
  }

  private static func size(_ word: String?, _ expected: String) throws(ChainProblem) -> Int {
    guard let value = word.flatMap({ Int($0) }), (1...Int(Int32.max)).contains(value) else {
      throw ChainProblem(expected)
    }
    return value
  }
}

/// The words of a layer that are still to be read, the next one last.
private struct ChainWords {
  private var rest: [String]

  init(_ reversed: [String]) {
    rest = reversed
  }

  mutating func next() -> String? { rest.popLast() }

  /// Reads a word if it is the next one.
  mutating func take(_ word: String) -> Bool {
    guard rest.last == word else { return false }
    rest.removeLast()
    return true
  }

  /// Reads `stride` and `pad` with their numbers, in either order, as far as they are next.
  mutating func strideAndPadding() throws(ChainProblem) -> (stride: Int?, padding: Int?) {
    let before = try value(of: "pad", least: 0)
    let stride = try value(of: "stride", least: 1)
    if let before { return (stride, before) }
    return (stride, try value(of: "pad", least: 0))
  }

  /// Reads the number behind a word if that is the next one.
  mutating func value(of word: String, least: Int) throws(ChainProblem) -> Int? {
    guard take(word) else { return nil }
    guard let value = next().flatMap({ Int($0) }), (least...Int(Int32.max)).contains(value) else {
      throw ChainProblem("a number from \(least) on after \(word)")
    }
    return value
  }
}

/// What a layer's text should have had.
private struct ChainProblem: Error {
  var expected: String

  init(_ expected: String) {
    self.expected = expected
  }
}
