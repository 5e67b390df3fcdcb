# Everything a fresh machine needs is in these targets; each is one script under scripts/.
.PHONY: help setup check test demo clean

help:            ## what there is
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup:           ## make .venv and install Besom and everything its tests need
	@scripts/setup

check: setup     ## lint, types, imports, unit tests, contracts, semantics: for all day
	@scripts/check

test: setup      ## every test and check, with the time of each stage
	@scripts/test

demo:            ## the tutorial's sweep on real data, start to finish (FAST=1: a tenth of the images)
	@scripts/demo

clean:           ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
