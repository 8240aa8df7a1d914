// Allocation: the weight of cash and of each holding.

package report

import (
	"cmp"
	"slices"
	"strings"

	"mcp-trade/ledger"
)

// maxNames bounds the symbols that an allocation names; cash and "other" are not counted.
const maxNames = 8

// allocation returns the weights of cash and of the holdings with the most weight.
func (v *valuer) allocation() Allocation {
	weights := v.weightSums()
	delete(weights, ledger.Cash)
	names := make([]string, 0, len(weights))
	for symbol := range weights {
		names = append(names, symbol)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(weights[b], weights[a]), strings.Compare(a, b))
	})
	a := Allocation{Names: []string{ledger.Cash}, Parts: [][]Number{v.weights(ledger.Cash)}}
	for _, name := range names[:min(len(names), maxNames)] {
		a.Names, a.Parts = append(a.Names, name), append(a.Parts, v.weights(name))
	}
	if rest := names[min(len(names), maxNames):]; len(rest) > 0 {
		a.Names, a.Parts = append(a.Names, "other"), append(a.Parts, v.weights(rest...))
	}
	return a
}

// weightSums returns the sum of the weights of each position over the periods.
func (v *valuer) weightSums() map[string]float64 {
	weights := map[string]float64{}
	for symbol, values := range v.values {
		for i := range v.periods {
			weights[symbol] += v.weight(values, i).value
		}
	}
	return weights
}

// weights returns the weight of some positions together, by period.
func (v *valuer) weights(symbols ...string) []Number {
	parts := make([]Number, len(v.periods))
	for i := range parts {
		sum := Known(0)
		for _, symbol := range symbols {
			part := v.weight(v.values[symbol], i)
			sum.value += part.value
			sum.known = sum.known && part.known
		}
		parts[i] = sum
	}
	return parts
}

// weight returns the weight of one position in a period.
func (v *valuer) weight(values []Number, period int) Number {
	value := v.periods[period].Value
	switch {
	case period >= len(values) && value.known:
		return Known(0)
	case period >= len(values):
		return Number{}
	}
	return values[period].Over(value)
}
