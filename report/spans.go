// What an account did in the course of time: its months and years, and figures over a window of returns.

package report

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/market"
)

// Span is what a month or a year came to. A return counts where it ends.
type Span struct {
	Name      string `json:"span"`      // "2025-10", or "2025"
	Return    Number `json:"return"`    // compound
	Returns   int    `json:"returns"`   // how many it has
	Benchmark Number `json:"benchmark"` // of the benchmark, over the returns that both have; null if there are none
}

// Rolling are figures of the newest returns up to a date, by the same formulas as those of all days, see [Metrics].
type Rolling struct {
	Date       market.Stamp `json:"date"`
	Volatility Number       `json:"volatility"`
	Sharpe     Number       `json:"sharpe"` // null if all returns are the same
	Beta       Number       `json:"beta"`   // of as many pairs of returns; null if no pair ends on the date, or there are fewer
}

// window is how many returns a rolling figure takes, about a quarter. Of fewer a Sharpe ratio tells next to nothing.
const window = minTail

// course fills in the months, the years and the rolling figures.
func (b builder) course(a *Account) {
	s, pairs := b.sample(a), alignedReturns{}
	if b.Benchmark != nil {
		pairs = b.Benchmark.align(s.points)
	}
	a.Months, a.Years, a.Rolling = spans(s, pairs, len("2025-10")), spans(s, pairs, len("2025")), rolling(s, pairs)
}

// spans compounds returns whose dates begin with the same so many letters.
func spans(s sample, pairs alignedReturns, letters int) []Span {
	list := []Span{}
	compound := func(n *Number, r float64) { *n = Known((1+n.value)*(1+r) - 1) }
	for i, r := range s.returns {
		name := string(s.dates[i][:letters])
		if last := len(list) - 1; last < 0 || list[last].Name != name {
			list = append(list, Span{Name: name})
		}
		span := &list[len(list)-1]
		compound(&span.Return, r)
		span.Returns++
	}
	at := 0
	for i, r := range pairs.benchmark {
		name := string(pairs.dates[i][:letters])
		for at < len(list) && list[at].Name < name {
			at++
		}
		if at < len(list) && list[at].Name == name { // else the account had nothing to have a return on
			compound(&list[at].Benchmark, r)
		}
	}
	return list
}

// rolling computes the figures of each window anew: sums that are carried on would lose digits after a large return.
func rolling(s sample, pairs alignedReturns) []Rolling {
	list, year, pair := []Rolling{}, math.Sqrt(s.periodsPerYear), 0
	for i := window - 1; i < len(s.returns); i++ {
		x := Rolling{Date: s.dates[i]}
		mean, sd := stat.MeanStdDev(s.returns[i+1-window:i+1], nil)
		if x.Volatility = Known(sd * year); sd >= epsilon {
			x.Sharpe = Known((mean - s.riskFree) / sd * year)
		}
		for pair < len(pairs.dates) && pairs.dates[pair] < x.Date {
			pair++
		}
		if pair < len(pairs.dates) && pairs.dates[pair] == x.Date && pair >= window-1 {
			account, other := pairs.account[pair+1-window:pair+1], pairs.benchmark[pair+1-window:pair+1]
			if variance := stat.Variance(other, nil); variance >= epsilon*epsilon {
				x.Beta = Known(stat.Covariance(account, other, nil) / variance)
			}
		}
		list = append(list, x)
	}
	return list
}
