# SPDX-License-Identifier: Apache-2.0
"""Writes what PyTorch makes of random images: convolution.json and normalisation.json.

usage: convolution_fixtures.py Tests/LCWNetworksTests/Fixtures

Each case has its layer, its input, its parameters, the output, a gradient of the output, and the
gradients of input and parameters for it; a batch normalisation also its running statistics after that
step, and its output by those it began with. Needs torch. What is given are multiples of 1/16, which
short texts tell exactly; results are rounded to seven digits.
"""

import json
import pathlib
import sys

import torch
from torch.nn import functional as F

CONVOLUTIONS = [
    # samples, channels, height, width, filters, kernel, stride, padding, bias
    (2, 3, 6, 5, 4, (3, 3), 1, 1, True),
    (2, 2, 7, 7, 3, (5, 5), 1, 2, True),
    (2, 2, 8, 7, 3, (3, 3), 2, 1, False),
    (2, 3, 5, 6, 4, (1, 1), 1, 0, True),
    (1, 2, 9, 6, 2, (2, 4), 3, 0, True),
    (2, 2, 3, 3, 2, (5, 5), 2, 2, True),
    (3, 4, 4, 4, 6, (3, 3), 1, 1, True),
    (2, 3, 9, 10, 4, (3, 3), 1, 1, True),
]
POOLS = [
    # kind, samples, channels, height, width, size, stride, padding
    ("maxpool", 2, 2, 7, 7, 3, 2, 0),
    ("maxpool", 2, 2, 8, 6, 2, 2, 0),
    ("maxpool", 2, 2, 7, 8, 3, 1, 1),
    ("maxpool", 1, 2, 9, 9, 4, 3, 2),
    ("avgpool", 2, 2, 7, 7, 3, 2, 0),
    ("avgpool", 2, 2, 8, 6, 2, 2, 0),
    ("avgpool", 2, 2, 7, 8, 3, 1, 1),
    ("avgpool", 1, 2, 9, 9, 4, 3, 2),
]
NORMALISATIONS = [
    # samples and the shape of one
    (5, 3, 4, 3), (2, 4, 1, 1), (7, 6), (3, 2, 9, 7),
]


def flat(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def given(*shape):
    return (torch.randn(*shape) * 16).round() / 16


def convolution(samples, channels, height, width, filters, kernel, stride, padding, bias):
    x = given(samples, channels, height, width).requires_grad_()
    w = given(filters, channels, *kernel).requires_grad_()
    b = given(filters).requires_grad_() if bias else None
    y = F.conv2d(x, w, b, stride=stride, padding=padding)
    g = given(*y.shape)
    y.backward(g)
    case = {
        "kind": "conv", "samples": samples, "image": [channels, height, width],
        "filters": filters, "kernel": list(kernel), "stride": stride, "padding": padding,
        "input": flat(x), "weight": flat(w), "output": flat(y), "gradient": flat(g),
        "inputGradient": flat(x.grad), "weightGradient": flat(w.grad),
    }
    if bias:
        case |= {"bias": flat(b), "biasGradient": flat(b.grad)}
    return case


def pool(kind, samples, channels, height, width, size, stride, padding):
    # Few distinct values, so that windows have several largest ones.
    x = torch.randint(-3, 4, (samples, channels, height, width)).float().requires_grad_()
    function = F.max_pool2d if kind == "maxpool" else F.avg_pool2d
    y = function(x, size, stride=stride, padding=padding)
    g = given(*y.shape)
    y.backward(g)
    return {
        "kind": kind, "samples": samples, "image": [channels, height, width],
        "kernel": [size, size], "stride": stride, "padding": padding, "input": flat(x),
        "output": flat(y), "gradient": flat(g), "inputGradient": flat(x.grad),
    }


def normalisation(samples, channels, *positions):
    x = (given(samples, channels, *positions) + 4).requires_grad_()
    w = given(channels).requires_grad_()
    b = given(channels).requires_grad_()
    mean, variance = given(channels), given(channels).abs() + 1
    case = {
        "kind": "batchnorm", "samples": samples, "image": [channels, *positions], "input": flat(x),
        "weight": flat(w), "bias": flat(b), "mean": flat(mean), "variance": flat(variance),
        "evaluation": flat(F.batch_norm(x, mean, variance, w, b, training=False)),
    }
    # Changes the running statistics in place.
    y = F.batch_norm(x, mean, variance, w, b, training=True)
    g = given(*y.shape)
    y.backward(g)
    return case | {
        "output": flat(y), "gradient": flat(g), "inputGradient": flat(x.grad),
        "weightGradient": flat(w.grad), "biasGradient": flat(b.grad), "meanAfter": flat(mean),
        "varianceAfter": flat(variance),
    }


def write(file, cases):
    lines = (json.dumps(case, separators=(",", ":")) for case in cases)
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(1)
    cases = [convolution(*row) for row in CONVOLUTIONS] + [pool(*row) for row in POOLS]
    write(folder / "convolution.json", cases)
    write(folder / "normalisation.json", [normalisation(*row) for row in NORMALISATIONS])


if __name__ == "__main__":
    main()
