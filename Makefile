# The system's python3 only makes .venv; everything else runs from there.
PYTHON ?= python3
BIN := .venv/bin

# What is run before a commit: a port of each kind, and the tools without whole boards.
QUICK := tests/static tests/common tests/harness \
  $(addprefix tests/host/test_,boards.py cli.py config.py dropin_files.py errnames.py files.py \
  kconfig.py odd_answers.py shown.py)
QUICK_TARGETS := --target cpython --target unix-1.26.1 --target vboard

.PHONY: help setup demo test test-quick bench docs generate readme release clean

help:
	@echo "make setup   .venv with the usocket command, and the system packages it needs"
	@echo "make demo    a file server on MicroPython and on CPython, fetched by curl"
	@echo "make test    everything that is checked"
	@echo "make test-quick   what is checked before a commit, in a few minutes"
	@echo "make bench   the layer's speed and memory against plain sockets"
	@echo "make docs    the documentation, as pages in build/docs"
	@echo "make generate   package.json and the like, manifest.py and the lists in docs/, from the tree"
	@echo "make readme  the session that README shows, as the commands say it today"
	@echo "make release   wheel, sdist and an index for mip, each tried, in build/release"
	@echo "make clean   remove what the others made, except the cache of built interpreters"

setup:
	@$(PYTHON) tools/make/setup.py

demo: setup
	@$(BIN)/python -m usocket_tools.make.demo

test: setup
	@$(BIN)/python -m usocket_tools.make.builds
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test-quick: setup
	@$(BIN)/python -m usocket_tools.make.builds
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(QUICK_TARGETS) $(QUICK)

bench: setup
	@$(BIN)/python bench/run.py

docs: setup
	@$(BIN)/python -m sphinx -q -E -W --keep-going -b html docs build/docs
	@echo "docs: build/docs/index.html"

generate: setup
	@$(BIN)/python -m usocket_tools.make.generate

readme: setup
	@$(BIN)/python -m usocket_tools.make.readme

release: setup docs
	@$(BIN)/python -m usocket_tools.make.release

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
