# SPDX-License-Identifier: Apache-2.0
"""Exports torchvision's networks at full width with seeded random weights, in three ways, converts each by lcw and back, and
runs what was written by onnxruntime beside the first file.

check_networks.py LCW FOLDER [NAME...]: prints the seconds and the memory of `lcw convert`, those of onnx.load (the import of onnx
taken off the seconds), and the largest difference of the logits, in parts of the largest, on two images.
check_networks.py LCW FOLDER light: the same for the light_* models that the package onnx brings, against their reference outputs.
Wants torch, torchvision, onnx, onnxscript and onnxruntime.
"""
import os
import subprocess
import sys
import warnings

import numpy as np

USUAL = ["resnet18", "mobilenet_v2", "efficientnet_b0", "vgg16_bn", "resnet50", "densenet121", "wide_resnet50_2"]


def export(name, folder):
    import torch
    from torchvision import models

    torch.manual_seed(1)
    network = getattr(models, name)()
    with torch.no_grad():
        for key, value in network.named_buffers():
            if "running_mean" in key:
                value.normal_(0, 0.1)
            elif "running_var" in key:
                value.uniform_(0.5, 1.5)
    network.eval()
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        np.savez(f"{folder}/{name}.npz", input=images.numpy(), output=network(images).numpy())
    usual = dict(dynamo=False, input_names=["input"], dynamic_axes={"input": {0: "batch"}})
    ways = {
        "script": usual,
        "kept": usual | dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False),
        "dynamo": dict(dynamo=True, external_data=False, verbose=False),
    }
    for way, options in ways.items():
        file = f"{folder}/{name}-{way}.onnx"
        if not os.path.exists(file):
            torch.onnx.export(network, (images,), file, **options)
        yield way, file


# In a process of its own, since a child counts the memory of the one that it was made of.
MEASURE = """
import os, sys, time
start = time.time()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(status, time.time() - start, usage.ru_maxrss / 1024)
"""


def measured(command):
    """The seconds and the megabytes of a command."""
    run = [sys.executable, "-S", "-c", MEASURE, *command]
    status, seconds, memory = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    if status != "0":
        sys.exit(f"failed: {command}")
    return float(seconds), float(memory)


def logits(file, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def there_and_back(lcw, file, folder):
    """The file by lcw and back as ONNX, and the seconds and the memory of the first."""
    own, again = f"{folder}/own.lcw", f"{folder}/again.onnx"
    seconds, memory = measured([lcw, "convert", file, own, "--overwrite"])
    measured([lcw, "convert", own, again, "--overwrite"])
    return again, seconds, memory


def relative(found, expected):
    """The largest difference in parts of the largest value."""
    return np.abs(found.reshape(-1) - expected.reshape(-1)).max() / np.abs(expected).max()


def light(lcw, folder):
    import onnx
    from onnx.backend.test.runner import Runner

    data = os.path.join(os.path.dirname(onnx.__file__), "backend/test/data/light")
    for name in sorted(os.listdir(data)):
        if not name.endswith(".onnx"):
            continue
        name, file = name.removesuffix(".onnx"), os.path.join(data, name)
        graph = onnx.load(file).graph
        weights = {tensor.name for tensor in graph.initializer}
        value = next(value for value in graph.input if value.name not in weights)
        sample = Runner.generate_dummy_data(value, seed=0, name=name, random=False)
        with open(f"{data}/{name}_output_0.pb", "rb") as stored:
            expected = onnx.numpy_helper.to_array(onnx.TensorProto.FromString(stored.read()))
        again, seconds, memory = there_and_back(lcw, file, folder)
        difference = relative(logits(again, sample), expected)
        print(f"{name}: difference {difference:.1e}, convert {seconds:.2f} s {memory:.0f} MB", flush=True)


def main():
    warnings.filterwarnings("ignore")
    lcw, folder, *names = sys.argv[1:]
    if names == ["light"]:
        return light(lcw, folder)
    start, _ = measured([sys.executable, "-c", "import onnx"])
    for name in names or USUAL:
        for way, file in export(name, folder):
            again, seconds, memory = there_and_back(lcw, file, folder)
            load = [sys.executable, "-c", "import onnx, sys; onnx.load(sys.argv[1])", file]
            peer_seconds, peer_memory = measured(load)
            with np.load(f"{folder}/{name}.npz") as reference:
                difference = relative(logits(again, reference["input"]), reference["output"])
            print(
                f"{name} {way}: difference {difference:.1e}, convert {seconds:.2f} s {memory:.0f} MB, "
                f"onnx.load {peer_seconds - start:.2f} s {peer_memory:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
