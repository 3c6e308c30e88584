# SPDX-License-Identifier: Apache-2.0
"""Times the weight matching of Git Re-Basin beside lcw's and counts the planted orders each finds.

usage: peers_matching.py LCW LCW-BENCH NETWORK.lcw NETWORK.lcw... [--orders 10] [--json FILE]

LCW and LCW-BENCH are the programs. The networks are of one architecture, without batch
normalisation, and each unit of a group has a whole index of every tensor's axis: no flatten
between a convolution and a dense layer, no padded channels. The algorithm is rendered here in NumPy
and SciPy after `weight_matching` of github.com/samuela/git-re-basin (MIT; Ainsworth, Hayase and
Srinivasa 2023, algorithm 1): coordinate descent from the orders that there are, groups in random order,
each step gathering whole tensors and solving `linear_sum_assignment(maximize=True)`, at most 100
passes. Both sides have one thread.

1. Neighbouring networks are matched: seconds of a descent from the orders that there are, and the distances that are reached.
2. Each network's units are shuffled, --orders times, and matched to the network itself: how often
   the orders are found, from that one start, and by lcw from as many as it takes by default.

Needs numpy and scipy.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy  # noqa: E402
from scipy.optimize import linear_sum_assignment  # noqa: E402


def tensors(lcw, file, folder):
    """The tensors of a file of weights, by name."""
    target = os.path.join(folder, "weights.npz")
    subprocess.run(
        [lcw, "convert", file, target, "--overwrite"], check=True, capture_output=True)
    with numpy.load(target) as archive:
        return {name: archive[name] for name in archive.files}


def groups_of(lcw, file):
    """For each group of units that may be permuted, the tensors and axes that belong to it."""
    output = subprocess.run(
        [lcw, "inspect", file, "--groups", "--json"], check=True, capture_output=True, text=True)
    groups = []
    for group in json.loads(output.stdout)["groups"]:
        if not group["permutable"] or group["units"] < 2:
            continue
        for site in group["sites"]:
            if site["block"] != 1 or site["offset"] != 0 or "rows" in site:
                sys.exit(f"peers_matching.py: {site['parameter']} does not have a whole axis of units")
        groups.append([(site["parameter"], site["axis"]) for site in group["sites"]])
    return groups


def permuted(spec, orders, name, tensor, leaving=None):
    for axis, group in enumerate(spec[name]):
        if axis != leaving and group is not None:
            tensor = numpy.take(tensor, orders[group], axis=axis)
    return tensor


def weight_matching(random, groups, spec, a, b, passes=100):
    """The orders of b's units: algorithm 1."""
    sizes = [a[members[0][0]].shape[members[0][1]] for members in groups]
    orders = [numpy.arange(size) for size in sizes]
    for _ in range(passes):
        progress = False
        for group in random.permutation(len(groups)):
            size = sizes[group]
            products = numpy.zeros((size, size))
            for name, axis in groups[group]:
                first = a[name]
                second = permuted(spec, orders, name, b[name], leaving=axis)
                first = numpy.moveaxis(first, axis, 0).reshape((size, -1))
                second = numpy.moveaxis(second, axis, 0).reshape((size, -1))
                products += first @ second.T
            rows, columns = linear_sum_assignment(products, maximize=True)
            old = products[numpy.arange(size), orders[group]].sum()
            new = products[rows, columns].sum()
            progress = progress or new > old + 1e-12
            orders[group] = columns
        if not progress:
            break
    return orders


def axes_to_groups(groups, weights):
    """For each tensor the group that each of its axes belongs to."""
    spec = {name: [None] * tensor.ndim for name, tensor in weights.items()}
    for index, members in enumerate(groups):
        for name, axis in members:
            spec[name][axis] = index
    return spec


def distance(a, b):
    return sum(float(((a[name].astype(float) - b[name]) ** 2).sum()) for name in a) ** 0.5


def own(bench, a, b, starts, orders=0):
    """What lcw-bench says of matching b to a, or a to itself in random orders."""
    output = subprocess.run(
        [bench, "--match", a, b, str(starts), str(orders)], check=True, capture_output=True,
        text=True, env=os.environ | {"OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE", "")})
    return json.loads(output.stdout)


def main():
    arguments = sys.argv[1:]
    given = {"--orders": "10", "--json": None}
    for option in given:
        if option in arguments:
            place = arguments.index(option)
            given[option] = arguments[place + 1]
            del arguments[place : place + 2]
    lcw, bench, files = arguments[0], arguments[1], arguments[2:]
    count = int(given["--orders"])
    groups = groups_of(lcw, files[0])
    with tempfile.TemporaryDirectory() as folder:
        networks = [tensors(lcw, file, folder) for file in files]
    spec = axes_to_groups(groups, networks[0])
    rows = []
    print(f"{'pair':>6}{'Git Re-Basin':>14}{'s':>9}{'lcw':>10}{'s':>9}{'lcw, 8 starts':>15}{'s':>9}")
    for index in range(len(files) - 1):
        a, b = networks[index], networks[index + 1]
        start = time.perf_counter()
        orders = weight_matching(numpy.random.default_rng(index), groups, spec, a, b)
        seconds = time.perf_counter() - start
        reached = distance(a, {name: permuted(spec, orders, name, b[name]) for name in b})
        one = own(bench, files[index], files[index + 1], 1)
        several = own(bench, files[index], files[index + 1], 8)
        print(
            f"{index + 1:>6}{reached:14.4f}{seconds:9.3f}{one['distance']:10.4f}{one['seconds']:9.4f}"
            f"{several['distance']:15.4f}{several['seconds']:9.4f}", flush=True)
        rows.append(
            {"peer": reached, "peer_seconds": seconds, "lcw": one, "lcw_several": several})
    ratio = statistics.median(row["peer_seconds"] / row["lcw"]["seconds"] for row in rows)
    print(f"a descent from the same orders takes the peer {ratio:.1f} times as long (median)")
    found = {"peer": 0, "lcw_one": 0, "lcw": 0}
    for index, a in enumerate(networks):
        for seed in range(count):
            random = numpy.random.default_rng((index, seed))
            shuffle = [random.permutation(a[members[0][0]].shape[members[0][1]]) for members in groups]
            b = {name: permuted(spec, shuffle, name, tensor) for name, tensor in a.items()}
            orders = weight_matching(random, groups, spec, a, b)
            matched = {name: permuted(spec, orders, name, b[name]) for name in b}
            found["peer"] += all((matched[name] == a[name]).all() for name in a)
        found["lcw_one"] += own(bench, files[index], files[index], 1, count)["found"]
        found["lcw"] += own(bench, files[index], files[index], 8, count)["found"]
    total = count * len(files)
    print(
        f"planted orders found: Git Re-Basin {found['peer']} of {total}, lcw from one start "
        f"{found['lcw_one']}, from eight {found['lcw']}")
    if given["--json"]:
        with open(given["--json"], "w") as file:
            json.dump({"pairs": rows, "found": found, "orders": total}, file, indent=2)


if __name__ == "__main__":
    main()
