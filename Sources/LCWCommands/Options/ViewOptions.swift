// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNumerics

/// Which of a checkpoint's tensors, under which names, as which type.
struct ViewOptions: ParsableArguments {
  @Option(help: "The type of floating-point tensors in the output: f64, f32, f16 or bf16.")
  var dtype: FloatingType?

  @Option(
    help: ArgumentHelp(
      "Keep only tensors whose names match a pattern such as 'fc.*'; may be repeated.",
      valueName: "glob"), completion: .tensors)
  var select: [String] = []

  @Option(
    help: ArgumentHelp(
      "Rename a tensor, or a prefix of names; may be repeated.",
      valueName: "old=new"))
  var rename: [String] = []

  func validate() throws {
    if let wrong = rename.first(where: { !$0.contains("=") }) {
      throw ValidationError("--rename takes OLD=NEW, not ‘\(wrong)’.")
    }
  }

  private var renames: [(old: String, new: String)] {
    rename.map { text in
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (old: String(sides[0]), new: String(sides[1]))
    }
  }

  /// A source under the names that these options give, all of it, in the same order.
  func renamed(_ source: any CheckpointSource) throws -> any CheckpointSource {
    rename.isEmpty ? source : try CheckpointView(of: source, renaming: renames)
  }

  /// A source as these options show it.
  /// - Parameter overflow: Told of tensors whose elements become infinite, as `CheckpointView` does.
  func view(
    of source: any CheckpointSource, overflow: @escaping @Sendable (String, Int) -> Void
  ) throws -> any CheckpointSource {
    guard dtype != nil || !select.isEmpty || !rename.isEmpty else { return source }
    return try CheckpointView(
      of: source, selecting: select, renaming: renames, elementType: dtype?.type,
      overflow: overflow)
  }
}

/// The floating-point types, as an option's values.
enum FloatingType: String, ExpressibleByArgument, CaseIterable {
  case f64, f32, f16, bf16

  var type: ElementType {
    switch self {
    case .f64: .float64
    case .f32: .float32
    case .f16: .float16
    case .bf16: .bfloat16
    }
  }
}
