# SPDX-License-Identifier: Apache-2.0
"""Writes small networks as torch.onnx.export does in both of its ways, and what PyTorch makes of three samples.

Wants torch, safetensors, onnx and onnxscript. NAME.safetensors has `input` and `output`; NAME-WAY.onnx is the
network by `dynamo=False` (script), the same with batch normalisations kept (kept), or by `dynamo=True` (dynamo).
"""
import sys
import warnings

import onnx
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


class Block(nn.Module):
    """A residual block, with a projection or the shortcut without parameters where the width changes."""

    def __init__(self, inputs, outputs, stride, padded=False):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.padded = padded
        self.downsample = None
        if inputs != outputs and not padded:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.downsample is not None:
            x = self.downsample(x)
        elif self.padded:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
        return F.relu(y + x)


class Residual(nn.Module):
    def __init__(self, padded=False):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = Block(4, 4, 1)
        self.layer2 = Block(4, 8, 2, padded)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.bn(self.conv(x))))
        x = F.adaptive_avg_pool2d(self.layer2(self.layer1(x)), 1)
        return self.fc(torch.flatten(x, 1))


class Mobile(nn.Module):
    """Depthwise convolutions, ReLU6, SiLU, and squeeze and excitation."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.deep = nn.Sequential(
            nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8, eps=1e-3, momentum=0.01), nn.SiLU())
        self.down, self.up = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
        self.last = nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 10))

    def forward(self, x):
        x = self.stem(x)
        y = self.deep(x)
        y = y * torch.sigmoid(self.up(F.silu(self.down(y.mean((2, 3), keepdim=True)))))
        y = F.hardswish(x + self.last(y))
        return self.head(y.mean([2, 3]))


class Norms(nn.Module):
    """Every normalisation, a block of ConvNeXt, and activations."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.group, self.instance = nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True)
        self.whole = nn.LayerNorm([8, 6, 5])
        self.depth = nn.Conv2d(8, 8, 3, padding="same", groups=8)
        self.norm = nn.LayerNorm(8, eps=1e-6)
        self.wide, self.narrow = nn.Linear(8, 16), nn.Linear(16, 8)
        self.scale = nn.Parameter(torch.randn(8, 1, 1))
        self.last = nn.LayerNorm(8)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        x = F.gelu(self.conv(x))
        x = self.instance(F.leaky_relu(self.group(x), 0.1))
        x = F.elu(self.whole(x))
        y = self.depth(x).permute(0, 2, 3, 1)
        y = self.narrow(F.gelu(self.wide(self.norm(y)), approximate="tanh")).permute(0, 3, 1, 2)
        x = x + self.scale * y
        x = torch.sigmoid(F.hardsigmoid(x) * 2.0 + torch.tanh(x))
        return self.head(self.last(x.mean([2, 3])))


class Join(nn.Module):
    """Concatenation, poolings, paddings and dilation."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, (3, 2), (2, 1), (1, 0))
        self.bn = nn.BatchNorm2d(7)
        self.b = nn.Conv2d(7, 6, 3, padding=2, dilation=2, bias=False)
        self.c = nn.Linear(12, 10, bias=False)

    def forward(self, x):
        y = F.relu(self.a(F.pad(x, (1, 0, 0, 0))))
        x = torch.cat([F.avg_pool2d(x, (2, 1), ceil_mode=True), y], 1)
        x = F.relu(self.b(F.relu(self.bn(x))))
        x = F.max_pool2d(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), 3, 2, 1)
        x = x[:, :, ::2, ::2]
        return F.log_softmax(self.c(x.reshape(x.size(0), -1)), 1)


def networks():
    yield "dense", nn.Sequential(
        nn.Flatten(), nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 5, bias=False), nn.Softmax(1)), (3, 2, 2)
    yield "residual", Residual(), (3, 16, 16)
    yield "residual-padded", Residual(padded=True), (3, 16, 16)
    yield "mobile", Mobile(), (3, 12, 12)
    yield "norms", Norms(), (3, 12, 10)
    yield "join", Join(), (3, 8, 8)


def main():
    for number, (name, network, shape) in enumerate(networks()):
        torch.manual_seed(number)
        with torch.no_grad():
            for key, value in list(network.named_parameters()) + list(network.named_buffers()):
                if value.dim() == 1:
                    value.uniform_(0.5, 1.5) if "weight" in key or "var" in key else value.normal_(0, 0.3)
                elif value.dim() > 1:
                    value.normal_(0, 1.5 / (value[0].numel() ** 0.5))
        network.eval()
        x = torch.randn(3, *shape)
        with torch.no_grad():
            save_file({"input": x, "output": network(x).contiguous()}, f"{name}.safetensors")
        ways = {
            "script": dict(dynamo=False, dynamic_axes={"input": {0: "batch"}}, input_names=["input"], opset_version=17),
            "kept": dict(
                dynamo=False, dynamic_axes={"input": {0: "batch"}}, input_names=["input"], opset_version=13,
                training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False),
            "dynamo": dict(dynamo=True, external_data=False, verbose=False),
            "plain": dict(dynamo=True, external_data=False, verbose=False, optimize=False),
        }
        for way, options in ways.items():
            if len(sys.argv) > 1 and way not in sys.argv[1:]:
                continue
            file = f"{name}-{way}.onnx"
            torch.onnx.export(network, (x,), file, **options)
            model = onnx.load(file)
            # What is not the model: where PyTorch was, and comments.
            for node in model.graph.node:
                del node.metadata_props[:]
                node.doc_string = ""
            for value in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output):
                del value.metadata_props[:]
            del model.graph.value_info[:]
            del model.metadata_props[:]
            del model.graph.metadata_props[:]
            onnx.save(model, file)
            print(file, len(model.graph.node), flush=True)


if __name__ == "__main__":
    main()
