// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Points along spirals in the plane, one arm for each class: the classic problem that no straight
/// line solves. It needs no file; the points are drawn from the seed.
public struct Spirals: Dataset {
  /// `spirals`
  public static let name = "spirals"
  /// What it is.
  public static let summary = "points along spirals in the plane, an arm for each class"

  private static let arms = PluginOption("arms", default: 3, help: "arms, which are the classes")
  private static let count = PluginOption(
    "count", default: 300, help: "training points of each arm; a quarter as many test it")
  private static let turns = PluginOption("turns", default: 1.0, help: "turns of an arm")
  private static let noise = PluginOption(
    "noise", default: 0.03, help: "the deviation of points from their arm")
  private static let seed = PluginOption("seed", default: 1, help: "draws other points")
  /// The spirals' shape and the points drawn from them.
  public static let options: [any PluginOptionDescription] = [arms, count, turns, noise, seed]

  /// The plane.
  public let sampleShape: Shape = [2]
  /// An arm each.
  public let classes: Int
  /// Nothing is done to the points, which lie in the unit disc.
  public let preprocessing = "none"
  private let count: Int
  private let turns: Double
  private let noise: Float
  private let seed: UInt64

  /// The data set.
  public init(options: OptionValues) throws {
    classes = try options.value(of: Self.arms, in: 2...100)
    count = try options.value(of: Self.count, in: 4...1_000_000)
    turns = try options.value(of: Self.turns, in: 0...100)
    noise = Float(try options.value(of: Self.noise, in: 0...10))
    seed = UInt64(try options.value(of: Self.seed, in: 0...Int.max))
  }

  /// The points; the locations are not looked at.
  public func samples(_ split: DataSplit, in locations: DataLocations) throws -> SampleSet {
    let total = (split == .train ? count : count / 4) * classes
    var random = RandomStream(seed: seed, stream: split == .train ? 1 : 2)
    var points = random.normal([total, 2], deviation: noise)
    for index in 0..<total {
      // The root spreads points evenly over the disc.
      let radius = random.uniformDouble().squareRoot()
      let arm = Double(index % classes) / Double(classes)
      let angle = 2 * Double.pi * (arm + turns * radius)
      points.elements[2 * index] += Float(radius * cos(angle))
      points.elements[2 * index + 1] += Float(radius * sin(angle))
    }
    return try SampleSet(
      name: Self.name, sampleShape: sampleShape, classes: classes,
      labels: (0..<total).map { Int32($0 % classes) }, values: .floats(points.elements))
  }
}

@section("lcw_plugins") @used
let spiralsPlugin: PluginRecord = { $0.add(Spirals.self) }
