// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// What the user says of paths that are computed again from their archives.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A file that the path was made with, such as a fitted model; may be repeated.",
      discussion: "By default it is looked for beside the path's archive.", valueName: "file"),
    completion: .file())
  var madeWith: [String] = []

  @Flag(
    help: ArgumentHelp(
      "Also compute paths whose method trains for long.",
      discussion: "Without it, an archive's recipe trains for 100 epochs at most."))
  var allowLongRecipe = false
}
