# Commands of this project; `make` lists them.
#
# Needs Go (see go.mod) and Node.js 20; for `make test` also gcc (the race detector
# uses cgo), curl, MariaDB and Chromium, which are installed on Debian when they are
# missing. Without Node.js `make run` serves the APIs alone.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_VERSION := 2.15.0
GOLANGCI := bin/golangci-lint

# Two packages at a time: each drives a database by itself, and the embedded
# SQLite is about ten times slower under the race detector.
TEST_FLAGS := -p 2

# The clients in web/ that exist; each builds, checks and tests itself by npm scripts.
CLIENTS := $(notdir $(patsubst %/package.json,%,$(wildcard web/*/package.json)))
FUZZ_TIME := 10s

# The memory of MariaDB while growth is measured: as everywhere, the rows that are used should fit.
BENCH_POOL ?= 6G

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/jiamenkou with the clients in it (a client only when it has changed)
	scripts/build-web.sh --optional $(CLIENTS)
	go build -o bin/jiamenkou .

.PHONY: run
run: build ## Build and start the server (SQLite in data/ unless configured otherwise)
	bin/jiamenkou serve

.PHONY: reset
reset: ## Remove the local data (data/): the next run starts from nothing
	rm -rf data

.PHONY: test
test: tools vet lint test-race test-crash openapi-check test-web test-e2e ## Everything: vet, lint, race tests on both databases, crashes, fresh OpenAPI files, clients and their flows

.PHONY: tools
tools:
	scripts/need-tools.sh

.PHONY: vet
vet:
	go vet ./...

.PHONY: test-race
test-race:
	CGO_ENABLED=1 scripts/with-mariadb.sh go test -race $(TEST_FLAGS) -timeout 30m ./...

.PHONY: test-fast
test-fast: ## Tests on both databases, without the race detector and lint
	scripts/with-mariadb.sh go test $(TEST_FLAGS) -timeout 15m ./...

.PHONY: test-crash
test-crash: ## The crash tests in full: 30 kills of the program and of MariaDB under load, 1,000 lost answers to COMMIT
	JMK_TEST_ROUNDS=full scripts/with-mariadb.sh go test -count 1 -timeout 15m -run 'Killed|LostCommits' ./internal/app ./service/ledger ./service/market

.PHONY: test-web
test-web: ## Build the clients, check their types and sizes, run their unit tests and WeChat's own checks
	scripts/build-web.sh $(CLIENTS)
	for client in $(CLIENTS); do \
		(cd web/$$client && ../../scripts/npm-ci.sh && npm run --silent check && npm test --silent && \
			npm run --silent --if-present mp && npm run --silent --if-present size); \
	done

.PHONY: test-e2e
test-e2e: tools build ## Whole flows of the clients in Chromium, on a server with a fresh demo county
	for client in $(CLIENTS); do scripts/with-demo.sh npm --prefix web/$$client run --silent e2e; done

.PHONY: linter
linter:
	@if [ "$$($(GOLANGCI) version --short 2>/dev/null)" != "$(GOLANGCI_VERSION)" ]; then \
		echo "lint: building golangci-lint $(GOLANGCI_VERSION) into bin/" >&2; \
		GOBIN="$(CURDIR)/bin" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION); \
	fi

.PHONY: lint
lint: linter ## Lint and check the formatting (the first time builds the linter: some minutes)
	$(GOLANGCI) run ./...

.PHONY: format
format: linter ## Format the sources as lint wants them
	$(GOLANGCI) fmt ./...

.PHONY: openapi
openapi: build ## Write docs/openapi/*.json from the route tables
	bin/jiamenkou openapi

.PHONY: openapi-check
openapi-check: build
	bin/jiamenkou openapi --check

.PHONY: bench
bench: ## Measure ordering and earning beside bare SQL, hot and spread, on both databases: minutes (docs/performance.md)
	go build -o bin/bench ./internal/bench
	JMK_TEST_FLUSH_LOG=1 scripts/with-mariadb.sh bin/bench

.PHONY: bench-growth
bench-growth: ## Measure how calls and the audit grow, up to BENCH_WALLETS (100000) wallets (docs/performance.md)
	go build -o bin/bench ./internal/bench
	JMK_TEST_FLUSH_LOG=1 JMK_TEST_BUFFER_POOL=$(BENCH_POOL) scripts/with-mariadb.sh bin/bench growth

.PHONY: bench-lists
bench-lists: ## Measure the console's tables in Chromium over lists of 100 and BENCH_ROWS (100000) rows (docs/performance.md)
	scripts/need-tools.sh
	scripts/build-web.sh console
	go build -o bin/bench ./internal/bench
	scripts/with-mariadb.sh bin/bench lists

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZ_TIME (10s)
	scripts/fuzz.sh $(FUZZ_TIME)

.PHONY: tidy
tidy: ## Tidy and verify go.mod
	go mod tidy
	go mod verify

.PHONY: clean
clean: ## Remove what was built, but not the linter, which takes minutes
	rm -rf bin/jiamenkou bin/bench coverage.out web/dist/*/
	go clean -testcache
