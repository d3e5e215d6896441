# Every target with a `##` comment shows up in `make help`.
PYTHON ?= python3
RUNNER ?= process
EMBEDDED = exec env PYTHONPATH=images/shared:images/airflow .venv/airflow/bin/python -m embedded
DEV = .venv/dev/bin

JUDGE_CHECK = $(if $(HELP),--help,--model '$(MODEL)' --gold '$(GOLD)' $(if $(SET),--set $(SET)) \
	$(if $(BASE_URL),--base-url '$(BASE_URL)') $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(CONFIG),--config '$(CONFIG)'))

.DEFAULT_GOAL := help
.PHONY: help venvs test-venvs demo ui serve stop test check fix docs judge-check launch-plan screenshots clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venvs: ## Make or update the virtual environments (make demo does it by itself)
	@$(PYTHON) images/airflow/embedded/venvs.py

test-venvs:
	@$(PYTHON) images/airflow/embedded/venvs.py --tests

demo: venvs ## Real articles to a registered model, on this machine (RUNNER=docker: in containers)
	@$(EMBEDDED) demo --runner $(RUNNER)

ui: venvs ## Airflow and MLflow in the browser, with the demo's runs, until Ctrl-C
	@$(EMBEDDED) ui --runner $(RUNNER)

serve: venvs ## A registered model in OpenAI's protocol, on this machine (MODEL=champion, demo/3 or a folder; PORT=8000)
	@$(EMBEDDED) serve --model $(or $(MODEL),champion) --port $(or $(PORT),8000)

stop: ## Stop what a killed demo or ui left running
	@$(EMBEDDED) stop

test: test-venvs ## Run all tests this machine can run, and say what was skipped (ONLY="curate contract")
	@$(DEV)/python tests/run.py $(ONLY)

check: test-venvs ## Lint, types, import rules, locks, generated docs; changes nothing
	@$(DEV)/python tests/check.py

fix: test-venvs ## Format the code and mend what the linter can mend
	@$(DEV)/ruff format .
	@$(DEV)/ruff check --fix .

docs: test-venvs ## Write the generated parts of the README and docs/ anew
	@$(DEV)/python docs/generate.py

judge-check: venvs ## How far a model agrees with people: MODEL=... GOLD=file SET=llmbar (HELP=1 lists the sets; BASE_URL, CONFIG, REQUESTS)
	@PYTHONPATH=images/shared:images/generate .venv/generate/bin/python -m generate.judge.check $(JUDGE_CHECK)

launch-plan: venvs ## What a training needs and starts on several GPUs: RECIPE=dags/recipes/llm_twin.yaml (GPU=h100 PROCESSES=4 SHARDING=fsdp)
	@PYTHONPATH=images/shared:images/finetune .venv/finetune/bin/python -m finetune.plan.gpus --recipe '$(RECIPE)' \
		$(if $(GPU),--gpu '$(GPU)') $(if $(PROCESSES),--processes '$(PROCESSES)') $(if $(SHARDING),--sharding '$(SHARDING)')

screenshots: test-venvs ## Make the README's pictures from a stack that is up and has a finished demo (Chromium)
	@PYTHONPATH=tests $(DEV)/python docs/screenshots.py $(ONLY)

clean: stop ## Remove all runs and data of the demo (.nocturne); virtual environments stay
	@rm -rf .nocturne

# --- containers: locks, images, stack ---------------------------------------------------------------------------------
COMPOSE ?= docker compose
ENV_FILE ?= .env
STACK = $(COMPOSE) --env-file $(ENV_FILE) -f docker-compose.yaml $(if $(GPU),-f compose.gpu.yaml)

.PHONY: lock images up down backup restore
lock: ## Resolve every requirements.lock anew (CHECK=1: only say, offline, whether one is stale)
	@python3 images/lock.py $(if $(CHECK),--check,$(ONLY))

images: ## Build the container images (ONLY="curate generate" for some; BASE_IMAGE=... for another base)
	@python3 images/build.py $(ONLY)

up: $(ENV_FILE) images ## Start the whole stack with compose and wait until it is healthy (GPU=1 where there is one)
	@$(STACK) up -d --remove-orphans
	@python3 images/stack.py wait $(ENV_FILE)

down: ## Stop the stack; its data stay (VOLUMES=1 removes them too)
	@$(STACK) down --remove-orphans $(if $(VOLUMES),--volumes)

backup: ## Copy databases, store and settings of the stack, which must be down: TO=folder
	@python3 images/backup.py save '$(TO)' $(ENV_FILE)

restore: ## Fill a stack that keeps nothing yet from such a copy: FROM=folder
	@python3 images/backup.py restore '$(FROM)' $(ENV_FILE)

$(ENV_FILE):
	@python3 images/stack.py env $@
# --- end of containers ------------------------------------------------------------------------------------------------
