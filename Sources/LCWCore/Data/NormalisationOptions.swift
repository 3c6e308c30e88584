// SPDX-License-Identifier: Apache-2.0

/// The options by which every data set of images, and any other that likes to, lets users say how its
/// values are normalised.
///
/// ```swift
/// static let normalising = NormalisationOptions(scale: Fraction(1, over: 255))
/// static let options = [augment] + normalising.options
/// init(options: OptionValues) throws {
///   normalisation = try Self.normalising.normalisation(options, channels: 3)
/// }
/// ```
public struct NormalisationOptions: Sendable {
  private let defaultScale: Fraction
  private let named: PluginOption<NamedNormalisation>
  private let mean: PluginOption<ChannelNumbers>
  private let deviation: PluginOption<ChannelNumbers>
  private let scale: PluginOption<ChannelNumbers>
  private let standardise: PluginOption<Standardising>

  /// The options of a data set.
  /// - Parameters:
  ///   - defaultName: The normalisation where nothing is said of one.
  ///   - scale: What raw values are multiplied by where nothing is said: 1/255 for bytes.
  public init(default defaultName: NamedNormalisation = .none, scale: Fraction) {
    defaultScale = scale
    named = PluginOption(
      "normalisation", default: defaultName,
      help: "a common choice of mean and standard deviation")
    mean = PluginOption(
      "mean", default: ChannelNumbers(),
      help: "the mean to subtract from scaled values, instead of a named normalisation")
    deviation = PluginOption(
      "deviation", default: ChannelNumbers(),
      help: "the standard deviation to divide by after that")
    self.scale = PluginOption(
      "scale", default: ChannelNumbers([scale]), help: "a factor on raw values, applied first")
    standardise = PluginOption(
      "standardise", default: .none,
      help:
        "whether to take mean and standard deviation from the training samples, by channel or feature"
    )
  }

  /// What the plugin declares: `normalisation`, `mean`, `deviation`, `scale` and `standardise`.
  public var options: [any PluginOptionDescription] {
    [named, mean, deviation, scale, standardise]
  }

  /// Whether one of these options was given.
  public func areGiven(in values: OptionValues) -> Bool {
    options.contains { values.given[$0.key] != nil }
  }

  /// What a user's options say.
  /// - Parameters:
  ///   - values: The options of the plugin.
  ///   - channels: The samples' first size; nothing if it is not known yet, and then ``check(_:_:channels:)``
  ///     is called once it is.
  /// - Throws: ``PluginError`` that names the option: a deviation or scale that nothing can be divided or
  ///   multiplied by, options that conflict, as many numbers as there are no channels.
  public func normalisation(
    _ values: OptionValues, channels: Int?
  ) throws(PluginError) -> Normalisation {
    for option in [mean, deviation, scale] where values.given[option.key]?.isEmpty == true {
      throw values.invalid(option, reason: "expected \(ChannelNumbers.typeName)")
    }
    let scales = values[scale].numbers
    if scales.contains(where: { $0.value == 0 }) {
      throw values.invalid(scale, reason: "all values would be 0")
    }
    let found: Normalisation
    if values[standardise] != .none {
      for option in [named.key, mean.key, deviation.key] where values.given[option] != nil {
        throw values.misplaced(option, reason: "\(standardise.key) takes the training samples' own")
      }
      let grouping: SampleMoments.Grouping = values[standardise] == .channel ? .channel : .feature
      found = Normalisation(scale: scales, moments: .training(grouping))
    } else {
      found = Normalisation(scale: scales, moments: try moments(values))
    }
    try check(range: found, values)
    if let channels { try check(found, values, channels: channels) }
    return found
  }

  /// Requires one number, or one for each channel, of every list.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)``.
  public func check(
    _ normalisation: Normalisation, _ values: OptionValues, channels: Int
  ) throws(PluginError) {
    var lists = [(scale.key, normalisation.scale)]
    if case .given(let means, let deviations) = normalisation.moments {
      let isNamed = values.given[mean.key] == nil && values.given[deviation.key] == nil
      lists += [
        (isNamed ? named.key : mean.key, means), (isNamed ? named.key : deviation.key, deviations),
      ]
    }
    for (key, numbers) in lists where numbers.count != 1 && numbers.count != channels {
      throw values.invalid(
        key,
        reason: "it has \(numbers.count) numbers, but the samples have \(channels) "
          + "\(channels == 1 ? "channel" : "channels")")
    }
  }

