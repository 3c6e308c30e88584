# SPDX-License-Identifier: Apache-2.0
# `make demo` and `make test` do all the set-up on a fresh machine that has Swift.

SWIFT ?= swift
PYTHON ?= python3
DEMO ?= demo
# Trained networks in f32, for the archive's figures; without them these are left out.
CHECKPOINTS ?= $(wildcard ../shared/checkpoints/*.safetensors)

# The folder of the data sets, for whole paths on MNIST.
DATA ?= ../shared/data
MNIST_PAIR ?= $(wildcard ../shared/checkpoints/mnist2000_seed[34].safetensors)

MINUTES ?= 10

# What the package manager remembers of the manifest depends on the environment, not on libraries.
export LCW_IMAGES ?= $(shell pkg-config --exists libpng libjpeg 2>/dev/null && echo 1 || echo 0)

.PHONY: demo test test-all slurm-test accessibility-test bench bench-paths bench-growth fuzz docs reference \
  plugin-kit format lint setup build

demo: build
	.build/release/lcw demo --output $(DEMO)

# In release: numeric code in a debug build is many times slower. No test needs what @testable opens, so that
# modules are compiled with the flags that they have in programs, and no target here compiles them twice.
TEST = .ci/with-kernels .build/release/lcw $(SWIFT) test -c release --disable-testable-imports

test: build
	LCW_SLOW_TESTS=0 $(TEST)

# With the tests that build packages of their own.
test-all: build
	LCW_SLOW_TESTS=1 $(TEST)

# On a Slurm of its own; installs Debian's slurm-wlm if there is none.
slurm-test: build
	Tests/Slurm/run .build/release/lcw

# With axe-core in Chromium; installs both if they are missing.
accessibility-test: build
	Tests/Accessibility/run .build/release/lcw

# Without the variables that halve OpenBLAS's speed, for lcw and for its peers.
bench: setup
	$(SWIFT) build -c release --product lcw-bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE .build/release/lcw-bench \
	  $(addprefix --checkpoint ,$(CHECKPOINTS)) --json .build/bench.json
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE \
	  $(PYTHON) Tests/Benchmarks/peers.py .build/bench.json --bench .build/release/lcw-bench \
	  --json .build/bench-peers.json
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE \
	  $(PYTHON) Tests/Benchmarks/peers_memory.py .build/release/lcw-bench \
	  --json .build/bench-memory.json
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE \
	  $(PYTHON) Tests/Benchmarks/peers_assignment.py .build/release/lcw-bench $(CHECKPOINTS) \
	  --json .build/bench-assignment.json
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE \
	  $(PYTHON) Tests/Benchmarks/peers_flow.py .build/release/lcw-bench .build/bench.json \
	  --json .build/bench-flow.json
	$(PYTHON) Tests/Benchmarks/peers_archive.py .build/bench.json $(CHECKPOINTS) \
	  --json .build/bench-archive.json
	$(if $(wildcard $(DATA)/mnist),$(MAKE) bench-paths,@echo "whole paths are not measured: no DATA/mnist")

# Whole paths beside NumPy, SciPy and PyTorch: `make bench-paths DATA=FOLDER MNIST_PAIR="A B"`.
bench-paths: build
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE \
	  $(PYTHON) Tests/Benchmarks/peers_paths.py .build/release/lcw $(DATA) $(MNIST_PAIR) \
	  --json .build/bench-paths.json

# How time grows with samples, width, points and networks: a page and four charts.
bench-growth: setup
	$(SWIFT) build -c release --product lcw-bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE .build/release/lcw-bench --growth Docs/Results

fuzz: setup
	Tests/Fuzz/run $(MINUTES)

# The libraries' documentation and its articles, as a static site in .build/docs.
docs: build
	$(SWIFT) build -c release --target LCWConformance
	$(PYTHON) Docs/links.py $$(git ls-files '*.md')
	PYTHON=$(PYTHON) Docs/build

# The commands' reference, from their own help; a test notices when it is out of date.
reference: build
	.build/release/lcw manual > Docs/Commands.md

# A package of each kind as lcw plugin new writes it, built and tested.
plugin-kit: build
	Tests/PluginKit/run

build: setup
	$(SWIFT) build -c release --product lcw

setup:
	@sh .ci/setup

format:
	$(SWIFT) format -i -r Package.swift Sources Plugins Formats Tests Docs/Examples

lint:
	$(SWIFT) format lint --strict -r Package.swift Sources Plugins Formats Tests Docs/Examples
