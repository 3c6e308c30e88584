# SPDX-License-Identifier: Apache-2.0
"""Writes what PyTorch makes of random input with each operation, forward, backward and in training.

usage: write_operations.py [FOLDER]      (default: the folder of this script; needs torch, safetensors)

One Safetensors file for each case, float32, its operation as text in the metadata under `operation`; the
README beside this script says which tensors a file has. PyTorch computes in double precision from
single-precision input, so that a value here is right to its last bit but one. The numbers depend on the
case's name alone: a case that is added changes no other file.
"""

import json
import pathlib
import sys
import zlib

import torch
import torch.nn.functional as F
from safetensors.torch import save

SAMPLES = 3

# name of the file -> (text of the operation, shapes of the samples, function of the inputs, shapes of the parameters)
CASES = {}


class Values:
    """What an operation may read beside its inputs: its parameters, and whether it trains."""

    def __init__(self, parameters, training):
        self.training = training
        for role, tensor in parameters.items():
            setattr(self, role, tensor)


def case(text, shapes, function, parameters=None, suffix=None, training=True):
    name = "-".join(text.split()) + (f"-{suffix}" if suffix else "")
    assert name not in CASES, name
    CASES[name] = (text, shapes, function, parameters or {}, training)


# MARK: - Dense and convolution

case("dense 7", [[5]], lambda v, x: F.linear(x, v.weight, v.bias), {"weight": [7, 5], "bias": [7]})
case("dense 7 no-bias", [[5]], lambda v, x: F.linear(x, v.weight), {"weight": [7, 5]})


