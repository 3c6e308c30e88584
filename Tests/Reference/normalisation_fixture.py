#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small network of MNIST trained with the usual mean and deviation, and PyTorch's figures of it.

usage: python3 Tests/Reference/normalisation_fixture.py DATA     (needs torch, numpy, safetensors)

DATA has mnist/train-images-idx3-ubyte.gz and its siblings. Writes, into Tests/LCWCommandsTests/Fixtures,
mnist_normalised.safetensors (784-20-20-10) and mnist_normalised.json: how many of the 10,000 test images the
network classifies right, and its mean cross-entropy, with its own normalisation, with pixels from 0 to 1, with
the plain mean subtracted, and standardised by the training images' moments of each pixel.
"""
import gzip
import json
import os
import sys

import numpy as np
import torch
from safetensors.torch import save_file


def idx(path):
    with gzip.open(path) as file:
        content = file.read()
    sizes = [int.from_bytes(content[4 + 4 * i:8 + 4 * i], "big") for i in range(content[3])]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def main(data):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    folder = os.path.join(data, "mnist")
    images, labels, test_images, test_labels = (
        torch.from_numpy(idx(os.path.join(folder, name)).copy())
        for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                     "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"))
    # As torchvision's ToTensor and Normalize compute it, in single precision.
    pixels = images.float().div(255).reshape(-1, 784)
    test_pixels = test_images.float().div(255).reshape(-1, 784)
    labels, test_labels = labels.long(), test_labels.long()
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 20), torch.nn.ReLU(), torch.nn.Linear(20, 20), torch.nn.ReLU(),
        torch.nn.Linear(20, 10))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    loss = torch.nn.CrossEntropyLoss()
    train = (pixels - 0.1307) / 0.3081
    for _ in range(3):
        for batch in torch.randperm(len(labels)).split(128):
            optimiser.zero_grad()
            loss(model(train[batch]), labels[batch]).backward()
            optimiser.step()

    @torch.no_grad()
    def figures(inputs):
        outputs = model(inputs)
        return {"correct": int((outputs.argmax(1) == test_labels).sum()),
                "loss": loss(outputs.double(), test_labels).item()}

    deviation = pixels.double().std(0, unbiased=False)
    feature = (test_pixels.double() - pixels.double().mean(0)) / torch.where(
        deviation == 0, torch.ones_like(deviation), deviation)
    result = {
        "own": figures((test_pixels - 0.1307) / 0.3081),
        "plain": figures(test_pixels),
        "shifted": figures(test_pixels - 0.1307),
        "channel": figures(((test_pixels.double() - pixels.double().mean())
                            / pixels.double().std(unbiased=False)).float()),
        "feature": figures(feature.float()),
    }
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../LCWCommandsTests/Fixtures")
    os.makedirs(folder, exist_ok=True)
    state = {f"net.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, os.path.join(folder, "mnist_normalised.safetensors"),
              metadata={"test_accuracy": f"{result['own']['correct'] / len(test_labels):.4f}"})
    with open(os.path.join(folder, "mnist_normalised.json"), "w") as file:
        json.dump(result, file, indent=2)
        file.write("\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
