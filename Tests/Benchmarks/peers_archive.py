# SPDX-License-Identifier: Apache-2.0
"""Measures other ways of keeping trained weights and prints them beside the archive's figures.

usage: peers_archive.py OURS.json CHECKPOINT.safetensors... [--json FILE]

OURS.json is what `lcw-bench --checkpoint ...` wrote in the same run on the same machine, for the
same checkpoints of f32 tensors. Needs numpy, torch, safetensors, zipnn and zstandard (`pip install`).
A peer that is not installed is left out.

Sizes are of the networks once. For speed their tensors stand repeatedly, the networks in turn, as
in ArchiveBenchmarks.swift; ways of a few MB a second are timed on the networks once. In memory each
tensor is one call, with one thread. Of several runs the fastest counts.
"""

import json
import os
import sys
import tempfile
import time

ELEMENTS = {"f32": 4, "bf16": 2, "f16": 2}
TIMED_BYTES = 100_000_000
RUNS = 5


def fastest(body, runs=RUNS, prepare=None):
    """The least seconds of a run, and of the processor's seconds."""
    best = [float("inf"), float("inf")]
    for _ in range(runs + 1):
        given = prepare() if prepare else ()
        wall, processor = time.perf_counter(), time.process_time()
        body(*given)
        best[1] = min(best[1], time.process_time() - processor)
        best[0] = min(best[0], time.perf_counter() - wall)
    return best


class Networks:
    """The checkpoints' tensors in one type, as torch tensors and as bytes."""

    def __init__(self, files, dtype):
        import torch
        from safetensors.torch import load_file

        to = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[dtype]
        self.dtype = dtype
        self.tensors = {
            f"{index}.{name}": tensor.to(to)
            for index, file in enumerate(files)
            for name, tensor in load_file(file).items()
        }
        self.count = sum(tensor.numel() for tensor in self.tensors.values())
        self.size = self.count * ELEMENTS[dtype]
        copies = -(-TIMED_BYTES // (4 * self.count))
        self.timed = {
            f"{copy}.{name}": tensor
            for copy in range(copies)
            for name, tensor in self.tensors.items()
        }
        self.timed_size = self.size * copies

    def arrays(self, tensors):
        # numpy has no bfloat16; its bits are kept as integers.
        import torch

        return {
            name: (tensor.view(torch.int16) if self.dtype == "bf16" else tensor).numpy()
            for name, tensor in tensors.items()
        }

    def joined(self):
        return b"".join(array.tobytes() for array in self.arrays(self.tensors).values())


def peer(ratio=None, encode=None, decode=None, write=None, read=None):
    return {"ratio": ratio, "encode": encode, "decode": decode, "write": write, "read": read}


def speed(size, seconds):
    """MB a second by the clock on the wall and by the processor's time."""
    return [size / 1e6 / max(value, 1e-9) for value in seconds]


def file_peer(networks, folder, write, read, slow=False):
    path = os.path.join(folder, "peer")
    write(path, networks.tensors)
    ratio = os.path.getsize(path) / networks.size
    tensors = networks.tensors if slow else networks.timed
    size = networks.size if slow else networks.timed_size
    runs = 1 if slow else RUNS
    written = fastest(lambda: write(path, tensors), runs)
    result = peer(
        ratio, write=speed(size, written), read=speed(size, fastest(lambda: read(path), runs)))
    os.remove(path)
    return result


def safetensors_file(networks, folder):
    from safetensors.torch import load_file, save_file

    # Equal tensors under several names would be refused as shared memory.
    def write(path, tensors):
        save_file(tensors, path)

    # It maps the file; the copies make it read.
    def read(path):
        return {name: tensor.clone() for name, tensor in load_file(path).items()}

    networks.timed = {name: tensor.clone() for name, tensor in networks.timed.items()}
    return file_peer(networks, folder, write, read)


def npz(networks, folder, deflated):
    import numpy

    def write(path, tensors):
        save = numpy.savez_compressed if deflated else numpy.savez
        with open(path, "wb") as file:
            save(file, **networks.arrays(tensors))

    def read(path):
        with numpy.load(path) as archive:
            return [archive[name] for name in archive.files]

    return file_peer(networks, folder, write, read, slow=deflated)


def torch_file(networks, folder):
    import torch

    def write(path, tensors):
        torch.save(tensors, path)

    return file_peer(networks, folder, write, lambda path: torch.load(path, weights_only=True))


def zstandard_stream(networks, level):
    import zstandard

    data = networks.joined()
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)
    packed = compressor.compress(data)
    unpacker = zstandard.ZstdDecompressor()
    runs = 1 if level > 9 else RUNS
    return peer(
        len(packed) / len(data),
        speed(len(data), fastest(lambda: compressor.compress(data), runs)),
        speed(len(data), fastest(lambda: unpacker.decompress(packed))))


