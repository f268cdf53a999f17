# Two commands for a fresh Debian machine with Python 3.11: make demo, make test.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test lint bench bench-live bench-store bench-watch fuzz soak bless docs dist clean

# Runs the main job on the sample logs and says where the report is.
demo: $(READY)
	@mkdir -p build
	$(BIN)/mailscope report --tz UTC examples/postfix examples/qmail/multilog | tee build/report.txt
	@echo
	@echo "The report is in build/report.txt.  Follow one message of it, from arrival to its fate:"
	@echo "  $(BIN)/mailscope trace --tz UTC root@lab.example examples/postfix"

# Everything: style, types, tests.
test: lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mailscope patterns check

# Against pflogsumm, side by side; needs Debian's pflogsumm for the ratio.
bench: $(READY)
	$(BIN)/python benchmarks/bench.py

# The daemon under 2,000 lines a second, and idle.
bench-live: $(READY)
	$(BIN)/python benchmarks/live.py

# Searches in a store of 50 million events; SIZE=2000000 makes a smaller one.
SIZE ?= 50000000
bench-store: $(READY)
	$(BIN)/python benchmarks/searches.py --events $(SIZE)

# Detections on simulated months of 300 people with labelled incidents; DAYS=7 USERS=60 makes smaller ones.
DAYS ?= 28
USERS ?= 300
SEEDS ?= 1,2
bench-watch: $(READY)
	$(BIN)/python benchmarks/simulated_months.py --days $(DAYS) --users $(USERS) --seeds $(SEEDS)

# The property tests with many more examples, others each time; FUZZ=100 is shorter, OF=tests/host a part.
FUZZ ?= 2000
OF   ?= tests
fuzz: $(READY)
	MAILSCOPE_FUZZ=$(FUZZ) $(BIN)/python -m pytest $(shell grep -rl '^from hypothesis' $(OF) --include='test_*.py')

# The daemon is killed 200 times under load.
soak: $(READY)
	MAILSCOPE_SOAK=200 $(BIN)/python -m pytest tests/daemon/test_serve.py -k killed

# Writes generated documentation and expected files anew; read the diff.
bless: $(READY)
	$(BIN)/python docs/generate.py
	MAILSCOPE_BLESS=1 $(BIN)/python -m pytest

# The documentation as a site, in build/site; a link that leads nowhere fails.
docs: $(READY)
	$(BIN)/mkdocs build --strict --quiet

# A release, in dist: wheel, sdist, Debian package of the program, bill of materials.  The same commit gives the same files.
dist: export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
dist: $(READY)
	rm -rf dist
	$(BIN)/python -m hatchling build --directory dist
	$(BIN)/python packaging/deb.py --wheel dist/mailscope-*-py3-none-any.whl --output dist
	$(BIN)/python packaging/sbom.py > dist/mailscope.cdx.json

# PySpark comes as source, which holds nothing to be compiled.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --only-binary=:all: --no-binary=pyspark --editable '.[dev]'
	@touch $(READY)

clean:
	rm -rf $(VENV) build dist
