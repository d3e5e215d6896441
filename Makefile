# --- containers: locks, images, stack ---------------------------------------------------------------------------------
COMPOSE ?= docker compose
ENV_FILE ?= .env
STACK = $(COMPOSE) --env-file $(ENV_FILE) -f docker-compose.yaml $(if $(GPU),-f compose.gpu.yaml)

.PHONY: lock images up down
lock: ## Resolve every requirements.lock anew (CHECK=1: only say, offline, whether one is stale)
	@python3 images/lock.py $(if $(CHECK),--check,$(ONLY))

images: ## Build the container images (ONLY="curate generate" for some; BASE_IMAGE=... for another base)
	@python3 images/build.py $(ONLY)

up: $(ENV_FILE) images ## Start the whole stack with compose and wait until it is healthy (GPU=1 where there is one)
	@$(STACK) up -d --remove-orphans
	@python3 images/stack.py wait $(ENV_FILE)

down: ## Stop the stack; its data stay (VOLUMES=1 removes them too)
	@$(STACK) down --remove-orphans $(if $(VOLUMES),--volumes)

$(ENV_FILE):
	@python3 images/stack.py env $@
# --- end of containers ------------------------------------------------------------------------------------------------
