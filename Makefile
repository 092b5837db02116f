# make demo     find trigger words in a recording, caption a photograph, translate: the quickest look at Linnet
# make test     the tests; make lint: ruff and mypy; make bench: Linnet beside other engines
# make web-test the tests of the page that linnet web serves, in a real Chromium where one can be had; pictures go to build/web
# make guides   follow the README and the guides line by line, training too
# make clean    remove the virtual environment
#
# Nothing is needed beforehand but make and Python 3.10 or newer; another one than python3: make PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test guides web-test lint bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/runtime.stamp
	@$(BIN)/python demos/tour.py

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q -n auto --dist loadfile

guides: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q -n auto -m guides

web-test: $(VENV)/web.stamp
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
		$(BIN)/python -m playwright install chromium 2>/dev/null || echo "No Chromium can be downloaded here."
	@$(BIN)/python -m pytest -q -m 'browser or not browser' tests/demos/test_web_server.py tests/demos/test_web_browser.py

lint: $(VENV)/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --strict runtime
	@$(BIN)/mypy training export demos/linnet_web

bench: $(VENV)/bench.stamp
	@$(BIN)/python tests/benchmarks/trigger.py
	@$(BIN)/python tests/benchmarks/caption.py
	@$(BIN)/python tests/benchmarks/translate.py

clean:
	rm -rf $(VENV)

# Each stamp says that the environment holds what its name says, as pyproject.toml and constraints.txt have it now.
$(VENV)/runtime.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Linnet into $(VENV) ..."
	@$(INSTALL) -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Linnet with everything for training and tests into $(VENV); this takes minutes once ..."
	@$(INSTALL) -e '.[dev]'
	@touch $(VENV)/runtime.stamp $@

$(VENV)/web.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Linnet with its page, and what drives a browser, into $(VENV) ..."
	@$(INSTALL) -e '.[web-tests]'
	@touch $(VENV)/runtime.stamp $@

$(VENV)/bench.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Linnet and the engines it is compared with into $(VENV) ..."
	@$(INSTALL) -e '.[benchmarks]'
	@touch $(VENV)/runtime.stamp $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Linnet needs Python 3.10 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 10) else 0)'
	@$(PYTHON) -m venv $(VENV)
