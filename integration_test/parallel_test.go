// Many at once: processes on one ledger, and turns whose calls depend on their order.

package integration_test

import (
	"sync"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
)

func TestEightProcessesBuyOnOneLedgerAndNoneIsLost(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const processes, buys = 8, 50
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "100000", "2025-10-02")
		acknowledged := make([][]int64, processes)
		var wait sync.WaitGroup
		for i := range processes {
			tr := p.trade(t, "alice")
			wait.Go(func() {
				for range buys {
					r, err := tr.tryCall("buy", args{"symbol": "AAPL", "amount": 1})
					if err != nil || r.failed {
						t.Errorf("process %d: %v %s", i, err, r.text)
						return
					}
					acknowledged[i] = append(acknowledged[i], r.number(t, "id").IntPart())
				}
			})
		}
		wait.Wait()
		seen := map[int64]bool{}
		for _, ids := range acknowledged {
			for _, id := range ids {
				seen[id] = true
			}
		}
		records := p.records(t, "alice")
		if len(seen) != processes*buys || len(records) != processes*buys+1 {
			t.Fatalf("%d acknowledged, %d records", len(seen), len(records))
		}
		for i, r := range records {
			spent := decimal.RequireFromString("100.50").Mul(decimal.NewFromInt(int64(i)))
			if r.ID != int64(i) || !r.Cash().Equal(decimal.NewFromInt(100000).Sub(spent)) {
				t.Fatalf("record %d: id %d, cash %s", i, r.ID, r.Cash())
			}
		}
		p.verified(t, "alice")
	})
}

func TestABuyWithTheProceedsOfASaleInTheSameBurstIsNeverRefused(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const bursts = 1000
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "100500", "2025-10-02")
		s := p.pipe(t, "alice")
		s.send(t, orderLine(0, "buy", "AAPL", bursts, ""))
		if r := s.answer(t).reply(t); r.failed || !r.number(t, "cash").IsZero() {
			t.Fatalf("the account does not begin without cash: %s", r.text)
		}
		for i := range bursts {
			s.send(t, orderLine(2*i+1, "sell", "AAPL", 1, ""), orderLine(2*i+2, "buy", "MSFT", 2, ""))
			for range 2 {
				if r := s.answer(t).reply(t); r.failed {
					t.Fatalf("burst %d: %s", i, r.text)
				}
			}
		}
		if code := s.finish(t); code != 0 {
			t.Fatalf("exit %d\n%s", code, s.log)
		}
		p.verified(t, "alice")
	})
}