  private func moments(_ values: OptionValues) throws(PluginError) -> Normalisation.Moments {
    guard values.given[mean.key] != nil || values.given[deviation.key] != nil else {
      let known = values[named]
      return .given(mean: known.mean, deviation: known.deviation)
    }
    if values.given[named.key] != nil {
      throw values.misplaced(
        named.key, reason: "\(mean.key) and \(deviation.key) say the normalisation")
    }
    let deviations = values[deviation].numbers
    if deviations.contains(where: { $0.value <= 0 }) {
      throw values.invalid(deviation, reason: "a deviation is greater than 0")
    }
    return .given(
      mean: values.given[mean.key] == nil ? [Fraction(0)] : values[mean].numbers,
      deviation: deviations.isEmpty ? [Fraction(1)] : deviations)
  }

  /// Requires factors and summands that single precision holds.
  private func check(range normalisation: Normalisation, _ values: OptionValues) throws(PluginError)
  {
    func isHeld(_ value: Double) -> Bool { value == 0 || Float(value).isNormal }
    for number in normalisation.scale where !isHeld(number.value) {
      throw values.invalid(scale, reason: Self.outOfRange)
    }
    guard case .given(let means, let deviations) = normalisation.moments else { return }
    for deviation in deviations {
      for scale in normalisation.scale
      where Float(scale.numerator / (scale.denominator * deviation.value)).isNormal == false {
        throw values.invalid(self.deviation, reason: Self.outOfRange)
      }
      for mean in means where !Float(mean.value / deviation.value).isFinite {
        throw values.invalid(self.mean, reason: Self.outOfRange)
      }
    }
  }

  private static let outOfRange = "the values would be beyond single precision"
}

/// Means and deviations that are in common use, of pixels from 0 to 1.
public enum NamedNormalisation: String, OptionChoice, Sendable {
  /// Nothing is subtracted, and nothing divided by.
  case none
  /// 0.5 and 0.5: pixels from −1 to 1.
  case half
  /// Those of MNIST's training images.
  case mnist
  /// Those of Fashion-MNIST's.
  case fashion
  /// Those of CIFAR-10's.
  case cifar10
  /// Those of CIFAR-100's.
  case cifar100
  /// Those of ImageNet's, with which torchvision's networks are trained.
  case imagenet

  /// The means, one for all channels or one for each.
  public var mean: [Fraction] { numbers.mean.map { Fraction($0) } }

  /// The deviations, one for all channels or one for each.
  public var deviation: [Fraction] { numbers.deviation.map { Fraction($0) } }

  private var numbers: (mean: [Double], deviation: [Double]) {
    switch self {
    case .none: ([0], [1])
    case .half: ([0.5], [0.5])
    case .mnist: ([0.1307], [0.3081])
    case .fashion: ([0.2860], [0.3530])
    case .cifar10: ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])
    case .cifar100: ([0.5071, 0.4867, 0.4408], [0.2675, 0.2565, 0.2761])
    case .imagenet: ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    }
  }
}

/// One number for all channels, or one for each, joined by colons: `0.1307`, `0.485:0.456:0.406`,
/// `1/255`.
public struct ChannelNumbers: OptionValue, Hashable {
  /// The numbers; none where nothing is said.
  public let numbers: [Fraction]

  /// Numbers.
  public init(_ numbers: [Fraction] = []) { self.numbers = numbers }

  /// What is written.
  public static var typeName: String {
    "a number such as 0.5 or 1/255, or one for each channel such as 0.485:0.456:0.406"
  }

  /// Numbers joined by colons.
  public init?(optionText: String) {
    guard !optionText.isEmpty else {
      self.init()
      return
    }
    var numbers: [Fraction] = []
    for part in optionText.split(separator: ":", omittingEmptySubsequences: false) {
      guard let number = Fraction(text: part) else { return nil }
      numbers.append(number)
    }
    self.init(numbers)
  }

  /// The numbers joined by colons.
  public var text: String { numbers.map { "\($0)" }.joined(separator: ":") }
}

/// How moments of the training samples are taken.
private enum Standardising: String, OptionChoice {
  case none, channel, feature
}
