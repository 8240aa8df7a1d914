// Whether the prices of a day are there.

package follow

import (
	"slices"

	"mcp-trade/market"
)

// presence is what a view shows of a day's prices.
type presence struct {
	open    bool     // of any symbol
	missing []string // symbols whose bar is awaited, or whose bar before it is not whole, ascending
}

// recent is on how many trading days before one a symbol that had a bar is awaited on it: one whose bars stop is, on a day or two.
const recent = 2

// openOf tells what is there at the open of a stamp. A symbol is awaited if it had a bar lately. Its bars before must be whole.
func openOf(prices *market.Prices, m *market.Market, stamp market.Stamp) (presence, error) {
	return presenceIn(prices.AsOf(stamp), m, stamp, func(b market.Bar) bool { return b.Open.Valid })
}

// closeOf tells what is there of a stamp when its day is over.
func closeOf(prices *market.Prices, m *market.Market, stamp market.Stamp) (presence, error) {
	return presenceIn(prices.AsOf(stamp.AddDays(1)).BeforeOpen(), m, stamp, func(b market.Bar) bool { return b.Close.Valid })
}

func presenceIn(v market.View, m *market.Market, stamp market.Stamp, has func(market.Bar) bool) (p presence, err error) {
	symbols, err := v.Symbols()
	if err != nil {
		return p, err
	}
	newest := map[string][]market.Bar{} // up to the stamp
	var stamps []market.Stamp           // before it, of any symbol
	for _, symbol := range symbols {
		if market.Of(symbol) != m {
			continue
		}
		bars, _, err := v.Bars(symbol, "", stamp, recent+1)
		if err != nil {
			return p, err
		}
		newest[symbol] = bars
		for _, b := range bars {
			if b.Stamp < stamp {
				stamps = append(stamps, b.Stamp)
			}
		}
	}
	slices.Sort(stamps)
	stamps = slices.Compact(stamps)
	since := stamp
	if len(stamps) > 0 {
		since = stamps[max(0, len(stamps)-recent)]
	}
	for symbol, bars := range newest {
		there, awaited, whole := false, false, true
		for _, b := range bars {
			switch {
			case b.Stamp == stamp:
				there = has(b)
			case b.Stamp >= since:
				awaited, whole = true, whole && b.Close.Valid
			}
		}
		p.open = p.open || there
		if awaited && !there || !whole {
			p.missing = append(p.missing, symbol)
		}
	}
	slices.Sort(p.missing)
	return p, nil
}
