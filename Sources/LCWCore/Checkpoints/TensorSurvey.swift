// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// What the names and shapes of a file's tensors tell of the network that they are of.
public struct TensorSurvey: Sendable {
  /// The tensors that may be weights, in the natural order of their names: `fc.2` before `fc.10`.
  public let entries: [TensorEntry]
  /// The shape of the samples that the network is for.
  public let sampleShape: Shape
  /// The shapes of all matrices, in that order.
  public let matrices: [Shape]
  /// The shapes of all tensors of four dimensions, `[filters, channels, height, width]`, in that order.
  public let kernels: [Shape]
  /// The number of tensors of one dimension.
  public let vectors: Int
  /// Whether there are running statistics of batch normalisations.
  public let hasRunningMoments: Bool
  /// The shapes of the matrices in the order of the file.
  private let matricesInFile: [Shape]

  /// A survey of a file's tensors.
  /// - Parameters:
  ///   - entries: The tensors, in the order of the file.
  ///   - sampleShape: The shape of one sample.
  public init(of entries: [TensorEntry], sampleShape: Shape) {
    let weights = entries.filter {
      $0.elementType.isFloatingPoint && !$0.isOptimiserState && $0.shape.rank > 0
    }
    let sorted = weights.naturallySorted()
    self.entries = sorted
    self.sampleShape = sampleShape
    matrices = sorted.map(\.shape).filter { $0.rank == 2 }
    matricesInFile = weights.map(\.shape).filter { $0.rank == 2 }
    kernels = sorted.map(\.shape).filter { $0.rank == 4 }
    vectors = weights.count { $0.shape.rank == 1 }
    hasRunningMoments = sorted.contains { entry in
      ["running_var", "variance", "moving_variance"].contains(
        entry.name.split(separator: ".").last.map(String.init) ?? "")
    }
  }

  /// The filters of the convolution that reads the sample, with the shape of its kernel; nothing if no
  /// tensor can be that.
  public var stem: Shape? {
    guard sampleShape.rank == 3 else { return nil }
    return kernels.first { $0[1] == sampleShape[0] }
  }

  /// The numbers of hidden units of a chain of dense layers from the sample to the output; nothing if the
  /// matrices are no chain in the order of their names, nor in that of the file, nor in one that their shapes
  /// leave alone.
  public var hiddenUnits: [Int]? {
    for chain in [matrices, matricesInFile] where !chain.isEmpty {
      guard chain[0][1] == sampleShape.count,
        zip(chain, chain.dropFirst()).allSatisfy({ $0[0] == $1[1] })
      else { continue }
      return chain.dropLast().map { $0[0] }
    }
    return onlyChain?.dropLast().map { $0[0] }
  }

  /// The chain of all matrices from the sample on, where the shapes leave one order alone; nothing otherwise.
  private var onlyChain: [Shape]? {
    var left = matrices
    var chain: [Shape] = []
    var width = sampleShape.count
    while !left.isEmpty {
      let next = left.filter { $0[1] == width }
      // A square matrix keeps the width, so it stands before the one that leaves it.
      let square: Shape = [width, width]
      guard Set(next).subtracting([square]).count <= 1,
        let first = next.first(where: { $0 == square }) ?? next.first,
        let place = left.firstIndex(of: first)
      else { return nil }
      chain.append(left.remove(at: place))
      width = first[0]
    }
    return chain.isEmpty ? nil : chain
  }

  /// The number of kernels of a shape.
  public func count(of kernel: Shape) -> Int { kernels.count { $0 == kernel } }

  /// Whether a tensor's name has a part, one between two dots.
  public func hasPart(_ part: String) -> Bool {
    entries.contains { $0.name.split(separator: ".").contains { $0 == part } }
  }

  /// The factor of a number as an option's text: `1`, `0.25`.
  public static func width(_ count: Int, of usual: Int) -> String {
    count % usual == 0 ? "\(count / usual)" : "\(Double(count) / Double(usual))"
  }
}
