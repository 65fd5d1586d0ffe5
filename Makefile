# Two commands are all a fresh machine needs: `make run` and `make test`. Neither asks a question.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# rustup's directory is not yet in the PATH of the shell that installed it.
export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)

# A clean checkout gains nothing from incremental builds and pays for them in disk.
ifdef CI
export CARGO_INCREMENTAL := 0
endif

# Optimizing the whole program at once takes 6 GB. A machine that has less gets a build that needs less and is a tenth slower.
ifeq ($(shell awk '/^MemAvailable:/ { print ($$2 < 7000000) }' /proc/meminfo 2>/dev/null),1)
export CARGO_PROFILE_RELEASE_LTO ?= thin
endif

.PHONY: help setup setup-test dashboard run test lint fmt cargo-test clients dashboard-test contract bench

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; do printf '  make %-11s %s\n' "$$name" "$$what"; done

setup: ## Install what building needs
	@scripts/setup build

setup-test: ## Install what testing needs as well
	@scripts/setup test

dashboard: ## Build the dashboard into admin/web/dist; needs Node.js 20
	@scripts/build-dashboard

run: setup dashboard ## Build the release and start the gateway on its embedded store
	cargo build --release --locked --bin switchyard
	exec $(TARGET)/release/switchyard serve

test: setup-test dashboard lint ## Check format, lints and documentation, run all tests, the real clients and a browser
	npm --prefix admin/web run --silent check
	scripts/test-services run $(MAKE) --no-print-directory cargo-test
	scripts/clients
	scripts/dashboard
	scripts/contract

lint: ## Check format, clippy and documentation; warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --document-private-items --locked

fmt: ## Format the code
	cargo fmt --all

cargo-test: ## Run the Rust tests; without TEST_POSTGRES_URL and TEST_REDIS_URL on the embedded store only
	if command -v cargo-nextest >/dev/null; then \
		cargo nextest run --workspace --locked && cargo test --doc --workspace --locked; \
	else \
		cargo test --workspace --locked; \
	fi

clients: setup-test ## Run the real command-line clients and SDKs against a gateway
	scripts/clients

dashboard-test: setup-test dashboard ## Run the dashboard in a browser against a gateway
	scripts/dashboard

contract: setup-test ## Hold the admin API to its document, and clients generated from it to both
	scripts/contract

bench: setup ## Run the benchmarks
	cargo bench --workspace --locked
