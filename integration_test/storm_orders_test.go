// kill -9 of a server that trades A-shares and crypto with real costs: after any number of kills, with each order repeated under its
// id until it is answered, and orders that wait for the next open among them, the ledger is that of a server that nobody killed, byte for byte, in files and in Redis.
//
// Of 4,000 kills of each a hundredth is made, unless MCP_TRADE_STORM says another part of them in percent; they and the orders are
// drawn from MCP_TRADE_STORM_SEED. All of them, in half an hour:
//
//	MCP_TRADE_STORM=100 go test ./integration_test -run StormOfOrders -timeout 5h

package integration_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
)

// orderStorm is a market in which a server is killed.
type orderStorm struct {
	name     string
	market   string
	interval string
	moments  []string       // at which orders are given
	stamps   []string       // of the bars, as the file has them
	symbols  map[string]int // with about their first price
	cash     string
	amount   func(r *rand.Rand) string
	env      []string
}

var orderStorms = []orderStorm{
	{
		name: "A-shares", market: "cn", interval: "Daily", cash: "20000000",
		moments: []string{"2025-09-25", "2025-09-26", "2025-09-29", "2025-09-30"}, stamps: []string{"2025-09-25", "2025-09-26", "2025-09-29", "2025-09-30"},
		symbols: map[string]int{"600519.SH": 1400, "688981.SH": 130, "300750.SZ": 390},
		amount:  func(r *rand.Rand) string { return []string{"100", "200", "300", "200", "150"}[r.IntN(5)] },
	},
	{
		name: "A-shares by the hour", market: "cn", interval: "60min", cash: "20000000",
		moments: []string{"2025-09-29 09:30:00", "2025-09-29 13:00:00", "2025-09-30 10:30:00", "2025-09-30 14:00:00"},
		stamps:  []string{"2025-09-29 10:30:00", "2025-09-29 14:00:00", "2025-09-30 11:30:00", "2025-09-30 15:00:00"},
		symbols: map[string]int{"600519.SH": 1400, "688981.SH": 130},
		amount:  func(r *rand.Rand) string { return []string{"100", "200", "300", "200", "150"}[r.IntN(5)] },
	},
	{
		name: "A-shares at the next open", market: "cn", interval: "Daily", cash: "20000000", env: []string{"MCP_TRADE_FILL=next-open"},
		moments: []string{"2025-09-25", "2025-09-26", "2025-09-29", "2025-09-30"}, stamps: []string{"2025-09-25", "2025-09-26", "2025-09-29", "2025-09-30"},
		symbols: map[string]int{"600519.SH": 1400, "688981.SH": 130, "300750.SZ": 390},
		amount:  func(r *rand.Rand) string { return []string{"100", "200", "300", "200", "150"}[r.IntN(5)] },
	},
	{
		name: "crypto", market: "crypto", interval: "Daily", cash: "500000",
		moments: []string{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-04"}, stamps: []string{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-04"},
		symbols: map[string]int{"BTC-USDT": 110_000, "XRP-USDT": 3, "SOL-USDT": 200},
		amount:  func(r *rand.Rand) string { return []string{"0.01234", "0.05", "3.5", "40", "250"}[r.IntN(5)] },
	},
}

func TestStormOfOrders(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	seed := settingOf(t, "MCP_TRADE_STORM_SEED", 1)
	kills := scaled(t, 4000, 40/raceSlows)
	t.Logf("MCP_TRADE_STORM_SEED=%d, %d kills", seed, kills)
	var replayed atomic.Int64
	t.Cleanup(func() {
		if replayed.Load() == 0 && !raced {
			t.Error("no kill fell between a commit and its answer")
		}
	})
	for i, s := range orderStorms {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), uint64(i)))
			calls := s.draw(r, 10+kills)
			calm := s.play(t, onFiles(t), calls, nil)
			onBothStores(t, func(t *testing.T, p *place) {
				k := &killer{Rand: rand.New(rand.NewPCG(uint64(seed), uint64(100+i))), left: kills}
				if killed := s.play(t, p, calls, k); killed != calm {
					t.Errorf("after %d kills the ledger differs from that of a server that nobody killed:\n%s", k.kills, firstDifference(killed, calm))
				}
				p.verified(t, "alice")
				replayed.Add(int64(k.replayed))
				t.Logf("%d kills, %d orders were answered as replayed", k.kills, k.replayed)
				if k.kills < kills/2 {
					t.Errorf("%d kills of %d", k.kills, kills)
				}
			})
		})
	}
}

// scripted is an order of the script.
type scripted struct {
	tool, arguments string
	refused         bool // by the server that nobody killed
}

