// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The memory that the samples of a data set may take.
public struct DataMemory: Sendable, Hashable {
  /// The most bytes.
  public let limit: Double

  private static let option = PluginOption(
    "memory", default: 0.0,
    help: "maximum gigabytes of memory for reading; 0 for half of the machine's memory")

  /// What a plugin declares: `memory`.
  public static let options: [any PluginOptionDescription] = [option]

  /// What a user's options say.
  /// - Throws: ``PluginError`` if the number is negative.
  public init(_ values: OptionValues) throws(PluginError) {
    let given = try values.value(of: Self.option, in: 0...1_000_000)
    limit = given == 0 ? Machine.physicalMemory / 2 : given * 1e9
  }

  /// Refuses what would take more, before any of it is taken.
  /// - Parameters:
  ///   - bytes: The bytes needed.
  ///   - file: What to call the data in the error.
  ///   - content: What takes them, such as `10000000 rows of 20 numbers`.
  /// - Throws: ``DataError/memory(file:content:needed:limit:)``.
  public func require(_ bytes: Double, file: String, content: String) throws(DataError) {
    guard bytes <= limit else {
      throw .memory(file: file, content: content, needed: bytes, limit: limit)
    }
  }
}
