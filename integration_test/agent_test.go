// What an agent relies on when it launches the server as its subprocess: the session reaches it, calls may come from any
// goroutine, a Redis may go away, and another model's agent beside it changes nothing.

package integration_test

import (
	"fmt"
	"sync"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
)

func TestAToolCanBeCalledFromPlainCode(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "1000", "2025-10-02")
		r := p.trade(t, "alice").filled(t, "buy", "AAPL", 3)
		if r.number(t, "id").IntPart() != 1 || r.str("date") != "2025-10-02" || !r.number(t, "cash").Equal(decimal.RequireFromString("698.5")) {
			t.Fatalf("the fill is not the third of a thousand: %s", r.text)
		}
		p.verified(t, "alice")
	})
}

func TestAToolCanBeCalledFromConcurrentGoroutines(t *testing.T) {
	t.Parallel()
	const goroutines, each = 20, 10
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "1000000", "2025-10-02")
		tr := p.trade(t, "alice")
		ids := make(chan int64, goroutines*each)
		var wait sync.WaitGroup
		for range goroutines {
			wait.Go(func() {
				for range each {
					r, err := tr.tryCall("buy", args{"symbol": "AAPL", "amount": 1})
					if err != nil || r.failed {
						t.Errorf("buy: %v %s", err, r.text)
						return
					}
					ids <- r.number(t, "id").IntPart()
				}
			})
		}
		wait.Wait()
		close(ids)
		seen := map[int64]bool{}
		for id := range ids {
			seen[id] = true
		}
		if len(seen) != goroutines*each || !seen[1] || !seen[goroutines*each] {
			t.Fatalf("%d fills have %d ids", goroutines*each, len(seen))
		}
		if r := tr.call(t, "get_portfolio", nil); !r.number(t, "cash").Equal(decimal.RequireFromString("979900")) {
			t.Fatalf("200 shares at 100.50 leave %s", r.text)
		}
		p.verified(t, "alice")
	})
}

func TestASessionWrittenInTheParentIsReadInTheSubprocess(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.do(t, "ledger", "register", "alice", "--date", "2025-10-01")
		tr := p.trade(t, "m1") // started before there is any session
		if r := tr.refused(t, "session_missing", "buy", args{"symbol": "AAPL", "amount": 1}); r.str("missing") != "SIGNATURE" {
			t.Fatalf("what is missing is not named: %s", r.text)
		}
		for _, day := range []string{"2025-10-02", "2025-10-03"} {
			p.do(t, "session", "set", "SIGNATURE=alice", "TODAY_DATE="+day, "IF_TRADE=false", "--model-id", "m1")
			r := tr.call(t, "get_session", nil)
			if r.str("signature") != "alice" || r.str("today_date") != day || r.fields["if_trade"] != false {
				t.Fatalf("session: %s", r.text)
			}
			if fill := tr.filled(t, "buy", "MSFT", 1); fill.str("date") != day {
				t.Fatalf("filled on another day: %s", fill.text)
			}
			// The way back: the subprocess writes the flag, the parent reads it.
			if got := p.do(t, "session", "get", "IF_TRADE", "--model-id", "m1"); got != "true\n" {
				t.Fatalf("IF_TRADE is %q after a trade", got)
			}
		}
	})
}

func TestWithRedisDownTheSessionAndTheLedgerInFilesGoOn(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	proxy := testenv.StartProxy(t, testenv.StartRedis(t))
	p.redisURL = "redis://" + proxy.Addr()
	p.env = []string{"MCP_TRADE_LEDGER=file"}
	p.open(t, "alice", "1000", "2025-10-02")
	tr := p.trade(t, "alice")
	tr.filled(t, "buy", "MSFT", 1)
	proxy.Set(testenv.Refuse)
	r := tr.call(t, "get_session", nil)
	if sources, ok := r.fields["sources"].(map[string]any); !ok || sources["SIGNATURE"] != "file" {
		t.Fatalf("the session is not read from its file: %s", r.text)
	}
	tr.filled(t, "buy", "MSFT", 1)
	proxy.Set(testenv.Pass)
	tr.filled(t, "buy", "MSFT", 1)
	p.verified(t, "alice")
	if n := len(p.records(t, "alice")); n != 4 {
		t.Fatalf("%d records, want 4", n)
	}
}

func TestWithRedisDownTheLedgerInRedisIsUnreachableAndSaysSo(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onFiles(t)
	proxy := testenv.StartProxy(t, testenv.StartRedis(t))
	p.redisURL = "redis://" + proxy.Addr()
	p.open(t, "alice", "1000", "2025-10-02")
	tr := p.trade(t, "alice")
	tr.filled(t, "buy", "MSFT", 1)
	for name, mode := range map[string]testenv.Mode{"refuses": testenv.Refuse, "hangs": testenv.Hang} {
		proxy.Set(mode)
		tr.refused(t, "ledger_unreachable", "buy", args{"symbol": "MSFT", "amount": 1, "order_id": name})
		if r := tr.call(t, "get_session", nil); r.str("account") != "unreachable" {
			t.Fatalf("while Redis %s the account is %q", name, r.str("account"))
		}
		proxy.Set(testenv.Pass)
		// Whatever became of the order, repeating it leaves it there once.
		if r := tr.call(t, "buy", args{"symbol": "MSFT", "amount": 1, "order_id": name}); r.failed {
			t.Fatalf("repeated after Redis %s: %s", name, r.text)
		}
	}
	p.verified(t, "alice")
	if n := len(p.records(t, "alice")); n != 4 {
		t.Fatalf("%d records, want 4", n)
	}
}

func TestTwoModelsInParallelDoNotInterfere(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const trades = 100
	onBothStores(t, func(t *testing.T, p *place) {
		models := []struct{ name, symbol, date string }{{"alice", "AAPL", "2025-10-02"}, {"bob", "MSFT", "2025-10-03"}}
		var wait sync.WaitGroup
		for _, m := range models {
			p.open(t, m.name, "100000", m.date)
		}
		for _, m := range models {
			tr := p.trade(t, m.name)
			wait.Go(func() {
				for i := range trades {
					r, err := tr.tryCall("buy", args{"symbol": m.symbol, "amount": 1, "order_id": fmt.Sprint(i)})
					if err != nil || r.failed || r.number(t, "id").IntPart() != int64(i+1) || r.str("date") != m.date {
						t.Errorf("%s, order %d: %v %s", m.name, i, err, r.text)
						return
					}
				}
			})
		}
		wait.Wait()
		for _, m := range models {
			records := p.records(t, m.name)
			if len(records) != trades+1 {
				t.Fatalf("%s has %d records", m.name, len(records))
			}
			for _, r := range records[1:] {
				if r.Symbol != m.symbol || string(r.Date) != m.date {
					t.Fatalf("%s has a record of another: %+v", m.name, r)
				}
			}
			p.verified(t, m.name)
		}
	})
}
