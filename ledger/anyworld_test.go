package ledger_test

// Made-up markets for the properties of accounts: a few days of prices on which rules and fees change, and all that a test
// needs to know of them to judge an order by itself.

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// world is a market in which orders are drawn.
type world struct {
	name    string
	id      market.ID
	days    []string
	hours   []string // of bars, as the file stamps them; nil: bars of a day
	symbols []string
	terms   [][]string // of the rules: each is drawn from its values, "" for the default
}

var worlds = []world{
	{
		// The SEC fee falls to zero on 2025-05-14.
		name: "us daily", id: market.US, days: []string{"2025-05-12", "2025-05-13", "2025-05-14", "2025-05-15"},
		symbols: []string{"NVDA", "MSFT", "F"},
	},
	{
		name: "us in fractions", id: market.US, days: []string{"2025-05-12", "2025-05-13", "2025-05-14", "2025-05-15"},
		symbols: []string{"NVDA", "MSFT", "F"}, terms: [][]string{{"lot=0.000001"}},
	},
	{
		// 2025-07-03 is half a day.
		name: "us hourly", id: market.US, days: []string{"2025-05-13", "2025-05-14", "2025-07-03"},
		hours:   []string{"09:00:00", "10:00:00", "12:00:00", "13:00:00", "15:00:00", "16:00:00"},
		symbols: []string{"NVDA", "MSFT"}, terms: [][]string{{`hours="regular"`, ""}},
	},
	{
		name: "us with extended hours", id: market.US, days: []string{"2025-05-13", "2025-05-14", "2025-07-03"},
		hours:   []string{"03:00:00", "04:00:00", "10:00:00", "16:00:00", "17:00:00", "19:00:00", "20:00:00"},
		symbols: []string{"NVDA", "MSFT"}, terms: [][]string{{`hours="extended"`}},
	},
	{
		// The stamp duty is halved on 2023-08-28; 2025-10-01 is a holiday, on which the file has bars all the same.
		name: "cn daily", id: market.CN, days: []string{"2023-08-25", "2023-08-28", "2025-09-30", "2025-10-01", "2025-10-09"},
		symbols: []string{"600519.SH", "300750.SZ", "688981.SH", "920002.BJ"},
		terms:   [][]string{{"", "", `lots="strict100"`}, {"", "", "t_plus=0"}, {"", "", `price_limits="off"`}},
	},
	{
		name: "cn hourly", id: market.CN, days: []string{"2023-08-25", "2023-08-28", "2025-09-30"},
		hours:   []string{"10:30:00", "11:30:00", "14:00:00", "15:00:00"},
		symbols: []string{"600519.SH", "688981.SH"},
		terms:   [][]string{{"", "", `lots="strict100"`}, {"", "", "t_plus=0"}, {"", "", `price_limits="off"`}, {"", "", `fill="upstream"`}},
	},
	{
		// The step of XRP falls from 1 to 0.1 on 2025-06-03; DOGE has none that is known.
		name: "crypto", id: market.Crypto, days: []string{"2025-06-01", "2025-06-02", "2025-06-03", "2025-06-04"},
		symbols: []string{"BTC-USDT", "XRP-USDT", "DOGE-USDT"}, terms: [][]string{{"", "", `rounding="upstream"`}},
	},
}

// bar is a bar. Now and then one has no volume.
type bar struct {
	open, high, low, close *big.Rat
	volume                 int64
}

// drawn is a world with prices, and the rules and costs of an account in it.
type drawn struct {
	world
	bars  map[string]map[string]bar // by symbol and stamp, as the file has it
	terms map[string]string         // that are not the default
	costs string                    // "none", "real" or "file"
	slip  string                    // "none", "7bps" or "half-spread:0.003"
	rules ledger.Rules
}

// fileCosts are costs of a file.
const fileCosts = `{"fees": [{"name": "x", "rate": 0.0031, "per_share": 0.007, "per_order": 0.3, "minimum": 2, "maximum": 40, "round": "up"}]}`

// stamps are those at which the file has bars, ascending.
func (w world) stamps() []string {
	if w.hours == nil {
		return w.days
	}
	var all []string
	for _, day := range w.days {
		for _, hour := range w.hours {
			all = append(all, day+" "+hour)
		}
	}
	return all
}

// random draws where random numbers are from. Most of them lie near zero where rapid draws them one by one, and so would most orders.
func random(t *rapid.T, of string) *rand.Rand {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, of), uint64(len(of))))
}

// oneOf draws one of some values.
func oneOf[V any](r *rand.Rand, values ...V) V { return values[r.IntN(len(values))] }

// draw draws prices, rules and costs.
func (w world) draw(t *rapid.T) *drawn {
	r := random(t, "world of "+w.name)
	d := &drawn{world: w, bars: map[string]map[string]bar{}, terms: map[string]string{}}
	for _, symbol := range w.symbols {
		d.bars[symbol] = d.drawBars(r, symbol)
	}
	d.rules = ledger.RulesOf(w.id.Get())
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	for _, values := range w.terms {
		if key, value, other := strings.Cut(oneOf(r, values...), "="); other {
			d.terms[key] = strings.Trim(value, `"`)
			d.rules, err = d.rules.With(key, value)
			must(err)
		}
	}
	d.costs = oneOf(r, "real", "real", "none", "file")
	d.slip = oneOf(r, "none", "7bps", "half-spread:0.003")
	text := map[string]string{"real": `"real"`, "none": `"none"`, "file": fileCosts}[d.costs]
	costs, err := market.ParseCosts([]byte(text), w.id)
	must(err)
	slippage, err := market.ParseSlippage(d.slip)
	must(err)
	d.rules, err = d.rules.WithCosts(costs, slippage)
	must(err)
	return d
}

