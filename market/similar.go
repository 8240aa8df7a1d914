package market

// This file guesses which symbol was meant by one that does not exist.

import "strings"

const maxSimilar = 5

// similar returns the visible symbols that are one typing mistake away, or
// differ only in case, ascending. Names are compared before anything is read.
// Damaged series are passed over.
func (v View) similar(symbol string) ([]string, error) {
	symbol = strings.ToUpper(symbol)
	similar := []string{}
	for _, name := range v.prices.symbols {
		if !withinOneEdit(symbol, strings.ToUpper(name)) {
			continue
		}
		seen, err := v.isVisible(v.prices.series[name])
		if err != nil && !isDamage(err) {
			return nil, err
		}
		if seen {
			similar = append(similar, name)
		}
		if len(similar) == maxSimilar {
			break
		}
	}
	return similar, nil
}

// withinOneEdit tells whether a becomes b when at most one byte is inserted,
// deleted or replaced, or two neighbours are swapped.
func withinOneEdit(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 2 && len(b) == 2 {
		return a[0] == b[1] && a[1] == b[0]
	}
	return len(a) <= 1 && len(b) <= 1
}
