# SPDX-License-Identifier: Apache-2.0
"""Accuracies and seconds of REPAIR and RESET on a path: lcw beside a PyTorch rendering of the published
formulas (Jordan, Sedghi, Saukh, Entezari and Neyshabur, ICLR 2023).

usage: peers_repair.py LCW DATA A.lcw B.lcw [--points N] [--samples N] [--batch N] [--json FILE]

LCW is the program; DATA is the folder that holds mnist/ with its idx files, or cifar-10-batches-bin/; A and B
are two networks that units have been matched of already. With dense layers and ReLUs (MNIST) the peer puts a
normalisation behind each hidden layer whose scale and shift are the deviation and the mean that the two
networks' have between them, and sets its moments by a pass over the training samples in training mode. With
batch normalisation (resnet:depth=20 on CIFAR-10) it sets the running statistics so, as the authors' code does:
each batch of N (--batch) samples is normalised by its own moments, whose mean over all batches is kept. lcw
measures all samples together. Needs numpy, torch and safetensors.
"""

import argparse
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional


def idx(folder, name):
    for path, opener in ((f"{folder}/{name}", open), (f"{folder}/{name}.gz", gzip.open)):
        if os.path.exists(path):
            with opener(path, "rb") as file:
                data = file.read()
            rank = data[3]
            return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * rank)
    sys.exit(f"no {name} in {folder}")


def mnist(folder):
    def part(prefix):
        x = idx(folder, f"{prefix}-images-idx3-ubyte").reshape(-1, 784).astype(numpy.float32) / 255
        y = idx(folder, f"{prefix}-labels-idx1-ubyte").astype(numpy.int64)
        return torch.from_numpy(x), torch.from_numpy(y)

    return part("train"), part("t10k")


def cifar(folder):
    def part(names):
        raw = numpy.concatenate(
            [numpy.fromfile(f"{folder}/{name}.bin", numpy.uint8).reshape(-1, 3073) for name in names])
        x = raw[:, 1:].reshape(-1, 3, 32, 32).astype(numpy.float32) / 255
        return x, torch.from_numpy(raw[:, 0].astype(numpy.int64))

    (x, y), (u, v) = part([f"data_batch_{i}" for i in range(1, 6)]), part(["test_batch"])
    # As lcw's data set prepares them unless it is told otherwise.
    mean, deviation = numpy.array([0.485, 0.456, 0.406]), numpy.array([0.229, 0.224, 0.225])
    scale = lambda z: torch.from_numpy(
        ((z - mean[:, None, None]) / deviation[:, None, None]).astype(numpy.float32))
    return (scale(x), y), (scale(u), v)


class Block(nn.Module):
    """A residual block; where the number of channels changes, its shortcut is a convolution of 1x1."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + self.shortcut(x))


class ResNet20(nn.Module):
    """As lcw's resnet:depth=20,shortcut=projection."""

    def __init__(self, width=16, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage in range(3):
            blocks = []
            for block in range(3):
                outputs = width << stage
                blocks.append(Block(channels, outputs, 2 if stage > 0 and block == 0 else 1))
                channels = outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


NAMES = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}


def resnet20(tensors):
    model = ResNet20(tensors["conv1.weight"].shape[0])
    state = {}
    for name, tensor in tensors.items():
        module, _, part = name.rpartition(".")
        state[f"{module}.{NAMES.get(part, part)}"] = tensor
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("num_batches" in name for name in missing), (missing, unexpected)
    return model


def ordered(tensors):
    """Weights and biases of dense layers, the first layer's first."""
    number = lambda name: int("".join(c for c in name.split(".")[0] if c.isdigit()))
    return [tensors[n] for n in sorted(tensors, key=lambda n: (number(n), n.endswith("bias")))]