// drawBars draws the bars of a symbol. Now and then one is missing, and an A-share opens exactly at a limit, or a tick before it.
func (d *drawn) drawBars(r *rand.Rand, symbol string) map[string]bar {
	bars := map[string]bar{}
	hundredths := func(from, to int64) *big.Rat { return big.NewRat(from+r.Int64N(to-from+1), 100) }
	price := hundredths(200, oneOf[int64](r, 1000, 10_000, 60_000))
	day, before := "", price
	for _, stamp := range d.stamps() {
		if stamp[:10] != day {
			day, before = stamp[:10], price
		}
		if r.IntN(12) == 0 {
			continue
		}
		open := roundHalfUp(mul(before, hundredths(93, 108)), 2)
		if d.id == market.CN && r.IntN(4) == 0 {
			down, up := limitsOf(symbol, before)
			open = oneOf(r, down, up, add(down, big.NewRat(1, 100)), sub(up, big.NewRat(1, 100)))
		}
		price = roundHalfUp(mul(open, hundredths(97, 103)), 2)
		high, low := open, price
		if high.Cmp(low) < 0 {
			high, low = low, high
		}
		bars[stamp] = bar{open, roundHalfUp(mul(high, hundredths(100, 103)), 2), roundHalfUp(mul(low, hundredths(97, 100)), 2), price, oneOf[int64](r, 0, 700, 5000, 90_000)}
	}
	return bars
}

// open writes the price file and opens it.
func (d *drawn) open(t *rapid.T, dir string) *market.Prices {
	var text []byte
	interval := "Daily"
	if d.hours != nil {
		interval = "60min"
	}
	for _, symbol := range d.symbols {
		bars := map[string]map[string]string{}
		for stamp, b := range d.bars[symbol] {
			bars[stamp] = map[string]string{
				"1. open": b.open.FloatString(2), "2. high": b.high.FloatString(2), "3. low": b.low.FloatString(2), "4. close": b.close.FloatString(2), "5. volume": fmt.Sprint(b.volume),
			}
		}
		line, err := json.Marshal(map[string]any{"Meta Data": map[string]string{"2. Symbol": symbol}, "Time Series (" + interval + ")": bars})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	f, err := os.CreateTemp(dir, "prices-*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
	prices, err := market.Open(filepath.Clean(f.Name()))
	if err != nil {
		t.Fatal(err)
	}
	return prices
}

// moments are the stamps at which orders may be given, ascending: those of the bars, and where bars are stamped at their ends also
// those of their starts.
func (d *drawn) moments() []string {
	all := d.stamps()
	if d.endStamped() {
		for _, stamp := range d.stamps() {
			all = append(all, hourBefore(stamp))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// endStamped tells whether the bars of the file are stamped at their ends.
func (d *drawn) endStamped() bool { return d.id == market.CN && d.hours != nil }

// barAt is the bar at whose open an order at a moment fills.
func (d *drawn) barAt(symbol, moment string) (bar, bool) {
	stamp := moment
	if d.endStamped() && d.terms["fill"] != "upstream" {
		hour := 0
		fmt.Sscanf(moment[11:], "%d", &hour)
		stamp = fmt.Sprintf("%s %02d%s", moment[:10], hour+1, moment[13:])
	}
	b, ok := d.bars[symbol][stamp]
	return b, ok
}

// closeBefore is the last close of an earlier day, nil if there is none.
func (d *drawn) closeBefore(symbol, day string) *big.Rat {
	stamps := d.stamps()
	for _, stamp := range slices.Backward(stamps) {
		if b, ok := d.bars[symbol][stamp]; ok && stamp[:10] < day {
			return b.close
		}
	}
	return nil
}

func hourBefore(stamp string) string {
	hour := 0
	fmt.Sscanf(stamp[11:], "%d", &hour)
	return fmt.Sprintf("%s %02d%s", stamp[:10], hour-1, stamp[13:])
}

// The arithmetic of these tests: fractions, so that no digit is lost and no code is shared with the program.
func add(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }
func sub(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func mul(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text + " is no number")
	}
	return r
}

func ratOf(d decimal.Decimal) *big.Rat { return rat(d.String()) }

// rounded is a number that is not below zero in so many decimals: down, or half up, or up.
func rounded(x *big.Rat, places int, how string) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	scaled := mul(x, new(big.Rat).SetInt(scale))
	whole, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	twice := new(big.Int).Lsh(rest, 1)
	if how == "up" && rest.Sign() > 0 || how == "half up" && twice.Cmp(scaled.Denom()) >= 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return new(big.Rat).SetFrac(whole, scale)
}

func roundHalfUp(x *big.Rat, places int) *big.Rat { return rounded(x, places, "half up") }

// limitsOf are the price limits of an A-share after a close.
func limitsOf(symbol string, before *big.Rat) (down, up *big.Rat) {
	percent := map[string]int64{"60": 10, "30": 20, "68": 20, "92": 30}[symbol[:2]]
	return roundHalfUp(mul(before, big.NewRat(100-percent, 100)), 2), roundHalfUp(mul(before, big.NewRat(100+percent, 100)), 2)
}
