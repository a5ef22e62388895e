PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)

.PHONY: check prove format figures

check:  ## what CI runs
	$(PYTHON) tests/check.py

prove:  ## the long proofs, and every property over many more examples
	HYPOTHESIS_PROFILE=prove $(PYTHON) -m pytest -n 2 -m "prove or hypothesis"

format:
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

figures:  ## the pictures of the documentation
	$(PYTHON) docs/figures.py
