# Everything is installed into .venv in this folder; nothing outside it is touched.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo review test check eval baseline corrupted confidence reset scans bench bulk peers simulate replies soak package docs constraints clean

VENV := .venv
BIN := $(VENV)/bin
PYTHONS := python3.11 python3
DEMO_OUT := out/demo
REVIEW_STORE := out/review/store.sqlite
PORT := 8000
ASK_PYTHON := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
UPGRADE :=
CORPUS := ../shared/corpus
GOLD_REPLIES := --readers auto --replay eval/replies/gold.jsonl

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/core.stamp ## install the program, read the sample reports with replayed replies, say what came out
	@$(BIN)/extractor run fixtures --out $(DEMO_OUT) --readers auto --replay eval/replies/fixtures.jsonl
	@echo
	@echo "From this folder the program is $(BIN)/extractor; for instance:"
	@echo "  make review                                                decide what is in doubt, in the browser"
	@echo "  $(BIN)/extractor show fixtures/001_6bf7699e84e20962.txt   a report whose columns the scrape destroyed"
	@echo "  $(BIN)/extractor run YOUR_FOLDER --out out/mine           your own reports, by the rules alone"
	@echo "  EXTRACTOR_MODEL=NAME EXTRACTOR_BASE_URL=http://localhost:11434/v1 $(BIN)/extractor run YOUR_FOLDER --out out/mine"
	@echo "                                                            with a model of your own beside them"

review: $(VENV)/core.stamp ## the review page on the sample reports: read them into a store, serve it (PORT=8000); Ctrl-C ends it
	@mkdir -p $(dir $(REVIEW_STORE))
	@$(BIN)/extractor run fixtures --store $(REVIEW_STORE) --readers auto --replay eval/replies/fixtures.jsonl
	@echo
	@$(BIN)/extractor serve --store $(REVIEW_STORE) --port $(PORT)

# The tests start the program hundreds of times: without bytecode each would compile it anew, and as there are several
# processes of tests already, one worker process each is enough.
test: export PYTHONDONTWRITEBYTECODE :=
test: export EXTRACTOR_PAGE_WORKERS ?= 1
test: $(VENV)/dev.stamp ## all tests but the soaks
	@$(BIN)/python -m pytest -n logical --maxprocesses 8 --no-loadscope-reorder

check: $(VENV)/dev.stamp ## format, lint, types, import contract, docs in step
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/build.py --check

eval: $(VENV)/dev.stamp ## the gate: gold against the baseline, a sample of damaged reports, the corpus when it is there
	@$(BIN)/extractor eval eval/gold $(GOLD_REPLIES) --baseline eval/baseline.json --losses eval/losses.toml \
		--report out/eval/gold.html
	@$(BIN)/python -m eval.corrupted
	@if [ -d $(CORPUS) ]; then $(BIN)/extractor eval $(CORPUS) --report out/eval/corpus.html; \
		else echo "$(CORPUS) is not there: only eval/gold was evaluated"; fi

baseline: $(VENV)/dev.stamp ## write eval/baseline.json anew, after gains or declared losses
	@$(BIN)/extractor eval eval/gold $(GOLD_REPLIES) --json > eval/baseline.new && mv eval/baseline.new eval/baseline.json

corrupted: $(VENV)/dev.stamp ## every kind of damage at three severities, 200 documents each; lists what is accepted wrong
	@$(BIN)/python -m eval.corrupted --count 200 --mixes 1000 --clean 200

confidence: $(VENV)/dev.stamp ## how well the confidence tells simulated mistakes from right readings
	@$(BIN)/python -m eval.mistakes

reset: $(VENV)/dev.stamp ## build eval/gold/re-set anew from the corpus beside the checkout
	@$(BIN)/python -m eval.reset

scans: $(VENV)/dev.stamp ## synthetic scans at three severities, 100 documents each (about an hour); lists what is accepted wrong
	@mkdir -p out/scans
	@for severity in mild medium severe; do $(BIN)/python -m eval.scans evaluate --severity $$severity \
		--count 100 --keep out/scans --json out/scans-$$severity.json || failed=1; done; exit $${failed:-0}

bench: $(VENV)/bench.stamp ## speed by kind and store, tokens against one-call baselines, overhead of the model path, localisation, the review page
	@$(BIN)/python eval/bench/startup.py
	@$(BIN)/python eval/bench/throughput.py
	@$(BIN)/python eval/bench/tokens.py
	@$(BIN)/python eval/bench/overhead.py
	@$(BIN)/python eval/bench/localise.py
	@$(BIN)/python eval/bench/ocr.py
	@$(BIN)/python eval/bench/kinds.py
	@$(BIN)/python eval/bench/store_speed.py
	@$(BIN)/python eval/bench/review.py

bulk: $(VENV)/bench.stamp ## a hundred thousand documents, a run killed a hundred times on two databases, a cluster (two hours)
	@$(BIN)/python eval/bench/scaling.py
	@$(BIN)/python eval/bench/kills.py
	@$(BIN)/python eval/bench/cluster.py

peers: $(VENV)/dev.stamp ## this program beside others: same documents, same simulated model; they get an environment of their own
	@test -x .venv-peers/bin/python || $(BIN)/python -m venv .venv-peers
	@.venv-peers/bin/python -m pip install -q --disable-pip-version-check -r eval/bench/peers/requirements.txt
	@$(BIN)/python eval/bench/peers.py --python .venv-peers/bin/python

simulate: $(VENV)/dev.stamp ## mistakes and faults on purpose: what is noticed, what is accepted wrong
	@$(BIN)/python -m eval.faults
	@$(BIN)/python -m eval.simulate

replies: $(VENV)/dev.stamp ## build the replay files anew after a prompt was changed
	@$(BIN)/python eval/replies/build.py

soak: $(VENV)/dev.stamp ## the long tests
	@$(BIN)/python -m pytest -m soak

package: $(VENV)/dev.stamp ## sdist and wheel into dist/, and the wheel tried in empty environments, by pip and by pipx (minutes)
	@$(BIN)/python -m build --no-isolation --outdir dist .
	@$(BIN)/python -m pytest -m "soak or not soak" tests/integration/test_packaging.py

docs: $(VENV)/dev.stamp ## write the generated pages of docs/ anew
	@$(BIN)/python docs/build.py

constraints: $(VENV)/bin/python ## resolve constraints.txt anew; UPGRADE=1 for the newest versions
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 $(if $(UPGRADE),--upgrade) \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet -o constraints.txt
	@{ echo "# Written by 'make constraints' from pyproject.toml, all extras included. Do not edit."; cat constraints.txt; } \
		> $(VENV)/constraints.new && mv $(VENV)/constraints.new constraints.txt

clean: ## remove the environment, the demo's output and all caches
	@rm -rf $(VENV) $(DEMO_OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c "$(ASK_PYTHON)" >/dev/null 2>&1; then \
			echo "making $(VENV) with $$("$$python" --version)"; exec "$$python" -m venv --clear $(VENV); \
		fi; \
	done; \
	echo "error: no Python 3.11 or newer with venv was found (tried: $(PYTHONS))." >&2; \
	echo "Install python3.11 and python3.11-venv, or name one: make $(MAKECMDGOALS) PYTHONS=/path/to/python3" >&2; \
	exit 1

$(VENV)/core.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing the program into $(VENV) (once; a minute or so)"
	@$(INSTALL) -e '.[ocr]'
	@touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	@$(INSTALL) -e '.[dev,bench]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing the program and its test tools into $(VENV) (once; a minute or so)"
	@$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/core.stamp