def conv(text, shape, kernel, stride=1, padding=(0, 0, 0, 0), dilation=1, groups=1, suffix=None):
    """Padding is top, left, bottom, right."""
    filters = int(text.split()[1])
    top, left, bottom, right = padding

    def run(v, x):
        padded = F.pad(x, (left, right, top, bottom))
        bias = getattr(v, "bias", None)
        return F.conv2d(padded, v.weight, bias, stride=stride, dilation=dilation, groups=groups)

    parameters = {"weight": [filters, shape[0] // groups, *kernel]}
    if "no-bias" not in text:
        parameters["bias"] = [filters]
    case(text, [shape], run, parameters, suffix)


EVEN = (1, 1, 1, 1)
conv("conv 6 3x3 pad 1", [2, 5, 4], (3, 3), padding=EVEN)
conv("conv 6 3x2 stride 2x1 pad 1x0x2x1", [2, 6, 4], (3, 2), stride=(2, 1), padding=(1, 0, 2, 1))
conv("conv 6 3x3 dilation 2", [2, 7, 6], (3, 3), dilation=2)
conv("conv 6 3x3 pad 1 groups 2 no-bias", [4, 5, 4], (3, 3), padding=EVEN, groups=2)
conv("conv 8 3x3 pad 1 groups 4", [4, 5, 4], (3, 3), padding=EVEN, groups=4)
conv("conv 4 3x3 stride 2 pad 1 groups 4", [4, 6, 5], (3, 3), stride=2, padding=EVEN, groups=4)
conv("conv 5 1x1 no-bias", [3, 3, 4], (1, 1))

# MARK: - Pooling

case("maxpool 3 stride 2 pad 1", [[2, 6, 5]], lambda v, x: F.max_pool2d(x, 3, 2, 1))
case("maxpool 3x2 stride 2 ceil", [[2, 6, 7]],
     lambda v, x: F.max_pool2d(x, (3, 2), 2, ceil_mode=True))
# Here the last window would start behind the image, so that PyTorch leaves it out.
case("maxpool 2 stride 2 pad 1 ceil", [[2, 5, 6]],
     lambda v, x: F.max_pool2d(x, 2, 2, 1, ceil_mode=True))
case("avgpool 3 stride 2 pad 1", [[2, 6, 5]], lambda v, x: F.avg_pool2d(x, 3, 2, 1))
case("avgpool 3 stride 2 pad 1 exclude-pad", [[2, 6, 5]],
     lambda v, x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
case("avgpool 3 stride 2 ceil", [[2, 6, 8]], lambda v, x: F.avg_pool2d(x, 3, 2, ceil_mode=True))
# The padding counts, what lies beyond it does not.
case("avgpool 3 stride 2 pad 1 ceil", [[2, 6, 5]],
     lambda v, x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True))
case("avgpool 1 stride 2", [[2, 5, 6]], lambda v, x: F.avg_pool2d(x, 1, 2))
case("global-avgpool", [[4, 3, 5]], lambda v, x: F.adaptive_avg_pool2d(x, 1).flatten(1))
case("adaptive-avgpool", [[4, 3, 5]], lambda v, x: F.adaptive_avg_pool2d(x, 1))
case("adaptive-avgpool 3x4", [[2, 7, 6]], lambda v, x: F.adaptive_avg_pool2d(x, (3, 4)))
case("adaptive-avgpool 3x4", [[2, 2, 1]], lambda v, x: F.adaptive_avg_pool2d(x, (3, 4)),
     suffix="spread")

# MARK: - One value at a time

case("relu", [[12]], lambda v, x: F.relu(x))
case("leaky-relu 0.01", [[12]], lambda v, x: F.leaky_relu(x, 0.01))
case("clip 0 6", [[24]], lambda v, x: F.relu6(x))
case("sigmoid", [[12]], lambda v, x: torch.sigmoid(x))
case("tanh", [[12]], lambda v, x: torch.tanh(x))
case("silu", [[12]], lambda v, x: F.silu(x))
case("hard-swish", [[24]], lambda v, x: F.hardswish(x))
case("hard-sigmoid", [[24]], lambda v, x: F.hardsigmoid(x))
case("gelu", [[24]], lambda v, x: F.gelu(x))
case("gelu tanh", [[24]], lambda v, x: F.gelu(x, approximate="tanh"))
case("elu", [[12]], lambda v, x: F.elu(x))
case("softmax", [[7]], lambda v, x: F.softmax(x, -1))
case("identity", [[2, 3, 2]], lambda v, x: x.clone())
case("dropout 0.5", [[12]], lambda v, x: F.dropout(x, 0.5, False), training=False)


# MARK: - Normalisation

def batch_norm(text, shape, suffix=None):
    words = text.split()
    epsilon = float(words[words.index("epsilon") + 1]) if "epsilon" in words else 1e-5
    momentum = float(words[words.index("momentum") + 1]) if "momentum" in words else 0.1

    def run(v, x):
        return F.batch_norm(
            x, v.mean, v.variance, v.scale, v.shift, v.training, momentum, epsilon)

    roles = {role: shape[:1] for role in ("scale", "shift", "mean", "variance")}
    case(text, [shape], run, roles, suffix)


batch_norm("batchnorm", [6], "vector")
batch_norm("batchnorm", [3, 4, 3], "image")
batch_norm("batchnorm epsilon 0.001 momentum 0.01", [3, 4, 3])


def affine(shape):
    return {"scale": shape, "shift": shape}


case("layernorm", [[8]], lambda v, x: F.layer_norm(x, [8], v.scale, v.shift), affine([8]), "vector")
case("layernorm", [[3, 4, 2]], lambda v, x: F.layer_norm(x, [3, 4, 2], v.scale, v.shift),
     affine([3, 4, 2]), "image")
# Small values, so that the epsilon counts.
case("layernorm epsilon 1e-6", [[8]],
     lambda v, x: F.layer_norm(x, [8], v.scale, v.shift, 1e-6), affine([8]))
case("layernorm channels", [[5, 3, 2]],
     lambda v, x: F.layer_norm(x.movedim(1, -1), [5], v.scale, v.shift).movedim(-1, 1),
     affine([5]))
case("groupnorm 3", [[6, 3, 2]], lambda v, x: F.group_norm(x, 3, v.scale, v.shift), affine([6]))
case("groupnorm 1", [[4, 3, 2]], lambda v, x: F.group_norm(x, 1, v.scale, v.shift), affine([4]))
case("instancenorm", [[4, 3, 3]],
     lambda v, x: F.instance_norm(x, weight=v.scale, bias=v.shift), affine([4]))
# PyTorch divides alpha by the size of the window. With the usual alpha the quotient is almost 1.
case("lrn 5 alpha 0.0001 beta 0.75 k 1", [[7, 2, 2]],
     lambda v, x: F.local_response_norm(x, 5, 0.0001, 0.75, 1))
case("lrn 4 alpha 2 beta 0.5 k 3", [[7, 2, 2]],
     lambda v, x: F.local_response_norm(x, 4, 2, 0.5, 3))

# MARK: - Several inputs, scale, shape

case("add", [[3, 2, 3]] * 2, lambda v, x, y: x + y, suffix="two")
case("add", [[3, 2, 3]] * 3, lambda v, x, y, z: x + y + z, suffix="three")
case("multiply", [[3, 2, 3]] * 2, lambda v, x, y: x * y, suffix="same")
case("multiply", [[3, 2, 3], [3, 1, 1]], lambda v, x, y: x * y, suffix="channels")
case("scalar", [[3, 2, 3]], lambda v, x: x * v.factor, {"factor": [1]})
case("affine", [[4]], lambda v, x: x * v.scale + v.shift, affine([4]), "vector")
case("affine", [[3, 2, 3]],
     lambda v, x: x * v.scale[:, None, None] + v.shift[:, None, None], affine([3]), "image")
case("concat", [[2, 2, 3], [3, 2, 3]], lambda v, *xs: torch.cat(xs, 1), suffix="two")
case("concat", [[2, 2, 3], [3, 2, 3], [1, 2, 3]], lambda v, *xs: torch.cat(xs, 1), suffix="three")
case("concat", [[4], [3]], lambda v, *xs: torch.cat(xs, 1), suffix="vectors")
case("pad 1x2x0x1", [[2, 2, 3]], lambda v, x: F.pad(x, (2, 1, 1, 0)))
case("pad channels 1x2", [[2, 2, 3]], lambda v, x: F.pad(x, (0, 0, 0, 0, 1, 2)))
case("reshape 6x4", [[2, 3, 4]], lambda v, x: x.reshape(len(x), 6, 4))
case("shuffle 3", [[6, 2, 4]], lambda v, x: F.channel_shuffle(x, 3))
case("flatten", [[2, 3, 4]], lambda v, x: x.flatten(1))
case("flatten 2", [[2, 3, 4]], lambda v, x: x.flatten(2))


# MARK: - Writing

# Where a derivative jumps: what happens there exactly is no matter of these files.
KINKS = {"relu": [0], "leaky-relu": [0], "elu": [0], "clip": [0, 6], "hard-swish": [-3, 3],
         "hard-sigmoid": [-3, 3]}


def inputs_of(name, text, shapes, random):
    kind = text.split()[0]
    spread = 4.0 if kind in ("clip", "hard-swish", "hard-sigmoid", "gelu") else 1.5
    centre = 2.0 if kind == "clip" else 0.2
    if "epsilon" in text:
        spread, centre = 0.002, 0.001
    if kind == "lrn":
        spread = 3.0
    result = []
    for shape in shapes:
        x = (torch.randn(SAMPLES, *shape, generator=random) * spread + centre).double()
        for kink in KINKS.get(kind, []):
            assert (x - kink).abs().min() > 1e-3, f"{name}: an input is at a kink, take another seed"
        result.append(x)
    return result


def parameter_of(role, shape, text, random):
    values = torch.randn(*shape, generator=random)
    if role == "scale":
        values = 1 + 0.4 * values
    elif role == "variance":
        values = 0.3 + values.abs()
        if "epsilon" in text:
            values = 1e-3 * values
    elif role == "mean" and "epsilon" in text:
        values = 0.002 * values
    else:
        values = 0.5 * values
    return values.float().double()


def write(folder, name):
    text, shapes, function, roles, trains = CASES[name]
    random = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    inputs = [x.float().double() for x in inputs_of(name, text, shapes, random)]
    parameters = {role: parameter_of(role, shape, text, random) for role, shape in roles.items()}

    def numbered(stem, tensors):
        return {stem.replace("#", str(i + 1) if i else ""): x for i, x in enumerate(tensors)}

    tensors = numbered("input#", inputs)
    tensors |= {f"parameter.{role}": x for role, x in parameters.items()}
    with torch.no_grad():
        tensors["output"] = function(Values(parameters, False), *inputs)
    if trains:
        moved = {r: x.clone().requires_grad_(r not in ("mean", "variance"))
                 for r, x in parameters.items()}
        inputs = [x.clone().requires_grad_() for x in inputs]
        output = function(Values(moved, True), *inputs)
        gradient = torch.randn(output.shape, generator=random).double()
        output.backward(gradient)
        tensors["trainingOutput"] = output.detach()
        tensors["outputGradient"] = gradient
        tensors |= numbered("input#Gradient", [x.grad for x in inputs])
        tensors |= {f"gradient.{r}": x.grad for r, x in moved.items() if x.requires_grad}
        tensors |= {f"after.{r}": x for r, x in moved.items() if not x.requires_grad}
    for key, tensor in tensors.items():
        assert tensor.isfinite().all(), (name, key)
    content = save(
        {key: tensor.float().contiguous().clone() for key, tensor in tensors.items()},
        metadata={"operation": text, "torch": torch.__version__})
    (folder / f"{name}.safetensors").write_bytes(in_order(content))


def in_order(content):
    """The same file with its metadata in the order of their keys: the library's changes from run to run."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
    folder = folder if folder.is_dir() else folder.parent
    torch.set_num_threads(1)
    for name in CASES:
        write(folder, name)
    print(f"{len(CASES)} cases")


if __name__ == "__main__":
    main()
