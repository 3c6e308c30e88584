# SPDX-License-Identifier: Apache-2.0
"""The most memory of convolutional networks beside PyTorch's, each piece of work a process of its own.

usage: peers_memory.py LCW-BENCH [--json FILE]

LCW-BENCH is the built benchmark program. Memory is the process's largest resident set, as the system
tells it at the end; what a Python process has that has only imported torch is told too.
Needs torch (`pip install torch`).
"""

import json
import os
import subprocess
import sys

import peers


def peak(arguments):
    """The largest resident set of a process, in MB."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"peers_memory.py: {' '.join(arguments)} failed")
    return usage.ru_maxrss / 1024


def work(name):
    """What the process of a peer does: a training step or an evaluation, twice."""
    import torch

    if name == "import":
        return
    network, _, kind = name.partition(" ")
    model = {"vgg16": peers.vgg16, "conv2fc1": peers.conv2fc1}[network](torch)
    step, evaluation = peers.convolutional_work(torch, model)
    for _ in range(2):
        step() if kind == "training step" else evaluation()


def main():
    if sys.argv[1] == "--work":
        return work(sys.argv[2])
    own = [sys.executable, __file__, "--work"]
    imported = peak(own + ["import"])
    print(f"{'largest resident set':24}{'lcw MB':>8}{'torch MB':>10}  (torch imported: {imported:.0f} MB)")
    rows = []
    for name in ["vgg16 training step", "vgg16 evaluation", "conv2fc1 training step",
                 "conv2fc1 evaluation"]:
        mine, peer = peak([sys.argv[1], name]), peak(own + [name])
        print(f"{name:24}{mine:8.0f}{peer:10.0f}")
        rows.append({"name": name, "lcwMB": mine, "torchMB": peer, "torchImportedMB": imported})
    if "--json" in sys.argv:
        with open(sys.argv[sys.argv.index("--json") + 1], "w") as file:
            json.dump(rows, file, indent=2)


if __name__ == "__main__":
    main()
