# SPDX-License-Identifier: Apache-2.0
"""Times PyTorch, and NumPy, at the work of lcw-bench and prints both side by side.

usage: peers.py OURS.json [--bench LCW_BENCH] [--json FILE]

OURS.json is what `lcw-bench --json` wrote in the same run on the same machine.
Needs torch (`pip install torch`). The path's peer is one point times 61: PyTorch
has no other way, and 61 passes would only take longer to say the same. With
--bench, lcw-bench fits NumPy's problem too, and the two results are compared.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def timed(body, runs):
    body()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        body()
        seconds.append(time.perf_counter() - start)
    return seconds


def network(torch):
    return torch.nn.Sequential(
        torch.nn.Linear(3072, 2000), torch.nn.ReLU(), torch.nn.Linear(2000, 10)
    )


def training_step(torch):
    model = network(torch)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4)
    loss = torch.nn.CrossEntropyLoss()
    inputs = torch.randn(128, 3072)
    labels = torch.arange(128) % 10

    def steps():
        for _ in range(20):
            optimiser.zero_grad()
            loss(model(inputs), labels).backward()
            optimiser.step()

    return timed(steps, 5)


def evaluation(torch, count, runs):
    model = network(torch)
    inputs = torch.randn(count, 3072)
    labels = torch.arange(count) % 10

    def passes():
        total, correct = 0.0, 0
        with torch.no_grad():
            for start in range(0, count, 1000):
                logits = model(inputs[start : start + 1000])
                target = labels[start : start + 1000]
                total += torch.nn.functional.cross_entropy(logits, target, reduction="sum").item()
                correct += (logits.argmax(1) == target).sum().item()
        return total, correct

    return timed(passes, runs)


def adjustment(bench):
    """NumPy's pseudo-inverse of 50,000 samples of 2000 features, once: it takes half a minute."""
    import numpy

    random = numpy.random.default_rng(1)
    features = numpy.maximum(random.standard_normal((50000, 2000), dtype=numpy.float32), 0)
    targets = random.standard_normal((50000, 10), dtype=numpy.float32)
    start = time.perf_counter()
    mean, target_mean = features.mean(0), targets.mean(0)
    centred = features - mean
    weights = numpy.linalg.pinv(centred) @ (targets - target_mean)
    seconds = time.perf_counter() - start
    if bench:
        with tempfile.TemporaryDirectory() as folder:
            features.tofile(os.path.join(folder, "features.f32"))
            targets.tofile(os.path.join(folder, "targets.f32"))
            subprocess.run([bench, "--solve-adjustment", folder], check=True)
            ours = numpy.fromfile(os.path.join(folder, "fitted.f32"), numpy.float32)
        theirs = centred @ weights + target_mean
        difference = numpy.linalg.norm(ours.reshape(theirs.shape) - theirs)
        print(f"weight adjustment and pinv: the fitted outputs differ by "
              f"{difference / numpy.linalg.norm(theirs):.1e} of their norm (limit 1e-4)")
    return [seconds]


def vgg16(torch):
    nn, layers, channels = torch.nn, [], 3
    for stage in [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]:
        for filters in stage:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for _ in range(2):
        layers += [nn.Dropout(), nn.Linear(512, 512), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(512, 10))


def conv2fc1(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Flatten(), nn.Linear(3136, 10),
    )


def resnet20(torch):
    """ResNet20 for images of CIFAR (He et al. 2016), with projections as shortcuts."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, before, filters, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(before, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters),
                nn.ReLU(inplace=True), nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
                nn.BatchNorm2d(filters))
            self.shortcut = nn.Sequential() if before == filters else nn.Sequential(
                nn.Conv2d(before, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

        def forward(self, x):
            return torch.relu(self.body(x) + self.shortcut(x))

    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    before = 16
    for stage, filters in enumerate([16, 32, 64]):
        for block in range(3):
            layers.append(Block(before, filters, 2 if stage > 0 and block == 0 else 1))
            before = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def convolutional_work(torch, model):
    """A training step and an evaluation on a batch of 128 images."""
    optimiser = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4)
    loss = torch.nn.CrossEntropyLoss()
    inputs = torch.randn(128, 3, 32, 32)
    labels = torch.arange(128) % 10

    def step():
        model.train()
        optimiser.zero_grad()
        loss(model(inputs), labels).backward()
        optimiser.step()

    def passes():
        model.eval()
        with torch.no_grad():
            logits = model(inputs)
            return loss(logits, labels).item(), (logits.argmax(1) == labels).sum().item()

    return step, passes


def convolutional(torch, model):
    """Seconds of a training step and of evaluation on a batch of 128 images."""
    step, passes = convolutional_work(torch, model)
    return timed(step, 5), timed(passes, 5)


def main():
    try:
        import torch
    except ImportError:
        sys.exit("peers.py: PyTorch is not installed; the peers are not measured")
    ours = {row["name"]: row for row in json.load(open(sys.argv[1]))}
    point = evaluation(torch, 60000, 3)
    vgg_step, vgg_evaluation = convolutional(torch, vgg16(torch))
    small_step, small_evaluation = convolutional(torch, conv2fc1(torch))
    residual_step, residual_evaluation = convolutional(torch, resnet20(torch))
    peers = {
        "training step": training_step(torch),
        "evaluating inputs": evaluation(torch, 50000, 3),
        "linear path": [61 * seconds for seconds in point],
        "arc path": [61 * seconds for seconds in point],
        "one point of a path": point,
        "vgg16 training step": vgg_step,
        "vgg16 evaluation": vgg_evaluation,
        "conv2fc1 training step": small_step,
        "conv2fc1 evaluation": small_evaluation,
        "resnet training step": residual_step,
        "resnet evaluation": residual_evaluation,
    }
    if "weight adjustment" in ours:
        bench = sys.argv[sys.argv.index("--bench") + 1] if "--bench" in sys.argv else None
        peers["weight adjustment"] = adjustment(bench)
    targets = {
        "training step": 1.8,
        "evaluating inputs": 2.0,
        "linear path": 20.0,
        "arc path": 20.0,
        "weight adjustment": 25.0,
        "vgg16 training step": 1.2,
        "vgg16 evaluation": 1.3,
        "resnet training step": 1.0,
        "resnet evaluation": 1.0,
    }
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'work':24}{'lcw s':>10}{'peer s':>12}{'ratio':>8}{'target':>8}{'peak MB':>10}")
    rows = []
    for name, seconds in peers.items():
        if name not in ours:
            continue
        mine = statistics.median(ours[name]["seconds"])
        peer = statistics.median(seconds)
        target = targets.get(name)
        rows.append({"name": name, "lcw": mine, "torch": peer, "ratio": peer / mine,
                     "target": target, "peakGrowthMB": ours[name]["peakGrowthMB"]})
        goal = f"{target:.1f}" if target else ""
        print(f"{name:24}{mine:10.3f}{peer:12.3f}{peer / mine:8.2f}{goal:>8}"
              f"{ours[name]['peakGrowthMB']:10.0f}")
    if "--json" in sys.argv:
        with open(sys.argv[sys.argv.index("--json") + 1], "w") as file:
            json.dump(rows, file, indent=2)


if __name__ == "__main__":
    main()
