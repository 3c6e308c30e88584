# SPDX-License-Identifier: Apache-2.0
"""Writes narrow networks under the names of their usual PyTorch sources, and what PyTorch makes of images.

usage: write_architectures.py [FOLDER]   (default: the folder of this script; needs torch, torchvision, safetensors)

For each network a state dictionary; images.safetensors has the images that go in; architectures.json says for each
network which file, options and images, and has the logits, sample by sample. The README beside this script has the
networks' structure. The numbers depend on a network's name alone: one that is added changes no other file.
"""

import json
import pathlib
import sys
import zlib

import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save
from torch import nn


def scaled(count, width):
    return max(1, round(count * width))


def conv(inputs, filters, size, stride=1, bias=False, padding=None):
    padding = size // 2 if padding is None else padding
    return nn.Conv2d(inputs, filters, size, stride=stride, padding=padding, bias=bias)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each position, as in REPAIR and for flax, whose epsilon it has."""

    def __init__(self, channels, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.epsilon = epsilon

    def forward(self, x):
        shape = self.weight.shape
        y = F.layer_norm(x.movedim(1, -1), shape, self.weight, self.bias, self.epsilon)
        return y.movedim(-1, 1)


NORMS = {
    "batch": nn.BatchNorm2d,
    "layer": lambda channels: ChannelNorm(channels, 1e-6),
    "none": lambda channels: nn.Identity(),
}


# MARK: - resnet

class PaddingShortcut(nn.Module):
    """Every second row and column, with channels of zeros on both sides."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels // 4

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.channels, self.channels))


