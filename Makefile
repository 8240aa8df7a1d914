# What a contributor runs. `make` alone builds and runs the quick tests.

.PHONY: all build quick test ci lint bench storms forgeries

all: build quick

build: ## the binary
	go build -o mcp-trade ./cmd/mcp-trade

quick: ## the unit tests
	go test $$(go list ./... | grep -v integration_test)

test: ## everything that this machine can run
	go test ./...

ci: ## everything that must hold before a change lands; installs what it needs
	.ci/run

lint: ## which room may import which, and what golangci-lint finds
	golangci-lint run

bench: ## an order beside what it cannot do without
	go test ./integration_test -run '^$$' -bench Buy

storms: ## faults at full size: hours on two cores
	MCP_TRADE_STORM=100 go test ./integration_test -run TestStorm -timeout 6h -v

forgeries: ## 10,000 random forgeries of ledgers
	MCP_TRADE_FORGERIES=10000 go test ./integration_test -run TestForger -timeout 1h -v
