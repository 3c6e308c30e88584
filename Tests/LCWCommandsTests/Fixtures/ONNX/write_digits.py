# SPDX-License-Identifier: Apache-2.0
"""Trains two small residual networks on the digits that lcw embeds, and writes them as torch.onnx.export does.

Wants torch, onnx and scikit-learn. digits-1.onnx and digits-2.onnx keep their batch normalisations, digits-1-open.onnx leaves height
and width open, and unsupported.onnx has two nodes that no network of lcw's has. digits.json has PyTorch's accuracies and losses on the test samples.
"""
import json
import warnings

import onnx
import torch
from onnx import TensorProto, helper
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv3, self.bn3 = nn.Conv2d(8, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12)
        self.fc = nn.Linear(12 * 16, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(x + self.bn2(self.conv2(x)))
        return self.fc(torch.flatten(F.relu(self.bn3(self.conv3(x))), 1))


def main():
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    labels = torch.tensor(digits.target)
    results = {}
    for seed in [1, 2]:
        torch.manual_seed(seed)
        model = Net()
        optimiser = torch.optim.Adam(model.parameters(), 3e-3)
        for _ in range(8):
            for rows in torch.randperm(1437).split(32):
                optimiser.zero_grad()
                F.cross_entropy(model(images[rows]), labels[rows]).backward()
                optimiser.step()
        model.eval()
        with torch.no_grad():
            output = model(images[1437:])
        results[f"digits-{seed}"] = {
            "accuracy": (output.argmax(1) == labels[1437:]).double().mean().item(),
            "loss": F.cross_entropy(output.double(), labels[1437:]).item()}
        usual = dict(
            dynamo=False, input_names=["input"], opset_version=17, training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False)
        torch.onnx.export(
            model, (images[:2],), f"digits-{seed}.onnx", dynamic_axes={"input": {0: "batch"}}, **usual)
        if seed == 1:
            torch.onnx.export(
                model, (images[:2],), "digits-1-open.onnx", dynamic_axes={"input": {0: "batch", 2: "height", 3: "width"}}, **usual)
    with open("digits.json", "w") as file:
        json.dump(results, file, indent=2)
    graph = helper.make_graph(
        [
            helper.make_node("Det", ["x"], ["a"], name="first"), helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Einsum", ["b"], ["y"], name="second", equation="ij->ij")],
        "unsupported", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "unsupported.onnx")
    print(results)


if __name__ == "__main__":
    main()
