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
      "Also compute paths that need long training.",
      discussion: """
        Without it, an archive's recipe may take at most 100 epochs of training and 10^13 \
        multiplications.
        """))
  var allowLongRecipe = false
}
