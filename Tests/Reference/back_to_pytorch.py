# SPDX-License-Identifier: Apache-2.0
"""Takes two networks of PyTorch to the middle of a path and back, with the lines that the documents have.

usage: python3 Tests/Reference/back_to_pytorch.py LCW PAGE    (needs torch, torchvision, safetensors)

LCW is the command, PAGE is Docs/LCW.docc/PyTorchCheckpoints.md. The logits of the middle are compared with those of the
mean of both networks' folded weights, which PyTorch computes alone. Works in the current folder, and prints the
largest difference.
"""

import copy
import io
import contextlib
import pathlib
import re
import subprocess
import sys

import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

MODEL = '''
import torch
from torchvision.models.resnet import BasicBlock, ResNet
from torch import nn

class Net(ResNet):
    """torchvision's ResNet18 for small images, with an eighth of the filters."""
    def __init__(self):
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=10)
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.maxpool = nn.Identity()
        self.fc = nn.Linear(64, 10)

    def _make_layer(self, block, planes, *rest, **named):
        if planes == 64:
            self.inplanes = 8
            self.bn1 = nn.BatchNorm2d(8)
        return super()._make_layer(block, planes // 8, *rest, **named)
'''


def network(seed):
    from model import Net
    torch.manual_seed(seed)
    model = Net()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.6, 1.4)
            module.bias.data.normal_(0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked += 5
    return model.eval()


def folded(model):
    """The same network, with each normalisation in the convolution before it."""
    model = copy.deepcopy(model)
    modules = dict(model.named_modules())
    for name, module in modules.items():
        if not isinstance(module, torch.nn.BatchNorm2d):
            continue
        head, _, leaf = name.rpartition(".")
        before = "0" if leaf == "1" else leaf.replace("bn", "conv")
        parent = modules[head] if head else model
        setattr(parent, before, fuse_conv_bn_eval(getattr(parent, before), module))
        setattr(parent, leaf, torch.nn.Identity())
    return model


def main(lcw, page):
    pathlib.Path("model.py").write_text(MODEL)
    sys.path.insert(0, ".")
    a, b = network(1), network(2)
    torch.save(a.state_dict(), "a.pt")
    torch.save(b.state_dict(), "b.pt")
    images = torch.randn(4, 3, 32, 32)
    torch.save(images, "images.pt")
    page = pathlib.Path(page).read_text()
    back = page[page.index("## And back"):]
    commands = re.search(r"```sh\n(.*?)```", back, re.S)[1].replace("--method ot", "--method linear")
    for line in commands.strip().splitlines():
        words = line.split()
        if "--dataset" in words:
            words.append("--no-check")
        subprocess.run([lcw] + words[1:], check=True, stdout=subprocess.DEVNULL)
    scope = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(re.search(r"```python\n(.*?)```", back, re.S)[1], scope)
    mean, other = folded(a), folded(b)
    with torch.no_grad():
        for x, y in zip(mean.parameters(), other.parameters()):
            x.lerp_(y, 0.5)
        expected = mean(images)
    difference = ((scope["logits"] - expected).abs().max() / expected.abs().max()).item()
    assert difference < 1e-5, difference
    assert printed.getvalue().strip() == str(expected.argmax(1)), printed.getvalue()
    counters = [v for k, v in scope["model"].state_dict().items() if k.endswith("num_batches_tracked")]
    assert counters and all(int(v) == 5 for v in counters)
    print(f"largest difference of the logits: {difference:.1e} of the largest")


if __name__ == "__main__":
    main(*sys.argv[1:])
