# SPDX-License-Identifier: Apache-2.0
"""Writes narrow VGG16 networks as torchvision names them, and what PyTorch makes of images.

usage: vgg_fixtures.py Tests/ArchitectureTests/Fixtures

vgg16.pt and vgg16_bn.pt are state dictionaries of the form for images of 32x32 (three dense layers of
equal width), their numbers of filters scaled by 0.04 and 0.02; the names are those of torchvision's
vgg16 and vgg16_bn. vgg.json has for each the logits of the images that `image` makes, and their mean
cross-entropy for the labels 0, 1, 2. Needs torch.
"""

import json
import pathlib
import sys

import torch
from torch import nn

STAGES = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]
SAMPLES = 3


class VGG(nn.Module):
    def __init__(self, width, normalised):
        super().__init__()

        def scaled(count):
            return max(1, round(count * width))

        layers, channels = [], 3
        for stage in STAGES:
            for filters in map(scaled, stage):
                layers.append(nn.Conv2d(channels, filters, 3, padding=1))
                layers += [nn.BatchNorm2d(filters)] if normalised else []
                layers.append(nn.ReLU(inplace=True))
                channels = filters
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        hidden = scaled(512)
        self.classifier = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Dropout(),
            nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(),
            nn.Linear(hidden, 10),
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def image(sample):
    """Bytes that a test can make as well, scaled as CIFAR's pixels are."""
    places = torch.arange(3 * 32 * 32)
    pixels = ((places * places * (sample + 1) + places // 32 * 37) % 251).reshape(3, 32, 32)
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    return (pixels / 255 - mean) / deviation


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(1)
    images = torch.stack([image(sample) for sample in range(SAMPLES)])
    results = {}
    for name, width, normalised in [("vgg16", 0.04, False), ("vgg16_bn", 0.02, True)]:
        model = VGG(width, normalised)
        for module in model.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.normal_(module.bias, std=0.1)
        # So that the running statistics are no longer what they began with.
        model.train()
        for _ in range(20):
            model(torch.randn(32, 3, 32, 32))
        model.eval()
        torch.save(model.state_dict(), folder / f"{name}.pt")
        with torch.no_grad():
            logits = model(images)
        loss = nn.functional.cross_entropy(logits, torch.arange(SAMPLES))
        results[name] = {
            "width": width, "loss": loss.item(),
            "logits": [float(f"{value:.7g}") for value in logits.flatten().tolist()],
        }
    (folder / "vgg.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
