// SPDX-License-Identifier: Apache-2.0

/// How much a network may need that a file describes: a text of some bytes can describe a network of
/// any size, and a tensor of one element can stand for one of millions.
///
/// What is stored bounds what is computed: ``bytesForStoredByte`` bytes for each stored byte, as many
/// as a tensor of an archive has elements' bytes at most, or what is little anyway.
public struct DescriptionLimits: Sendable, Hashable {
  /// The bytes that all tensors of the file take in it.
  public let storedBytes: Int

  /// The bytes that may be made of a stored byte.
  public static let bytesForStoredByte = 32_768
  /// The bytes that any file may ask for in weights or in the activations of one sample.
  public static let smallBytes = 1 << 24
  /// The bytes that any file may ask for in a row of a convolution's windows, or to compute a path.
  public static let smallWorkBytes = 1 << 28
  /// The multiplications for one sample that any file may ask for.
  public static let smallSampleWork = 1 << 32

  /// The limits for a file's content.
  public init(of source: any CheckpointSource) {
    var sum = 0
    // A sum beyond all integers is none that could be wanting.
    for entry in source.entries {
      let (next, isTooLarge) = sum.addingReportingOverflow(entry.storedBytes)
      sum = isTooLarge ? Int.max : next
    }
    storedBytes = sum
  }

  /// The limit, which is never less than `small`.
  private func limit(atLeast small: Int) -> Double {
    max(Double(small), Double(storedBytes) * Double(Self.bytesForStoredByte))
  }

  /// Checks what a network needs: the bytes of its weights, those of one sample between two layers, of
  /// all its values that are in memory at once and of a convolution's windows, and the multiplications for
  /// one sample.
  /// - Throws: ``CheckpointError/beyondStored(what:found:limit:stored:)``.
  public func check(_ network: Network) throws(CheckpointError) {
    try check(
      "bytes of weights", 4 * Double(network.parameterCount), atLeast: Self.smallBytes)
    try check(
      "bytes of values between two layers", 4 * Double(network.widestSample),
      atLeast: Self.smallBytes)
    // What a layer reads and what it computes, for each of which the limit above holds: so much any chain
    // of layers may have.
    try check(
      "bytes of values that are in memory at once", 4 * Double(network.widestLiveSample),
      atLeast: Self.smallBytes, times: 2)
    try check(
      "bytes of a convolution's windows", 4 * Double(network.widestPatchRow),
      atLeast: Self.smallWorkBytes)
    try check(
      "multiplications for a sample", Double(network.sampleWork), atLeast: Self.smallSampleWork)
  }

  /// Checks what combining to weights makes of the tensors that do: of each parameter, only those that
  /// combine to it count, whatever else is stored.
  /// - Parameters:
  ///   - place: What the parameters are of, such as `stage1`.
  ///   - parameters: The values of each parameter, and the bytes that its tensors take in the file.
  /// - Throws: ``CheckpointError/beyondStored(what:found:limit:stored:)``.
  public static func check(
    combined parameters: [(values: Int, storedBytes: Int)], of place: String
  ) throws(CheckpointError) {
    var (found, beyond, stored) = (0.0, 0.0, 0.0)
    for (values, storedBytes) in parameters {
      let bytes = 4 * Double(values)
      found += bytes
      stored += Double(storedBytes)
      beyond += max(0, bytes - Double(storedBytes) * Double(bytesForStoredByte))
    }
    guard beyond <= Double(smallBytes) else {
      throw .beyondStored(
        what: "bytes of weights in \(place)", found: found,
        limit: found - beyond + Double(smallBytes),
        stored: stored < 0x1p62 ? Int(stored) : Int.max)
    }
  }

  /// Checks the memory that computing a path takes beside its networks.
  /// - Throws: ``CheckpointError/beyondStored(what:found:limit:stored:)``.
  public func check(recipe cost: ConnectionCost) throws(CheckpointError) {
    try check("bytes to compute its path", cost.bytes, atLeast: Self.smallWorkBytes)
  }

  private func check(
    _ what: String, _ found: Double, atLeast small: Int, times factor: Double = 1
  ) throws(CheckpointError) {
    let limit = factor * limit(atLeast: small)
    guard found <= limit else {
      throw .beyondStored(what: what, found: found, limit: limit, stored: storedBytes)
    }
  }
}
