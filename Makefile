# Dosegate: what a developer, CI and a curious reader type.  "make" alone prints the list.

PYTHON ?= python3
PORT   ?= 8080

.DEFAULT_GOAL := help
.PHONY: help setup run test check browser bench texts lock clean packages auditing sbom audit fuzz guards safety-case

VENV  := .venv
BIN   := $(VENV)/bin
LOG   := .cache/last-step.log
LOCK  := .cache/lock

# durable-rules calls a C function that Python 3.13 no longer has; its successor takes the same arguments.
# Without a cache: pip would use again a wheel that was built without the flag.
PIP = CPPFLAGS="$$CPPFLAGS -DPyEval_CallObject=PyObject_CallObject" \
       $(BIN)/python -m pip --disable-pip-version-check --no-input --no-cache-dir
INSTALL = $(PIP) install --quiet --require-hashes

# Says which interpreter a new environment is made from (not one that lives in an environment), if it will do.
SUITS    := import sys; print(getattr(sys, "_base_executable", sys.executable)); sys.exit(not (3, 11) <= sys.version_info < (3, 14))
UNSUITED := Dosegate needs Python 3.11, 3.12 or 3.13, and "$(PYTHON)" is not one: say make PYTHON=python3.13 (or its path).

NO_BROWSER := The tests of the pages need Chromium, and only root can install it: apt-get install chromium

# $(call step,what it is,command): one line when it works, everything it said when it does not.
step = printf '  %s\n' '$(1)'; $(2) >$(LOG) 2>&1 || { cat $(LOG) >&2; printf 'FAILED: %s\n' '$(1)' >&2; exit 1; }

help:  ## print this list
	@printf 'make TARGET [PYTHON=python3.13] [PORT=8080]\n\n'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

# What is set up is recorded in .venv: for which interpreter and locks, and for which pyproject.toml. The same
# again is no work.
setup: packages  ## make .venv: the locked packages, checked by hash, and this project (editable)
	@wanted=$$(cat $(VENV)/.packages pyproject.toml | cksum); \
	if [ "$$wanted" = "$$(cat $(VENV)/.ready 2>/dev/null)" ]; then exit 0; fi; \
	$(call step,setup: dosegate itself,$(PIP) install --quiet --no-index --no-deps --no-build-isolation --editable .); \
	$(call step,setup: nothing is missing,$(PIP) check); \
	printf '%s\n' "$$wanted" >$(VENV)/.ready

packages:
	@base=$$($(PYTHON) -c '$(SUITS)' 2>/dev/null) || { echo '$(UNSUITED)' >&2; exit 1; }; \
	wanted=$$( { "$$base" -c 'import sys; print(sys.version, sys.base_prefix)'; pwd; cat requirements/build.txt requirements/test.txt; } | cksum); \
	if [ "$$wanted" = "$$(cat $(VENV)/.packages 2>/dev/null)" ] && $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
	rm -rf $(VENV) && mkdir -p .cache || exit 1; \
	$(call step,setup: environment in $(VENV),"$$base" -m venv $(VENV)); \
	$(call step,setup: build tools,$(INSTALL) --only-binary :all: -r requirements/build.txt); \
	$(call step,setup: packages,$(INSTALL) --only-binary :all: --no-binary durable-rules --use-pep517 --no-build-isolation -r requirements/test.txt); \
	$(call step,setup: the rules engine imports,$(BIN)/python -c 'import durable_rules_engine'); \
	printf '%s\n' "$$wanted" >$(VENV)/.packages

run: setup  ## print one worked checklist, then serve a made-up clinic on this machine, port PORT
	@$(BIN)/dosegate demo
	@exec env DOSEGATE_LOG_LEVEL="$${DOSEGATE_LOG_LEVEL:-warning}" $(BIN)/dosegate serve --demonstration --port $(PORT)

# Thousands of small databases are kept in memory where there is room: no disk is waited for.
IN_MEMORY = $$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "TMPDIR=/dev/shm" }')

test: check browser  ## check, then all tests
	@env $(IN_MEMORY) $(BIN)/python -m pytest -q -n 4 --dist worksteal

check: setup  ## style, types, who imports what, and every rule pack
	@mkdir -p .cache
	@$(call step,check: ruff,$(BIN)/ruff check)
	@$(call step,check: format,$(BIN)/ruff format --check)
	@$(call step,check: types,$(BIN)/mypy)
	@$(call step,check: imports,$(BIN)/lint-imports)
	@$(call step,check: rule packs,$(BIN)/dosegate lint)

# The pages are tested in Debian's Chromium, which brings the libraries that a PDF is made with.
browser:
	@mkdir -p .cache; if command -v chromium >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo '$(NO_BROWSER)' >&2; exit 1; fi; \
	$(call step,setup: Chromium for the tests of the pages,{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium; })

bench: setup  ## measure how fast a checklist is made
	@$(BIN)/python -m benchmarks

# Every text of the pages goes into the catalogue of each language; what it says there is kept.
TEXTS := service/pages/translations

