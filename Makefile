# make demo   run the real thing on a small sample (base install, own virtual environment)
# make test   lint, types, import rules, the site, all tests (own virtual environment, torch for parity tests)
# make quick  the tests that take less than two minutes together: none that is slow, and a fifth of
#                 the examples of each property
# make pythons  the demo and the tests of the base install, under each Python from 3.11 on that is here
# make check  lint, types, import rules, the site of the docs
# make site   the docs as a site, in site/index.html; a dead link is an error
# make fuzz   mutated input for everything that reads, some minutes; make fuzz COUNT=100000 for hours
# make bench  throughput of every command; speed and memory beside plain implementations, HiGHS, simalign
# make leaderboard  span projection on all sets, by every method and others' systems: writes
#                 docs/leaderboard.md (needs ../shared/data, or SPANBRIDGE_DATA; some six minutes of two cores)
# make tagger English news -> a tagger in ./en-tagger (needs ../shared/data, or SPANBRIDGE_DATA)
# make embedded-tagger  train the tagger in the package anew (needs ../shared/data; about an hour)
# make aligned-encoder  tune the aligner's encoder anew (needs ../shared/data and Debian's apt-get;
#                 minutes on a GPU and an hour of alignment before, or hours on a CPU)
# make studies  the five small studies, one after the other, into studies/out (needs ../shared/data)
# make pictures  draw the pictures of the docs anew (needs Chromium)
# make lock   resolve the locked dependencies anew (needs uv)

PYTHON ?= python3
# A CPU build where the package index has one; elsewhere e.g.
#   make test TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
PIP = -m pip install --quiet --disable-pip-version-check
DEV = .venv-dev/bin
# Neighbouring tests stay together, so that most fixtures are made once; whoever is done helps.
SHARED = -n auto --dist worksteal
export NO_MKDOCS_2_WARNING = 1
# Many tests start processes, each of which would compile the whole package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick pythons check fuzz site bench leaderboard pictures studies tagger embedded-tagger aligned-encoder lock clean

demo: .venv/ready
	.venv/bin/spanbridge demo

test: check
	$(DEV)/python -m pytest $(SHARED)

quick: .venv-dev/ready
	$(DEV)/python -m pytest $(SHARED) -m "not slow" --hypothesis-profile quick

# Tests that need no torch; a Python that is not here is said to be missing.
PYTHONS ?= 3.11 3.12 3.13 3.14
pythons:
	@set -e; for v in $(PYTHONS); do \
		if ! python$$v -c "" 2>/dev/null; then echo "Python $$v is not here: not tested"; continue; fi; \
		python$$v -m venv .venv-$$v; \
		.venv-$$v/bin/python $(PIP) -r requirements/base.txt; \
		.venv-$$v/bin/python $(PIP) -c requirements/dev.txt pytest hypothesis; \
		.venv-$$v/bin/python $(PIP) --no-deps -e .; \
		.venv-$$v/bin/spanbridge demo -o demo-output/$$v; \
		.venv-$$v/bin/python -m pytest -m "not slow" tests/core tests/formats tests/steps; \
	done

check: .venv-dev/ready
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .
	$(DEV)/mypy
	$(DEV)/lint-imports --no-logo
	$(DEV)/mkdocs build --quiet

site: .venv-dev/ready
	$(DEV)/mkdocs build

# The same cases each time; SEED=1 gives others. Every fault comes with the command that repeats it.
fuzz: .venv-dev/ready
	$(DEV)/python -m tests.fuzz $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

bench: .venv-dev/ready
	$(DEV)/python -m benchmarks

leaderboard: .venv-dev/ready
	$(DEV)/python -m benchmarks leaderboard

# One shows what the methods say on this machine, the other the page of `spanbridge demo`.
pictures: .venv-dev/ready
	$(DEV)/python -m pictures.method
	$(DEV)/python -m pictures.page

# One that is broken off goes on from where it was.
STUDIES = $(wildcard studies/small/*.yaml)
studies: $(STUDIES)
.PHONY: $(STUDIES)
$(STUDIES): studies/small/%.yaml: .venv-dev/ready
	$(DEV)/spanbridge study $@ -o studies/out/$* --workers 2

# The recipe and what else was tried stand in docs/train.md.
NEWS = $(or $(SPANBRIDGE_DATA),../shared/data)/news-ner/en
tagger: .venv-dev/ready
	$(DEV)/spanbridge train --train $(NEWS)/train.txt --dev $(NEWS)/dev.txt --labels LOC,ORG,PER \
		--frozen-layers 4 --batch-tokens 512 --learning-rate 3e-4 --average 0.4 -o en-tagger

# What else was tried stands in docs/tagger.md. On another kind of processor other bytes come out,
# and without bfloat16 instructions it takes several times as long.
UNER = $(or $(SPANBRIDGE_DATA),../shared/data)/uner
TREEBANKS = da-ddt en-ewt hr-set pt-bosque sk-snk sr-set sv-talbanken zh-gsd
embedded-tagger: .venv-dev/ready
	$(DEV)/spanbridge train $(TREEBANKS:%=--train $(UNER)/%/train.conll) --labels LOC,ORG,PER \
		--frozen-layers 6 --batch-tokens 512 --learning-rate 2e-4 --other-names 0.4 \
		--epochs 3 --average 0.3 --precision bfloat16 --threads 2 --device cpu \
		--licence CC-BY-SA-4.0 -o embedded-tagger
	$(DEV)/python -m spanbridge.training.packing embedded-tagger

# Translated manuals, CC BY-SA 3.0, as Debian 12 packages them.
MANUALS = gnome-user-docs=43.0-2 debian-handbook=11.20220922
ALIGN = $(DEV)/python -m spanbridge.training.aligned
aligned-encoder: .venv-dev/ready
	mkdir -p aligned-encoder
	cd aligned-encoder && apt-get download $(MANUALS) && for deb in *.deb; do dpkg -x $$deb $${deb%%_*}; done
	$(ALIGN) prepare $(or $(SPANBRIDGE_DATA),../shared/data) aligned-encoder aligned-encoder
	$(ALIGN) train --epochs 4 --rate 2e-4 --links 0.2 aligned-encoder
	$(ALIGN) pack aligned-encoder

.venv/ready: requirements/base.txt pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP) -r requirements/base.txt
	.venv/bin/python $(PIP) --no-deps -e .
	touch $@

.venv-dev/ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv-dev
	$(DEV)/python $(PIP) $(TORCH)
	$(DEV)/python $(PIP) --no-deps -r requirements/dev.txt  # a whole lock, with overrides
	$(DEV)/python $(PIP) --no-deps -e .
	touch $@

lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --no-header -q -o requirements/base.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --no-header -q --group dev \
		--extra hf --override requirements/overrides.txt -o requirements/dev.txt

clean:
	rm -rf .venv .venv-dev .venv-3.* demo-output site .pytest_cache .mypy_cache .ruff_cache .hypothesis
