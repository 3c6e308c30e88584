#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads an .lcw archive of version 1 into a dictionary of NumPy arrays.

    python3 read_lcw.py network.lcw          lists what it holds

Needs numpy, and either the module zstandard or the program zstd. NumPy has no bfloat16:
those tensors become float32, which holds them exactly. See Formats/LCW/SPEC.md.
"""
import hashlib
import io
import json
import subprocess
import sys
import tarfile

import numpy as np

try:
    import zstandard
except ImportError:
    zstandard = None

DTYPES = {
    "f64": "<f8", "f32": "<f4", "f16": "<f2", "bf16": "<u2",
    "i64": "<i8", "i32": "<i4", "i16": "<i2", "i8": "i1", "u8": "u1", "bool": "?",
}


def read_lcw(path):
    """The manifest, and the arrays by their names."""
    with tarfile.open(path, "r:") as tar:
        manifest = parse(tar.extractfile("manifest.json").read())
        segments = [
            tar.extractfile(f"seg/{index:05d}.zst").read()
            for index in range(len(manifest["segments"]))
        ]
    arrays = {}
    for tensor in manifest["tensors"]:
        start = tensor["offset"]
        frames = segments[tensor["segment"]][start:start + tensor["stored"]]
        arrays[tensor["name"]] = array(
                tensor, unpacked(frames), manifest["chunk"], frames)
    return manifest, arrays


def parse(text):
    """The manifest, if its last member is the SHA-256 of what stands before that."""
    body = text[:-78]
    if text[-78:] != b',"sha256":"%s"}\n' % hashlib.sha256(body).hexdigest().encode():
        raise ValueError("the manifest is damaged")
    manifest = json.loads(text)
    if (manifest["format"], manifest["version"]) != ("lcw", 1):
        raise ValueError(f"version {manifest['version']} of the format is not known")
    return manifest


def unpacked(frames):
    """What a row of zstd frames holds; their checksums are checked on the way."""
    if not frames:
        return b""
    if zstandard is None:
        command = ["zstd", "-dc"]
        return subprocess.run(command, input=frames, stdout=subprocess.PIPE, check=True).stdout
    context = zstandard.ZstdDecompressor()
    with context.stream_reader(io.BytesIO(frames), read_across_frames=True) as reader:
        return reader.read()


def content_sizes(frames):
    """How many bytes each of a row of zstd frames holds."""
    position = 0
    while position < len(frames):
        width = {0x24: 1, 0x64: 2, 0xA4: 4}[frames[position + 4]]
        size = int.from_bytes(frames[position + 5:position + 5 + width], "little")
        yield size + (256 if width == 2 else 0)
        position += 5 + width
        is_last = False
        while not is_last:
            header = int.from_bytes(frames[position:position + 3], "little")
            is_last = header & 1
            position += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
        position += 4


def widened(content, sizes, dtype):
    """The words of which blocks of the transform exp5 were made."""
    blocks = np.split(np.frombuffer(content, "u1"), np.cumsum(sizes))
    parts = []
    for start in range(0, len(sizes), dtype.itemsize + 2):
        escapes, first, *middle, halves, signs = blocks[start:start + dtype.itemsize + 2]
        code, n = first >> 3, len(first)
        exponent = np.where(code == 0, 0, code + escapes[0]).astype("u1")
        exponent[code == 31] = escapes[1:]
        word = exponent.astype("u4") << 3 | first & 7
        for block in middle:
            word = word << 8 | block
        word = word << 4 | np.concatenate([halves & 15, halves >> 4])[:n]
        sign = np.concatenate([signs >> bit & 1 for bit in range(8)])[:n].astype("u4")
        parts.append(word | sign << (8 * dtype.itemsize - 1))
    return np.concatenate(parts).astype(f"<u{dtype.itemsize}")


def array(tensor, content, chunk, frames):
    """The array of a tensor of the manifest."""
    dtype = np.dtype(DTYPES[tensor["dtype"]])
    transform = tensor["transform"]
    if transform == "exp5":
        content = widened(content, list(content_sizes(frames)), dtype).tobytes()
    elif transform != "none":
        # In each chunk the most significant bytes come first, then the next ones, and so on.
        planes = (
            np.frombuffer(content[start:start + chunk], "u1").reshape(dtype.itemsize, -1)
            for start in range(0, len(content), chunk)
        )
        words = np.concatenate([part[::-1].T.reshape(-1) for part in planes])
        words = words.view(f"<u{dtype.itemsize}")
        if transform == "rotl1":
            words = words >> 1 | words << (8 * dtype.itemsize - 1)
        elif transform != "planes":
            raise ValueError(f"the transform {transform} is not known")
        content = words.tobytes()
    digest = tensor.get("sha256")
    if digest and digest != hashlib.sha256(content).hexdigest():
        raise ValueError(f"the tensor {tensor['name']} is damaged")
    values = np.frombuffer(content, dtype)
    if tensor["dtype"] == "bf16":
        values = (values.astype("<u4") << 16).view("<f4")
    return values.reshape(tensor["shape"])


if __name__ == "__main__":
    manifest, arrays = read_lcw(sys.argv[1])
    print(manifest["kind"], json.dumps(manifest["metadata"], ensure_ascii=False))
    for name, values in arrays.items():
        print(name, values.dtype, values.shape)
