# daytwo: `make demo` shows the loop, `make test` is everything CI runs.
SHELL      := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/daytwo-dev/daytwo/internal/app.version=$(VERSION) -X github.com/daytwo-dev/daytwo/internal/app.commit=$(COMMIT)
CACHE   := .cache

# Go packages of the everyday loop; RACE_ARGS=-short for a quick pass.
PACKAGES := ./...

.PHONY: build demo test setup lint vuln test-go test-compat storm check-ui fresh e2e openapi ui bench clean

build: ## bin/daytwo, static
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/daytwo ./cmd/daytwo

demo: build ## the platform and the shop, with one sign-in link (DEMO="--auto" plays the user too)
	./bin/daytwo demo $(DEMO)

# The order puts what fails fastest first; the two halves share two cores.
test: setup ## everything CI runs
	@start=$$(date +%s); \
	$(MAKE) --no-print-directory -j2 --output-sync=target build check-ui; \
	$(MAKE) --no-print-directory fresh; \
	$(MAKE) --no-print-directory test-go; \
	$(MAKE) --no-print-directory e2e; \
	$(MAKE) --no-print-directory lint vuln; \
	echo "make test: all checks passed in $$(( $$(date +%s) - start )) s"

setup: ## installs what the checks need and a fresh machine lacks
	@test/setup

# Without cgo, as the binary is built: what that compiled is not compiled again.
lint: $(CACHE)/golangci-lint ## vet, format and the lint list of .golangci.yml
	CGO_ENABLED=0 $(CACHE)/golangci-lint run $(PACKAGES)
	cd stability/stabilitygrpc && CGO_ENABLED=0 $(CURDIR)/$(CACHE)/golangci-lint run ./...

vuln: ## known vulnerabilities, where the database can be reached
	@test/vuln

test-go: $(CACHE)/promtool ## all Go tests with the race detector, the txtar scripts against bin/daytwo among them (lint vets)
	go test -race -vet=off -p 3 -gcflags='modernc.org/...=-d=checkptr=0' -timeout 15m $(RACE_ARGS) $(PACKAGES)
	go test -C stability/stabilitygrpc -race $(RACE_ARGS) ./...

check-ui: ui/node_modules/.stamp ## types, lint and unit tests of the UI
	cd ui && npm run --silent check

fresh: build ui/node_modules/.stamp ## that ui/dist and ui/openapi.json are what their sources make
	test/fresh-ui

e2e: build ui/node_modules/.stamp ## the demo story and every page in Chromium
	cd ui && npm run --silent e2e

openapi: build ## writes ui/openapi.json and the types made from it
	./bin/daytwo openapi > ui/openapi.json
	cd ui && npm run --silent types

ui: ui/node_modules/.stamp ## rebuilds ui/dist, which is committed
	cd ui && npm run --silent build

bench: build $(CACHE)/prometheus $(CACHE)/goalert bench/eventdb/clickhouse/node_modules/.stamp ## us beside real peers, printing ratios
	cd bench/store && go run .
	cd bench/logs && go run .
	cd bench/stability && go run .
	cd bench/metrics && go run . -daytwo $(CURDIR)/bin/daytwo -prometheus $(CURDIR)/$(CACHE)/prometheus
	cd bench/incident && go run . -daytwo $(CURDIR)/bin/daytwo -goalert $(CURDIR)/$(CACHE)/goalert
	cd bench/eventdb && go run . -rows 300000

clean:
	rm -rf bin $(CACHE) ui/node_modules

ui/node_modules/.stamp: ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund --loglevel=error
	touch $@

storm: ## kill -9 at 20 moments of 2,000 triggers, on SQLite and on PostgreSQL: about 6 minutes
	DAYTWO_STORM=full go test -race -vet=off -count=1 -timeout 20m -v -run KilledInAStorm ./test

test-compat: $(CACHE)/promtool $(CACHE)/prometheus ## beside the real peers, and what they take as input: heavy
	DAYTWO_COMPAT=$(CURDIR)/$(CACHE) go test -count=1 -timeout 15m -v -run 'Compat|Corpus' ./test ./internal/metrics
	test/compat/setup
	go test -count=1 -timeout 5m -v ./test/compat
	SHOP_RESTARTS=50 go test -count=1 -timeout 15m -v -run RestartsLoseNoRequest ./examples/shop

# Built at the versions that daytwo embeds, so that most of it is in the build cache.
$(CACHE)/promtool $(CACHE)/prometheus: test/peers/go.mod
	CGO_ENABLED=0 go build -C test/peers -tags remove_all_sd,enable_dns_sd -o $(CURDIR)/$@ github.com/prometheus/prometheus/cmd/$(notdir $@)

# PostgreSQL's programs, which it needs to run, come with test/setup.
$(CACHE)/goalert: bench/incident/peer/go.mod
	CGO_ENABLED=0 go build -C bench/incident/peer -o $(CURDIR)/$@ github.com/target/goalert/cmd/goalert

bench/eventdb/clickhouse/node_modules/.stamp: bench/eventdb/clickhouse/package-lock.json
	cd bench/eventdb/clickhouse && npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(CACHE)/golangci-lint: tools/go.mod
	CGO_ENABLED=0 go build -C tools -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