class ResidualBlock(nn.Module):
    def __init__(self, inputs, planes, stride, norm, shortcut, bias):
        super().__init__()
        self.conv1 = conv(inputs, planes, 3, stride, bias)
        self.bn1 = norm(planes)
        self.conv2 = conv(planes, planes, 3, 1, bias)
        self.bn2 = norm(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != planes:
            if shortcut == "padding":
                self.shortcut = PaddingShortcut(planes)
            else:
                size = {"projection": 1, "projection3x3": 3}[shortcut]
                self.shortcut = nn.Sequential(conv(inputs, planes, size, stride, bias), norm(planes))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def stage(block, inputs, outputs, count, stride, *rest):
    blocks = [block(inputs, outputs, stride, *rest)]
    blocks += [block(outputs, outputs, 1, *rest) for _ in range(count - 1)]
    return nn.Sequential(*blocks)


class ResNet(nn.Module):
    """As akamaster/pytorch_resnet_cifar10 names it, and with four stages as kuangliu/pytorch-cifar does."""

    def __init__(self, counts, widths, norm, shortcut, bias, classes=10):
        super().__init__()
        norm = NORMS[norm]
        self.conv1 = conv(3, widths[0], 3, 1, bias)
        self.bn1 = norm(widths[0])
        inputs = widths[0]
        for index, (count, planes) in enumerate(zip(counts, widths)):
            blocks = stage(
                ResidualBlock, inputs, planes, count, 2 if index else 1, norm, shortcut, bias)
            setattr(self, f"layer{index + 1}", blocks)
            inputs = planes
        self.stages = len(counts)
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for index in range(self.stages):
            x = getattr(self, f"layer{index + 1}")(x)
        return self.linear(F.avg_pool2d(x, x.shape[3]).flatten(1))


def resnet(depth, width, norm, shortcut):
    widths = [scaled(count, width) for count in (16, 32, 64)]
    # REPAIR's convolutions have biases before a layer normalisation too.
    return ResNet([(depth - 2) // 6] * 3, widths, norm, shortcut, norm in ("layer", "none"))


def resnet18_cifar(width):
    return ResNet(
        [2] * 4, [scaled(c, width) for c in (64, 128, 256, 512)], "batch", "projection", False)


# MARK: - preresnet

class PreBasic(nn.Module):
    expansion = 1

    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv(inputs, planes, 3, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = conv(planes, planes, 3)
        self.downsample = downsample(inputs, planes, stride)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        return y + (self.downsample(x) if self.downsample else x)


class PreBottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv(inputs, planes, 1)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = conv(planes, planes, 3, stride)
        self.bn3 = nn.BatchNorm2d(planes)
        self.conv3 = conv(planes, 4 * planes, 1)
        self.downsample = downsample(inputs, 4 * planes, stride)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        y = self.conv3(F.relu(self.bn3(y)))
        return y + (self.downsample(x) if self.downsample else x)


def downsample(inputs, outputs, stride):
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(conv(inputs, outputs, 1, stride))


class PreResNet(nn.Module):
    """As timgaripov/dnn-mode-connectivity has it."""

    def __init__(self, depth, width, classes=10):
        super().__init__()
        block, per_stage = (PreBottleneck, 9) if depth >= 44 else (PreBasic, 6)
        assert (depth - 2) % per_stage == 0
        count = (depth - 2) // per_stage
        planes = [scaled(count, width) for count in (16, 32, 64)]
        self.conv1 = conv(3, planes[0], 3)
        inputs = planes[0]
        for index, p in enumerate(planes):
            blocks = [block(inputs, p, 2 if index else 1)]
            inputs = p * block.expansion
            blocks += [block(inputs, p, 1) for _ in range(count - 1)]
            setattr(self, f"layer{index + 1}", nn.Sequential(*blocks))
        self.bn = nn.BatchNorm2d(inputs)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(F.avg_pool2d(F.relu(self.bn(x)), 8).flatten(1))


# MARK: - wideresnet

class WideBlock(nn.Module):
    """xternalz/WideResNet-pytorch: a convolution as shortcut reads behind the first normalisation."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv(inputs, outputs, 3, stride)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = conv(outputs, outputs, 3)
        self.convShortcut = None if inputs == outputs else conv(inputs, outputs, 1, stride)

    def forward(self, x):
        y = F.relu(self.bn1(x))
        shortcut = self.convShortcut(y) if self.convShortcut else x
        return self.conv2(F.relu(self.bn2(self.conv1(y)))) + shortcut


class WideBasic(nn.Module):
    """timgaripov/dnn-mode-connectivity, from meliketoy/wide-resnet.pytorch: biases, the stride behind."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv(inputs, outputs, 3, bias=True)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = conv(outputs, outputs, 3, stride, bias=True)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut.append(conv(inputs, outputs, 1, stride, bias=True))

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        return self.conv2(F.relu(self.bn2(y))) + self.shortcut(x)


class Layers(nn.Module):
    """The sequence that xternalz's names have one level deeper."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, depth, width, xternalz, classes=10):
        super().__init__()
        assert (depth - 4) % 6 == 0
        count = (depth - 4) // 6
        widths = [16] + [scaled(c, width) for c in (16, 32, 64)]
        self.names = [f"block{i}" if xternalz else f"layer{i}" for i in (1, 2, 3)] + [
            "fc" if xternalz else "linear"]
        self.conv1 = conv(3, 16, 3, bias=not xternalz)
        for index in range(3):
            blocks = stage(
                WideBlock if xternalz else WideBasic, widths[index], widths[index + 1], count,
                2 if index else 1)
            setattr(self, self.names[index], Layers(blocks) if xternalz else blocks)
        self.bn1 = nn.BatchNorm2d(widths[3], momentum=0.1 if xternalz else 0.9)
        setattr(self, self.names[3], nn.Linear(widths[3], classes))

    def forward(self, x):
        x = self.conv1(x)
        for name in self.names[:3]:
            x = getattr(self, name)(x)
        return getattr(self, self.names[3])(F.avg_pool2d(F.relu(self.bn1(x)), 8).flatten(1))


# MARK: - Networks of torchvision, and vgg

def vgg_features(depth, width, norm):
    letter = {11: "A", 13: "B", 16: "D", 19: "E"}[depth]
    sizes = [c if c == "M" else scaled(c, width) for c in torchvision.models.vgg.cfgs[letter]]
    return torchvision.models.vgg.make_layers(sizes, batch_norm=norm == "batch")


class VGGForCIFAR(nn.Module):
    """As kuangliu/pytorch-cifar has it: one dense layer behind the convolutions."""

    def __init__(self, depth, width, norm, classes=10):
        super().__init__()
        self.features = vgg_features(depth, width, norm)
        self.classifier = nn.Linear(scaled(512, width), classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def vgg_torchvision(depth, width, norm, classes=10):
    # Its dense layers have 120 million values, which are replaced: no memory for them.
    with torch.device("meta"):
        model = torchvision.models.VGG(nn.Sequential(), classes, init_weights=False)
    model.features = vgg_features(depth, width, norm)
    hidden = scaled(4096, width)
    model.classifier[0] = nn.Linear(scaled(512, width) * 49, hidden)
    model.classifier[3] = nn.Linear(hidden, hidden)
    model.classifier[6] = nn.Linear(hidden, classes)
    return model


class NarrowResNet(torchvision.models.ResNet):
    """torchvision's, with all numbers of filters scaled."""

    def __init__(self, block, counts, width, classes=10):
        self.width = width
        super().__init__(block, counts, num_classes=classes)
        self.fc = nn.Linear(scaled(512, width) * block.expansion, classes)

    def _make_layer(self, block, planes, *rest, **named):
        planes_here = scaled(planes, self.width)
        if planes == 64:
            self.inplanes = planes_here
            self.conv1 = conv(3, planes_here, 7, 2)
            self.bn1 = nn.BatchNorm2d(planes_here)
        return super()._make_layer(block, planes_here, *rest, **named)


def resnet_imagenet(depth, width):
    models = torchvision.models.resnet
    block = models.Bottleneck if depth >= 50 else models.BasicBlock
    counts = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3]}[depth]
    return NarrowResNet(block, counts, width)


def resnet18_stem(width):
    """torchvision's, with the first layers changed for small images as is usual."""
    model = resnet_imagenet(18, width)
    model.conv1 = conv(3, scaled(64, width), 3)
    model.maxpool = nn.Identity()
    return model


def mobilenetv2(width):
    return torchvision.models.MobileNetV2(num_classes=3, width_mult=width)


# MARK: - What is written

AKAMASTER = "akamaster/pytorch_resnet_cifar10"
REPAIR = "KellerJordan/REPAIR"
GARIPOV = "timgaripov/dnn-mode-connectivity"
XTERNALZ = "xternalz/WideResNet-pytorch"
KUANGLIU = "kuangliu/pytorch-cifar"
TORCHVISION = f"torchvision {torchvision.__version__.split('+')[0]}"

# Written in half precision, to keep the files small; the logits are those of the rounded weights.
HALF = {"mobilenetv2.safetensors", "resnet34.safetensors", "resnet50.safetensors",
        "vgg11_batch_torchvision.safetensors"}

# file -> (source, architecture, options, images, function of the options)
NETWORKS = {}


def network(file, source, architecture, build, images="images32", **options):
    NETWORKS[file] = (source, architecture, options, images, build)


def add_all():
    narrow = {"depth": 20, "width": 0.125}
    network("resnet20_padding.pt", AKAMASTER, "resnet", resnet,
            **narrow, norm="batch", shortcut="padding")
    network("resnet20_projection.safetensors", AKAMASTER, "resnet", resnet,
            **narrow, norm="batch", shortcut="projection")
    network("resnet20_layer.safetensors", REPAIR, "resnet", resnet,
            depth=20, width=0.1875, norm="layer", shortcut="projection3x3")
    network("resnet20_none.safetensors", AKAMASTER + ", biases for the norms", "resnet", resnet,
            **narrow, norm="none", shortcut="projection")
    network("preresnet20.safetensors", GARIPOV, "preresnet", PreResNet, **narrow)
    network("preresnet47.safetensors", GARIPOV, "preresnet", PreResNet, depth=47, width=0.0625)
    network("wideresnet16.safetensors", XTERNALZ, "wideresnet",
            lambda depth, width: WideResNet(depth, width, True), depth=16, width=0.125)
    network("wideresnet16_garipov.safetensors", GARIPOV, "wideresnet",
            lambda depth, width: WideResNet(depth, width, False), depth=16, width=0.125)
    for depth, norm in [(11, "none"), (13, "batch"), (16, "none"), (19, "batch")]:
        network(f"vgg{depth}_{norm}_cifar.safetensors", KUANGLIU, "vgg", VGGForCIFAR,
                depth=depth, width=1 / 64, norm=norm)
    network("vgg11_batch_torchvision.safetensors", TORCHVISION, "vgg", vgg_torchvision,
            depth=11, width=1 / 128, norm="batch")
    for depth in (18, 34, 50):
        network(f"resnet{depth}.safetensors", TORCHVISION, "resnet-imagenet", resnet_imagenet,
                "images36", depth=depth, width=1 / 64)
    network("resnet18_cifar.safetensors", KUANGLIU, "resnet-imagenet", resnet18_cifar,
            width=1 / 64)
    network("resnet18_stem.safetensors", TORCHVISION + ", first layers for small images",
            "resnet-imagenet", resnet18_stem, width=1 / 64)
    network("mobilenetv2.safetensors", TORCHVISION, "mobilenetv2", mobilenetv2, "images36",
            width=0.02)


def images(count, size, random):
    """Smooth shapes and some noise, so that networks tell the images apart."""
    coarse = torch.randn(count, 3, 4, 4, generator=random)
    smooth = F.interpolate(coarse, (size, size), mode="bicubic")
    return smooth + 0.3 * torch.randn(count, 3, size, size, generator=random)


def randomise(model, size, random):
    """Weights that keep the sizes of values, and normalisations that are no longer what they began with."""
    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0, (2 / fan_in) ** 0.5, generator=random)
            if name.endswith("conv2"):
                module.weight *= 0.7
            if module.bias is not None:
                module.bias.normal_(0, 0.1, generator=random)
        elif getattr(module, "weight", None) is not None:
            module.weight.uniform_(0.6, 1.4, generator=random)
            module.bias.normal_(0, 0.2, generator=random)
    for module in model.modules():
        if isinstance(module, torchvision.ops.Conv2dNormActivation):
            # So that some values are beyond 6, where mobilenetv2 clips them.
            module[1].weight *= 3
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for module in norms:
        module.momentum = None
    # Dropout draws from the common stream; it has nothing to do with the running statistics.
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    for _ in range(5):
        model(images(16, size, random))
    for module, momentum in zip(norms, momenta):
        module.momentum = momentum
        deviation = module.running_var.sqrt()
        shift = torch.randn(len(deviation), generator=random)
        module.running_mean += 0.1 * deviation * shift
        module.running_var *= torch.empty(len(deviation)).uniform_(0.8, 1.25, generator=random)
    model.eval()


def build(file, samples):
    """The network and its logits for images that it tells apart."""
    _, _, options, _, function = NETWORKS[file]
    random = torch.Generator().manual_seed(zlib.crc32(file.encode()))
    for _ in range(20):
        model = function(**options)
        randomise(model, samples.shape[2], random)
        # What all images have in common would hide where they differ.
        dense = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
        logits = model(samples)
        dense.weight *= 0.5 / logits.std(0).mean()
        dense.bias -= 0.9 * model(samples).mean(0)
        if file in HALF:
            model = model.half().float()
        logits = model(samples)
        precise = function(**options).double()
        precise.load_state_dict(model.state_dict())
        error = (precise.eval()(samples.double()) - logits).abs().max().item()
        if error < 5e-6:
            return model, logits, error
    raise SystemExit(f"{file}: rounding alone moves the logits by {error}")


def checkpoint(file, model):
    """What the source's own script saves."""
    state = model.state_dict()
    if NETWORKS[file][0] == AKAMASTER:
        # Trained in nn.DataParallel, and the accuracy beside the weights.
        state = {f"module.{name}": tensor for name, tensor in state.items()}
        return {"state_dict": state, "best_prec1": 91.73}
    return state


@torch.no_grad()
def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
    folder = folder if folder.is_dir() else folder.parent
    torch.set_num_threads(1)
    add_all()
    random = torch.Generator().manual_seed(1)
    inputs = {"images32": images(2, 32, random), "images36": images(2, 36, random)}
    (folder / "images.safetensors").write_bytes(save(inputs))
    index = {}
    for file, (source, architecture, options, name, _) in NETWORKS.items():
        model, logits, error = build(file, inputs[name])
        if file.endswith(".pt"):
            # The repository's files are from before PyTorch's zip container.
            torch.save(checkpoint(file, model), folder / file, _use_new_zipfile_serialization=False)
        else:
            state = model.state_dict()
            if file in HALF:
                state = model.half().state_dict()
            (folder / file).write_bytes(save(state))
        index[file] = {
            "source": source, "torch": torch.__version__, "architecture": architecture,
            "options": {key: str(value) for key, value in options.items()}, "images": name,
            "classes": logits.shape[1],
            "parameters": sum(p.numel() for p in model.parameters()),
            "logits": [[float(f"{x:.9g}") for x in row] for row in logits.tolist()],
        }
        print(f"{file:40} {(folder / file).stat().st_size:8} bytes, logits up to "
              f"{logits.abs().max():.2f}, rounded by {error:.1e}")
    lines = [f"{json.dumps(file)}: {json.dumps(entry)}" for file, entry in index.items()]
    (folder / "architectures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
