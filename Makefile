# The system's python3 only makes .venv; everything else runs from there.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test bench docs generate clean

help:
	@echo "make setup   .venv with the usocket command, and the system packages it needs"
	@echo "make demo    a file server on MicroPython and on CPython, fetched by curl"
	@echo "make test    everything that is checked"
	@echo "make bench   the layer's speed and memory against plain sockets"
	@echo "make docs    the documentation, as pages in build/docs"
	@echo "make generate   package.json, manifest.py and the lists in docs/, from the tree"
	@echo "make clean   remove what the others made, except the cache of built interpreters"

setup:
	@$(PYTHON) tools/setup.py

demo: setup
	@$(BIN)/python -m usocket_tools.demo

test: setup
	@$(BIN)/python -m pytest

bench: setup
	@$(BIN)/python bench/run.py

docs: setup
	@$(BIN)/python -m sphinx -q -E -W --keep-going -b html docs build/docs
	@echo "docs: build/docs/index.html"

generate: setup
	@$(BIN)/python -m usocket_tools.packaging

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
