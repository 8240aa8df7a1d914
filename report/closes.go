// Closes of symbols, for drawings of their trades.

package report

import "mcp-trade/market"

// Closes returns a function that reads the closes of a symbol by day. A series that cannot be read has no points.
func Closes(view market.View) func(symbol string, from, to market.Stamp) Series {
	return func(symbol string, from, to market.Stamp) Series {
		s := Series{Name: symbol}
		bars, _, err := view.Bars(symbol, from, to, 0)
		if err != nil {
			return s
		}
		for _, b := range bars {
			p := Point{Date: b.Stamp.Day()}
			if b.Close.Valid {
				p.Value = Known(b.Close.Decimal.InexactFloat64())
			}
			if n := len(s.Points); n > 0 && s.Points[n-1].Date == p.Date {
				s.Points[n-1] = p // the last bar of the day
			} else {
				s.Points = append(s.Points, p)
			}
		}
		return s
	}
}
