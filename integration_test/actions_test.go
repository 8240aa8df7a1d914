// Corporate actions through the program: the split of a real share by each way of knowing it, and a made-up market that is full of them,
// against an account that the test keeps by itself.

package integration_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
)

// equityOf are the values of an account by day, as report.json has them, and the rest of its report.
func (p *place) equityOf(t *testing.T, account string) (values map[string]float64, rest map[string]any) {
	t.Helper()
	out := filepath.Join(p.dir, "report-"+account)
	p.do(t, "report", account, "--out", out)
	text, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	p.valid(t, string(text))
	var r struct {
		Accounts []struct {
			Periods []struct {
				Date  string
				Value *float64
			}
		}
	}
	var whole struct{ Accounts []map[string]any }
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	values = map[string]float64{}
	for _, period := range r.Accounts[0].Periods {
		if period.Value == nil {
			t.Fatalf("%s: the value on %s is unknown", account, period.Date)
		}
		values[period.Date] = *period.Value
	}
	return values, whole.Accounts[0]
}

// ORLY splits 15:1 overnight. Whoever knows of it holds fifteen times the shares; whoever does not is warned.
func TestActions_ORLY(t *testing.T) {
	merged := filepath.Join(testenv.TestData(t), "us_split", "merged.jsonl")
	all, err := os.ReadFile(merged)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, `"ORLY"`) {
			text = line
		}
	}
	day := `"2025-06-10": {`
	before, after, found := strings.Cut(text, day)
	if !found {
		t.Fatal("the file has no such day")
	}
	rows := before + day + `"7. dividend amount": "0.0000", "8. split coefficient": "15.0", ` + after
	for _, c := range []struct {
		name, prices, actions string
		known                 bool
	}{
		{"adjusted rows", rows, "", true},
		{"an actions file", text, `{"date": "2025-06-10", "symbol": "ORLY", "split": "15:1"}`, true},
		{"nothing", text, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := onFiles(t)
			p.prices = filepath.Join(p.dir, "prices.jsonl")
			actions := filepath.Join(p.dir, "actions.jsonl")
			for path, text := range map[string]string{p.prices: c.prices, actions: c.actions} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c.actions != "" {
				p.env = append(p.env, "MCP_TRADE_ACTIONS="+actions)
			}
			out := p.try(t, "run", "--from", "2025-06-06", "--to", "2025-06-12", "--account", "long=equal-weight", "--cash", "10000")
			if out.code != 0 || strings.Contains(out.stderr, "jump as in a split") == c.known {
				t.Fatalf("exit %d, known %t: %s", out.code, c.known, out.stderr)
			}
			values, report := p.equityOf(t, "long")
			// 7 shares of 9 June cost 1375, 105 are worth their closes.
			before, after := values["2025-06-09"], values["2025-06-10"]
			if jump := after/before - 1; (math.Abs(jump) < 0.05) != c.known || (report["splits"] == nil) != c.known {
				t.Errorf("from %v to %v, splits %v", before, after, report["splits"])
			}
			ledger := p.do(t, "ledger", "export", "long")
			if strings.Contains(ledger, `"action": "split", "symbol": "ORLY", "amount": 7, "ratio": "15:1"}`) != c.known {
				t.Error(ledger)
			}
			p.do(t, "ledger", "verify", "long")
			if shown := p.do(t, "ledger", "show", "long"); strings.Contains(shown, "ORLY: split 15:1 on 2025-06-10: 7 became 105") != c.known {
				t.Error(shown)
			}
		})
	}
}

// madeUp is a market with corporate actions, as the test knows it. Prices are in cents.
type madeUp struct {
	days    []string
	opens   map[string]map[string]int64 // by symbol and day
	closes  map[string]map[string]int64
	actions []madeUpAction // by day, symbol and order
}

type madeUpAction struct {
	day, symbol, kind string // dividend, split, rename or delist, in their order
	is, was           int64  // of a split
	cents             int64  // of a dividend or a stated price, -1 for none stated
	to                string
	inRow             bool // of a price file, else in the actions file
}

