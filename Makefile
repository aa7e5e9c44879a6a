# make test is what CI runs; the other targets are its parts and some comfort.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# Build stamps need a git that trusts the folder, and no test reads them.
export GOFLAGS := -buildvcs=false $(GOFLAGS)

TOOLS := $(CURDIR)/.tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-v2.15.0
AGE := $(TOOLS)/age-v1.3.2
STATIC := templates/static
E2E := cmd/dropslot/e2e
NPM_FOLDERS := $(STATIC) gateway/twilio/testdata/npm gateway/sso/testdata/npm templates/testdata/segments $(E2E)/testdata/npm
# npm leaves this file when an installation is complete.
NPM_DONE := $(addsuffix /node_modules/.package-lock.json,$(NPM_FOLDERS))

.PHONY: build
build: ## the program, as ./dropslot
	CGO_ENABLED=0 go build -trimpath -o dropslot ./cmd/dropslot

# What mostly waits runs beside the rest: programs that are killed again and again, and
# a megabyte on a weak line.
LONG := ^(TestKilledIntakeLosesNoAcknowledgedPage|TestKillsCatchProgramsThatLosePages|TestAMegabyteOverAWeakLine)$$

# With -race the compiler checks pointer arithmetic, too. In SQLite, which is C that was
# translated to Go, this costs half of the tests' time and finds nothing of ours.
UNCHECKED := -gcflags=modernc.org/...=-d=checkptr=0

.PHONY: test
test: ## everything, as CI does it; installs what is missing if it may
	@summary=$$(mktemp); trap 'rm -f "$$summary"' EXIT; began=$$SECONDS; \
	export DROPSLOT_REQUIRE_ALL=1 DROPSLOT_AGE="$(AGE)/age"; \
	.ci/step "programs" .ci/needs; \
	.ci/step "tools" $(MAKE) --no-print-directory tools; \
	.ci/step "npm packages" $(MAKE) --no-print-directory npm; \
	.ci/step "gofmt" $(MAKE) --no-print-directory format; \
	.ci/step "go vet" $(MAKE) --no-print-directory vet; \
	.ci/step "golangci-lint" $(MAKE) --no-print-directory lint; \
	.ci/step "bundle" $(MAKE) --no-print-directory check-bundle; \
	.ci/go-test "tests (race)" "$$summary" . -race $(UNCHECKED) -timeout 20m ./...; \
	{ .ci/go-test "at full size" "$$summary" . -run 'Raced|NothingIsLeft|ACrowd|ABrokenConnection|ClientsPDF' -timeout 15m ./cmd/dropslot ./gateway/paper && \
	  .ci/go-test "long ones" "$$summary" $(E2E) -count 1 -timeout 15m -run '$(LONG)' .; } & beside=$$!; \
	.ci/go-test "whole program" "$$summary" $(E2E) -count 1 -timeout 20m -skip '$(LONG)' ./... || { wait $$beside || true; exit 1; }; \
	wait $$beside; \
	echo; cat "$$summary"; \
	echo "make test: all of it passed in $$(( (SECONDS - began) / 60 )) min $$(( (SECONDS - began) % 60 )) s"

.PHONY: format
format: ## fails if gofmt would change a file
	@changed=$$(find . -name '*.go' -not -path '*/node_modules/*' -not -path './.tools/*' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$changed" ]; then echo "gofmt -w is due:"; echo "$$changed"; exit 1; fi

.PHONY: vet
vet:
	go vet ./...
	cd $(E2E) && go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT)/golangci-lint
	$< run --allow-parallel-runners ./...
	cd $(E2E) && $< run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...

.PHONY: bundle
bundle: $(STATIC)/node_modules/.package-lock.json ## the browser's code: src/ to dist/
	cd $(STATIC) && npm run --silent build

.PHONY: check-bundle
check-bundle: $(STATIC)/node_modules/.package-lock.json ## fails if dist/ is not what src/ makes
	cd $(STATIC) && npm run --silent check

.PHONY: bench
bench: ## what it can carry, against floors measured in the same run
	go run ./cmd/bench $(BENCH)

.PHONY: bench-page
bench-page: ## the client's page on a slow phone with a weak signal, in a real Chromium
	cd $(E2E) && DROPSLOT_REQUIRE_ALL=1 DROPSLOT_BENCH_PAGE=1 go test -count 1 -timeout 20m -run 'TestBenchPage' -v .

.PHONY: screenshots
screenshots: ## the README's pictures, as the browser tests see them
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	(cd $(E2E) && DROPSLOT_REQUIRE_ALL=1 DROPSLOT_SCREENSHOTS="$$folder" go test -count 1 -run 'TestDemo|TestJourneys/photograph' .); \
	mkdir -p templates/screenshots; cp "$$folder"/{phone,capture,desk}.png templates/screenshots/

.PHONY: image
image: ## the container image, with docker, podman or buildah
	@if command -v docker >/dev/null; then docker build -t dropslot .; \
	elif command -v podman >/dev/null; then podman build -t dropslot .; \
	elif command -v buildah >/dev/null; then buildah build -t dropslot .; \
	else echo "needed: docker, podman or buildah" >&2; exit 1; fi

.PHONY: tools
tools: $(GOLANGCI_LINT)/golangci-lint $(AGE)/age ## the linter and the age command, into .tools/

# Both are built by the Go at hand: a linter reads no code newer than its own Go.
$(GOLANGCI_LINT)/golangci-lint:
	GOBIN=$(GOLANGCI_LINT) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

$(AGE)/age:
	GOBIN=$(AGE) go install filippo.io/age/cmd/age@v1.3.2

.PHONY: npm
npm: $(NPM_DONE)

%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	cd $* && npm ci --silent --no-audit --no-fund
	touch $@

.PHONY: clean
clean: ## removes what was built and installed here
	rm -rf dropslot bench $(TOOLS) $(addsuffix /node_modules,$(NPM_FOLDERS))

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16
