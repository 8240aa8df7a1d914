// Gaps: warnings of days with an unknown or stale value, or without a record, and of splits that the ledger does not know of.

package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/internal/clip"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// gapWarnings names the days with an unknown or stale value, and those without a record or without prices.
func (v *valuer) gapWarnings(days []market.Stamp) []string {
	var list []string
	say := func(dates []market.Stamp, one, many, what string) {
		switch {
		case len(dates) == 1:
			list = append(list, fmt.Sprintf(one, dates[0])+what+".")
		case len(dates) > 1:
			list = append(list, fmt.Sprintf(many, len(dates), dateRanges(dates, days))+what+".")
		}
	}
	var unpriced, stale, carried, elsewhere []market.Stamp
	missing, oldest := map[string]bool{}, map[string]ledger.StaleClose{}
	for _, p := range v.periods {
		if len(p.Stale) > 0 {
			stale = append(stale, p.Date)
		}
		for _, s := range p.Stale {
			if s.Days > oldest[s.Symbol].Days {
				oldest[s.Symbol] = s
			}
		}
		if len(p.Unpriced) > 0 {
			unpriced = append(unpriced, p.Date)
			for _, symbol := range p.Unpriced {
				missing[symbol] = true
			}
		}
		if p.Carried {
			carried = append(carried, p.Date)
		}
	}
	for _, d := range v.h.days {
		if _, open := slices.BinarySearch(days, d.date); !open && d.date != v.h.first.Day() && !v.before(d.date) {
			elsewhere = append(elsewhere, d.date)
		}
	}
	say(unpriced, "The value on %s is unknown: by then there was no close of ", "The value on %d days is unknown (%s): by then there was no close of ", names(missing))
	say(stale, "The value on %s counts closes of earlier days: ", "The value on %d days (%s) counts closes of earlier days: ", ledger.StaleCloses(slices.Collect(maps.Values(oldest))).String())
	say(carried, "There is no record on %s, a trading day; the book before it is carried on", "There is no record on %d trading days (%s); the book before them is carried on", "")
	say(elsewhere, "There are records on %s, a day without prices; they count on the next day with prices, if there is one",
		"There are records on %d days without prices (%s); they count on the next day with prices, if there is one", "")
	return list
}

// names lists a few names.
func names(set map[string]bool) string {
	return clip.List(slices.Sorted(maps.Keys(set)), 3, ", ")
}

// dateRanges writes dates as ranges of days that follow each other, the first five of them.
func dateRanges(dates, days []market.Stamp) string {
	var ranges []string
	for i := 0; i < len(dates); {
		first := i
		at, _ := slices.BinarySearch(days, dates[i])
		for i++; i < len(dates) && at+i-first < len(days) && days[at+i-first] == dates[i]; i++ {
		}
		if last := i - 1; last > first {
			ranges = append(ranges, fmt.Sprintf("%s to %s", dates[first], dates[last]))
		} else {
			ranges = append(ranges, string(dates[first]))
		}
	}
	if len(ranges) > 5 {
		ranges = append(ranges[:5], fmt.Sprintf("and %d more times", len(ranges)-5))
	}
	return strings.Join(ranges, ", ")
}

// splits returns the likely splits of the range that the account held shares through, by date. Its errors are those of reading
// prices.
func (b builder) splits(h history) ([]market.LikelySplit, error) {
	var found []market.LikelySplit
	held := map[string]bool{}
	for _, book := range append([]ledger.Positions{h.openingBook}, booksOf(h.days)...) {
		for _, p := range book.Holdings() {
			held[p.Symbol] = true
		}
	}
	for symbol := range held {
		likely, err := b.View.LikelySplits(symbol, h.first)
		if market.IsUnknown(err) {
			continue // its value is unknown, and said to be
		}
		if err != nil {
			return nil, err
		}
		for _, s := range likely {
			if (!s.Told || !h.rules.Actions()) && b.covers(s.Date) && !b.before(s.Date) && h.book(s.Date.AddDays(-1)).Amount(symbol).IsPositive() {
				s.Symbol = plain(s.Symbol)
				found = append(found, s)
			}
		}
	}
	slices.SortFunc(found, market.LikelySplit.Compare)
	return found, nil
}

func booksOf(days []day) (books []ledger.Positions) {
	for _, d := range days {
		books = append(books, d.book)
	}
	return books
}

// splitWarnings is a sentence for each of the first likely splits.
func splitWarnings(splits []market.LikelySplit) (list []string) {
	const told = 5
	for _, s := range splits[:min(told, len(splits))] {
		list = append(list, s.String()+". The ledger knows of no split, so values from that day on may be wrong.")
	}
	if more := len(splits) - told; more > 0 {
		list = append(list, fmt.Sprintf("So did %d more.", more))
	}
	return list
}
