# SPDX-License-Identifier: Apache-2.0
"""Writes small networks that are no chains, and what PyTorch makes of input and labels with them.

usage: write_graphs.py [FOLDER]          (default: the folder of this script; needs torch, safetensors)

NAME.safetensors is the state dictionary of a module, NAME-expected.safetensors has input and results, and
graphs.json the same networks as nodes in topological order, with the parameters' names in the state dictionary.
The README beside this script says more.
"""

import json
import pathlib
import sys
import zlib

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import nn

SAMPLES = 4


class Branches(nn.Module):
    """A value with four readers; branches side by side, one with groups, an addition around them, and two ways down."""

    sample = [3, 7, 6]
    classes = 4
    nodes = [
        ("stem", "conv 6 3x3 pad 1 no-bias", ["input"]),
        ("norm", "batchnorm", ["stem"]),
        ("trunk", "relu", ["norm"]),
        ("near", "conv 4 1x1", ["trunk"]),
        ("wide", "conv 4 3x3 pad 1 groups 2", ["trunk"]),
        ("far", "conv 2 3x3 pad 2 dilation 2 no-bias", ["trunk"]),
        ("beside", "concat", ["near", "wide", "far"]),
        ("bent", "leaky-relu 0.01", ["beside"]),
        ("back", "conv 6 1x1 no-bias", ["bent"]),
        ("sum", "add", ["trunk", "back"]),
        ("small", "maxpool 3 stride 2 pad 1", ["sum"]),
        ("mixed", "conv 3 3x3 stride 2 pad 1", ["sum"]),
        ("joined", "concat", ["small", "mixed"]),
        ("mean", "global-avgpool", ["joined"]),
        ("head", "dense 4", ["mean"]),
    ]

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.near = nn.Conv2d(6, 4, 1)
        self.wide = nn.Conv2d(6, 4, 3, padding=1, groups=2)
        self.far = nn.Conv2d(6, 2, 3, padding=2, dilation=2, bias=False)
        self.back = nn.Conv2d(10, 6, 1, bias=False)
        self.mixed = nn.Conv2d(6, 3, 3, stride=2, padding=1)
        self.head = nn.Linear(9, 4)

    def forward(self, x):
        trunk = F.relu(self.norm(self.stem(x)))
        beside = torch.cat([self.near(trunk), self.wide(trunk), self.far(trunk)], 1)
        total = trunk + self.back(F.leaky_relu(beside, 0.01))
        joined = torch.cat([F.max_pool2d(total, 3, 2, 1), self.mixed(total)], 1)
        return self.head(joined.mean((2, 3)))


