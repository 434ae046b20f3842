# Shortcuts. Everything they do can be typed by hand: see README.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo sample test check docs bench study format lock clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/run.stamp  ## Install, evaluate Autumn Nights 2020, say where the report lies
	$(BIN)/forecast evaluate autumn-nights-2020 --out reports/autumn-nights-2020

sample: $(VENV)/dev.stamp  ## Make reports/sample again, the output that is kept in git
	$(BIN)/python tests/making_sample.py

test: export OMP_NUM_THREADS := 1
test: export OPENBLAS_NUM_THREADS := 1
test: export NUMBA_NUM_THREADS := 1
test: $(VENV)/dev.stamp  ## Install the development extra and run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations 20

check: $(VENV)/dev.stamp  ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict forecast

docs: $(VENV)/dev.stamp  ## Build the guide and the reference into reports/docs, every warning an error
	$(BIN)/python -m sphinx -q -E -W --keep-going -d reports/docs/.cache notebooks/guide reports/docs
	@echo Guide: reports/docs/index.html

bench: export OMP_NUM_THREADS := 1
bench: export OPENBLAS_NUM_THREADS := 1
bench: export NUMBA_NUM_THREADS := 1
bench: $(VENV)/dev.stamp .venv-bench/stamp  ## Alarms, accuracy, time, memory beside peers (FRESH=1: peers again)
	$(BIN)/python tests/benchmarks/bench_placebo.py
	$(BIN)/python tests/benchmarks/bench_all.py $(if $(FRESH),--fresh)
	$(BIN)/python tests/benchmarks/bench_dask.py

study: export OMP_NUM_THREADS := 1
study: export OPENBLAS_NUM_THREADS := 1
study: export NUMBA_NUM_THREADS := 1
study: $(VENV)/dev.stamp .venv-study/stamp  ## Bias, coverage, alarms, power: simulated and quiet windows, beside peers (SEEDS=1000)
	$(BIN)/python tests/benchmarks/bench_study.py --seeds $(or $(SEEDS),1000) $(if $(FRESH),--fresh)
	$(BIN)/python tests/benchmarks/bench_spread.py
	$(BIN)/python tests/benchmarks/bench_windows.py
	$(BIN)/python tests/benchmarks/bench_published.py
	$(BIN)/python tests/benchmarks/bench_whole.py

format: $(VENV)/dev.stamp  ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:  ## Make both lock files again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet -o requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet -c requirements.lock -o requirements-dev.lock

clean:  ## Remove what can be made again
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/run.stamp: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

.venv-bench/stamp: pyproject.toml
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-bench/bin/python -m pip install --quiet --group bench
	touch $@

.venv-study/stamp: pyproject.toml
	test -x .venv-study/bin/python || $(PYTHON) -m venv .venv-study
	.venv-study/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-study/bin/python -m pip install --quiet --group study
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@
