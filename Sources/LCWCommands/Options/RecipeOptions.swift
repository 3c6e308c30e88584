// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// What the user says of paths that are computed again from their archives.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A file that a path was made with, such as a model; once for each.",
      discussion: "Else it is looked for beside the path's archive.", valueName: "file"),
    completion: .file())
  var madeWith: [String] = []

  @Flag(
    help: ArgumentHelp(
      "Compute paths that train for long, too.",
      discussion: "Without it, an archive's recipe trains for 100 epochs at most."))
  var allowLongRecipe = false
}
