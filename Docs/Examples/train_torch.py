#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains networks in PyTorch, several at once, and writes Safetensors files that lcw reads.

    python3 train_torch.py --architecture mlp:hidden=2000 --dataset cifar10 --data data \\
        --epochs 400 --seeds 1 2 3 4 --device cuda --precision tf32 -o models
    lcw convert models/cifar10-1.safetensors a.lcw --architecture mlp:hidden=2000 --dataset cifar10

It is for a machine with a GPU: `lcw train` does the same on the CPU. What is trained and how is the
same: SGD with momentum 0.9, weight decay 1e-4, batches of 128, a rate of 0.01 that stays for half of the
epochs, falls linearly to a hundredth at 90 % of them and stays there (`--schedule paper`; or `cosine`,
`constant`). CIFAR-10 is normalised with mean (0.485, 0.456, 0.406) and deviation (0.229, 0.224, 0.225) and,
in training, flipped and cropped at random; MNIST is pixel / 255.

| --architecture | options | what it is |
| --- | --- | --- |
| mlp | hidden=2000, or 6144x2000; bias=true | dense layers and ReLU |
| conv2fc1 | | two convolutions of 5x5, one dense layer |
| vgg16 | width=1, dropout=0.5, batchnorm=false | thirteen convolutions, three dense layers |
| resnet20 | width=1 | for 32x32 images, with batch normalisation; He et al. 2016, shortcuts of 1x1 |

Small networks do not fill a GPU. So the perceptrons of all seeds are stacked: one batched product does a layer
of all of them. Convolutional networks run side by side, each in a stream of its own. On a GPU the steps are
recorded once as CUDA graphs and then replayed, and all images, random crops included, stay on the device.

--precision single   everything in float32
            tf32     the same, but products round their inputs to ten bits; for perceptrons the fastest
            mixed    products in bfloat16, weights and optimiser in float32; for convolutions the fastest
--compile            lets torch.compile fuse what lies between convolutions: a minute first, then faster

The seed determines the initial weights, the order of the samples and the crops of each network, whatever is
trained beside it; GPUs add in no fixed order, so that the last bits differ from run to run. Each file, named
DATASET-SEED.safetensors, has PyTorch's names and layouts; its metadata say how it was trained and hold its
loss and accuracy, measured in float32 without augmentation. Files that are there already are not touched,
and their seeds are skipped.

Needs PyTorch 2.4 or later, and NumPy.
"""
import argparse
import collections
import contextlib
import gzip
import itertools
import json
import math
import os
import pathlib
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F


# The data

class Data:
    """The images of both splits as bytes on the device, and how they become samples."""

    def __init__(self, name, train, test, device):
        self.name = name
        self.device = torch.device(device)
        (self.images, self.labels), (self.test_images, self.test_labels) = [
            (torch.from_numpy(images).to(device), torch.from_numpy(labels).long().to(device))
            for images, labels in (train, test)]
        self.classes = 10
        self.shape = tuple(self.images.shape[1:])
        self.augments = name == "cifar10"
        mean, deviation = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)) if self.augments else ((0,), (1,))
        mean, deviation = (
            torch.tensor(values, device=device).view(1, -1, 1, 1) for values in (mean, deviation))
        self.scale, self.offset = 1 / (255 * deviation), -mean / deviation
        # All crops of an image padded by four black pixels, as a view: [samples, 9, 9, channels, rows, columns].
        _, rows, columns = self.shape
        if self.augments:
            self.crops = F.pad(self.images, (4, 4, 4, 4)).unfold(2, rows, 1).unfold(3, columns, 1)
            self.crops = self.crops.permute(0, 2, 3, 1, 4, 5)

    def normalised(self, images):
        return images * self.scale + self.offset

    def training_samples(self, indices, random):
        """These samples, flipped and cropped at random where the data set asks for it."""
        if not self.augments:
            return self.normalised(self.images[indices])
        shifts = torch.randint(9, (2, len(indices)), generator=random, device=self.device)
        flips = torch.rand(len(indices), generator=random, device=self.device) < 0.5
        images = self.crops[indices, shifts[0], shifts[1]]
        return self.normalised(torch.where(flips.view(-1, 1, 1, 1), images.flip(3), images))


def load_data(name, folder, device, limit=None):
    """CIFAR-10 from its binary files, MNIST from its IDX files."""
    def find(file):
        for place in (name, "", "cifar-10-batches-bin", f"{name}/cifar-10-batches-bin"):
            for ending in ("", ".gz"):
                path = pathlib.Path(folder) / place / (file + ending)
                if path.is_file():
                    return gzip.open(path).read() if ending else path.read_bytes()
        raise SystemExit(f"error: there is no {file} in {folder}")

    def cifar(files):
        records = np.concatenate([np.frombuffer(find(f), np.uint8).reshape(-1, 3073) for f in files])
        return records[:limit, 1:].reshape(-1, 3, 32, 32).copy(), records[:limit, 0].copy()

    def mnist(split):
        images = np.frombuffer(find(f"{split}-images-idx3-ubyte"), np.uint8, offset=16)
        labels = np.frombuffer(find(f"{split}-labels-idx1-ubyte"), np.uint8, offset=8)
        return images.reshape(-1, 1, 28, 28)[:limit].copy(), labels[:limit].copy()

    if name == "cifar10":
        return Data(name, cifar([f"data_batch_{i}.bin" for i in range(1, 6)]), cifar(["test_batch.bin"]), device)
    return Data(name, mnist("train"), mnist("t10k"), device)


# The networks: how their parameters begin, and what they compute. Parameters are a dictionary of tensors with
# PyTorch's names; an architecture's `forward` gives the scores of a batch from it.

def dense(name, inputs, outputs, bias=True):
    """A dense layer's parameters: uniform on ±1/√inputs, as torch.nn.Linear has them."""
    def fill(shape):
        return lambda random: (torch.rand(shape, generator=random) * 2 - 1) / math.sqrt(inputs)
    return {f"{name}.weight": fill((outputs, inputs))} | ({f"{name}.bias": fill((outputs,))} if bias else {})


