# What a contributor runs. `make` alone builds and runs the quick tests.

.PHONY: all build platforms quick test cover ci lint bench storms forgeries fuzz

all: build quick

build: ## the binary
	go build -o mcp-trade ./cmd/mcp-trade

platforms: ## the six that a release has
	for os in linux darwin windows; do for arch in amd64 arm64; do \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -o /dev/null ./cmd/mcp-trade || exit 1; done; done

quick: ## what takes no more than seconds each; under a minute on two cores, once everything is built
	go test -short ./...

test: ## everything that this machine can run
	go test ./...

cover: ## how much of each package the tests reach, by themselves and through the program
	rm -rf coverage && mkdir -p coverage/unit coverage/program
	go test -count=1 -cover $$(go list ./... | grep -v integration_test) -args -test.gocoverdir=$(CURDIR)/coverage/unit
	GOCOVERDIR=$(CURDIR)/coverage/program go test -count=1 ./integration_test
	go tool covdata textfmt -i=coverage/unit,coverage/program -o=coverage/all.txt
	go tool covdata percent -i=coverage/unit,coverage/program
	go tool cover -func=coverage/all.txt | tail -1

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

fuzz: ## what clients send over HTTP, what models' APIs send, transcripts and configurations: ten minutes each, FUZZTIME says otherwise
	for target in model/openai:FuzzReply model/openai:FuzzStream model/anthropic:FuzzReply model/anthropic:FuzzStream transcript:FuzzTranscript llm:FuzzTranscript llm:FuzzArguments config:FuzzConfig; do \
		go test ./agent/$${target%:*} -run NONE -fuzz "$${target#*:}\$$" -fuzztime $${FUZZTIME:-10m} -fuzzminimizetime 20x || exit 1; done
	go test ./cmd/mcp-trade -run NONE -fuzz 'FuzzHTTP$$' -fuzztime $${FUZZTIME:-10m}
