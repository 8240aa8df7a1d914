// The future changes no row that a run wrote before it: on prices that agree up to a moment, and on nothing else, every account's
// ledger is the same up to then, in each market, by the day and by the hour.

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

// futureMarket is a market whose future is replaced.
type futureMarket struct {
	name, market string
	hours        []string // of bars, as the file stamps them; nil: bars of a day
	symbols      []string
	first        int // about the first price
	env          []string
}

var futureMarkets = []futureMarket{
	{"us daily", "us", nil, []string{"AAA", "BBB", "CCC", "DDD"}, 100, nil},
	{"us hourly", "us", []string{"10:00:00", "12:00:00", "15:00:00"}, []string{"AAA", "BBB", "CCC"}, 100, nil},
	{"us with extended hours", "us", []string{"08:00:00", "12:00:00", "18:00:00"}, []string{"AAA", "BBB"}, 100, []string{"MCP_TRADE_US_HOURS=extended"}},
	{"cn daily", "cn", nil, []string{"600001.SH", "300002.SZ", "688003.SH"}, 20, nil},
	{"cn hourly", "cn", []string{"10:30:00", "11:30:00", "15:00:00"}, []string{"600001.SH", "688003.SH"}, 20, nil},
	{"crypto", "crypto", nil, []string{"BTC-USDT", "XRP-USDT", "ABC-USDT"}, 100, nil},
}

// futureDays are trading days in all markets.
var futureDays = []string{"2025-09-22", "2025-09-23", "2025-09-24", "2025-09-25", "2025-09-26", "2025-09-29", "2025-09-30"}

func TestTheFutureChangesNoRowOfARunBeforeIt(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for i, m := range futureMarkets {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			stamps := m.stamps()
			r := rand.New(rand.NewPCG(uint64(settingOf(t, "MCP_TRADE_STORM_SEED", 1)), uint64(i)))
			now := len(stamps)/2 + r.IntN(len(stamps)/3)
			one, two := m.futures(r, stamps, now)
			before, differ := 0, false
			a, b := m.ledgers(t, one), m.ledgers(t, two)
			for name, text := range a {
				mine, rest := upTo(t, text, m.beginning(stamps[now]))
				theirs, otherRest := upTo(t, b[name], m.beginning(stamps[now]))
				if mine != theirs {
					t.Errorf("up to %s, %s has two pasts:\n%s", stamps[now], name, firstDifference(mine, theirs))
				}
				differ = differ || rest != otherRest
				before += strings.Count(mine, `"price"`)
			}
			if before < 3 || !differ {
				t.Errorf("%d trades came before the future, and after it the runs differ: %v", before, differ)
			}
		})
	}
}

func (m futureMarket) stamps() (all []string) {
	for _, day := range futureDays {
		if m.hours == nil {
			all = append(all, day)
		}
		for _, hour := range m.hours {
			all = append(all, day+" "+hour)
		}
	}
	return all
}

// beginning is when the bar of a stamp begins.
func (m futureMarket) beginning(stamp string) string {
	if m.market != "cn" || m.hours == nil {
		return stamp
	}
	hour := 0
	_, _ = fmt.Sscanf(stamp[11:], "%d", &hour)
	return fmt.Sprintf("%s %02d%s", stamp[:10], hour-1, stamp[13:])
}

// futures are two price files that agree before the bar of now, and on its opens. One of them has a symbol more after it.
func (m futureMarket) futures(r *rand.Rand, stamps []string, now int) (one, two string) {
	for _, symbol := range append(m.symbols[:len(m.symbols):len(m.symbols)], strings.Replace(m.symbols[0], m.symbols[0][:3], "609", 1)) {
		var mine, theirs []string
		price := float64(m.first) * (1 + r.Float64())
		is := symbol != m.symbols[0] && strings.HasPrefix(symbol, "609")
		for i, stamp := range stamps {
			open := price * (0.98 + 0.04*r.Float64())
			price = open * (0.97 + 0.06*r.Float64())
			bar := func(open, closing float64, volume int) string {
				return fmt.Sprintf(`%q: {"1. open": "%.2f", "2. high": "%.2f", "3. low": "%.2f", "4. close": "%.2f", "5. volume": "%d"}`,
					stamp, open, max(open, closing)*1.01, min(open, closing)*0.99, closing, volume)
			}
			switch {
			case is && i <= now:
			case i < now:
				mine = append(mine, bar(open, price, 1000+i))
				theirs = append(theirs, bar(open, price, 1000+i))
			case i == now:
				mine, theirs = append(mine, bar(open, price, 1000)), append(theirs, bar(open, price/2, 0))
			default:
				if r.IntN(4) > 0 {
					mine = append(mine, bar(open, price, 1000))
				}
				if !is && r.IntN(4) > 0 {
					theirs = append(theirs, bar(open/3, price/3, 5000)) // as after a split
				}
			}
		}
		one, two = one+m.line(symbol, mine), two+m.line(symbol, theirs)
	}
	return one, two
}

// line is a symbol of a price file, "" of one without bars.
func (m futureMarket) line(symbol string, bars []string) string {
	if len(bars) == 0 {
		return ""
	}
	interval := "Daily"
	if m.hours != nil {
		interval = "60min"
	}
	return fmt.Sprintf(`{"Meta Data": {"2. Symbol": %q}, "Time Series (%s)": {%s}}`+"\n", symbol, interval, strings.Join(bars, ", "))
}

// ledgers runs the built-in strategies to the end of the prices, with real costs, and returns what they leave.
func (m futureMarket) ledgers(t *testing.T, prices string) map[string]string {
	p := onFiles(t)
	p.prices = filepath.Join(p.dir, "prices.jsonl")
	if err := os.WriteFile(p.prices, []byte(prices), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = append(slices.Clone(m.env), "MCP_TRADE_MARKET="+m.market, "MCP_TRADE_COSTS=real", "MCP_TRADE_SLIPPAGE=5bps")
	args := []string{"run", "--from", futureDays[0], "--to", futureDays[len(futureDays)-1], "--cash", "100000"}
	accounts := map[string]string{"e": "equal-weight", "m": "momentum:1", "r": "random:3"}
	for name, strategy := range accounts {
		args = append(args, "--account", name+"="+strategy)
	}
	p.do(t, args...)
	for name := range accounts {
		p.verified(t, name)
		accounts[name] = p.do(t, "ledger", "export", name)
	}
	return accounts
}

// upTo cuts a ledger after its last row that is dated up to a stamp.
func upTo(t *testing.T, text, stamp string) (upTo, after string) {
	t.Helper()
	lines, records := strings.SplitAfter(text, "\n"), parseLedger(t, text)
	n := len(records)
	for i, r := range records {
		if string(r.Date) > stamp {
			n = i
			break
		}
	}
	return strings.Join(lines[:n], ""), strings.Join(lines[n:], "")
}
