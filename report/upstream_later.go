// AI-Trader's published figures from 2025-11-20 on, by its own definitions. They rest on a value for each row, not for each day.

package report

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Upstream2 is what AI-Trader's later program computes of an account. What it calls SR is the Sortino ratio. Ratios are not rounded.
type Upstream2 struct {
	From market.Stamp `json:"from"` // the stamps of the first and of the last row
	To   market.Stamp `json:"to"`
	Rows int          `json:"total_positions"`
	Year float64      `json:"periods_per_year"` // that returns are annualized by

	CumulativeReturn Number `json:"cr"`
	AnnualReturn     Number `json:"annualized_return"`
	Sortino          Number `json:"sr"` // null if no return is below 0, where the program has infinity
	Sharpe           Number `json:"sharpe_ratio"`
	Volatility       Number `json:"vol"`
	MaxDrawdown      Number `json:"mdd"` // at most 0; the first value is no peak
	Calmar           Number `json:"calmar_ratio"`
	WinRate          Number `json:"win_rate"` // of all rows after the first
	AverageWin       Number `json:"average_win"`
	AverageLoss      Number `json:"average_loss"` // returns of 0 count among the losses

	InitialValue Number `json:"initial_value"`
	FinalValue   Number `json:"final_value"`
	Trades       int    `json:"number_of_trades"` // changes of the value from row to row, as the program counts them
}

// byRow takes the value after each row, at the closes of the bars with its stamp in the price files, or else the last ones before it. An hour
// thus counts at the end of its bar.
type byRow struct {
	points []Point
	at     market.Stamp
	closes map[string]Number // at that stamp
}

// add adds a row. One with a holding that never had a close is left out; AI-Trader counts that holding as 0.
func (b *byRow) add(v market.View, rec ledger.Record) {
	if rec.Date != b.at || b.closes == nil {
		b.at, b.closes = rec.Date, map[string]Number{}
	}
	held, known := 0.0, true
	for _, p := range rec.Positions {
		if p.Symbol == ledger.Cash || p.Amount.IsZero() {
			continue
		}
		price, ok := b.closes[p.Symbol]
		if !ok {
			price = closeAsStamped(v, p.Symbol, rec.Date)
			b.closes[p.Symbol] = price
		}
		held, known = held+p.Amount.InexactFloat64()*price.value, known && price.known
	}
	if known {
		b.points = append(b.points, Point{rec.Date, Known(rec.Cash().InexactFloat64() + held)})
	}
}

// closeAsStamped returns the last close of a symbol up to a stamp of its price file. The newest bar may have none.
func closeAsStamped(v market.View, symbol string, at market.Stamp) Number {
	bars, _, err := v.AsStamped(true).Bars(symbol, "", at, 2)
	if err != nil {
		return Number{} // unknown
	}
	var last Number
	for _, bar := range bars {
		if bar.Close.Valid {
			last = fromNullDecimal(bar.Close)
		}
	}
	return last
}

// hoursOfDay are the trading hours that AI-Trader counts to a day, in every market.
const hoursOfDay = 6.5

// upstream2 computes the figures from the value after each row. A ledger with times of day counts as one of hours.
func upstream2(points []Point, id market.ID) *Upstream2 {
	n := len(points) - 1
	u := &Upstream2{Rows: n + 1, Year: upstreamYear(id)}
	if n < 0 {
		return u
	}
	u.From, u.To, u.InitialValue, u.FinalValue = points[0].Date, points[n].Date, points[0].Value, points[n].Value
	if !u.From.IsDay() {
		u.Year = upstreamYear(market.US) * hoursOfDay
	}
	if n < 1 {
		return u
	}
	var returns, won, lost, below []float64
	grown, peak, deepest := 1.0, 0.0, 0.0
	for i, p := range points[1:] {
		r := (p.Value.value - points[i].Value.value) / points[i].Value.value
		returns = append(returns, r)
		if r > 0 {
			won = append(won, r)
		} else {
			lost = append(lost, r)
		}
		if r < 0 {
			below = append(below, r)
		}
		if p.Value != points[i].Value {
			u.Trades++
		}
		grown *= 1 + r
		peak = max(peak, grown)
		deepest = min(deepest, (grown-peak)/peak)
	}
	gain, root := (u.FinalValue.value-u.InitialValue.value)/u.InitialValue.value, math.Sqrt(u.Year)
	annual, mean, sd := math.Pow(1+gain, u.Year/float64(n))-1, stat.Mean(returns, nil), stat.PopStdDev(returns, nil)
	u.CumulativeReturn, u.AnnualReturn, u.MaxDrawdown = Known(gain), Known(annual), Known(deepest)
	u.Volatility, u.Sharpe, u.Calmar = Known(sd*root), orZero(mean*root, sd), orZero(annual, -deepest)
	u.WinRate, u.AverageWin, u.AverageLoss = Known(float64(len(won))/float64(n)), meanOrZero(won), meanOrZero(lost)
	if len(below) > 0 || mean <= 0 {
		u.Sortino = orZero(mean*root, stat.PopStdDev(below, nil))
	}
	return u
}

// orZero divides, and is 0 where there is nothing to divide by, as AI-Trader has it.
func orZero(value, by float64) Number {
	if by > 0 {
		return Known(value / by)
	}
	return Known(0)
}

func meanOrZero(values []float64) Number {
	if len(values) == 0 {
		return Known(0)
	}
	return Known(stat.Mean(values, nil))
}