// draw draws so many orders for each moment.
func (s orderStorm) draw(r *rand.Rand, each int) [][]*scripted {
	symbols := sorted(s.symbols)
	all := make([][]*scripted, len(s.moments))
	for m := range s.moments {
		for n := range each {
			arguments := args{"symbol": symbols[r.IntN(len(symbols))], "order_id": fmt.Sprintf("o-%d-%d", m, n)}
			c := &scripted{tool: []string{"buy", "buy", "sell", "place_order"}[r.IntN(4)]}
			switch what := r.IntN(3); {
			case c.tool != "place_order":
				arguments["amount"] = json.Number(s.amount(r))
			case what == 0:
				arguments["side"], arguments["all"] = "sell", true
			case what == 1:
				arguments["side"], arguments["amount"] = "buy", json.Number(s.amount(r))
			default:
				arguments["side"], arguments["value"] = []string{"buy", "sell"}[r.IntN(2)], 1000*(1+r.IntN(200))
			}
			text, _ := json.Marshal(arguments) // which always encodes
			c.arguments = string(text)
			all[m] = append(all[m], c)
		}
	}
	return all
}

// sorted are the keys of a map.
func sorted(of map[string]int) []string {
	var keys []string
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// play gives the orders of each moment and returns the ledger. Without a killer it notes which are refused.
func (s orderStorm) play(t *testing.T, p *place, calls [][]*scripted, k *killer) string {
	var prices string
	for symbol, first := range s.symbols {
		prices += moving(symbol, s.interval, first, s.stamps, 0)
	}
	p.prices = filepath.Join(p.dir, "prices.jsonl")
	if err := os.WriteFile(p.prices, []byte(prices), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = append(p.env, "MCP_TRADE_MARKET="+s.market, "MCP_TRADE_COSTS=real", "MCP_TRADE_SLIPPAGE=5bps", "MCP_TRADE_TOOLSETS=trade,orders")
	p.env = append(p.env, s.env...)
	p.open(t, "alice", s.cash, s.moments[0])
	filled := 0
	for m, moment := range s.moments {
		p.setDate(t, "alice", moment)
		for open := calls[m]; len(open) > 0; {
			server := p.pipe(t, "alice")
			if k != nil {
				open = k.give(t, server, open, k.left*len(open)/max(1, len(open)+remaining(calls[m+1:])))
				continue
			}
			for i, c := range open {
				server.send(t, callLine(i, c.tool, c.arguments))
				if c.refused = server.answer(t).reply(t).failed; !c.refused {
					filled++
				}
			}
			open = nil
			server.finish(t)
		}
	}
	if k == nil && filled < remaining(calls)/5 {
		t.Errorf("%d of %d orders were filled", filled, remaining(calls))
	}
	return p.do(t, "ledger", "export", "alice")
}

func remaining(calls [][]*scripted) (n int) {
	for _, c := range calls {
		n += len(c)
	}
	return n
}

// killer kills servers.
type killer struct {
	*rand.Rand
	left, kills, replayed int
}

// give gives orders to a server, in order, and kills it at a random moment if there are kills for them. It returns those that have no
// answer. What a server refuses leaves no trace: it is given alone, so that its repetition meets the account that it met.
func (k *killer) give(t *testing.T, s *pipes, open []*scripted, kills int) []*scripted {
	answers, die := len(open), kills > 0
	if die {
		k.left, k.kills = k.left-1, k.kills+1
		answers = k.IntN(min(len(open), 2*len(open)/kills+1) + 1)
		if k.IntN(8) == 0 { // while it starts
			time.Sleep(time.Duration(k.IntN(20_000)) * time.Microsecond)
			s.kill()
			return open
		}
	}
	for answered := 0; len(open) > 0; {
		window := 1
		for ; window < min(1+k.IntN(24), len(open)) && !open[window-1].refused && !open[window].refused; window++ {
		}
		for i, c := range open[:window] {
			s.send(t, callLine(i, c.tool, c.arguments))
		}
		for range window {
			if die && answered == answers {
				time.Sleep(time.Duration(k.IntN([]int{1, 300, 3000}[k.IntN(3)])) * time.Microsecond)
				s.kill()
			}
			m, ok := s.next(t)
			if !ok {
				return open
			}
			a := m.reply(t)
			if a.failed != open[0].refused {
				t.Fatalf("%s %s: %s, and the server that nobody killed refused it: %v", open[0].tool, open[0].arguments, a.text, open[0].refused)
			}
			if a.fields["replayed"] == true {
				k.replayed++
			}
			open, answered = open[1:], answered+1
		}
	}
	s.kill()
	return nil
}