def convolution(name, inputs, outputs, size, bias=True):
    """A convolution's: normal with variance 2/(size² · outputs), biases 0."""
    shape, deviation = (outputs, inputs, size, size), math.sqrt(2 / (size * size * outputs))
    weight = {f"{name}.weight": lambda random: torch.randn(shape, generator=random) * deviation}
    return weight | ({f"{name}.bias": lambda random: torch.zeros(outputs)} if bias else {})


def batch_norm(name, channels):
    """A batch normalisation's, with its running statistics."""
    begin = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
    return {f"{name}.{part}": lambda random, value=value: torch.full((channels,), value)
            for part, value in begin.items()}


def normalise(p, name, x, training):
    moments = p[f"{name}.running_mean"], p[f"{name}.running_var"]
    return F.batch_norm(x, *moments, p[f"{name}.weight"], p[f"{name}.bias"], training, 0.1, 1e-5)


class MLP:
    """Dense layers and ReLU. Parameters and samples have one more axis in front: that of the networks."""
    stacked = True
    dropped = ()

    def __init__(self, data, hidden="2000", bias="true"):
        self.bias = bias == "true"
        sizes = [math.prod(data.shape), *map(int, hidden.split("x")), data.classes]
        self.parameters = {}
        for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
            self.parameters |= dense(f"fc{i + 1}", inputs, outputs, self.bias)
        self.depth = len(sizes) - 1

    def forward(self, p, x, training, scales=()):
        x = x.transpose(1, 2)  # [networks, values, batch], so that gradients of weights come in the weights' layout
        for i in range(1, self.depth + 1):
            weight = p[f"fc{i}.weight"]
            x = torch.baddbmm(p[f"fc{i}.bias"].unsqueeze(2), weight, x) if self.bias else torch.bmm(weight, x)
            x = F.relu(x) if i < self.depth else x
        return x.transpose(1, 2)


class Conv2FC1:
    stacked = False
    dropped = ()

    def __init__(self, data):
        side = (((data.shape[1] - 3) // 2 + 1) - 3) // 2 + 1
        self.parameters = (
            convolution("conv1", data.shape[0], 32, 5) | convolution("conv2", 32, 64, 5)
            | dense("fc", 64 * side * side, data.classes))

    def forward(self, p, x, training, scales=()):
        for name in ("conv1", "conv2"):
            x = F.relu(F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], padding=2))
            x = F.max_pool2d(x, 3, 2)
        return F.linear(x.flatten(1), p["fc.weight"], p["fc.bias"])


