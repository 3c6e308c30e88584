# SPDX-License-Identifier: Apache-2.0
"""Times whole paths on MNIST: lcw beside the same formulas in NumPy, SciPy and PyTorch.

usage: peers_paths.py LCW DATA A.safetensors B.safetensors [--points N] [--json FILE]

LCW is the program, DATA the folder that holds mnist/ with its four idx files, A and B two networks
784-2000-10. Each work is one process that reads the data, makes the path and evaluates 21 points on the
training and the test samples; time and peak memory are of the whole process. Weight adjustment takes the
peer about half a minute a point, so it computes N points (3 by default) and is charged 21 / N times
what they took. Needs numpy, torch, scipy and safetensors.
"""

import argparse
import gzip
import json
import multiprocessing
import os
import resource
import struct
import subprocess
import sys
import time

POINTS = 21


def idx(folder, name):
    for path, opener in ((f"{folder}/{name}", open), (f"{folder}/{name}.gz", gzip.open)):
        if os.path.exists(path):
            with opener(path, "rb") as file:
                data = file.read()
            rank = data[3]
            shape = struct.unpack(f">{rank}i", data[4 : 4 + 4 * rank])
            return data[4 + 4 * rank :], shape
    sys.exit(f"no {name} in {folder}")


def peer(method, folder, files, points, connection):
    """The work in a process of its own; sends seconds once and for each point, and peak memory."""
    start = time.perf_counter()
    import numpy
    import torch
    from safetensors.torch import load_file

    def samples(prefix):
        pixels, shape = idx(folder, f"{prefix}-images-idx3-ubyte")
        labels, _ = idx(folder, f"{prefix}-labels-idx1-ubyte")
        x = numpy.frombuffer(pixels, numpy.uint8).reshape(shape[0], -1).astype(numpy.float32) / 255
        return torch.from_numpy(x), torch.from_numpy(numpy.frombuffer(labels, numpy.uint8).astype(numpy.int64))

    parts = [samples("train"), samples("t10k")]
    (a1, ab, a2, a0), (b1, bb, b2, b0) = (
        [tensors[key] for key in ("fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias")]
        for tensors in map(load_file, files)
    )
    if method.startswith("ot"):
        from scipy.optimize import linear_sum_assignment
        from scipy.spatial.distance import cdist

        first, second = (
            numpy.concatenate([w.numpy(), b.numpy()[:, None], o.numpy().T], 1)
            for w, b, o in ((a1, ab, a2), (b1, bb, b2))
        )
        order = linear_sum_assignment(cdist(first, second, "sqeuclidean"))[1].copy()
        b1, bb, b2 = b1[order], bb[order], b2[:, order]
    x = parts[0][0]
    adjusts = method.endswith("wa")
    if adjusts:
        target = (torch.relu(x @ a1.T + ab) @ a2.T).numpy()
    once = time.perf_counter() - start
    worst = 1.0
    start = time.perf_counter()
    times = [0.5] if points == 1 else [index / (points - 1) for index in range(points)]
    for t in times:
        w, b = (1 - t) * a1 + t * b1, (1 - t) * ab + t * bb
        if adjusts:
            features = torch.relu(x @ w.T + b).numpy()
            o, bias = torch.from_numpy((numpy.linalg.pinv(features) @ target).T), a0
        else:
            o, bias = (1 - t) * a2 + t * b2, (1 - t) * a0 + t * b0
        for inputs, labels in parts:
            right = 0
            for first in range(0, len(inputs), 1000):
                block = inputs[first : first + 1000]
                logits = torch.relu(block @ w.T + b) @ o.T + bias
                torch.nn.functional.cross_entropy(logits, labels[first : first + 1000])
                right += (logits.argmax(1) == labels[first : first + 1000]).sum().item()
            worst = min(worst, right / len(inputs))
    each = (time.perf_counter() - start) / len(times)
    connection.send((once, each, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, worst))


def run_peer(method, arguments, points):
    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.get_context("spawn").Process(
        target=peer,
        args=(method, f"{arguments.data}/mnist", (arguments.a, arguments.b), points, sender),
    )
    process.start()
    once, each, memory, worst = receiver.recv()
    process.join()
    return once + POINTS * each, memory / 1024, worst


def run_lcw(method, arguments):
    command = [
        arguments.lcw, "connect", arguments.a, arguments.b, "--method", method, "--no-refine",
        "--architecture", "mlp:hidden=2000", "--dataset", "mnist", "--data", arguments.data,
        "--points", str(POINTS), "--format", "json",
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    seconds = time.perf_counter() - start
    # The first unit of time is what the peer does too; lcw goes on to B itself.
    accuracies = [
        point[f"{part}_accuracy"] for point in json.loads(output)["points"] if point["t"] <= 1
        for part in ("train", "test")
    ]
    return seconds, usage.ru_maxrss / 1024, min(accuracies)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("lcw", "data", "a", "b"):
        parser.add_argument(name)
    parser.add_argument("--points", type=int, default=3)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    rows = []
    print("| path, 21 points | lcw s | MB | worst | peer s | MB | worst | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for method in ("linear", "linear+wa", "ot+wa"):
        points = arguments.points if method.endswith("wa") else POINTS
        ours = run_lcw(method, arguments)
        theirs = run_peer(method, arguments, points)
        rows.append({"method": method, "lcw": ours, "peer": theirs, "peer_points": points})
        print(
            f"| {method} | {ours[0]:.1f} | {ours[1]:.0f} | {ours[2]:.4f} | {theirs[0]:.1f} "
            f"| {theirs[1]:.0f} | {theirs[2]:.4f} | {theirs[0] / ours[0]:.1f} |",
            flush=True,
        )
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
