# `make` lists the targets. The tests need a C compiler, curl, PostgreSQL and Chromium; scripts/ensure-tools finds or installs them.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The race detector looks at everything but SQLite as it was translated from C, with its C library, and the password hash:
# they are not ours, and would take two thirds of the time.
RACE := -race '-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0' -gcflags=modernc.org/sqlite=-d=checkptr=0 \
	'-gcflags=modernc.org/libc=-race=false -d=checkptr=0' -gcflags=golang.org/x/crypto/argon2=-race=false

.PHONY: help run test test-clients console-shots drain lint vuln bench bench-scale load plots build generate fuzz soak model

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start a server for trying out, on this machine alone (go run ./cmd/sallyport dev)
	go run ./cmd/sallyport dev

test: ## run all tests with the race detector
	@scripts/test $(RACE)

test-clients: ## run the SDKs that people use against the server (Node.js 20)
	@scripts/ensure-tools clients
	go -C test/clients test ./...

console-shots: ## look at every page of the web console in Chromium, and write pictures to CONSOLE_SHOTS (bin/console-shots)
	@scripts/ensure-tools
	@mkdir -p $(or $(CONSOLE_SHOTS),bin/console-shots)
	CONSOLE_SHOTS=$(abspath $(or $(CONSOLE_SHOTS),bin/console-shots)) go test -count=1 ./test/console
	@mkdir -p docs/console && cp $(or $(CONSOLE_SHOTS),bin/console-shots)/docs/*.png docs/console/

drain: ## restart replicas behind Caddy, nginx and HAProxy under load, and count what is lost
	@scripts/ensure-tools proxies
	go run ./test/drain

lint: ## check the form of the code (.golangci.yml says what it looks for)
	@scripts/lint

vuln: ## look for known vulnerabilities in the libraries, with govulncheck (needs the network: it fetches its database)
	go -C tools build -o ../bin/tools golang.org/x/vuln/cmd/govulncheck
	bin/tools/govulncheck -test ./...

bench: ## measure speed, each figure beside its floor in the same run
	go run ./bench

bench-scale: ## measure how costs grow, up to 10,000,000 tokens (5 minutes, 4 GB)
	go run ./bench scale

load: ## load a server of yours: make load ARGS="run --url http://127.0.0.1:8080 --mix verify"
	go run ./test/load $(ARGS)

plots: ## make the pictures of docs/performance.md anew (5 minutes)
	@scripts/plots

build: ## build bin/sallyport: static, stripped, the same bytes for the same commit
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.version=$(VERSION)' -o bin/sallyport ./cmd/sallyport

generate: ## write the generated pages, api/openapi.json and the golden files again
	go test ./internal -run TestMap -update
	go test ./docs -run TestSettings -update
	go test ./internal/access -run TestVocabulary -update
	go test ./internal/cli -run TestCommandPage -update
	go test ./api -update

fuzz: ## run each fuzz target for FUZZTIME (30s)
	@scripts/fuzz

soak: ## for hours: 10,000 kills at crash points, revocation on replicas under faults for SOAK (1h), memory under load for SOAK
	go run ./test/crashpoints/soak -runs $(or $(RUNS),10000)
	go run ./test/linearizability/soak -duration $(or $(SOAK),1h)
	go run ./test/leaks/soak -duration $(or $(SOAK),1h)
	go run ./test/leaks/soak -duration $(or $(SOAK),1h) -engine postgres

model: ## check the model of the revocation protocol
	@scripts/model