class VGG16:
    """Names as in torchvision; the dense layers are of 512."""
    stacked = False

    def __init__(self, data, width="1", dropout="0.5", batchnorm="false"):
        def scaled(count):
            return max(1, round(count * float(width)))
        self.rate, self.norm = float(dropout), batchnorm == "true"
        self.parameters, self.features, inputs, index = {}, [], data.shape[0], 0
        for stage in ([64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3):
            for count in stage:
                name, outputs = f"features.{index}", scaled(count)
                self.parameters |= convolution(name, inputs, outputs, 3)
                if self.norm:
                    self.parameters |= batch_norm(f"features.{index + 1}", outputs)
                self.features.append((name, f"features.{index + 1}"))
                inputs, index = outputs, index + (3 if self.norm else 2)
            self.features.append(None)
            index += 1
        side, hidden = data.shape[1] // 32, scaled(512)
        self.parameters |= (
            dense("classifier.1", inputs * side * side, hidden) | dense("classifier.4", hidden, hidden)
            | dense("classifier.6", hidden, data.classes))
        # The sizes of what dropout is applied to.
        self.dropped = (inputs * side * side, hidden) if self.rate > 0 else ()

    def forward(self, p, x, training, scales=()):
        for feature in self.features:
            if feature is None:
                x = F.max_pool2d(x, 2)
                continue
            name, norm = feature
            x = F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], padding=1)
            x = F.relu(normalise(p, norm, x, training) if self.norm else x)
        x = x.flatten(1)
        for i, name in enumerate(("classifier.1", "classifier.4")):
            x = x * scales[i] if scales else x
            x = F.relu(F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"]))
        return F.linear(x, p["classifier.6.weight"], p["classifier.6.bias"])


class ResNet20:
    """Three stages of three blocks of two convolutions; a projection where the number of channels changes."""
    stacked = False
    dropped = ()

    def __init__(self, data, width="1"):
        channels = [max(1, round(count * float(width))) for count in (16, 32, 64)]
        self.parameters = convolution("conv1", data.shape[0], channels[0], 3, False) | batch_norm("bn1", channels[0])
        self.blocks, inputs = [], channels[0]
        for stage, outputs in enumerate(channels):
            for block in range(3):
                name = f"layer{stage + 1}.{block}"
                self.parameters |= (
                    convolution(f"{name}.conv1", inputs, outputs, 3, False) | batch_norm(f"{name}.bn1", outputs)
                    | convolution(f"{name}.conv2", outputs, outputs, 3, False) | batch_norm(f"{name}.bn2", outputs))
                first = stage > 0 and block == 0
                if first:
                    self.parameters |= (
                        convolution(f"{name}.shortcut.0", inputs, outputs, 1, False)
                        | batch_norm(f"{name}.shortcut.1", outputs))
                self.blocks.append((name, first))
                inputs = outputs
        self.parameters |= dense("linear", inputs, data.classes)

    def forward(self, p, x, training, scales=()):
        x = F.relu(normalise(p, "bn1", F.conv2d(x, p["conv1.weight"], padding=1), training))
        for name, first in self.blocks:
            y = F.conv2d(x, p[f"{name}.conv1.weight"], stride=2 if first else 1, padding=1)
            y = F.relu(normalise(p, f"{name}.bn1", y, training))
            y = normalise(p, f"{name}.bn2", F.conv2d(y, p[f"{name}.conv2.weight"], padding=1), training)
            if first:
                x = F.conv2d(x, p[f"{name}.shortcut.0.weight"], stride=2)
                x = normalise(p, f"{name}.shortcut.1", x, training)
            x = F.relu(x + y)
        return F.linear(x.mean((2, 3)), p["linear.weight"], p["linear.bias"])


ARCHITECTURES = {"mlp": MLP, "conv2fc1": Conv2FC1, "vgg16": VGG16, "resnet20": ResNet20}


def architecture(text, data):
    """The architecture that a text such as mlp:hidden=2000 means."""
    name, _, options = text.partition(":")
    try:
        return ARCHITECTURES[name](data, **dict(o.split("=") for o in options.split(",") if o))
    except (KeyError, TypeError, ValueError):
        raise SystemExit(f"error: ‘{text}’ is no architecture that this program knows") from None


# Training

def factor(schedule, epoch, epochs):
    """The factor on the rate during an epoch, counted from 0."""
    progress = epoch / epochs
    if schedule == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    if schedule == "constant" or progress <= 0.5:
        return 1.0
    return 1 - (progress - 0.5) / 0.4 * 0.99 if progress <= 0.9 else 0.01


@contextlib.contextmanager
def float32_products(precision):
    """Whether float32 products may round their inputs, while this lasts."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest" if precision == "single" else "high")
    torch.backends.cudnn.allow_tf32 = precision != "single"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


class Group:
    """Networks that take every step together: all of a stack, or a single one."""

    def __init__(self, arch, seeds, data, options):
        self.arch, self.seeds, self.data, self.options = arch, list(seeds), data, options
        device, self.on_gpu = data.device, data.device.type == "cuda"
        self.stream = torch.cuda.Stream() if self.on_gpu else None
        self.randoms = [torch.Generator(device).manual_seed(2**32 + seed) for seed in self.seeds]
        count = len(data.labels)
        self.batch, self.batches, self.rest = options.batch, count // options.batch, count % options.batch
        self.mixed = options.precision == "mixed"
        kind = torch.bfloat16 if self.mixed else torch.float32
        # An epoch's samples in the order of their use; images of convolutions with channels last.
        channels, rows, columns = data.shape
        sample = (channels * rows * columns,) if arch.stacked else (rows, columns, channels)
        with self.streaming():
            self.samples = torch.zeros(count, len(self.seeds), *sample, dtype=kind, device=device)
            self.labels = torch.zeros(count, len(self.seeds), dtype=torch.long, device=device)
            self.scales = [torch.ones(count, size, dtype=kind, device=device) for size in arch.dropped]
            self.parameters = self.initial()
            self.rate = torch.tensor(options.rate, device=device)
            self.position = torch.zeros(1, dtype=torch.long, device=device)
            self.loss, self.correct = torch.zeros(2, len(self.seeds), device=device)
        trained = [p for name, p in self.parameters.items() if "running" not in name]
        for parameter in trained:
            parameter.requires_grad_(True)
        self.optimiser = torch.optim.SGD(
            trained, lr=self.rate if self.on_gpu else options.rate, momentum=options.momentum,
            weight_decay=options.decay, fused=self.on_gpu)
        self.losses_of = self.losses_in_python
        self.replays = None
        self.queued = collections.deque()

    def streaming(self):
        return torch.cuda.stream(self.stream) if self.on_gpu else contextlib.nullcontext()

    def initial(self):
        networks = []
        for seed in self.seeds:
            random = torch.Generator().manual_seed(seed)
            networks.append({name: fill(random) for name, fill in self.arch.parameters.items()})
        parameters = {}
        for name in self.arch.parameters:
            values = [network[name] for network in networks]
            value = (torch.stack(values) if self.arch.stacked else values[0]).to(self.data.device)
            if value.dim() == 4 and self.on_gpu:
                value = value.contiguous(memory_format=torch.channels_last)
            parameters[name] = value
        return parameters

    def losses_in_python(self, parameters, samples, labels, scales):
        """The cross-entropy of each sample of each network `[networks, batch]`, and what is right."""
        with torch.autocast(self.data.device.type, torch.bfloat16, enabled=self.mixed):
            if self.arch.stacked:
                scores = self.arch.forward(parameters, samples.transpose(0, 1), True)
            else:
                images = samples.squeeze(1).permute(0, 3, 1, 2)
                scores = self.arch.forward(parameters, images, True, scales).unsqueeze(0)
        scores = scores.float()
        losses = F.cross_entropy(scores.flatten(0, 1), labels.t().flatten(), reduction="none")
        return losses.view(len(self.seeds), -1), (scores.argmax(2) == labels.t()).sum(1)

    def step(self, losses_of, samples, labels, scales):
        losses, correct = losses_of(self.parameters, samples, labels, scales)
        self.optimiser.zero_grad(set_to_none=True)
        losses.mean(1).sum().backward()
        self.optimiser.step()
        self.loss += losses.detach().sum(1)
        self.correct += correct

    def full_step(self):
        """A step on the batch at `position`, which moves on."""
        full = self.batch * self.batches
        def batch(values):
            values = values[:full].view(self.batches, self.batch, *values.shape[1:])
            return values.index_select(0, self.position).squeeze(0)
        self.step(self.losses_of, batch(self.samples), batch(self.labels), [batch(s) for s in self.scales])
        self.position += 1

    def last_step(self):
        """A step on what is left behind the full batches."""
        start = self.batch * self.batches
        self.step(
            self.losses_in_python, self.samples[start:], self.labels[start:], [s[start:] for s in self.scales])

    def record(self, log):
        """Records graphs of several steps each; training goes on step by step if that fails."""
        if not self.on_gpu:
            return
        with self.streaming(), float32_products(self.options.precision):
            kept = {name: p.detach().clone() for name, p in self.parameters.items()}
            if self.options.compile:
                self.losses_of = torch.compile(self.losses_in_python, dynamic=False)
                try:
                    self.full_step()
                except Exception as error:
                    log(f"not compiled: {str(error)[:300]}")
                    self.losses_of = self.losses_in_python
            unrolled = max(n for n in range(1, 11) if self.batches % n == 0) if self.batches else 0
            plan = [(self.full_step, unrolled, self.batches // max(1, unrolled)), (self.last_step, 1, 1)]
            self.replays = []
            try:
                for action, steps, times in plan[:2 if self.rest else 1]:
                    if steps == 0:
                        continue
                    for _ in range(3):
                        self.position.zero_()
                        action()
                    graph = torch.cuda.CUDAGraph()
                    with torch.cuda.graph(graph, stream=self.stream):
                        for _ in range(steps):
                            action()
                    self.replays.append((graph, times))
                log(f"recorded graphs of {unrolled} steps")
            except Exception as error:
                log(f"no graphs, step by step: {str(error)[:300]}")
                self.replays = None
            # Forget what the trials did.
            with torch.no_grad():
                for name, parameter in self.parameters.items():
                    parameter.copy_(kept[name])
                for state in self.optimiser.state.values():
                    state["momentum_buffer"].zero_()

    def begin(self, epoch):
        """Draws the order of an epoch, its crops and its dropout."""
        rate = self.options.rate * factor(self.options.schedule, epoch, self.options.epochs)
        count = len(self.data.labels)
        self.rate.fill_(rate)
        if not self.on_gpu:
            self.optimiser.param_groups[0]["lr"] = rate
        self.position.zero_()
        self.loss.zero_()
        self.correct.zero_()
        for network, random in enumerate(self.randoms):
            order = torch.randperm(count, generator=random, device=self.data.device)
            self.labels[:, network] = self.data.labels[order]
            for start in range(0, count, 10_000):
                images = self.data.training_samples(order[start:start + 10_000], random)
                images = images.flatten(1) if self.arch.stacked else images.permute(0, 2, 3, 1)
                self.samples[start:start + 10_000, network] = images
        for scales in self.scales:
            kept = torch.rand(scales.shape, generator=self.randoms[0], device=self.data.device) >= self.arch.rate
            scales.copy_(kept / (1 - self.arch.rate))

    def run_epoch(self, epoch):
        """An epoch; a generator, so that groups can take turns. On a GPU only little is queued ahead, as a full
        queue would hold up the other streams."""
        with self.streaming():
            self.begin(epoch)
            if self.replays is None:
                with float32_products(self.options.precision):
                    for _ in range(self.batches):
                        self.full_step()
                    if self.rest:
                        self.last_step()
                yield
            else:
                for graph, times in self.replays:
                    for _ in range(times):
                        graph.replay()
                        event = torch.cuda.Event(blocking=True)
                        event.record(self.stream)
                        self.queued.append(event)
                        yield
                        if len(self.queued) > 2:
                            self.queued.popleft().synchronize()

    def epoch_metrics(self):
        """The mean loss and accuracy of the epoch's batches, as they were met; waits for the epoch."""
        with self.streaming():
            means = torch.stack([self.loss, self.correct]).cpu() / len(self.data.labels)
        return means.tolist()

    def network(self, index):
        """The parameters of one network, on the CPU."""
        with self.streaming():
            return {name: (p[index] if self.arch.stacked else p).detach().cpu().contiguous().clone()
                    for name, p in self.parameters.items()}


def evaluate(arch, parameters, data):
    """Loss and accuracy on both splits, in float32 and without augmentation."""
    result = {}
    with torch.no_grad(), float32_products("single"):
        p = {name: (v.unsqueeze(0) if arch.stacked else v).to(data.device) for name, v in parameters.items()}
        splits = ("train", data.images, data.labels), ("test", data.test_images, data.test_labels)
        for split, images, labels in splits:
            loss, correct = 0.0, 0
            for start in range(0, len(labels), 1000):
                x, y = data.normalised(images[start:start + 1000]), labels[start:start + 1000]
                scores = arch.forward(p, x.flatten(1).unsqueeze(0), False)[0] if arch.stacked else \
                    arch.forward(p, x, False)
                loss += F.cross_entropy(scores, y, reduction="sum").item()
                correct += (scores.argmax(1) == y).sum().item()
            result |= {f"{split}_loss": loss / len(labels), f"{split}_accuracy": 100 * correct / len(labels)}
    return result


def train(text, seeds, data, options, finished, log=print):
    """Trains a network for each seed and hands them to `finished(seed, parameters, seconds)`."""
    arch = architecture(text, data)
    together = [seeds] if arch.stacked else [[seed] for seed in seeds]
    groups = [Group(arch, some, data, options) for some in together]
    for group in groups:
        group.record(log)
    begin = time.monotonic()
    for epoch in range(options.epochs):
        for _ in itertools.zip_longest(*[group.run_epoch(epoch) for group in groups]):
            pass
        losses, correct = np.concatenate([group.epoch_metrics() for group in groups], axis=1)
        if not np.isfinite(losses).all():
            raise SystemExit(f"error: the loss is no longer finite in epoch {epoch + 1}; try a smaller --rate")
        seconds = time.monotonic() - begin
        log(f"epoch {epoch + 1}/{options.epochs}  loss {np.array2string(losses, precision=4)}  "
            f"accuracy {np.array2string(100 * correct, precision=2)} %  "
            f"{seconds / (epoch + 1):.3f} s an epoch")
    seconds = time.monotonic() - begin
    for group in groups:
        for index, seed in enumerate(group.seeds):
            finished(seed, group.network(index), seconds)


# Files

def description(text, data, seed, seconds, options):
    device = torch.cuda.get_device_name() if data.device.type == "cuda" else "CPU"
    return (
        f"PyTorch {torch.__version__} on {device}: {text} on {data.name}, seed {seed}, {options.epochs} epochs, "
        f"batch {options.batch}, SGD momentum {options.momentum}, weight decay {options.decay}, rate {options.rate}, "
        f"schedule {options.schedule}, "
        + ("random flips and crops (padding 4), " if data.augments else "")
        + f"precision {options.precision}, {seconds:.0f} s")


def safetensors(parameters, metadata):
    """The bytes of a Safetensors file."""
    kinds = {torch.float32: ("F32", "<f4"), torch.float16: ("F16", "<f2")}
    header, parts, end = {"__metadata__": metadata}, [], 0
    for name, value in parameters.items():
        kind, layout = kinds[value.dtype]
        parts.append(value.contiguous().numpy().astype(layout).tobytes())
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [end, end + len(parts[-1])]}
        end += len(parts[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def write(path, parameters, metadata):
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(safetensors(parameters, metadata))
    os.replace(temporary, path)


def arguments():
    first, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=first, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--dataset", choices=["cifar10", "mnist"], required=True)
    parser.add_argument("--data", default="data", help="the folder that holds the data set's files")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--schedule", choices=["paper", "cosine", "constant"], default="paper")
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--decay", type=float, default=1e-4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["single", "tf32", "mixed"], default="single")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--limit", type=int, help="use so many samples of each split only, for a trial")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="the folder of the files to write")
    return parser.parse_args()


def main():
    options = arguments()
    torch.backends.cudnn.benchmark = True
    options.output.mkdir(parents=True, exist_ok=True)
    paths = {seed: options.output / f"{options.dataset}-{seed}.safetensors" for seed in options.seeds}
    seeds = [seed for seed in paths if not paths[seed].exists()]
    for seed in set(paths) - set(seeds):
        print(f"{paths[seed]} is there already")
    if not seeds:
        return
    data = load_data(options.dataset, options.data, options.device, options.limit)

    def finished(seed, parameters, seconds):
        figures = evaluate(architecture(options.architecture, data), parameters, data)
        metadata = {
            "format": "pt", "architecture": options.architecture, "dataset": options.dataset,
            "training": description(options.architecture, data, seed, seconds, options)}
        write(paths[seed], parameters, metadata | {name: f"{value:.6g}" for name, value in figures.items()})
        print(f"{paths[seed]}: train {figures['train_accuracy']:.2f} %, loss {figures['train_loss']:.4f}; "
              f"test {figures['test_accuracy']:.2f} %, loss {figures['test_loss']:.4f}")

    train(options.architecture, seeds, data, options, finished)


if __name__ == "__main__":
    sys.exit(main())
