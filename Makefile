PYTHON ?= python3
V := .venv
STAMP := $(V)/.stamp
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONSAFEPATH := 1
.DEFAULT_GOAL := demo
.PHONY: demo test test-long lint lock clean setup

$(STAMP): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("tunesmith needs Python 3.11 or newer; say PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "setting up .venv (once; a minute or so)"
	@test -x $(V)/bin/python || $(PYTHON) -m venv $(V)
	@$(V)/bin/python -m pip install -q -c constraints.txt 'pip>=25.1' 'setuptools>=77'
	@PYTHONWARNINGS=ignore $(V)/bin/python -m pip install -q -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

setup: $(STAMP)
demo: $(STAMP)
	@$(V)/bin/tunesmith run examples/digits_cnn/task.yaml
test: $(STAMP)
	OMP_NUM_THREADS=1 $(V)/bin/python -m pytest -n 4 --dist worksteal
test-long: $(STAMP)
	OMP_NUM_THREADS=1 $(V)/bin/python -m pytest -n 4 --dist worksteal -m 'long and not slow and not gpu and not server'
lint: $(STAMP)
	$(V)/bin/ruff check .
	$(V)/bin/ruff format --check .
	$(V)/bin/mypy
	$(V)/bin/lint-imports
lock:
	rm -rf $(V) && : > constraints.txt
	$(MAKE) $(STAMP)
	$(V)/bin/python -m pip freeze --all --exclude-editable | sed 's/+cpu$$//' > constraints.txt
	touch $(STAMP)
clean:
	rm -rf $(V) build dist *.egg-info
