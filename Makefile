# Each environment is made from scratch with only Python, its venv module, make and a C compiler,
# holds the package installed from a wheel that was built from the sdist, and is made anew when the sources change.

PYTHON ?= python3
ARGS ?=

# Some Pythons have no wheel of the newest hypothesis; pip then takes the last one that is pure Python.
export PIP_ONLY_BINARY := hypothesis

# The environment's variables must not choose what is built, or put src/ on the path.
WITHOUT := env -u LOGFLUME_NO_EXTENSIONS -u LOGFLUME_REQUIRE_EXTENSIONS -u PYTHONPATH -u PYTHONHOME
COMPILED := $(WITHOUT) LOGFLUME_REQUIRE_EXTENSIONS=1
PURE := $(WITHOUT) LOGFLUME_NO_EXTENSIONS=1

# One set of environments for each interpreter: `make test PYTHON=python3.13` leaves the others alone.
tag = $(shell $(1) -c 'import sys, sysconfig; print(sys.implementation.cache_tag + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""))')
TAG := $(call tag,$(PYTHON))
ifeq ($(TAG),)
$(error $(PYTHON) does not run; name a Python 3.11 or newer with PYTHON=...)
endif
ENV := .venv-$(TAG)
DEMO := $(if $(filter-out 0,$(LOGFLUME_NO_EXTENSIONS)),demo-pure,demo)

# Folders are in the list so that a removed file counts as a change.
SOURCES := setup.py pyproject.toml MANIFEST.in README.md LICENSE \
	$(shell find src -name __pycache__ -prune -o -name '*.egg-info' -prune -o \
		\( -type d -o -name '*.py' -o -name '*.pyx' -o -name '*.p[xy][di]' -o -name '*.h' -o -name py.typed \) -print)

.PHONY: help docs demo installed test test-compiled test-pure test-compat fuzz coverage sanitize wheels bench bench-rivals regression lint format clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## */\1|/p' Makefile | while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

demo: $(ENV)/$(DEMO)/.installed  ## latency of a real asyncio server: handlers attached, standard queue, logflume
	@$(WITHOUT) $(if $(filter-out 0,$(LOGFLUME_NO_EXTENSIONS)),LOGFLUME_NO_EXTENSIONS=1) $(ENV)/$(DEMO)/bin/python -m logflume $(ARGS)

test: test-compiled test-pure  ## run the tests twice: compiled and pure

# LOGFLUME_DIST is what tests/test_packaging.py looks into: else it would build the same again.
PARALLEL := -n auto --maxschedchunk 1
test-compiled: $(ENV)/compiled/.installed  ## run the tests on the compiled build (ARGS='-k fork' for pytest, '-n 0' for one process)
	@echo "testing the compiled package"
	@$(COMPILED) LOGFLUME_DIST=$(CURDIR)/$(ENV)/dist-compiled $(ENV)/compiled/bin/python -m pytest $(PARALLEL) $(ARGS)

test-pure: $(ENV)/pure/.installed  ## run the tests on the pure build
	@echo "testing the pure package"
	@$(PURE) LOGFLUME_DIST=$(CURDIR)/$(ENV)/dist-pure $(ENV)/pure/bin/python -m pytest $(PARALLEL) $(ARGS)

installed: $(ENV)/compiled/.installed $(ENV)/pure/.installed  # what `make test` needs

test-compat: $(ENV)/compat/.installed  ## run the tests with packages that hook into logging, event loops and servers
	@echo "testing with other packages"
	@$(COMPILED) $(ENV)/compat/bin/python -m pytest $(PARALLEL) tests/test_third_party.py tests/test_uvicorn_formatters.py tests/test_json_*.py tests/test_servers.py tests/test_examples.py tests/test_documentation.py tests/test_listener_life.py $(ARGS)

RANDOM_TESTS := $(wildcard tests/test_*random*.py)
fuzz: $(ENV)/compiled/.installed  ## run the random tests with examples that no run has had before, both cores
	@$(COMPILED) $(ENV)/compiled/bin/python -m pytest $(PARALLEL) --hypothesis-profile=fuzz $(RANDOM_TESTS) $(ARGS)

# Not of the tests that measure, or build, or are CPython's.
UNMEASURED := --ignore tests/test_packaging.py --ignore tests/test_memory.py --ignore tests/test_cpython_logging.py
coverage: $(ENV)/pure/.installed  ## branch coverage of the pure core, subprocesses included
	@rm -f .coverage*
	@$(PURE) COVERAGE_FILE=$(CURDIR)/.coverage $(ENV)/pure/bin/python -m coverage run -m pytest $(UNMEASURED) $(ARGS)
	@$(ENV)/pure/bin/python -m coverage combine --quiet
	@$(ENV)/pure/bin/python -m coverage report --show-missing

SANITIZERS := -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=undefined,float-cast-overflow
sanitize: $(ENV)/sanitize/.made  ## run the tests on extensions built with AddressSanitizer and UBSan (gcc, Linux)
	@rm -rf $(ENV)/sanitize/src && cp -r src tests setup.py pyproject.toml README.md LICENSE $(ENV)/sanitize/
	@cd $(ENV)/sanitize && find src -name "*.so" -delete && $(COMPILED) CFLAGS="$(SANITIZERS) -O1 -g" LDFLAGS="$(SANITIZERS)" \
		bin/python setup.py --quiet build_ext --inplace
	@# Were the descriptors captured, a finding would end the run without a word: pytest would die with the text.
	@cd $(ENV)/sanitize && $(COMPILED) PYTHONPATH=$(CURDIR)/$(ENV)/sanitize/src PYTHONMALLOC=malloc \
		ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1 \
		LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		bin/python -X faulthandler -m pytest --capture=sys -k "not pure" $(UNMEASURED) --ignore tests/test_documentation.py --ignore tests/test_demo.py $(ARGS)

