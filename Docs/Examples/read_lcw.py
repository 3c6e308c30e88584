#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads an .lcw archive of version 1 into a dictionary of NumPy arrays.

    python3 read_lcw.py network.lcw          lists what it holds

Needs numpy, and either the module zstandard or the program zstd. NumPy has no bfloat16 and no
floating-point numbers of 8 bits: those tensors become float32, which holds them exactly. See
Formats/LCW/SPEC.md.
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
    "u64": "<u8", "u32": "<u4", "u16": "<u2", "c64": "<c8", "f8_e4m3": "u1", "f8_e5m2": "u1",
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
        content = unpacked(frames)
        if tensor["transform"] == "exp5":
            content = b"".join(chunks_of_exp5(tensor, frames, content, manifest["chunk"]))
        arrays[tensor["name"]] = array(tensor, content, manifest["chunk"])
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
    """The size of what each frame in a row of them holds."""
    sizes = []
    start = 0
    while start < len(frames):
        # The magic number, a byte that says how many bytes the content's size takes, that size.
        width = {0x24: 1, 0x64: 2, 0xA4: 4}[frames[start + 4]]
        size = int.from_bytes(frames[start + 5:start + 5 + width], "little")
        sizes.append(size + 256 if width == 2 else size)
        start += 5 + width
        is_last = False
        while not is_last:
            header = int.from_bytes(frames[start:start + 3], "little")
            is_last, kind = header & 1, header >> 1 & 3
            # A block of one byte that is repeated has the count of repetitions as its size.
            start += 3 + (1 if kind == 1 else header >> 3)
        start += 4
    return sizes


def chunks_of_exp5(tensor, frames, content, chunk):
    """The elements' bytes, chunk by chunk, of the blocks that the transform exp5 makes."""
    width = np.dtype(DTYPES[tensor["dtype"]]).itemsize
    blocks = []
    for size in content_sizes(frames):
        blocks.append(np.frombuffer(content[:size], "u1").astype("u4"))
        content = content[size:]
    for start in range(0, len(blocks), 2 + width):
        first, codes, *middle, halves, signs = blocks[start:start + 2 + width]
        count = len(codes)
        base, escaped = first[0], first[1:]
        exponents = np.where(codes >> 3 == 0, 0, (codes >> 3) + base)
        exponents[codes >> 3 == 31] = escaped
        mantissas = codes & 7
        for block in middle:
            mantissas = mantissas << 8 | block
        low = np.concatenate([halves & 15, halves >> 4])[:count]
        sign = np.concatenate([signs >> bit & 1 for bit in range(8)])[:count]
        bits = 7 if width == 2 else 23
        words = sign << (8 + bits) | exponents << bits | mantissas << 4 | low
        yield words.astype(f"<u{width}").tobytes()


def array(tensor, content, chunk):
    """The array of a tensor of the manifest."""
    dtype = np.dtype(DTYPES[tensor["dtype"]])
    transform = tensor["transform"]
    if transform not in ("none", "exp5"):
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
    elif tensor["dtype"] == "f8_e5m2":
        values = (values.astype("<u2") << 8).view("<f2").astype("<f4")
    elif tensor["dtype"] == "f8_e4m3":
        # Half precision has the same mantissa in front and eight more in its bias.
        words = (values & 127).astype("<u2") << 7
        values = np.where(values & 127 == 127, np.float32("nan"), words.view("<f2") * np.float32(256)) \
            * np.where(values & 128, np.float32(-1), np.float32(1))
    return values.reshape(tensor["shape"])


if __name__ == "__main__":
    manifest, arrays = read_lcw(sys.argv[1])
    print(manifest["kind"], json.dumps(manifest["metadata"], ensure_ascii=False))
    for name, values in arrays.items():
        print(name, values.dtype, values.shape)
