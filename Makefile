# Everything runs in a virtual environment that each target sets up for itself: Python 3.11 or newer and make are all
# that a fresh machine needs.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes
WORKFLOWS := .github/workflows/*.yml examples/github/*.yml
# For checkers that praise a clean file: silent unless something is wrong.
silent = $(1) >/dev/null 2>&1 || $(1)
schema = $(call silent,$(BIN)/check-jsonschema --builtin-schema $(1) $(2))

.PHONY: help demo test test-container soak fuzz histories mutation bench lint format docs lock clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/runtime ## the whole product against the embedded simulator: no account needed
	@$(BIN)/python -u entrypoint.py demo; code=$$?; \
	if [ $$code -eq 1 ]; then echo "make: the demo ended with exit code 1, as its story has it (two tests still fail)"; \
	else echo "make: the demo ended with exit code $$code, its story has 1" >&2; exit 1; fi

test: .venv/dev ## all tests but those that need a container engine; which branches they reach
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m coverage run -m pytest -q -n auto --dist worksteal
	@$(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage report

test-container: .venv/dev ## the image and the pipelines on the engine that DOCKER_HOST names
	@$(BIN)/python -m pytest -q -rs tests/container

soak: .venv/dev ## signals at 100 random moments
	@SOAK=100 $(BIN)/python -m pytest -q tests/e2e/test_soak.py

fuzz: .venv/dev ## over 20,000 mutated replies, and 2,000 new examples of each property
	@FUZZ_STORIES=4000 $(BIN)/python -m pytest -q -s tests/integration/test_fuzz.py
	@$(BIN)/python -m pytest -q -n auto --hypothesis-profile new -m hypothesis tests/unit tests/integration

histories: .venv/dev ## 20,000 random histories that nobody has seen, HISTORIES_SEED= for the same again
	@seed=$${HISTORIES_SEED:-$$($(BIN)/python -c 'import random; print(random.randrange(10**9))')}; \
	echo "HISTORIES_SEED=$$seed"; HISTORIES=$${HISTORIES:-20000} HISTORIES_SEED=$$seed \
	$(BIN)/python -m pytest -q -n auto --dist worksteal tests/integration/test_histories.py::test_histories

mutation: .venv/mutation ## over 4,000 small changes to the program: do the unit tests notice? (half an hour)
	@$(BIN)/python -m tests.mutation

bench: .venv/dev ## what it costs, beside references measured in the same run; writes benchmarks/results.md
	@$(BIN)/python -m benchmarks

lint: .venv/dev ## ruff, mypy --strict, import-linter; pipelines by schema, zizmor, hadolint
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo 2>/dev/null || PYTHONPATH=. $(BIN)/lint-imports
	@$(call schema,vendor.github-actions,action.yml)
	@$(call schema,vendor.github-workflows,$(WORKFLOWS))
	@$(call schema,custom.github-workflows-require-timeout,$(WORKFLOWS))
	@$(call schema,vendor.dependabot,.github/dependabot.yml)
	@$(call schema,vendor.gitlab-ci,examples/gitlab/.gitlab-ci.yml examples/gitlab/*.yml)
	@sed '/^---$$/,$$d' templates/rerun.yml | $(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --default-filetype yaml -
	@$(call silent,$(BIN)/zizmor --offline --persona pedantic .github action.yml examples/github/*.yml)
	@$(BIN)/hadolint Dockerfile tests/container/gitlab/Dockerfile

format: .venv/dev ## put the source into its one shape
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

docs: .venv/dev ## write the inputs into action.yml, templates/rerun.yml and README.md
	@$(BIN)/python -m tests.support.surface

lock: .venv/dev ## pin the newest versions again (pip-tools; no index address is written)
	@$(BIN)/python -m venv .venv/lock && .venv/lock/bin/python -m pip --quiet install pip-tools
	@for f in requirements requirements-build requirements-dev requirements-mutation; do \
	.venv/lock/bin/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --output-file $$f.txt $$f.in || exit; done

clean: ## remove what the targets above made
	rm -rf .venv .coverage* mutants tests/container/npm/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/python:
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 with venv found; install one or set PYTHON=" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: .venv/python requirements.txt
	@$(PIP) -r requirements.txt
	@touch $@

.venv/dev: .venv/python requirements-dev.txt
	@$(PIP) -r requirements-dev.txt
	@touch $@ .venv/runtime

.venv/mutation: .venv/dev requirements-mutation.txt
	@$(PIP) -r requirements-mutation.txt
	@touch $@
