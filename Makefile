# What a newcomer types; `make` alone lists it. ARGS='…' is handed on, PYTHON=… chooses the interpreter.
# The same steps without make (Windows) are in README.md.

PYTHON ?= python3
ARGS ?=
PAGE ?=
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: demo test check small gate verify mesa35 docs lock audit sbom bench baseline notebook clean help which-python rebuild

# --- Which Python ---------------------------------------------------------------------------------------------------

PYENV := $(or $(PYENV_ROOT),$(HOME)/.pyenv)
CANDIDATES = $(PYTHON) python3.12 python3.13 python3.11 $(wildcard $(PYENV)/versions/3.1[123].*/bin/python3.1[123])

# Each candidate is tried, not only looked for: a shim on PATH may not start, and Debian packs venv apart.
FITS = import ensurepip, sys, venv; sys.exit(not (sys.version_info[0] == 3 and $(1) <= sys.version_info[1] <= 13))
VERSION = import sys; print("%d.%d.%d" % sys.version_info[:3])
find_python = $(shell for p in $(CANDIDATES); do $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
version_of = $(shell $(1) -c '$(VERSION)' 2>/dev/null)

# PYTHON itself where it will do, else another that would, else nothing.
suitable = $(call find_python,11)
define need_python
$(if $(filter $(PYTHON),$(suitable)),,$(error Strongchain needs Python 3.11, 3.12 or 3.13 with its venv module, \
and $(PYTHON) is $(or $(call version_of,$(PYTHON)),not found). \
Please type: make $(or $(firstword $(MAKECMDGOALS)),demo) PYTHON=$(or $(suitable),python3.12 (none was found: install one first))))
endef

# --- The environment ------------------------------------------------------------------------------------------------

PIP = $(1)/bin/python -m pip --disable-pip-version-check -qq
# The entries of a lock file, with their hashes, whose name is (~) or is not (!~) the given one.
entries = awk '/^[^ \#]/ { keep = ($$0 $(1) /^$(2)==/) } keep' $(3)

LOCKED = install --require-hashes --no-build-isolation
# The build backend goes in first, locked as well: Hydra's parser runtime (which has no wheel) and Strongchain are
# built with it, so that nothing outside the lock is fetched.
define new_venv
$(2) -m venv --clear $(1)
$(call entries,~,setuptools,$(3)) > $(1)/backend.txt
$(call PIP,$(1)) $(LOCKED) -r $(1)/backend.txt
$(call PIP,$(1)) $(LOCKED) -r $(3)
endef
EDITABLE = install --no-deps --no-build-isolation --editable .

.venv/.locked: requirements.lock
	$(need_python)
	@echo "Setting up .venv with Python $(call version_of,$(PYTHON)) (once, about a minute) ..."
	@$(call new_venv,.venv,$(PYTHON),requirements.lock)
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	@$(call PIP,.venv) $(EDITABLE)
	@touch $@

.venv/.everything: .venv/.installed requirements-all.lock
	@echo "Adding the tools of every extra to .venv (once) ..."
	@$(call PIP,.venv) $(LOCKED) -r requirements-all.lock
	@touch $@

# What the bill of materials describes: the packages of requirements.lock and nothing else.
.venv-base/.locked: requirements.lock
	$(need_python)
	@echo "Setting up .venv-base with Python $(call version_of,$(PYTHON)) (once, about a minute) ..."
	@$(call new_venv,.venv-base,$(PYTHON),$<)
	@touch $@

# If PYTHON is given and is not the Python of .venv, .venv is built again.
ifneq ($(origin PYTHON),file)
ifneq ($(wildcard .venv/.locked),)
ifneq ($(call version_of,$(PYTHON)),$(call version_of,.venv/bin/python))
.venv/.locked: rebuild
endif
endif
endif

# Mesa 3.5 needs Python 3.12, and requirements.lock holds the newest Mesa that 3.11 can run: so it has a lock of its own.
newer = $(call find_python,12)
.venv-mesa35/.installed: requirements-mesa35.lock pyproject.toml
	@echo "Setting up .venv-mesa35 with Python $(call version_of,$(newer)) (once, about a minute) ..."
	@$(call new_venv,.venv-mesa35,$(newer),$<)
	@$(call PIP,.venv-mesa35) $(EDITABLE)
	@.venv-mesa35/bin/python -m pip --disable-pip-version-check check
	@touch $@

# --- What to type ---------------------------------------------------------------------------------------------------

# pytest's exit code 5 means that nothing was run, which is no success.
pytest = $(1)/bin/python -m pytest -q $(2) $(ARGS) || { code=$$?; \
	[ $$code -ne 5 ] || echo "make $@: no test was run: none was found or selected (pytest exit code 5)" >&2; exit $$code; }

demo: .venv/.installed ## the main job with its report: nothing, each instrument, all together
	@.venv/bin/strongchain $(ARGS)

test: .venv/.installed ## the test suite (ARGS='-k network' for a part of it)
	@$(call pytest,.venv,-n auto --dist loadfile)

check: .venv/.everything ## ruff, its format, mypy, the direction of imports, spelling: a minute, before every commit
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/codespell
	@.venv/bin/python -m pytest -q tests/house

small: .venv/.installed ## the statistical checks of tests/verification at small size
	@$(call pytest,.venv,-n auto --dist loadfile -m 'verification and not full')

gate: ## all that must pass before a change lands: check, test, mesa35, small, audit (some twenty minutes on two cores)
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory test ARGS=
	@$(MAKE) --no-print-directory mesa35 ARGS=
	@$(MAKE) --no-print-directory small ARGS=
	@$(MAKE) --no-print-directory audit

verify: ## everything at full size, the statistical checks too (an hour on two cores)
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory mesa35 ARGS=
	@$(MAKE) --no-print-directory .venv/.installed
	@STRONGCHAIN_FULL=1 $(call pytest,.venv,-n auto -m 'unit or study or verification or full')
	@$(MAKE) --no-print-directory audit

MESA_TESTS = tests/agents
mesa35: ## the tests that touch Mesa, on Mesa 3.5 (skipped where there is no Python 3.12 or 3.13)
	@if [ -z "$(newer)" ]; then echo "make $@: skipped: Mesa 3.5 needs Python 3.12 or 3.13, and none was found"; \
	else $(MAKE) --silent --no-print-directory .venv-mesa35/.installed && { $(call pytest,.venv-mesa35,$(MESA_TESTS)); }; fi

docs: .venv/.installed ## write the pages of docs/ that are made from the code, or one page, as in PAGE=flagships (ARGS for its options)
	@.venv/bin/python -m experiments.pages $(PAGE) $(ARGS)

# requirements.lock is held to the versions of the large lock, and that of Mesa 3.5 to those of requirements.lock, so that
# all describe the same environment; -c - reads what is piped in.
UV_COMPILE = .venv/bin/uv pip compile pyproject.toml --quiet --group build --universal --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --annotation-style line --fork-strategy fewest
lock: .venv/.everything ## renew the lock files after a change of dependencies (ARGS=--upgrade for newer versions)
	@$(UV_COMPILE) --python-version 3.11 --all-extras $(ARGS) -o requirements-all.lock
	@$(UV_COMPILE) --python-version 3.11 --extra test --extra studies -c requirements-all.lock $(ARGS) -o requirements.lock
	@{ $(call entries,!~,mesa,requirements.lock); echo 'mesa>=3.5,<3.6'; } | \
	 $(UV_COMPILE) --python-version 3.12 --extra test --extra studies -c - $(ARGS) -o requirements-mesa35.lock
	@! grep -n '://' requirements*.lock

audit: .venv/.everything ## look the locked packages up in a vulnerability database; says so if none answers
	@.venv/bin/python .ci/audit.py

SBOM = dist/sbom.cdx.json
sbom: .venv/.everything .venv-base/.locked ## write dist/sbom.cdx.json: the packages of requirements.lock as a CycloneDX bill of materials
	@mkdir -p $(dir $(SBOM))
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .venv/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	 --validate -o $(SBOM) .venv-base
	@echo "$(SBOM): $$(grep -c '"purl"' $(SBOM)) packages"

bench: .venv/.installed ## time the simulator
	@.venv/bin/python -m benchmarks $(ARGS)

baseline: .venv/.installed ## renew tests/baseline.yaml after a change that is meant to alter results
	@.venv/bin/python -m tests.baseline $(ARGS)

notebook: .venv/.everything ## open the notebooks in JupyterLab
	@.venv/bin/jupyter lab --notebook-dir=notebooks $(ARGS)

clean: ## remove the environments, caches and build files (results/ stays)
	@rm -rf .venv .venv-base .venv-mesa35 build dist strongchain.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# For scripts: an interpreter that will do, PYTHON itself if possible.
which-python:
	@echo $(suitable)
