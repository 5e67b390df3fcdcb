# Sourced by check and test: the stages that both run.
stage "format" $bin/ruff format --check .
stage "lint" $bin/ruff check .
stage "types" $bin/mypy
stage "imports" $bin/lint-imports
stage "generated files" $bin/python scripts/generate-reference --check
stage "generated docs" $bin/python scripts/generate-docs --check
stage "unit" $bin/pytest -n 2 tests/unit
stage "contracts" $bin/pytest -n 2 tests/contracts
stage "semantics" $bin/pytest -n 2 tests/semantics
