# `make help` lists the targets. Everything that is made lies under .gibbsflow/ (or $GIBBSFLOW_HOME).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-compiled setup-qe setup-foundation demo demo-asfe demo-rbfe demo-potential test lint format lock schema images clean dev

HOME_DIR := $(or $(GIBBSFLOW_HOME),.gibbsflow)
VENV := $(HOME_DIR)/venv/bin
SCRIPTS = nextfloww $(shell git ls-files -co --exclude-standard | while read -r f; do \
	[[ -f $$f && $$f != nextfloww ]] && head -c 32 "$$f" | head -n 1 | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b' && echo "$$f"; done)

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sort | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## Nextflow and the default Python environment
	./nextfloww --setup-only

setup-compiled: ## the same, with the packages that need g++ and Python.h (GPAW, icet)
	./nextfloww --setup-only --compiled

setup-qe: ## the same, with Quantum ESPRESSO's pw.x (PyPI's qepy, GPL); needs no root
	./nextfloww --setup-only --qe

setup-foundation: ## the same, with the foundation model CHGNet (BSD-3) and PyTorch in an environment of their own
	./nextfloww --setup-only --foundation

demo: ## binding free energies of the demo, from nothing; results/demo/
	./nextfloww run main.nf -profile demo -resume

demo-asfe: ## solvation free energies of methane and methanol, by each engine that is there; results/demo-asfe/
	./nextfloww run main.nf -profile demo_asfe -resume
	# the same by GROMACS
	! type -P gmx >/dev/null || \
		./nextfloww run main.nf -profile demo_asfe --engine gromacs --outdir results/demo-asfe-gromacs -resume

demo-rbfe: ## relative binding free energies of three guests, a closed cycle; results/demo-rbfe/
	./nextfloww run main.nf -profile demo_rbfe -resume

demo-potential: ## a learned potential for the demo, from nothing; results/demo-potential/
	type -P pw.x >/dev/null || ./nextfloww --setup-only --qe || echo "pw.x could not be had: GPAW or tblite will do" >&2
	./nextfloww run main.nf -profile demo_potential -resume

dev:
	./nextfloww --setup-only --dev

test: lint ## lint and all quick tests
	$(VENV)/python -m pytest -c python/pyproject.toml -n 2 --dist worksteal -m "not slow and not qe and not cluster and not browser" python/tests tests

lint: dev ## ruff, mypy, numpydoc, shellcheck, hadolint
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
# mypy and numpydoc take half a minute each, on one core
	(cd python && $(abspath $(VENV))/mypy) & types=$$!; \
		$(VENV)/python -m numpydoc lint --config python $$(find python/src -name '*.py') || { wait $$types; exit 1; }; wait $$types
	$(VENV)/shellcheck $(SCRIPTS)
	$(VENV)/hadolint containers/*/Dockerfile

format: dev ## lay the Python code out
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix --select I .

lock: dev ## resolve the locks anew (UPGRADE=1: newest versions)
	GIBBSFLOW_HOME="$(abspath $(HOME_DIR))" setup/lock.sh $(if $(UPGRADE),--upgrade)

schema: dev ## nextflow_schema.json and the tables in docs/, from the Python schemas
	$(VENV)/python -m gibbsflow.config.launch.generate

images: ## container images core, md, dft and ml; BASE, CA, DOCKER, REGISTRY: see containers/build.sh
	GIBBSFLOW_HOME="$(abspath $(HOME_DIR))" containers/build.sh $(IMAGES)

clean: ## work folders and caches; results/, state/ and the environment stay
	rm -rf work .nextflow .nextflow.log* .nf-test* .pytest_cache .mypy_cache .ruff_cache
