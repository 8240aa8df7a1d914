// Where a benchmark of several accounts begins.

package report

import (
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// FirstDay is the day on which the first of the ledgers begins, or the first day of the range if that is later. Where no ledger
// has a row that can be read it is that of the range.
func FirstDay(from market.Stamp, ledgers []Ledger) (market.Stamp, error) {
	first, found := market.Stamp(""), false
	for _, l := range ledgers {
		for line, err := range l.Lines {
			if err != nil {
				return "", err
			}
			if book, err := ledger.ParseBook(line); err == nil && (!found || book.Date.Day() < first) {
				first, found = book.Date.Day(), true
			}
			break
		}
	}
	return max(from, first), nil
}