texts: setup  ## put new texts of the pages into the catalogues (then translate them), and compile these
	@mkdir -p .cache
	@$(call step,texts: read the pages,$(BIN)/pybabel extract -F $(TEXTS)/babel.cfg -k "lazy_gettext CannotAct" --add-location=file --sort-output -o .cache/texts.pot service)
	@$(call step,texts: catalogues,$(BIN)/pybabel update -i .cache/texts.pot -d $(TEXTS) --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -w 110)
	@$(call step,texts: compile,$(BIN)/pybabel compile -d $(TEXTS))

safety-case: setup  ## write docs/safety-case.md again from docs/hazards.yaml, the locks and the rules
	@$(BIN)/python -m tests.guards.safety_case

# Keeps what is locked wherever it still fits; make lock LOCK_OPTIONS=--upgrade takes the newest.
COMPILE := UV_CACHE_DIR=.cache/uv UV_PYTHON_DOWNLOADS=never \
           $(LOCK)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK_OPTIONS)

lock:  ## write requirements/*.txt again from requirements/*.in
	@mkdir -p .cache; base=$$($(PYTHON) -c '$(SUITS)' 2>/dev/null) || { echo '$(UNSUITED)' >&2; exit 1; }; \
	$(call step,lock: environment in $(LOCK),"$$base" -m venv --clear $(LOCK))
	@$(call step,lock: uv,$(LOCK)/bin/python -m pip --disable-pip-version-check install --quiet --no-cache-dir --require-hashes --only-binary :all: -r requirements/lock.txt)
	@$(call step,lock: requirements/lock.txt,$(COMPILE) requirements/lock.in -o requirements/lock.txt)
	@$(call step,lock: requirements/build.txt,$(COMPILE) requirements/build.in -o requirements/build.txt)
	@$(call step,lock: requirements/run.txt,$(COMPILE) requirements/run.in -o requirements/run.txt)
	@$(call step,lock: requirements/tracing.txt,$(COMPILE) requirements/run.in requirements/tracing.in -c requirements/run.txt -o requirements/tracing.txt)
	@$(call step,lock: requirements/test.txt,$(COMPILE) requirements/test.in -c requirements/tracing.txt -c requirements/build.txt -o requirements/test.txt)
	@$(call step,lock: requirements/audit.txt,$(COMPILE) requirements/audit.in -o requirements/audit.txt)

# The tools of the next two have an environment of their own: nothing of them is run or tested with.
AUDIT := .cache/audit

auditing:
	@mkdir -p .cache dist; base=$$($(PYTHON) -c '$(SUITS)' 2>/dev/null) || { echo '$(UNSUITED)' >&2; exit 1; }; \
	wanted=$$(cksum <requirements/audit.txt); if [ "$$wanted" = "$$(cat $(AUDIT)/.ready 2>/dev/null)" ]; then exit 0; fi; \
	$(call step,audit: environment in $(AUDIT),"$$base" -m venv --clear $(AUDIT)); \
	$(call step,audit: tools,$(AUDIT)/bin/python -m pip --disable-pip-version-check install --quiet --no-cache-dir --require-hashes --only-binary :all: -r requirements/audit.txt); \
	printf '%s\n' "$$wanted" >$(AUDIT)/.ready

sbom: auditing  ## write dist/sbom.cdx.json: what is run, with hashes (CycloneDX)
	@$(call step,sbom: dist/sbom.cdx.json,$(AUDIT)/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible --of JSON -o dist/sbom.cdx.json)

# One who is not asked is not said to be sound: exit status 1 for a known vulnerability, 2 where not all are known.
AUDITED := import json, sys; \
  found = [each for name in sys.argv[1:] for each in json.load(open(name))["dependencies"]]; \
  bad = sorted({(each["name"], each["version"], one["id"]) for each in found for one in each.get("vulns", ())}); \
  unasked = sorted({each["name"] for each in found if "skip_reason" in each}); \
  [print("VULNERABLE:", *each) for each in bad]; \
  print(len({each["name"] for each in found}), "packages,", len(bad), "known vulnerabilities,", len(unasked), "packages that the advisory service here does not know: NOT AUDITED"); \
  sys.exit(1 if bad else 2 if unasked else 0)

audit: auditing  ## ask for known vulnerabilities of every locked package, where that service answers
	@rm -f .cache/audit-*.json; for lock in run tracing test build; do \
	  $(AUDIT)/bin/pip-audit --disable-pip --require-hashes --progress-spinner off --format json \
	    -o .cache/audit-$$lock.json -r requirements/$$lock.txt >$(LOG) 2>&1; \
	  if [ ! -s .cache/audit-$$lock.json ]; then tail -1 $(LOG) >&2; echo "NOT AUDITED: the advisory service does not answer here" >&2; exit 2; fi; \
	done; $(AUDIT)/bin/python -c '$(AUDITED)' .cache/audit-*.json

fuzz: setup  ## send the API and CDS Hooks many requests made from their description (FUZZ of each, 200)
	@DOSEGATE_FUZZ=$(or $(FUZZ),200) $(BIN)/python -m pytest -q -n 2 tests/security/test_generated.py

guards: setup  ## take each guard away in a copy, and see that its tests notice
	@$(BIN)/python -m tests.security.without_guards

clean:  ## remove what make and the tools made here
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis build dist *.egg-info demonstration.db* demonstration-signing.pem
	@find service rules tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
