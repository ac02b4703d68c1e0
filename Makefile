# Each target does its own set-up in .venv; nothing else has to be installed but Python 3.11 or newer.
PYTHON ?= python3
RUN := .venv/bin

.PHONY: demo test lint types check lowest bench torture clean

demo: .venv/ready  ## index seeds/ and ask it a question
	$(RUN)/semsearch index seeds
	$(RUN)/semsearch search --index seeds "security vacuum Western Balkans"

test: .venv/ready  ## all tests
	$(RUN)/python -m pytest

lint: .venv/ready  ## style, format and layers
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/lint-imports

types: .venv/ready  ## mypy, strict
	$(RUN)/mypy

check: lint types test  ## what must pass before a commit

lowest:  ## the tests with the oldest versions that pyproject.toml admits
	test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-lowest/bin/python -m pip install --quiet --constraint tests/lowest.txt --editable . --group dev
	.venv-lowest/bin/python -m pytest

bench: .venv/ready  ## the figures of benchmarks/README.md; COLLECTIONS="DIR…", judged ones, adds those beside other tools
	$(RUN)/python benchmarks/figures.py
	test -z "$(COLLECTIONS)" || $(RUN)/python benchmarks/throughput.py $(firstword $(COLLECTIONS))
	test -z "$(COLLECTIONS)" || $(RUN)/python benchmarks/peers.py --work benchmarks/data/peers $(COLLECTIONS)

torture: .venv/ready  ## hours: every harness of docs/reliability.md with its full counts
	$(RUN)/python -m tests.torture.kill --moments 200
	$(RUN)/python -m tests.torture.power
	$(RUN)/python -m tests.torture.disk --budgets 100
	$(RUN)/python -m tests.torture.damage --trials 2000
	$(RUN)/python -m tests.torture.damage --trials 500 --only index.db
	$(RUN)/python -m tests.torture.sizes --trials 200
	$(RUN)/python -m tests.torture.readers
	$(RUN)/python -m tests.torture.writers
	$(RUN)/python -m tests.torture.inputs
	$(RUN)/python -m tests.torture.bombs
	$(RUN)/python -m tests.torture.linear
	$(RUN)/python -m tests.torture.fuzz

clean:  ## remove what the targets made
	rm -rf .venv .venv-lowest .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache indexes/seeds

.venv/ready: pyproject.toml
	test -x $(RUN)/python || $(PYTHON) -m venv .venv
	$(RUN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(RUN)/python -m pip install --quiet --editable . --group dev
	touch $@
