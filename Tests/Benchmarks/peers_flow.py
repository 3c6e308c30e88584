# SPDX-License-Identifier: Apache-2.0
"""Fits transformations with normflows on PyTorch beside lcw's, to the same samples, in one run.

usage: peers_flow.py LCW-BENCH [OURS.json] [--json FILE]

Needs torch and normflows (`pip install torch normflows`). Both fit by maximum likelihood to 8192 rows
of 795 numbers, 2 layers, 1590 hidden units, batches of 512, Adam at 1e-3, for 5 epochs; what is
compared is the seconds of an epoch and the likelihood of 2048 other rows. The runs alternate, so that
whatever else the machine does falls on both.

- realnvp: `AffineCouplingBlock` over an `MLP` with one hidden layer, and a swap of the halves.
- iaf: `MaskedAffineAutoregressive` with one feed-forward block, which makes three masked matrices as
  lcw has with depth 2. Its fast direction is called from samples to noise; `log_prob` would take
  the other, of 795 passes.

With OURS.json, what `lcw-bench --json` wrote, the inverse's time over the forward pass's is
printed too.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time

DIMENSION, ROWS, HELD_OUT, HIDDEN, LAYERS, BATCH, EPOCHS = 795, 8192, 2048, 1590, 2, 512, 5
# Each coordinate's noise has deviation 0.6, given the one before it; the first is 1.
TRUTH = -(math.log(2 * math.pi) + 1) / 2 - math.log(0.6) * (DIMENSION - 1) / DIMENSION


def peer(kind):
    import normflows
    import torch

    torch.manual_seed(1)
    half = (DIMENSION + 1) // 2
    if kind == "realnvp":
        flows = []
        for _ in range(LAYERS):
            network = normflows.nets.MLP(
                [half, HIDDEN, 2 * (DIMENSION - half)], init_zeros=True
            )
            flows += [
                normflows.flows.AffineCouplingBlock(network),
                normflows.flows.Permute(DIMENSION, mode="swap"),
            ]
    else:
        flows = [
            normflows.flows.MaskedAffineAutoregressive(
                DIMENSION, HIDDEN, num_blocks=1, use_residual_blocks=False
            )
            for _ in range(LAYERS)
        ]
    return torch.nn.ModuleList(flows)


def log_density(kind, flows, rows):
    z, log = rows, 0
    for index, flow in enumerate(reversed(flows) if kind == "realnvp" else flows):
        if kind == "realnvp":
            z, step = flow.inverse(z)
        else:
            z, step = flow.forward(z)
            z = z.flip(1)
        log = log + step
    return log - (z * z).sum(1) / 2 - DIMENSION * math.log(2 * math.pi) / 2


class Peer:
    def __init__(self, kind, rows):
        import torch

        self.kind, self.torch = kind, torch
        self.rows, self.held_out = rows[:ROWS], rows[ROWS:]
        self.flows = peer(kind)
        self.optimiser = torch.optim.Adam(self.flows.parameters(), lr=1e-3)
        self.seconds, self.processor, self.likelihoods = [], [], []

    def epoch(self):
        torch = self.torch
        start, processor = time.perf_counter(), time.process_time()
        order = torch.randperm(ROWS)
        for first in range(0, ROWS, BATCH):
            block = self.rows[order[first : first + BATCH]]
            self.optimiser.zero_grad()
            loss = -log_density(self.kind, self.flows, block).mean()
            loss.backward()
            self.optimiser.step()
        self.seconds.append(time.perf_counter() - start)
        self.processor.append(time.process_time() - processor)
        with torch.no_grad():
            likelihood = log_density(self.kind, self.flows, self.held_out).mean() / DIMENSION
        self.likelihoods.append(likelihood.item())


def main():
    arguments, output = sys.argv[1:], None
    if "--json" in arguments:
        place = arguments.index("--json")
        output = arguments[place + 1]
        del arguments[place : place + 2]
    bench = arguments[0]
    import numpy
    import torch

    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([bench, "--write-flow", file.name], check=True)
        rows = numpy.fromfile(file.name, dtype="<f4").reshape(ROWS + HELD_OUT, DIMENSION)
    rows = torch.from_numpy(rows)
    print(f"likelihood, {ROWS} rows of {DIMENSION}, {LAYERS} layers, {HIDDEN} units, batch {BATCH}")
    print(f"the true density: {TRUTH:.4f} nats per coordinate; torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads")
    results = {}
    for kind in ["realnvp", "iaf"]:
        ours = json.loads(subprocess.check_output([bench, "--fit-flow", kind]))
        theirs = Peer(kind, rows)
        for _ in range(EPOCHS):
            theirs.epoch()
        again = json.loads(subprocess.check_output([bench, "--fit-flow", kind]))
        seconds = statistics.median(ours["seconds"] + again["seconds"])
        peers = statistics.median(theirs.seconds)
        results[kind] = {
            "ours": seconds, "ours_all": ours["seconds"] + again["seconds"],
            "normflows": peers, "normflows_all": theirs.seconds, "ratio": peers / seconds,
            "our_processor": ours["processor"] + again["processor"],
            "normflows_processor": theirs.processor,
            "our_likelihood": ours["likelihoods"], "normflows_likelihood": theirs.likelihoods,
        }
        print(
            f"{kind}: an epoch takes lcw {seconds:.2f} s ({min(ours['seconds']):.2f} at best), normflows "
            f"{peers:.2f} s ({min(theirs.seconds):.2f} at best): {peers / seconds:.2f} times as fast; "
            f"of all threads' {min(ours['processor'] + again['processor']):.2f} and "
            f"{min(theirs.processor):.2f} s; likelihood after {EPOCHS} epochs {ours['likelihoods'][-1]:.4f} and "
            f"{theirs.likelihoods[-1]:.4f}"
        )
    if len(arguments) > 1:
        with open(arguments[1]) as file:
            timings = {t["name"]: min(t["seconds"]) for t in json.load(file)}
        for kind in ["realnvp", "iaf"]:
            forward, inverse = (timings.get(f"flow {kind} {way}") for way in ("forward", "inverse"))
            if forward and inverse:
                results[kind]["inverse_over_forward"] = inverse / forward
                print(f"{kind}: the inverse of 2000 rows takes {inverse / forward:.2f} times its "
                      f"forward pass")
    if output:
        with open(output, "w") as file:
            json.dump(results, file, indent=2)


if __name__ == "__main__":
    main()
