// The limits that an operator sets for an account: their values, and the one way in which they are written.

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Limits bound what an account may buy, and when it may trade. The zero value bounds nothing. Which there are says the table in limit.go.
type Limits struct {
	bounds  map[string]Bound    // by their keys
	symbols map[string][]string // likewise
	windows map[string][]Window // likewise

	hash string // of how they are written
}

// Bound is a number that a limit allows: an amount, or a part of something.
type Bound struct {
	N    decimal.Decimal // of a part: 0.25 is a quarter
	Part bool
}

// JSON is how the bound is written: 5000, or "25%".
func (b Bound) JSON() string {
	if b.Part {
		return `"` + percent(b.N) + `"`
	}
	return b.N.String()
}

// percent writes a part: 0.25 is "25%".
func percent(n decimal.Decimal) string { return n.Shift(2).String() + "%" }

// of is the bound where a part is of a whole.
func (b Bound) of(whole decimal.Decimal) decimal.Decimal {
	if b.Part {
		return b.N.Mul(whole)
	}
	return b.N
}

// Window is a time in which nothing is traded: from a day or moment to another, or between two hours of each day. A day counts whole;
// what is a moment or an hour ends the window.
type Window struct {
	From, To market.Stamp // "15:30" of each day
}

// JSON is how the window is written.
func (w Window) JSON() string { return fmt.Sprintf(`{"from": "%s", "to": "%s"}`, w.From, w.To) }

// hourForm is the form of an hour of each day.
const hourForm = "15:04"

func (w Window) daily() bool { return len(w.From) == len(hourForm) }

// covers tells whether the window has a stamp of a market. A day without an hour stands for its open.
func (w Window) covers(at market.Stamp, of *market.Market) bool {
	moment := at
	if at.IsDay() {
		moment += " " + opening(of) + ":00"
	}
	if w.daily() {
		hour := moment[len("2006-01-02 "):][:len(hourForm)]
		if w.From < w.To {
			return w.From <= hour && hour < w.To
		}
		return w.From <= hour || hour < w.To
	}
	if w.To.IsDay() {
		return w.From <= moment && moment.Day() <= w.To
	}
	return w.From <= moment && moment < w.To
}

// opening is the hour at which a market opens: those with hours are exchanges of shares, see market/us.go and market/cn.go.
func opening(of *market.Market) market.Stamp {
	if of.Hours == nil {
		return "00:00"
	}
	return "09:30"
}

// None tells whether nothing is bounded.
func (l Limits) None() bool { return len(l.bounds)+len(l.symbols)+len(l.windows) == 0 }

// value is the JSON of a limit, "" of one that is not set.
func (l Limits) value(key string) string {
	var items []string
	for _, symbol := range l.symbols[key] {
		items = append(items, `"`+symbol+`"`)
	}
	for _, w := range l.windows[key] {
		items = append(items, w.JSON())
	}
	if len(items) > 0 {
		return "[" + strings.Join(items, ", ") + "]"
	}
	if b, ok := l.bounds[key]; ok {
		return b.JSON()
	}
	return ""
}
