// How fast beside another build of this program, in turns, in the same run: MCP_TRADE_OLD names the other one.

package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// builds are places of the two builds, each with an account of its own of the same kind.
func builds(b *testing.B, where func(testing.TB) *place) map[string]*place {
	b.Helper()
	earlier := os.Getenv("MCP_TRADE_OLD")
	if earlier == "" {
		b.Skip("MCP_TRADE_OLD names no other build to compare with")
	}
	path, err := filepath.Abs(earlier)
	if err != nil {
		b.Fatal(err)
	}
	now, before := where(b), where(b)
	before.program = path
	return map[string]*place{"now": now, "earlier": before}
}

func onEachStore(b *testing.B, bench func(b *testing.B, where func(testing.TB) *place)) {
	b.Run("file", func(b *testing.B) { bench(b, onFiles) })
	b.Run("redis", func(b *testing.B) { bench(b, onRedis) })
}

// BenchmarkBuyAgainst measures a buy, one at a time, through mcp-go's client.
func BenchmarkBuyAgainst(b *testing.B) {
	onEachStore(b, func(b *testing.B, where func(testing.TB) *place) {
		s, traders := samples{}, map[string]*trader{}
		for name, p := range builds(b, where) {
			traders[name] = wideBook(b, p)
		}
		for n := 0; b.Loop(); {
			for name, tr := range traders {
				for range inARow {
					n++
					s.take(name, func() {
						if r := tr.call(b, "buy", args{"symbol": "SYN01", "amount": 1, "order_id": fmt.Sprint(n)}); r.failed {
							b.Fatal(r.text)
						}
					})
				}
			}
		}
		s.report(b)
		b.ReportMetric(s.median("now")/s.median("earlier"), "now/earlier")
	})
}

// BenchmarkBuysInFlightAgainst measures 32 buys that are sent at once, until all are answered.
func BenchmarkBuysInFlightAgainst(b *testing.B) {
	const inFlight = 32
	onEachStore(b, func(b *testing.B, where func(testing.TB) *place) {
		s, servers := samples{}, map[string]*pipes{}
		for name, p := range builds(b, where) {
			_ = wideBook(b, p).Close()
			servers[name] = p.pipe(b, "alice")
			servers[name].send(b, initialize)
			servers[name].answer(b)
		}
		for n := 0; b.Loop(); {
			for name, server := range servers {
				var lines strings.Builder
				for range inFlight {
					n++
					lines.WriteString(orderLine(n, "buy", "SYN01", 1, fmt.Sprint(n)))
				}
				s.take(name, func() {
					server.send(b, lines.String())
					for range inFlight {
						if r := server.answer(b).reply(b); r.failed {
							b.Fatal(r.text)
						}
					}
				})
			}
		}
		s.report(b)
		b.ReportMetric(s.median("earlier")/s.median("now"), "times-as-fast")
	})
}