def mlp(tensors):
    layers = []
    for weight, _ in zip(tensors[::2], tensors[1::2]):
        layers += [nn.Linear(weight.shape[1], weight.shape[0]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def load(lcw, file, folder):
    """The network's tensors by their names."""
    out = f"{folder}/{len(os.listdir(folder))}.safetensors"
    subprocess.run([lcw, "convert", file, out], check=True, stdout=subprocess.DEVNULL)
    return load_file(out)


def assign(model, tensors):
    own = [p for name, p in model.state_dict().items() if not name.endswith("num_batches_tracked")]
    assert len(own) == len(tensors), (len(own), len(tensors))
    with torch.no_grad():
        for place, tensor in zip(own, tensors):
            assert place.shape == tensor.shape, (place.shape, tensor.shape)
            place.copy_(tensor)
    return model


def measure(model, x, batch):
    """Running statistics by a pass in training mode: the mean over all batches."""
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    with torch.no_grad():
        for start in range(0, len(x), batch):
            model(x[start : start + batch])
    model.eval()


def tracked(tensors):
    """The network with a normalisation behind each hidden layer."""
    plain = assign(mlp(tensors), tensors)
    layers = []
    for layer in plain:
        layers.append(layer)
        if isinstance(layer, nn.Linear) and layer is not plain[-1]:
            layers.append(nn.BatchNorm1d(layer.out_features))
    return nn.Sequential(*layers)


def repaired(a, b, t, x, batch):
    ends = []
    for tensors in (a, b):
        model = tracked(tensors)
        # Each hidden layer's outputs, measured with nothing corrected before it.
        moments, value = [], x
        with torch.no_grad():
            for layer in model:
                if isinstance(layer, nn.BatchNorm1d):
                    moments.append((value.mean(0), value.std(0)))
                else:
                    value = layer(value)
        ends.append(moments)
    model = tracked([(1 - t) * p + t * q for p, q in zip(a, b)])
    norms = [m for m in model if isinstance(m, nn.BatchNorm1d)]
    with torch.no_grad():
        for norm, (m, s), (n, r) in zip(norms, *ends):
            norm.weight.copy_((1 - t) * s + t * r)
            norm.bias.copy_((1 - t) * m + t * n)
    measure(model, x, batch)
    return model


def accuracy(model, x, y, batch=1000):
    model.eval()
    with torch.no_grad():
        right = sum(
            (model(x[start : start + batch]).argmax(1) == y[start : start + batch]).sum().item()
            for start in range(0, len(x), batch))
    return 100 * right / len(x)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lcw")
    parser.add_argument("data")
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--points", type=int, default=5)
    parser.add_argument("--samples", type=int, default=0, help="to measure with; all by default")
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("THREADS", "1")))
    with tempfile.TemporaryDirectory() as folder:
        a, b = (load(options.lcw, file, folder) for file in (options.first, options.second))
    convolves = any(tensor.ndim == 4 for tensor in a.values())
    if not convolves:
        a, b = ordered(a), ordered(b)
    if convolves:
        train, test = cifar(f"{options.data}/cifar-10-batches-bin")
    else:
        train, test = mnist(f"{options.data}/mnist")
    count = options.samples or len(train[0])
    x = train[0][torch.arange(count) * len(train[0]) // count]
    times = [index / (options.points - 1) for index in range(options.points)]
    rows, start = {t: {} for t in times}, time.perf_counter()
    for t in times:
        if convolves:
            plain = resnet20({name: (1 - t) * a[name] + t * b[name] for name in a})
        else:
            middle = [(1 - t) * p + t * q for p, q in zip(a, b)]
            plain = assign(mlp(middle), middle)
        rows[t]["linear, PyTorch"] = accuracy(plain, *test)
        if convolves:
            measure(plain, x, options.batch)
            model = plain
        else:
            model = repaired(a, b, t, x, options.batch)
        rows[t]["corrected, PyTorch"] = accuracy(model, *test)
    seconds = {"PyTorch": time.perf_counter() - start}
    modifier = "reset" if convolves else "repair"
    start = time.perf_counter()
    text = subprocess.run(
        [options.lcw, "connect", options.first, options.second, "-m", "linear", "-m",
         f"linear+{modifier}:samples={count}", "--points", str(options.points), "--no-refine",
         "--format", "csv", "--data", options.data, "--threads",
         os.environ.get("THREADS", "1"), "--quiet"],
        check=True, capture_output=True, text=True).stdout
    seconds["lcw, reading and training samples' losses included"] = time.perf_counter() - start
    for row in csv.DictReader(io.StringIO(text)):
        name = "corrected" if "+" in row["path"] else "linear"
        t = min(times, key=lambda known: abs(known - float(row["t"])))
        rows[t][f"{name}, lcw"] = 100 * float(row["test_accuracy"])
    names = ["linear, lcw", "linear, PyTorch", "corrected, lcw", "corrected, PyTorch"]
    print("| t | " + " | ".join(names) + " |")
    print("| --- |" + " --- |" * len(names))
    for t in times:
        print(f"| {t:.2f} | " + " | ".join(f"{rows[t].get(name, float('nan')):.2f}" for name in names) + " |")
    print(json.dumps(seconds))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"points": rows, "seconds": seconds}, file, indent=1)


main()
