# SPDX-License-Identifier: Apache-2.0
"""Times SciPy, POT and lap at the assignments of lcw-bench and prints all side by side.

usage: peers_assignment.py LCW-BENCH [CHECKPOINT.safetensors...] [--json FILE]

LCW-BENCH is the program. It writes its costs, which every peer solves too, in turn with it, one
thread each; medians of three. The peers are given double precision, which is what they work in,
beforehand. Ends with an error if the costs differ. Needs numpy, and scipy, POT and lap as far as
they are to be compared (`pip install`).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
TOLERANCE = 1e-6


def solvers():
    """The peers that are installed: name, and what gives the total of the costs."""
    import numpy

    found = {}
    try:
        import scipy
        from scipy.optimize import linear_sum_assignment

        found[f"SciPy {scipy.__version__}"] = linear_sum_assignment
    except ImportError:
        print("note: SciPy is not installed")
    try:
        import lap

        found[f"lap {lap.__version__}"] = lambda costs: (
            numpy.arange(len(costs)), lap.lapjv(costs)[1])
    except ImportError:
        print("note: lap is not installed")
    try:
        import ot

        def transport(costs):
            weights = numpy.ones(len(costs))
            return numpy.nonzero(ot.emd(weights, weights, costs, numItermax=100_000_000) > 0.5)

        found[f"POT {ot.__version__}"] = transport
    except ImportError:
        print("note: POT is not installed")
    return found


def own(program, file):
    output = subprocess.run(
        [program, "--solve-costs", file], check=True, capture_output=True, text=True).stdout
    result = json.loads(output)
    return result["seconds"], result["cost"]


def peer(solve, costs):
    start = time.perf_counter()
    assigned = solve(costs)
    seconds = time.perf_counter() - start
    return seconds, costs[assigned].sum()


def compare(program, file, peers):
    """The seconds of each, and the largest relative difference of a cost."""
    import numpy

    values = numpy.fromfile(file, dtype="<f4")
    size = round(len(values) ** 0.5)
    costs = values.reshape(size, size).astype(numpy.float64)
    runs = {"lcw": []} | {name: [] for name in peers}
    for _ in range(ROUNDS):
        runs["lcw"].append(own(program, file))
        for name, solve in peers.items():
            runs[name].append(peer(solve, costs))
    expected = runs["lcw"][0][1]
    difference = max(
        abs(cost - expected) / abs(expected) for times in runs.values() for _, cost in times)
    medians = {
        name: statistics.median(seconds for seconds, _ in times) for name, times in runs.items()}
    return medians, difference


def main():
    arguments = sys.argv[1:]
    output = None
    if "--json" in arguments:
        place = arguments.index("--json")
        output = arguments[place + 1]
        del arguments[place : place + 2]
    program, checkpoints = arguments[0], arguments[1:]
    try:
        peers = solvers()
    except ImportError:
        sys.exit("peers_assignment.py: NumPy is not installed; the peers are not measured")
    rows, wrong = [], False
    with tempfile.TemporaryDirectory() as folder:
        given = [part for file in checkpoints for part in ("--checkpoint", file)]
        subprocess.run([program, *given, "--write-costs", folder], check=True)
        print(f"{'assignment':16}{'lcw s':>10}" + "".join(f"{name:>22}" for name in peers))
        for name in sorted(os.listdir(folder)):
            medians, difference = compare(program, os.path.join(folder, name), peers)
            mine = medians.pop("lcw")
            title = name.removesuffix(".f32")
            print(f"{title:16}{mine:10.4f}"
                  + "".join(f"{s:11.4f} ({s / mine:6.1f} ×)" for s in medians.values())
                  + f"   costs differ by {difference:.1e}", flush=True)
            wrong = wrong or not difference <= TOLERANCE
            rows.append({"name": title, "lcw": mine, "peers": medians, "difference": difference})
    if output:
        with open(output, "w") as file:
            json.dump(rows, file, indent=2)
    if wrong:
        sys.exit(f"peers_assignment.py: costs differ by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
