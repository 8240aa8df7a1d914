// AI-Trader's published figures until 2025-11-20, by its own definitions, so that published numbers can be checked.

package report

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Upstream is what AI-Trader publishes of an account. Ratios are rounded to 4 decimals, as published.
type Upstream struct {
	StartDate market.Stamp `json:"start_date"`
	EndDate   market.Stamp `json:"end_date"`
	Days      int          `json:"total_trading_days"` // with a record

	Sharpe           Number       `json:"sharpe_ratio"`
	MaxDrawdown      Number       `json:"max_drawdown"`
	DrawdownStart    market.Stamp `json:"max_drawdown_start"`
	DrawdownEnd      market.Stamp `json:"max_drawdown_end"`
	CumulativeReturn Number       `json:"cumulative_return"`
	AnnualReturn     Number       `json:"annualized_return"`
	Volatility       Number       `json:"volatility"`
	WinRate          Number       `json:"win_rate"`
	ProfitLossRatio  Number       `json:"profit_loss_ratio"`

	InitialValue  Number `json:"initial_value"` // values are not rounded
	FinalValue    Number `json:"final_value"`
	Change        Number `json:"value_change"`
	ChangePercent Number `json:"value_change_percent"`
}

// upstreamRiskFree is the risk-free rate of a year that AI-Trader subtracts.
const upstreamRiskFree = 0.02

// upstream computes AI-Trader's figures: the last row of each day with rows, valued at its closes. Where AI-Trader counts a
// missing close as 0, the day is left out here.
func (b builder) upstream(a *Account, h history) *Upstream {
	points := b.recorded(h)
	u := &Upstream{Days: len(points)}
	if len(points) == 0 {
		return u
	}
	start, end := points[0], points[len(points)-1]
	first, last := start.Value.value, end.Value.value
	u.StartDate, u.EndDate = start.Date, end.Date
	u.InitialValue, u.FinalValue, u.Change = start.Value, end.Value, Known(last-first)
	u.ChangePercent = Known((last - first) / first)
	u.CumulativeReturn = rounded(last/first - 1)
	u.AnnualReturn = rounded(math.Pow(last/first, 365/float64(end.Date.DaysSince(start.Date))) - 1)
	u.drawdown(points)
	var returns, gains, losses []float64
	for i, p := range points[1:] {
		r := p.Value.value/points[i].Value.value - 1
		returns = append(returns, r)
		if r > 0 {
			gains = append(gains, r)
		} else if r < 0 {
			losses = append(losses, r)
		}
	}
	if len(returns) > 1 {
		year := upstreamYear(a.Market)
		mean, sd := stat.MeanStdDev(returns, nil)
		u.Volatility = rounded(sd * math.Sqrt(year))
		u.Sharpe = rounded((mean*year - upstreamRiskFree) / (sd * math.Sqrt(year)))
	}
	u.WinRate = rounded(float64(len(gains)) / float64(len(returns)))
	u.ProfitLossRatio = rounded(stat.Mean(gains, nil) / -stat.Mean(losses, nil))
	return u
}

// drawdown fills in the max drawdown. Of equal peaks AI-Trader takes the first.
func (u *Upstream) drawdown(points []Point) {
	deepest, peak := 0.0, points[0]
	for _, p := range points {
		if p.Value.value > peak.Value.value {
			peak = p
		}
		if depth := (peak.Value.value - p.Value.value) / peak.Value.value; depth > deepest {
			deepest, u.DrawdownStart, u.DrawdownEnd = depth, peak.Date, p.Date
		}
	}
	u.MaxDrawdown = rounded(deepest)
}

// upstreamYear is how many days AI-Trader counts to a year.
func upstreamYear(id market.ID) float64 {
	if id == market.Crypto {
		return 365
	}
	return 252
}

// recorded are the values on the days with rows, as sums of binary floats in the order of the row: the same last digits.
func (b builder) recorded(h history) []Point {
	var points []Point
	for _, d := range h.days {
		if b.before(d.date) || d.book == nil {
			continue
		}
		total, known := d.book.Amount(ledger.Cash).InexactFloat64(), true
		for _, held := range d.book {
			if held.Symbol == ledger.Cash {
				continue
			}
			price, err := b.View.Close(held.Symbol, d.date)
			known = known && err == nil
			total += held.Amount.InexactFloat64() * price.InexactFloat64()
		}
		if known {
			points = append(points, Point{d.date, Known(total)})
		}
	}
	return points
}

// rounded rounds to 4 decimals, as Python does.
func rounded(value float64) Number {
	near, err := strconv.ParseFloat(strconv.FormatFloat(value, 'f', 4, 64), 64)
	if err != nil {
		return Number{}
	}
	return Known(near)
}
