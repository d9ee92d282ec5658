# Two commands matter: `make run` and `make test`. Each sets up what it needs first.
PYTHON ?= python3
VENV := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check bench fmt messages screenshots clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## Set up and run web and worker (PORT=8000, DATABASE_URL from the environment)
	@$(PYTHON) scripts/setup.py && exec $(VENV)/python scripts/run.py

test: ## Set up and run every test (ARGS="tests/ledger -x" for some)
	@$(PYTHON) scripts/setup.py --dev && $(VENV)/python -m scripts.test $(ARGS)

check: ## Format, lint, types, layers, migrations, deployment checks
	@$(PYTHON) scripts/setup.py --dev && $(VENV)/python -m scripts.check

bench: ## Measure against raw database limits (ARGS="entry", home, statement, search)
	@$(PYTHON) scripts/setup.py
	@for what in $(or $(ARGS),entry home statement search); do \
		KHATA_VAR=$${KHATA_VAR:-var/bench} $(VENV)/python manage.py bench $$what || exit 1; done

fmt: ## Format Python and templates, fix what can be fixed
	@$(PYTHON) scripts/setup.py --dev && $(VENV)/python -m scripts.check --fix

messages: ## Bring locale/*/django.po up to date with the sources
	@$(PYTHON) scripts/setup.py && $(VENV)/python manage.py messages

screenshots: ## Draw docs/screenshots from a fresh demo shop
	@$(PYTHON) scripts/setup.py --dev && $(VENV)/python -m scripts.screenshots

clean: ## Remove what the tools left behind (never var/, which holds the book)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov test-results
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