def zipnn_memory(networks):
    import zipnn

    name = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}[networks.dtype]
    arrays = [array.tobytes() for array in networks.arrays(networks.tensors).values()]
    coder = zipnn.ZipNN(bytearray_dtype=name, threads=1)

    # Its frames for few bytes are larger than they are; small tensors are joined to one.
    large = [data for data in arrays if len(data) > 1 << 20]
    large.append(b"".join(data for data in arrays if len(data) <= 1 << 20))

    # It overwrites what it is given.
    def copies():
        return ([bytearray(data) for data in large],)

    def compress(inputs):
        return [coder.compress(data) for data in inputs]

    packed = [bytes(data) for data in compress(*copies())]
    unpacked = [bytes(coder.decompress(data)) for data in packed]
    if unpacked != large:
        raise ValueError("ZipNN does not give back what it was given")
    repeats = -(-networks.timed_size // networks.size)

    def decompress(inputs):
        for data in inputs:
            coder.decompress(data)

    return peer(
        sum(map(len, packed)) / networks.size,
        speed(networks.size, fastest(compress, RUNS * repeats, copies)),
        speed(networks.size, fastest(decompress, RUNS * repeats, lambda: (packed,))))


def measured(networks, folder):
    ways = {
        "safetensors": lambda: safetensors_file(networks, folder),
        ".npz": lambda: npz(networks, folder, deflated=False),
        ".npz, deflated": lambda: npz(networks, folder, deflated=True),
        ".pt": lambda: torch_file(networks, folder),
        "zstd -3": lambda: zstandard_stream(networks, 3),
        "zstd -19": lambda: zstandard_stream(networks, 19),
        "ZipNN": lambda: zipnn_memory(networks),
    }
    rows = {}
    for name, way in ways.items():
        try:
            rows[name] = way()
        except ImportError as error:
            print(f"note: {name} is left out: {error}")
    return rows


def ours(rows, dtype, threads=1):
    suffix = "" if threads == 1 else f", {threads} threads"

    def figure(what):
        row = rows.get(f"archive {dtype} {what}{suffix}")
        if row is None:
            return None
        return speed(row["bytes"], [min(row["seconds"]), min(row["processorSeconds"])])

    def ratio(what):
        row = rows[f"archive {dtype} {what}"]
        return row["stored"] / row["bytes"]

    result = peer(
        ratio("size"), figure("encode"), figure("decode"), figure("file write"),
        figure("file read"))
    result["smallest"] = ratio("smallest size")
    return result


COLUMNS = ["encode", "decode", "write", "read"]


def print_table(dtype, mine, two, rows):
    print(f"\n{dtype}: ratio, and MB/s (in brackets by processor time)")
    print(f"{'':18}{'ratio':>8}" + "".join(f"{column:>16}" for column in COLUMNS))

    def line(name, row):
        ratio = f"{row['ratio']:.4f}" if row["ratio"] else ""
        cells = [
            f"{row[column][0]:.0f} ({row[column][1]:.0f})" if row[column] else ""
            for column in COLUMNS
        ]
        print(f"{name:18}{ratio:>8}" + "".join(f"{cell:>16}" for cell in cells))

    line(".lcw", mine)
    line(".lcw effort=best", peer(mine["smallest"]))
    line(".lcw, 2 threads", {**two, "ratio": None})
    for name, row in rows.items():
        line(name, row)


# FORMAT's targets: figure, peer, what is compared, and the least or most it may be.
TARGETS = [
    ("f32", "ratio", "ZipNN", "<=", 0.997),
    ("bf16", "ratio", "ZipNN", "<=", 0.993),
    ("f32", "encode", "ZipNN", ">=", 1.9),
    ("bf16", "encode", "ZipNN", ">=", 1.0),
    ("f16", "encode", "ZipNN", ">=", 1.0),
    ("f32", "decode", "ZipNN", ">=", 0.9),
    ("bf16", "decode", "ZipNN", ">=", 0.95),
    ("f16", "decode", "ZipNN", ">=", 0.8),
    ("f32", "write", ".npz", ">=", 0.75),
    ("f32", "read", ".npz", ">=", 0.75),
    ("f32", "write", ".npz, deflated", ">=", 30),
    ("f32", "read", ".npz, deflated", ">=", 9),
] + [("f32", column, "one thread", ">=", 1.4) for column in COLUMNS]


def compared(tables):
    print(f"\n{'against':34}{'ratio':>8}{'by processor':>14}{'target':>10}")
    results = []
    for dtype, column, name, sign, target in TARGETS:
        table = tables[dtype]
        if name == "one thread":
            mine, other = table["two"], table["mine"]
        else:
            mine, other = table["mine"], table["peers"].get(name)
        if other is None:
            continue
        if column == "ratio":
            value, processor = mine[column] / other[column], None
        else:
            value, processor = (mine[column][i] / other[column][i] for i in range(2))
        met = value <= target if sign == "<=" else value >= target
        results.append({"dtype": dtype, "figure": column, "against": name, "value": value,
                        "byProcessorTime": processor, "sign": sign, "target": target, "met": met})
        label = f"{dtype} {column}, {name}"
        beside = "" if processor is None or name == "one thread" else f"{processor:.4f}"
        print(f"{label:34}{value:8.4f}{beside:>14}{sign:>5} {target:<6}{'' if met else 'missed'}")
    return results


def machine():
    import importlib.metadata
    import platform

    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if "model name" in line), "")
    packages = ["numpy", "torch", "safetensors", "zipnn", "zstandard"]
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    print(f"{model}, {os.cpu_count()} threads, load {os.getloadavg()[0]:.1f}; "
          f"Python {platform.python_version()}, {', '.join(versions)}")


def main():
    arguments = sys.argv[1:]
    output = None
    if "--json" in arguments:
        index = arguments.index("--json")
        output = arguments[index + 1]
        del arguments[index:index + 2]
    if not arguments:
        sys.exit(__doc__)
    files = [file for file in arguments[1:] if os.path.exists(file)]
    if not files:
        print("note: the archive's peers are not measured, for want of checkpoints")
        return
    try:
        import torch
        import safetensors
    except ImportError as error:
        sys.exit(f"peers_archive.py: {error}; the peers are not measured")
    torch.set_num_threads(1)
    with open(arguments[0]) as file:
        rows = {row["name"]: row for row in json.load(file)}
    machine()
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    tables = {}
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for dtype in ELEMENTS:
            table = {"mine": ours(rows, dtype), "two": ours(rows, dtype, 2),
                     "peers": measured(Networks(files, dtype), folder)}
            tables[dtype] = table
            print_table(dtype, table["mine"], table["two"], table["peers"])
    results = compared(tables)
    if output:
        with open(output, "w") as file:
            json.dump({"tables": tables, "targets": results}, file, indent=2)


if __name__ == "__main__":
    main()
