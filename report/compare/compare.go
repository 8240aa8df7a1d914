// Package compare tells how two reports differ: in what was asked for, in what accounts were run with, in their trades and in their figures.
package compare

import (
	"fmt"
	"maps"
	"slices"

	"mcp-trade/market"
	"mcp-trade/report"
)

// Reports is how two reports, A and B, differ.
type Reports struct {
	Settings []Change  `json:"settings"` // of the reports
	OnlyA    []string  `json:"only_a"`   // accounts
	OnlyB    []string  `json:"only_b"`
	Same     []string  `json:"same"` // accounts that differ in nothing that is compared
	Accounts []Account `json:"accounts"`
}

// Change is a setting that differs; "" is none.
type Change struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Account is how an account of both reports differs.
type Account struct {
	Signature string   `json:"signature"`
	Settings  []Change `json:"settings"`
	Figures   []Figure `json:"figures"` // in the order of the table of metrics
	Trade     *Trade   `json:"trade"`   // the first that differs, of those that the reports hold; null if none does
	Value     *Value   `json:"value"`   // the first day on which both have a value, and not the same; null if there is none
}

// Figure is a figure that differs.
type Figure struct {
	Key        report.Key    `json:"key"`
	A          report.Number `json:"a"`
	B          report.Number `json:"b"`
	Difference report.Number `json:"difference"` // B less A
}

// Trade is where the trades of an account part; "" is no trade.
type Trade struct {
	A string `json:"a"`
	B string `json:"b"`
}

// Value is a day on which the values of an account differ.
type Value struct {
	Date market.Stamp  `json:"date"`
	A    report.Number `json:"a"`
	B    report.Number `json:"b"`
}

// Equal tells whether nothing differs.
func (r Reports) Equal() bool {
	return len(r.Settings)+len(r.OnlyA)+len(r.OnlyB)+len(r.Accounts) == 0
}

// Of compares two reports. Accounts are the same by their names. Nothing is rounded: two reports on the same ledgers and prices are equal.
func Of(a, b report.Report) Reports {
	r := Reports{Settings: changes(ofReport(a), ofReport(b)), OnlyA: []string{}, OnlyB: []string{}, Same: []string{}, Accounts: []Account{}}
	others := map[string]report.Account{}
	for _, x := range b.Accounts {
		others[x.Signature] = x
	}
	for _, x := range a.Accounts {
		y, both := others[x.Signature]
		if !both {
			r.OnlyA = append(r.OnlyA, x.Signature)
			continue
		}
		delete(others, x.Signature)
		if c := accounts(x, y); len(c.Settings)+len(c.Figures) > 0 || c.Trade != nil || c.Value != nil {
			r.Accounts = append(r.Accounts, c)
		} else {
			r.Same = append(r.Same, x.Signature)
		}
	}
	r.OnlyB = append(r.OnlyB, slices.Sorted(maps.Keys(others))...)
	return r
}

// ofReport are the settings of a report.
func ofReport(r report.Report) map[string]string {
	s := map[string]string{"from": string(r.From), "to": string(r.To), "risk-free rate": fmt.Sprint(r.RiskFree), "method": string(r.Method)}
	if r.Benchmark != nil {
		s["benchmark"] = r.Benchmark.Name
	}
	if r.Made != nil {
		s["version of the report"] = r.Made.Version
		files(s, "prices of the report", r.Made.Prices)
	}
	return s
}

func files(settings map[string]string, what string, list []report.File) {
	for _, f := range list {
		settings[what+", "+f.Name] = f.SHA256
	}
}

// ofAccount are the settings of an account.
func ofAccount(a report.Account) map[string]string {
	s := map[string]string{"market": string(a.Market), "fills": a.Fills, "costs": a.Costs, "first": string(a.First), "last": string(a.Last)}
	if a.Ledger != nil {
		s["ledger"], s["head"] = string(a.Ledger.Verdict), a.Ledger.Head
	}
	if run := a.Run; run != nil {
		s["version"], s["run from"], s["run to"], s["cash"], s["rules"] = run.Version, string(run.From), string(run.To), run.Cash.String(), run.Rules
		for name, value := range run.Settings {
			s[name] = value
		}
		files(s, "prices", run.Prices)
	}
	return s
}

// changes lists the settings that differ, by name.
func changes(a, b map[string]string) []Change {
	list := []Change{}
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name] != b[name] {
			list = append(list, Change{name, a[name], b[name]})
		}
	}
	return list
}

func accounts(a, b report.Account) Account {
	c := Account{Signature: a.Signature, Settings: changes(ofAccount(a), ofAccount(b)), Figures: []Figure{}}
	for _, x := range report.MetricTable() {
		f := Figure{Key: x.Key, A: a.Metrics.Value(x.Key), B: b.Metrics.Value(x.Key)}
		if f.A == f.B {
			continue
		}
		if f.A.Known() && f.B.Known() {
			f.Difference = report.Known(f.B.Float() - f.A.Float())
		}
		c.Figures = append(c.Figures, f)
	}
	for i := range max(len(a.Trades), len(b.Trades)) {
		if x, y := tradeText(a.Trades, i), tradeText(b.Trades, i); x != y {
			c.Trade = &Trade{x, y}
			break
		}
	}
	values := map[market.Stamp]report.Number{}
	for _, p := range b.Periods {
		values[p.Date] = p.Value
	}
	for _, p := range a.Periods {
		if v, both := values[p.Date]; both && v != p.Value {
			c.Value = &Value{p.Date, p.Value, v}
			break
		}
	}
	return c
}

// tradeText is a trade in words, "" if there is none.
func tradeText(trades []report.Trade, i int) string {
	if i >= len(trades) {
		return ""
	}
	t := trades[i]
	text := fmt.Sprintf("%s: %s %v %s", t.Date, t.Action, t.Amount, t.Symbol)
	if t.Price.Known() {
		text += fmt.Sprintf(" at %v", t.Price.Float())
	}
	if t.Fees != 0 {
		text += fmt.Sprintf(", fees %v", t.Fees)
	}
	return text
}
