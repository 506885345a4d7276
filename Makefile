# `make demo` and `make test` need Python >= 3.11, make and git; everything else they install into .venv and a cache.
PYTHON ?= python3
BIN := .venv/bin
EXAMPLES := $(wildcard examples/*.yaml)

.PHONY: demo quick test lint unit trees recipes e2e agree fuzz bench update out facts flags schemas lock clean help

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

DEMO := examples/qwen3-32b-spot-h100.yaml
demo: .venv/ready ## set everything up, build an example, and show what became of it
	@printf '\n# A profile (%s)\n\n' $(DEMO); cat $(DEMO)
	@$(BIN)/dynagen build $(DEMO) -o build/demo
	@printf '\n# becomes these objects (build/demo)\n\n'; sed -n 's/^- \(.*\)\.yaml/  \1/p' build/demo/kustomization.yaml
	@printf '\n# Next\n\n'
	@printf '  %s\n' \
	  '$(BIN)/dynagen build $(DEMO)                           the YAML itself, for kubectl apply -f -' \
	  '$(BIN)/dynagen explain $(DEMO) --all | less            which line wrote which value, and why' \
	  '$(BIN)/dynagen check $(DEMO) --set gpu=nvidia-l4       what a mistake looks like' \
	  'README.md, docs/gke-guide.md                                                   from an empty project to the first request'

quick: lint ## what a change needs most: format, types, imports, cases and unit tests, no other programs
	$(BIN)/python -m pytest tests -m "not oracle and not slow" --hypothesis-profile quick $(NOT_E2E)

test: lint unit ## set everything up and prove it: all but the real control plane

lint: .venv/ready ## format, types, imports
	$(BIN)/ruff format --check dynagen tests bench
	$(BIN)/ruff check dynagen tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

NOT_E2E := --ignore=tests/e2e --ignore=tests/promtool --ignore=tests/istioctl
WORKERS ?= auto
# All tests of a file go to one worker: they share what is expensive to make, an installed wheel or judged mutants.
unit: .venv/ready ## tests, kubeconform included, on WORKERS cores
	$(BIN)/python -m pytest tests $(NOT_E2E) -n $(WORKERS) --dist loadfile

trees: .venv/ready ## the verdicts on trees in the shapes of real repositories, tests/trees
	$(BIN)/python -m pytest -q tests/test_trees.py -n $(WORKERS)

recipes: .venv/ready ## what NVIDIA and Google publish for Dynamo: said by a profile or not, and why
	@$(BIN)/python -m tests.recipes
	$(BIN)/python -m pytest -q tests/test_recipes.py

# One after the other and in the written order: the tests share one API server, and one leaves it to the next.
e2e: .venv/ready ## a real API server and scheduler, promtool, Istio's own judges
	$(BIN)/python -m pytest -p no:randomly tests/e2e tests/promtool tests/istioctl

COUNT ?= 10000
SEED ?= 1
agree: .venv/ready ## COUNT mutants of our manifests, judged by us and by kubeconform
	$(BIN)/python -m tests.agree $(COUNT) $(SEED)

SECONDS ?= 300
TARGET ?= all
fuzz: .venv/ready ## SECONDS of inputs that are meant to break things, for one TARGET or all; see tests/fuzz
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/fuzz/requirements.txt
	$(BIN)/python -m tests.fuzz $(TARGET) $(SECONDS) $(SEED)

bench: .venv/ready ## against kubectl kustomize and kubeconform, as ratios
	$(BIN)/python -m bench

update: .venv/ready out ## rewrite out/, expected trees and complaints, generated pages; review the difference like code
	$(BIN)/python -m pytest tests/test_cases.py tests/test_manifest_cases.py tests/test_trees.py tests/test_docs.py tests/test_tutorial.py --update

out: .venv/ready ## rebuild out/ from examples/
	@for profile in $(EXAMPLES); do \
	  $(BIN)/dynagen build $$profile --force -o out/$$(basename $$profile .yaml) || exit 1; done

DAYS ?= 60
facts: .venv/ready ## facts that were held against their sources more than DAYS days ago
	$(BIN)/python -m tests.facts $(DAYS)

SHARED ?= ../shared
schemas: .venv/ready ## derive schemas/ anew from published CRDs and OpenAPI documents, in $(SHARED) or in Go modules
	$(BIN)/python -m tests.published build/published
	$(BIN)/dynagen schemas import --all build/published --all $(SHARED)

WHEELS ?= build/wheels
# WHEELS has a folder for each wheel, vllm-0.31.0, with its Python files: pip download --no-deps, unzip '*.py'; ai-dynamo-runtime-1.6.1 with its 'dynamo'.
flags: .venv/ready ## asks the argument parsers in WHEELS, and writes base/facts/flags
	$(PYTHON) -m venv build/engines
	build/engines/bin/pip install --quiet --disable-pip-version-check -r tests/engine_flags/requirements.txt
	$(BIN)/python -m tests.engine_flags $(WHEELS) build/engines/bin/python

lock: ## pin what the project develops with
	uv pip compile --universal --no-header --no-emit-index-url --group dev pyproject.toml -o requirements-dev.txt

# No build isolation: hatchling comes from the pinned list like everything else.
.venv/ready: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean: ## remove what make has made here
	rm -rf .venv build dist compiled .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