// newMadeUp makes a market up: each symbol wanders by up to 2 % a day, and has actions of every kind.
func newMadeUp(r *rand.Rand, symbols, days int) madeUp {
	m := madeUp{opens: map[string]map[string]int64{}, closes: map[string]map[string]int64{}}
	for day := time.Date(2022, 1, 3, 0, 0, 0, 0, time.UTC); len(m.days) < days; day = day.AddDate(0, 0, 1) {
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			m.days = append(m.days, day.Format(time.DateOnly))
		}
	}
	for i := range symbols {
		m.add(r, fmt.Sprintf("S%03d", i), i)
	}
	kinds := []string{"dividend", "split", "rename", "delist"}
	slices.SortFunc(m.actions, func(a, b madeUpAction) int {
		if c := strings.Compare(a.day+a.symbol, b.day+b.symbol); c != 0 {
			return c
		}
		return slices.Index(kinds, a.kind) - slices.Index(kinds, b.kind)
	})
	return m
}

// add makes up a symbol.
func (m *madeUp) add(r *rand.Rand, symbol string, number int) {
	price := 2000 + r.Float64()*20000
	ends, renamed := len(m.days), -1
	switch number % 5 {
	case 1:
		renamed = len(m.days)/3 + r.IntN(len(m.days)/3)
	case 2:
		ends = len(m.days)/2 + r.IntN(len(m.days)/3)
	}
	for i, day := range m.days[:ends] {
		if i == renamed {
			m.actions = append(m.actions, madeUpAction{day: day, symbol: symbol, kind: "rename", to: symbol + "N"})
			symbol += "N"
		}
		if i > 1 && i != renamed && r.IntN(60) == 0 {
			ratio := [][2]int64{{2, 1}, {3, 2}, {15, 1}, {1, 10}}[r.IntN(4)]
			if next := price * float64(ratio[1]) / float64(ratio[0]); next > 1000 && next < 60000 {
				price = next
				m.actions = append(m.actions, madeUpAction{day: day, symbol: symbol, kind: "split", is: ratio[0], was: ratio[1], inRow: number%2 == 0})
			}
		}
		if i > 1 && i != renamed && r.IntN(40) == 0 {
			cents := 1 + int64(price*0.02*r.Float64())
			price -= float64(cents)
			m.actions = append(m.actions, madeUpAction{day: day, symbol: symbol, kind: "dividend", cents: cents, inRow: number%2 == 0})
		}
		if m.opens[symbol] == nil {
			m.opens[symbol], m.closes[symbol] = map[string]int64{}, map[string]int64{}
		}
		open := price * (1 + (r.Float64()-0.5)*0.01)
		price = open * (1 + (r.Float64()-0.5)*0.03)
		m.opens[symbol][day], m.closes[symbol][day] = int64(math.Round(open)), int64(math.Round(price))
	}
	if ends < len(m.days) {
		stated := int64(-1)
		if r.IntN(2) == 0 {
			stated = int64(price)
		}
		m.actions = append(m.actions, madeUpAction{day: m.days[ends], symbol: symbol, kind: "delist", cents: stated})
	}
}

