# SPDX-License-Identifier: Apache-2.0
"""Writes what PyTorch makes of random images: Tests/LCWNetworksTests/Fixtures/convolution.json.

usage: convolution_fixtures.py FILE

Each case has its layer, its input, its parameters, the output, a gradient of the output, and the
gradients of input and parameters for it. Needs torch. What is given are multiples of 1/16, which
short texts tell exactly; results are rounded to seven digits.
"""

import json
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


def main():
    torch.manual_seed(1)
    cases = [convolution(*row) for row in CONVOLUTIONS] + [pool(*row) for row in POOLS]
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
