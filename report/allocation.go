// What the value of an account consisted of.

package report

import (
	"cmp"
	"slices"
	"strings"

	"mcp-trade/ledger"
)

// maxNames bounds the names of an allocation, cash and the rest not counted.
const maxNames = 8

// allocation puts what was held in relation to the whole.
func (v *valuer) allocation() Allocation {
	weights := map[string]float64{}
	for symbol, values := range v.held {
		for i := range v.periods {
			weights[symbol] += v.part(values, i).value
		}
	}
	delete(weights, ledger.Cash)
	names := make([]string, 0, len(weights))
	for symbol := range weights {
		names = append(names, symbol)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(weights[b], weights[a]), strings.Compare(a, b))
	})
	a := Allocation{Names: []string{ledger.Cash}, Parts: [][]Number{v.parts(ledger.Cash)}}
	for _, name := range names[:min(len(names), maxNames)] {
		a.Names, a.Parts = append(a.Names, name), append(a.Parts, v.parts(name))
	}
	if rest := names[min(len(names), maxNames):]; len(rest) > 0 {
		a.Names, a.Parts = append(a.Names, "other"), append(a.Parts, v.parts(rest...))
	}
	return a
}

// parts are what part of the value some positions were together, by period.
func (v *valuer) parts(symbols ...string) []Number {
	parts := make([]Number, len(v.periods))
	for i := range parts {
		sum := Known(0)
		for _, symbol := range symbols {
			part := v.part(v.held[symbol], i)
			sum.value += part.value
			sum.known = sum.known && part.known
		}
		parts[i] = sum
	}
	return parts
}

// part is what part of a period's value one position was.
func (v *valuer) part(values []Number, period int) Number {
	value := v.periods[period].Value
	switch {
	case period >= len(values) && value.known:
		return Known(0)
	case period >= len(values):
		return Number{}
	}
	return values[period].Over(value)
}