func dollars(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// files writes the market; without actions neither the rows nor a file tell of any.
func (m *madeUp) files(t *testing.T, dir string, actions bool) (prices, told string) {
	t.Helper()
	inRows, file := map[string]madeUpAction{}, strings.Builder{}
	for _, a := range m.actions {
		switch {
		case a.inRow:
			inRows[a.day+a.symbol+a.kind] = a
		case a.kind == "dividend":
			fmt.Fprintf(&file, `{"date": "%s", "symbol": "%s", "dividend": %s}`+"\n", a.day, a.symbol, dollars(a.cents))
		case a.kind == "split":
			fmt.Fprintf(&file, `{"date": "%s", "symbol": "%s", "split": "%d:%d"}`+"\n", a.day, a.symbol, a.is, a.was)
		case a.kind == "rename":
			fmt.Fprintf(&file, `{"date": "%s", "symbol": "%s", "rename": "%s"}`+"\n", a.day, a.symbol, a.to)
		case a.cents < 0:
			fmt.Fprintf(&file, `{"date": "%s", "symbol": "%s", "delist": true}`+"\n", a.day, a.symbol)
		default:
			fmt.Fprintf(&file, `{"date": "%s", "symbol": "%s", "delist": true, "price": %s}`+"\n", a.day, a.symbol, dollars(a.cents))
		}
	}
	var text strings.Builder
	for symbol, opens := range m.opens {
		var bars []string
		for _, day := range m.days {
			open, ok := opens[day]
			if !ok {
				continue
			}
			row := fmt.Sprintf(`"1. open": "%s", "4. close": "%s"`, dollars(open), dollars(m.closes[symbol][day]))
			if actions {
				split, paid := "1.0", "0"
				if a, ok := inRows[day+symbol+"split"]; ok {
					split = fmt.Sprint(float64(a.is) / float64(a.was))
				}
				if a, ok := inRows[day+symbol+"dividend"]; ok {
					paid = dollars(a.cents)
				}
				row += fmt.Sprintf(`, "7. dividend amount": "%s", "8. split coefficient": "%s"`, paid, split)
			}
			bars = append(bars, fmt.Sprintf(`"%s": {%s}`, day, row))
		}
		fmt.Fprintf(&text, `{"Meta Data": {"2. Symbol": "%s"}, "Time Series (Daily)": {%s}}`+"\n", symbol, strings.Join(bars, ", "))
	}
	prices, told = filepath.Join(dir, "made-up.jsonl"), filepath.Join(dir, "made-up-actions.jsonl")
	for path, content := range map[string]string{prices: text.String(), told: file.String()} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return prices, told
}

// shadow is an account as the test keeps it: cash in cents and whole shares, from the trades that were made and what it knows of the market.
type shadow struct {
	m     *madeUp
	cash  *big.Rat
	held  map[string]int64
	price map[string]*big.Rat // the last close, of a share as it is now
}

// act applies an action.
func (k *shadow) act(a madeUpAction) {
	held := k.held[a.symbol]
	if last := k.price[a.symbol]; last != nil && a.kind == "split" {
		k.price[a.symbol] = new(big.Rat).Mul(last, big.NewRat(a.was, a.is))
	}
	if held == 0 {
		return
	}
	switch a.kind {
	case "dividend":
		k.cash.Add(k.cash, big.NewRat(a.cents*held, 1))
	case "split":
		whole, rest := held*a.is/a.was, held*a.is%a.was
		k.held[a.symbol] = whole
		paid := rest * k.m.opens[a.symbol][a.day] // over the old shares, to the nearest cent
		k.cash.Add(k.cash, big.NewRat((2*paid+a.was)/(2*a.was), 1))
	case "rename":
		k.held[a.to], k.held[a.symbol] = k.held[a.to]+held, 0
	case "delist":
		price := k.price[a.symbol]
		if a.cents >= 0 {
			price = big.NewRat(a.cents, 1)
		}
		k.cash.Add(k.cash, new(big.Rat).Mul(price, big.NewRat(held, 1)))
		k.held[a.symbol] = 0
	}
}

// madeTrade is a row of the ledger that bought or sold.
type madeTrade struct {
	Date string
	This struct {
		Action, Symbol string
		Amount         int64
	} `json:"this_action"`
}

// equity computes the value after each day.
func (m *madeUp) equity(cash int64, trades []madeTrade) map[string]float64 {
	k := shadow{m, big.NewRat(cash, 1), map[string]int64{}, map[string]*big.Rat{}}
	values := map[string]float64{}
	next, made := 0, 0
	for _, day := range m.days {
		for ; next < len(m.actions) && m.actions[next].day <= day; next++ {
			k.act(m.actions[next])
		}
		for ; made < len(trades) && trades[made].Date == day; made++ {
			t := trades[made].This
			sign := map[string]int64{"buy": 1, "sell": -1}[t.Action]
			k.held[t.Symbol] += sign * t.Amount
			k.cash.Sub(k.cash, big.NewRat(sign*t.Amount*m.opens[t.Symbol][day], 1))
		}
		total := new(big.Rat).Set(k.cash)
		for symbol, closes := range m.closes {
			if price, ok := closes[day]; ok {
				k.price[symbol] = big.NewRat(price, 1)
			}
			if held := k.held[symbol]; held != 0 {
				total.Add(total, new(big.Rat).Mul(k.price[symbol], big.NewRat(held, 1)))
			}
		}
		f, _ := total.Float64()
		values[day] = f / 100
	}
	return values
}

// A market of every kind of action, traded by strategies: the value of each day is the one that the test computes for itself, to the cent,
// and none jumps. In the same market without actions the splits are warned of.
func TestActions_MadeUpMarket(t *testing.T) {
	r := rand.New(rand.NewPCG(uint64(settingOf(t, "MCP_TRADE_STORM_SEED", 1)), 12))
	m := newMadeUp(r, scaled(t, 200, 30), scaled(t, 756, 150))
	run := func(p *place) output {
		return p.try(t, "run", "--from", m.days[0], "--to", m.days[len(m.days)-1], "--cash", "1000000", "--account", "steady=equal-weight", "--account", "chaser=momentum:5", "--account", "dice=random:7")
	}
	p := onFiles(t)
	var told string
	p.prices, told = m.files(t, p.dir, true)
	p.env = append(p.env, "MCP_TRADE_ACTIONS="+told)
	out := run(p)
	if out.code != 0 || strings.Contains(out.stderr, "jump as in a split") || strings.Contains(out.stderr, "adjusted prices") {
		t.Fatalf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	for _, account := range []string{"steady", "chaser", "dice"} {
		var trades []madeTrade
		actions := 0
		for line := range strings.Lines(p.do(t, "ledger", "export", account)) {
			var row madeTrade
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			switch row.This.Action {
			case "buy", "sell":
				trades = append(trades, row)
			case "dividend", "split", "rename", "delist":
				actions++
			}
		}
		p.do(t, "ledger", "verify", account)
		values, report := p.equityOf(t, account)
		want := m.equity(100_000_000, trades)
		before := 1e6
		for _, day := range m.days[1:] {
			value, ok := values[day]
			if !ok || math.Abs(value-want[day]) > 0.005 {
				t.Fatalf("%s on %s: %v, want %v", account, day, value, want[day])
			}
			if move := value/before - 1; math.Abs(move) > 0.08 {
				t.Fatalf("%s on %s: moves by %v", account, day, move)
			}
			before = value
		}
		explained, _ := report["unexplained_gain"].(float64)
		for _, symbol := range report["symbols"].([]any) {
			explained += symbol.(map[string]any)["gain"].(float64)
		}
		if math.Abs(explained-(before-1e6)) > 0.005 || report["unexplained_gain"] != 0.0 {
			t.Errorf("%s: the symbols gained %v (%v unexplained), the account %v", account, explained, report["unexplained_gain"], before-1e6)
		}
		if len(trades) == 0 || actions == 0 || report["splits"] != nil || len(report["corporate_actions"].([]any)) != actions {
			t.Errorf("%s: %d trades, %d actions, splits %v", account, len(trades), actions, report["splits"])
		}
	}
	p = onFiles(t)
	p.prices, _ = m.files(t, p.dir, false)
	if out := run(p); out.code != 0 || !strings.Contains(out.stderr, "the prices jump as in a split, and tell of none") {
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
	if _, report := p.equityOf(t, "steady"); report["splits"] == nil {
		t.Error("the report does not say that splits are missing")
	}
}
