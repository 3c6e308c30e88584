#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes small batches of the Python version of CIFAR, as its archives and as today's Python write them.

usage: cifar_pickles.py Tests/DatasetTests/Fixtures/cifar     (needs NumPy)

Image i has the bytes (7 i + 13 j) mod 256 at its place j. python2 is written instruction by instruction as
Python 2's cPickle writes the archives: byte strings, numpy.core, a dictionary filled in one go. Those that
end in 2 to 5 are of that protocol, by the Python that runs this. `calls` calls a function, which must not
happen; `floats` has an array of floats; `columns` is column by column.
"""
import os
import pathlib
import pickle
import struct
import sys

import numpy as np


def pixels(count):
    i, j = np.indices((count, 3072))
    return ((7 * i + 13 * j) % 256).astype(np.uint8)


def python2(labels, data):
    """The instructions of cPickle.dump(batch, file, 2) in Python 2."""
    memo = iter(range(1000))

    def kept(code):
        return code + b"q" + bytes([next(memo)])

    def text(value):
        return kept(b"U" + bytes([len(value)]) + value)

    def integer(value):
        return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)

    out = b"\x80\x02" + kept(b"}") + b"("
    out += text(b"batch_label") + text(b"training batch 1 of 5")
    for key, values in labels.items():
        out += text(key) + kept(b"]") + b"(" + b"".join(integer(v) for v in values) + b"e"
    raw = data.tobytes()
    out += text(b"data") + kept(b"cnumpy.core.multiarray\n_reconstruct\n")
    out += kept(b"cnumpy\nndarray\n") + b"K\x00" + kept(b"\x85") + kept(b"U\x01b")
    out += kept(b"\x87") + kept(b"R") + b"(K\x01"
    out += integer(data.shape[0]) + integer(data.shape[1]) + kept(b"\x86")
    out += kept(b"cnumpy\ndtype\n") + kept(b"U\x02u1") + b"K\x00K\x01" + kept(b"\x87") + kept(b"R")
    out += b"(K\x03" + kept(b"U\x01|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00" + kept(b"t") + b"b"
    out += b"\x89T" + struct.pack("<I", len(raw)) + raw + kept(b"t") + b"b"
    return out + text(b"filenames") + kept(b"]") + b"(" + b"".join(
        text(b"image_%d.png" % i) for i in range(data.shape[0])) + b"eu."


class Call:
    def __reduce__(self):
        return os.mkdir, ("called-by-a-pickle",)


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data, labels = pixels(3), [9, 0, 4]
    two = python2({b"labels": labels}, data)
    assert pickle.loads(two, encoding="bytes")[b"labels"] == labels
    assert (pickle.loads(two, encoding="bytes")[b"data"] == data).all()
    (folder / "python2").write_bytes(two)
    hundred = {b"fine_labels": [99, 0, 51], b"coarse_labels": [19, 4, 0]}
    (folder / "python2-100").write_bytes(python2(hundred, data))
    for protocol in (2, 3, 4, 5):
        key = (lambda name: name) if protocol % 2 else (lambda name: name.encode())
        batch = {key("labels"): labels, key("data"): data, key("extra"): [None, True, 2.5, (1, "a")]}
        (folder / f"protocol{protocol}").write_bytes(pickle.dumps(batch, protocol))
    few = pixels(1)
    (folder / "calls").write_bytes(pickle.dumps({"labels": Call(), "data": few}, 2))
    (folder / "floats").write_bytes(pickle.dumps({"labels": [1], "data": few.astype(np.float32)}, 2))
    wide = np.asfortranarray(pixels(2))
    (folder / "columns").write_bytes(pickle.dumps({"labels": [1, 2], "data": wide}, 2))
    (folder / "short").write_bytes(pickle.dumps({"labels": [1, 2], "data": few}, 2))
    (folder / "nameless").write_bytes(pickle.dumps({"data": few}, 2))
    (folder / "beyond").write_bytes(pickle.dumps({"labels": [10], "data": few}, 2))
    (folder / "list").write_bytes(pickle.dumps([1, 2], 2))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
