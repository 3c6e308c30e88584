# SPDX-License-Identifier: Apache-2.0
"""Exports torchvision's networks at full width with seeded random weights, in three ways, converts each by lcw and back, and
runs what was written by onnxruntime beside the first file.

check_networks.py LCW FOLDER [NAME...]: prints the seconds and the memory of `lcw convert`, those of onnx.load, and the largest
difference of the logits, in parts of the largest, on two images. Wants torch, torchvision, onnx, onnxscript and onnxruntime.
"""
import os
import resource
import subprocess
import sys
import time
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


def measured(command):
    """The seconds and the megabytes of a command."""
    start = time.time()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {command}")
    return time.time() - start, usage.ru_maxrss / 1024


def logits(file, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def main():
    warnings.filterwarnings("ignore")
    lcw, folder, *names = sys.argv[1:]
    for name in names or USUAL:
        for way, file in export(name, folder):
            own, again = f"{folder}/own.lcw", f"{folder}/again.onnx"
            seconds, memory = measured([lcw, "convert", file, own, "--overwrite"])
            measured([lcw, "convert", own, again, "--overwrite"])
            load = [sys.executable, "-c", "import onnx, sys; onnx.load(sys.argv[1])", file]
            peer_seconds, peer_memory = measured(load)
            with np.load(f"{folder}/{name}.npz") as reference:
                found = logits(again, reference["input"])
                difference = np.abs(found - reference["output"]).max() / np.abs(reference["output"]).max()
            print(
                f"{name} {way}: difference {difference:.1e}, convert {seconds:.1f} s {memory:.0f} MB, "
                f"onnx.load {peer_seconds:.1f} s {peer_memory:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