wheels: $(ENV)/wheels/.made  ## build, audit and run the wheels of a release (Linux; ARGS='pure x86_64' for some)
	@$(WITHOUT) $(ENV)/wheels/bin/python packaging/wheels.py $(ENV)/made-wheels $(ARGS)

# OTHER_PYTHONS names more Pythons, each with an environment of its own: for rivals that PYTHON cannot have, and one
# that is free-threaded for threads without the GIL.
bench: $(ENV)/bench/.installed  ## measure logflume and its rivals (ARGS='service --quick'; 25 minutes for all, 8 with --quick)
	@set -e; for python in $(OTHER_PYTHONS); do $(MAKE) --no-print-directory bench-rivals PYTHON=$$python; done
	@$(WITHOUT) BENCH_PYTHONS="$(foreach python,$(OTHER_PYTHONS),$(CURDIR)/.venv-$(call tag,$(python))/bench-rivals/bin/python)" \
		$(ENV)/bench/bin/python -m bench $(ARGS)

bench-rivals: $(ENV)/bench-rivals/.installed  # what one of OTHER_PYTHONS needs

regression: $(ENV)/bench/.installed  ## pytest-benchmark on both cores (ARGS=--benchmark-autosave, later --benchmark-compare)
	@$(WITHOUT) $(ENV)/bench/bin/python -m pytest bench/regression $(ARGS)

lint: $(ENV)/lint/.made  ## ruff, mypy --strict and cython-lint; zizmor and actionlint for the workflows
	$(ENV)/lint/bin/ruff check .
	$(ENV)/lint/bin/ruff format --check .
	$(ENV)/lint/bin/mypy
	PATH="$(ENV)/lint/bin:$$PATH" cython-lint src
	$(ENV)/lint/bin/zizmor --offline --quiet --persona pedantic .github
	$(ENV)/lint/bin/python tests/check_workflows.py

docs: $(ENV)/docs/.installed  ## build the site into .site/, warnings are errors
	@$(WITHOUT) $(ENV)/docs/bin/python -m sphinx --quiet --fail-on-warning --keep-going --builder html docs .site
	@echo "open .site/index.html"

format: $(ENV)/lint/.made  ## have ruff mend what it can
	$(ENV)/lint/bin/ruff check --fix .
	$(ENV)/lint/bin/ruff format .

clean:  ## remove the environments and everything built
	rm -rf .venv-* .site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .coverage*
	rm -rf src/*.egg-info
	find src \( -name "*.c" -o -name "*.so" \) -delete
	find . -name __pycache__ -prune -exec rm -rf {} +

GROUP_build := build
GROUP_compiled := test
GROUP_pure := test
GROUP_compat := compat
GROUP_bench := bench
GROUP_sanitize := test
GROUP_lint := lint
GROUP_docs := docs
GROUP_wheels := wheels

# The pip that comes with an older Python does not know --group.
$(ENV)/%/.made: pyproject.toml
	@echo "making the environment $(@D)"
	@rm -rf $(@D)
	@$(WITHOUT) $(PYTHON) -m venv $(@D)
	@$(WITHOUT) $(@D)/bin/python -m pip install --quiet --upgrade pip
	@$(if $(GROUP_$*),$(WITHOUT) $(@D)/bin/python -m pip install --quiet --group $(GROUP_$*))
	@touch $@

# The sdist, and a wheel from it. The extensions are compiled on all processors.
BUILD = DIST_EXTRA_CONFIG=$(CURDIR)/$(@D)/build.cfg $(ENV)/build/bin/python -m build --no-isolation --outdir $(@D) .
$(ENV)/dist-compiled/.built: SWITCHES = $(COMPILED)
$(ENV)/dist-pure/.built: SWITCHES = $(PURE)
$(ENV)/dist-compiled/.built $(ENV)/dist-pure/.built: $(ENV)/dist-%/.built: $(ENV)/build/.made $(SOURCES)
	@echo "building the $* package"
	@rm -rf $(@D) && mkdir $(@D)
	@$(PYTHON) -c 'import os; print(f"[build_ext]\nparallel = {os.cpu_count()}")' >$(@D)/build.cfg
	@$(SWITCHES) $(BUILD) >$(@D)/log 2>&1 || { cat $(@D)/log; exit 1; }
	@touch $@

$(ENV)/pure/.installed $(ENV)/docs/.installed $(ENV)/demo-pure/.installed: $(ENV)/%/.installed: $(ENV)/%/.made $(ENV)/dist-pure/.built
	@$(WITHOUT) $(@D)/bin/python -m pip install --quiet --force-reinstall --no-deps $(ENV)/dist-pure/*.whl
	@touch $@

$(ENV)/compiled/.installed $(ENV)/compat/.installed $(ENV)/demo/.installed: $(ENV)/%/.installed: $(ENV)/%/.made $(ENV)/dist-compiled/.built
	@$(WITHOUT) $(@D)/bin/python -m pip install --quiet --force-reinstall --no-deps $(ENV)/dist-compiled/*.whl
	@touch $@

$(ENV)/bench/.installed $(ENV)/bench-rivals/.installed: $(ENV)/%/.installed: $(ENV)/%/.made $(ENV)/dist-compiled/.built
	@$(WITHOUT) $(@D)/bin/python bench/install.py
	@$(WITHOUT) $(@D)/bin/python -m pip install --quiet --force-reinstall --no-deps $(ENV)/dist-compiled/*.whl
	@touch $@

.PRECIOUS: $(ENV)/%/.made