class Excitation(nn.Module):
    """An inverted bottleneck with depthwise convolution, squeeze and excitation, and two norms without moments."""

    sample = [2, 6, 6]
    classes = 3
    nodes = [
        ("stem", "conv 4 3x3 stride 2 pad 0x0x1x1", ["input"]),
        ("group", "groupnorm 2", ["stem"]),
        ("trunk", "silu", ["group"]),
        ("expand", "conv 8 1x1 no-bias", ["trunk"]),
        ("norm1", "batchnorm epsilon 0.001 momentum 0.01", ["expand"]),
        ("clipped", "clip 0 6", ["norm1"]),
        ("depthwise", "conv 8 3x3 pad 1 groups 8 no-bias", ["clipped"]),
        ("norm2", "batchnorm epsilon 0.001 momentum 0.01", ["depthwise"]),
        ("hidden", "hard-swish", ["norm2"]),
        ("squeeze", "global-avgpool", ["hidden"]),
        ("reduce", "dense 2", ["squeeze"]),
        ("reduced", "relu", ["reduce"]),
        ("excite", "dense 8", ["reduced"]),
        ("gate", "sigmoid", ["excite"]),
        ("gates", "reshape 8x1x1", ["gate"]),
        ("gated", "multiply", ["hidden", "gates"]),
        ("project", "conv 4 1x1 no-bias", ["gated"]),
        ("gain", "scalar", ["project"]),
        ("sum", "add", ["trunk", "gain"]),
        ("layer", "layernorm channels", ["sum"]),
        ("one", "adaptive-avgpool", ["layer"]),
        ("flat", "flatten", ["one"]),
        ("head", "dense 3", ["flat"]),
    ]

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, stride=2)
        self.group = nn.GroupNorm(2, 4)
        self.expand = nn.Conv2d(4, 8, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(8, eps=0.001, momentum=0.01)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.norm2 = nn.BatchNorm2d(8, eps=0.001, momentum=0.01)
        self.reduce = nn.Linear(8, 2)
        self.excite = nn.Linear(2, 8)
        self.project = nn.Conv2d(8, 4, 1, bias=False)
        self.gain = nn.Parameter(torch.ones(1))
        self.layer = nn.LayerNorm(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        trunk = F.silu(self.group(self.stem(F.pad(x, (0, 1, 0, 1)))))
        hidden = self.depthwise(F.relu6(self.norm1(self.expand(trunk))))
        hidden = F.hardswish(self.norm2(hidden))
        gate = torch.sigmoid(self.excite(F.relu(self.reduce(hidden.mean((2, 3))))))
        total = trunk + self.gain * self.project(hidden * gate[:, :, None, None])
        total = self.layer(total.movedim(1, -1)).movedim(-1, 1)
        return self.head(F.adaptive_avg_pool2d(total, 1).flatten(1))


class Vectors(nn.Module):
    """Vectors only: two residual blocks with layer normalisation, the input read three times."""

    sample = [5]
    classes = 3
    nodes = [
        ("embed", "dense 8", ["input"]),
        ("layer1", "layernorm", ["embed"]),
        ("up", "dense 12", ["layer1"]),
        ("bent", "gelu", ["up"]),
        ("down", "dense 8 no-bias", ["bent"]),
        ("sum1", "add", ["embed", "down"]),
        ("layer2", "layernorm epsilon 1e-6", ["sum1"]),
        ("side", "dense 8", ["input"]),
        ("sum2", "add", ["layer2", "sum1", "side"]),
        ("scaled", "affine", ["sum2"]),
        ("all", "concat", ["scaled", "input"]),
        ("norm", "batchnorm", ["all"]),
        ("curved", "elu", ["norm"]),
        ("head", "dense 3", ["curved"]),
    ]

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(5, 8)
        self.layer1 = nn.LayerNorm(8)
        self.up = nn.Linear(8, 12)
        self.down = nn.Linear(12, 8, bias=False)
        self.layer2 = nn.LayerNorm(8, eps=1e-6)
        self.side = nn.Linear(5, 8)
        self.scaled = nn.Module()
        self.scaled.weight = nn.Parameter(torch.ones(8))
        self.scaled.bias = nn.Parameter(torch.zeros(8))
        self.norm = nn.BatchNorm1d(13)
        self.head = nn.Linear(13, 3)

    def forward(self, x):
        embedded = self.embed(x)
        first = embedded + self.down(F.gelu(self.up(self.layer1(embedded))))
        second = self.layer2(first) + first + self.side(x)
        scaled = second * self.scaled.weight + self.scaled.bias
        return self.head(F.elu(self.norm(torch.cat([scaled, x], 1))))


GRAPHS = {"branches": Branches, "excitation": Excitation, "vectors": Vectors}

# The words of the state dictionary in lcw's.
ROLES = {"running_mean": "mean", "running_var": "variance"}
NORM_ROLES = {"weight": "scale", "bias": "shift"}


def parameters(nodes, state):
    """For each parameter, node and role, its name in the state dictionary."""
    names = {}
    for name in state:
        node, _, part = name.partition(".")
        operation = next(text for n, text, _ in nodes if n == node)
        if part == "num_batches_tracked":
            continue
        role = ROLES.get(part, part) or "factor"
        if "norm" in operation or operation == "affine":
            role = NORM_ROLES.get(role, role)
        names[f"{node}.{role}"] = name
    return names


@torch.no_grad()
def randomise(model, random):
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        values = torch.randn(tensor.shape, generator=random)
        last = name.rpartition(".")[2]
        if last == "running_var":
            tensor.copy_(0.5 + values.abs())
        elif tensor.ndim > 1:
            tensor.copy_(values * (1.5 / tensor[0].numel()) ** 0.5)
        elif last == "weight":
            tensor.copy_(1 + 0.3 * values)
        else:
            tensor.copy_(0.3 * values)
    return model


def write(folder, name):
    kind = GRAPHS[name]
    random = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    state = {key: tensor.clone() for key, tensor in randomise(kind(), random).state_dict().items()}
    x = torch.randn(SAMPLES, *kind.sample, generator=random)
    labels = torch.arange(SAMPLES) % kind.classes
    # In double precision, from what the files have in single precision.
    model = kind().double()
    model.load_state_dict(state)
    with torch.no_grad():
        logits = model.eval()(x.double())
    x = x.double().requires_grad_()
    output = model.train()(x)
    loss = F.cross_entropy(output, labels)
    loss.backward()
    results = {"input": x.detach(), "logits": logits, "trainingLogits": output.detach(),
               "loss": loss.detach().reshape(1), "inputGradient": x.grad}
    results |= {f"gradient.{key}": tensor.grad for key, tensor in model.named_parameters()}
    results |= {f"after.{key}": tensor for key, tensor in model.state_dict().items()
                if "running_" in key}
    results = {key: tensor.float().contiguous() for key, tensor in results.items()}
    (folder / f"{name}.safetensors").write_bytes(save(state))
    (folder / f"{name}-expected.safetensors").write_bytes(save(results))
    return {
        "torch": torch.__version__, "sample": kind.sample, "classes": kind.classes,
        "labels": labels.tolist(),
        "nodes": [{"name": n, "operation": text, "inputs": inputs}
                  for n, text, inputs in kind.nodes],
        "parameters": parameters(kind.nodes, state),
    }


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
    folder = folder if folder.is_dir() else folder.parent
    torch.set_num_threads(1)
    entries = {name: write(folder, name) for name in GRAPHS}
    lines = []
    for name, entry in entries.items():
        fields = ",\n".join(f" {json.dumps(key)}: {listed(value)}" for key, value in entry.items())
        lines.append(f"{json.dumps(name)}: {{\n{fields}\n}}")
    (folder / "graphs.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def listed(value):
    """JSON with a node a line."""
    if isinstance(value, list) and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"  {json.dumps(node)}" for node in value) + "\n ]"
    return json.dumps(value)


if __name__ == "__main__":
    main()
