# Each target sets up what it needs, once; a second run does only the work itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

RECOMMENDERS := popularity playlist-knn item-knn als collective title-knn two-tower ranker blend

# Tests that need none of these are fast; what each means stands in setup.cfg.
FAST := not slow and not train and not notebook and not browser and not data

.PHONY: playlist app recommenders check fast test lint types docs bench notebook clean

playlist: $(VENV)/.installed  ## three seeds from the embedded demo, and flow.html
	$(BIN)/python -m disco.generate --example --plot flow.html --force

app: $(VENV)/.installed-app  ## the page, in the browser
	$(BIN)/python -m disco app

recommenders: $(VENV)/.installed-dev  ## train all of them into your data folder: TRACKS=FILE PLAYLISTS=PREPARED
	@test -n "$(TRACKS)" -a -n "$(PLAYLISTS)" || { echo "make recommenders TRACKS=FILE PLAYLISTS=PREPARED"; exit 2; }
	for name in $(RECOMMENDERS); do \
	  $(BIN)/disco train cloud/$$name.toml --tracks "$(TRACKS)" --playlists "$(PLAYLISTS)" --force || exit 1; \
	done

check: $(VENV)/.installed-dev  ## lint, types and the fast tests, side by side
	@$(MAKE) --no-print-directory -j 3 lint types fast

fast: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto -m "$(FAST)" --hypothesis-profile=fast

test: $(VENV)/.installed-dev  ## all tests, on all cores
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy --strict disco cloud

docs: $(VENV)/.installed-dev  ## the site in build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

bench: $(VENV)/.installed-dev  ## every table and picture of speed: half an hour on two free cores; needs Chromium
	$(BIN)/python benchmarks/curves.py --pictures docs/images
	$(BIN)/python benchmarks/rates.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/command.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/later_command.py
	$(BIN)/python benchmarks/libraries.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/predictor_step.py

notebook: $(VENV)/.installed-dev  ## run pipeline.ipynb and keep its outputs; needs Chromium for the pictures
	$(BIN)/python data-wrangling/run_notebook.py pipeline.ipynb data-wrangling/preprocessing.ipynb

clean:
	rm -rf $(VENV) build flow.html

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "DISCO needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
	$(BIN)/python -m compileall -q disco
	touch $@

$(VENV)/.installed-app: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[app]'
	touch $@

$(VENV)/.installed-dev: setup.cfg pyproject.toml | $(BIN)/python
	@# Much of this is never imported: Python compiles what is.
	$(BIN)/pip install --quiet --no-compile --editable '.[dev,train,notebook,audio,app,mcp,cloud]'
	$(BIN)/python -m compileall -q disco
	touch $@ $(VENV)/.installed $(VENV)/.installed-app
