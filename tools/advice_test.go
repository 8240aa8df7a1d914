package tools

import (
	"errors"
	"fmt"
	"testing"

	"mcp-trade/market"
	"mcp-trade/search"
	"mcp-trade/session"
	"mcp-trade/store"
)

func TestAdvice(t *testing.T) {
	unreachable := func(err error) error {
		return &session.UnreachableError{UnreachableError: &store.UnreachableError{Engine: "redis", Doing: "read the session", Err: err}}
	}
	f := newFixture(t, testBars)
	_, notRegistered := f.Accounts.Head(t.Context(), "nobody")
	for _, c := range []struct {
		err  error
		want string // the sentence with the advice
	}{
		{&session.MissingError{Name: "TODAY_DATE", Model: "26"}, `TODAY_DATE environment variable is not set, and neither is the value in the session "26". Set it with: mcp-trade session set TODAY_DATE=VALUE --model-id 26`},
		{unreachable(&session.UndecidedError{Model: "26", Err: errors.New("nobody knows")}), "redis: cannot read the session: nobody knows. Set it again with: mcp-trade session set SIGNATURE=... TODAY_DATE=... --model-id 26"},
		{unreachable(fmt.Errorf("it is down; %w", &session.RequiredError{Store: "redis"})), "redis: cannot read the session: it is down; without Redis nothing is traded (--on-redis-loss refuse)"},
		{notRegistered, "The account nobody is not registered. Open it with: mcp-trade ledger register nobody --cash 10000 --date YYYY-MM-DD"},
		{&search.NoProviderError{}, "Search is off. Start the server with --search auto, or set MCP_TRADE_SEARCH=auto."},
		{&search.NoProviderError{Hints: []string{"set A"}}, "No source of news is set up. To have one: set A."},
		{&search.NotRecordedError{Query: "x", Stamp: "2025-10-02"}, `The answer to "x" as of 2025-10-02 was not recorded, and a replay asks nobody. Record it with --search-cache record.`},
		{&store.DamagedError{Repairable: true, Err: errors.New("the last line is damaged")}, "the last line is damaged; 'mcp-trade ledger repair' shows it and mends it"},
		{&store.DamagedError{Account: "a", Repairable: true, Err: errors.New("an entry is gone")}, "an entry is gone; 'mcp-trade ledger repair a --write' lets the account go on after the newest line there is"},
		{&store.DamagedError{Account: "a", Err: errors.New("row 3 of a is damaged")}, "row 3 of a is damaged; 'mcp-trade ledger verify a' tells more"},
		{&market.UnknownSymbolError{Symbol: "X"}, "Symbol X not found! This action will not be allowed."},
	} {
		err := fmt.Errorf("%w", c.err)
		if got := err.Error() + Advice(err); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}
