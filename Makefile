# Two commands from a fresh clone: `make bench` and `make test`. Everything they need is made in .venv first.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
BIN := .venv/bin
RESULTS ?= results/latest

.PHONY: help bench bench-neighbours bench-slices bench-wrk bench-stall bench-scan test check lint types imports unit integration comparison format lock venv clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

bench: venv ## build, load, scan, compare and report every variant; ARGS go to `seatrial run`
	@code=0; $(BIN)/seatrial run $(ARGS) || code=$$?; \
	if [ $$code -eq 1 ]; then \
	  echo "The measurement is complete. Budgets are broken (seatrial's exit code 1): the report says which."; code=0; \
	fi; exit $$code

bench-slices: venv ## the bounds of the sliced comparison; hours, goes on where it was stopped; quiet machines only
	$(BIN)/seatrial build slim-gunicorn --results results/bench-slices
	@code=0; for part in aa power; do \
	  $(BIN)/python -m benchmarks.slices_$$part --results results/bench-slices $(ARGS) || code=$$?; \
	done; exit $$code

bench-wrk: venv ## closed throughput against wrk on the same container; half an hour, goes on where it was stopped
	$(BIN)/seatrial build slim-dev slim-gunicorn --results results/bench-load
	$(BIN)/python -m benchmarks.wrk --results results/bench-load $(ARGS)

bench-stall: venv ## the open model: response times under a planted stall against arithmetic, and the rate that is held
	$(BIN)/seatrial build slim-gunicorn --results results/bench-load
	$(BIN)/python -m benchmarks.stall --results results/bench-load $(ARGS)

bench-neighbours: venv ## neighbours on the victim's core, with limits and without; half an hour, goes on where it was stopped
	$(BIN)/seatrial build slim-gunicorn --results results/bench-neighbours
	$(BIN)/seatrial neighbours slim-gunicorn --results results/bench-neighbours --resume $(ARGS)

bench-scan: venv ## the bounds of the scan: beside syft, cold, unchanged, memory, lookups; ADVISORIES=DIR with OSV's dumps
	$(BIN)/seatrial build --results results/bench-scan
	@code=0; for part in advisories scan_memory "scan --results results/bench-scan $(ARGS)"; do \
	  $(BIN)/python -m benchmarks.$$part $(if $(ADVISORIES),--advisories $(ADVISORIES)) || code=$$?; \
	done; exit $$code

test: check ## everything: check, then the real engine, images, Locust and browser
	@$(MAKE) --no-print-directory integration

integration: venv ## the part of the tests that uses the real engine
	$(BIN)/python -m pytest tests/integration $(ARGS)

check: lint types imports unit ## the fast part, under a minute: lint, types, import rules, unit tests

lint: venv ## ruff's rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: venv
	$(BIN)/mypy

imports: venv
	$(BIN)/lint-imports

unit: venv
	$(BIN)/python -m pytest tests/unit -n auto $(ARGS)

comparison: venv ## judge a results folder: RESULTS=results/latest
	$(BIN)/python -m pytest tests/comparison --results $(RESULTS) $(ARGS)

format: venv ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOCKING := uv pip compile --generate-hashes --no-emit-index-url --no-annotate --upgrade --custom-compile-command "make lock"
BASES := images/bases

lock: ## resolve every lock anew; needs uv
	$(LOCKING) --universal --python-version 3.11 -o requirements.txt requirements.in
	$(LOCKING) --no-build --python-version 3.13 -o app/requirements.txt app/requirements.in
	$(LOCKING) --python-version 3.13 -o loadtests/inside/requirements.txt loadtests/inside/requirements.in
	$(LOCKING) --no-header --no-build --no-deps --python-version 3.13 -o $(BASES)/alpine.txt $(BASES)/alpine.in
	for python in 3.13 3.9; do \
	  $(LOCKING) --no-header --no-build --python-version $$python --allow-unsafe -o $(BASES)/tools-$$python.txt $(BASES)/tools-$$python.in; \
	done
	for python in 3.9 3.7; do \
	  $(LOCKING) --no-header --no-build --python-version $$python -o $(BASES)/article-$$python.txt images/article.context/requirements.txt; \
	done

clean: ## remove what make made here; containers and caches: `seatrial clean`
	rm -rf .venv .venv.lock *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@command -v python3 >/dev/null || { echo "Seatrial needs Python 3.11 or newer: sudo apt-get install python3 python3-venv" >&2; exit 3; }
	@python3 bootstrap.py
