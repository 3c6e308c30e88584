// SPDX-License-Identifier: Apache-2.0

/// Examples of each command: its help ends with them, and `lcw examples` prints all.
enum CommandExamples {
  /// The lines of each command, in the order in which a user is likely to meet them.
  static let all: [(command: String, lines: [String])] = [
    ("demo", ["lcw demo"]),
    ("doctor", ["lcw doctor", "lcw doctor --data ~/datasets"]),
    ("plugins", ["lcw plugins method", "lcw plugins exchange"]),
    (
      "train",
      [
        "lcw train --architecture mlp:hidden=100 --dataset digits --seed 1 -o a.lcw",
        "lcw train --architecture resnet:depth=20 --dataset cifar10 --epochs 30 --seeds 1...4 -o nets",
      ]
    ),
    (
      "convert",
      [
        "lcw convert model.pt a.lcw --architecture auto --dataset cifar10",
        "lcw convert model.onnx a.lcw --dataset cifar10 --fold-batchnorm",
        "lcw convert middle.lcw middle.safetensors --names-of model.pt",
      ]
    ),
    (
      "connect",
      [
        "lcw connect a.lcw b.lcw -m linear -m arc+wa -m exchange --report paths.html",
        "lcw connect a.lcw b.lcw -m ot+wa -o path.lcw --keep-adjusted",
        "lcw connect a.lcw b.lcw -m rebasin+repair --dataset cifar10 --points 11",
      ]
    ),
    (
      "compare",
      ["lcw compare nets/*.lcw -m linear -m ot+wa -m exchange --format markdown"]
    ),
    (
      "evaluate",
      ["lcw evaluate a.lcw b.lcw", "lcw evaluate path.lcw --points 41 --report path.html"]
    ),
    (
      "export",
      [
        "lcw export path.lcw --at middle -o middle.lcw",
        "lcw export path.lcw --at 0.25 -o point.lcw",
      ]
    ),
    (
      "merge",
      [
        "lcw merge a.lcw b.lcw --method ot -o merged.lcw",
        "lcw merge a.lcw b.lcw c.lcw --method ot --to centre -o merged.lcw",
      ]
    ),
    ("ensemble", ["lcw ensemble nets/*.lcw --head 2 -o ensemble.lcw"]),
    (
      "fit",
      ["lcw fit flow:kind=iaf,layers=4 nets/*.lcw --hold-out 2 -o nu.lcw"]
    ),
    (
      "plane",
      [
        "lcw plane a.lcw b.lcw c.lcw --report plane.html",
        "lcw plane path.lcw --size 41 --report plane.html",
      ]
    ),
    (
      "landscape",
      [
        "lcw landscape a.lcw --directions random --normalise filter --report landscape.html"
      ]
    ),
    (
      "reproduce",
      [
        "lcw reproduce --list", "lcw reproduce digits",
        "lcw reproduce cifar10-resnet20 --scale sampled --from nets/*.safetensors -o results",
      ]
    ),
    ("inspect", ["lcw inspect a.lcw", "lcw inspect table:train=x.csv"]),
    ("verify", ["lcw verify nets/*.lcw"]),
    ("diff", ["lcw diff a.lcw b.lcw"]),
    ("extract", ["lcw extract a.lcw dense1.weight -o weight.npy"]),
    ("plugin", ["lcw plugin new method detour", "lcw plugin check detour"]),
    ("manual", ["lcw manual > lcw.md"]),
    ("examples", ["lcw examples connect"]),
  ]

  /// What a command's help ends with.
  static func text(of command: String) -> String {
    let lines = all.first { $0.command == command }?.lines ?? []
    return (["\n\nExamples:"] + lines.map { "  \($0)" }).joined(separator: "\n")
  }
}
