// What the sample tells: intervals of the figures, and the differences between accounts and to the benchmark.

package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"mcp-trade/internal/format"
	"mcp-trade/market"
	"mcp-trade/report/interval"
)

// The returns that it takes to tell anything. From 20 a Sharpe ratio of a year still lies anywhere within 8.6 of what the sample
// says, from 60 within 4.4, from 252 within 2.
const (
	minGrowth = 10 // an interval of the growth
	minSpread = 10 // a standard deviation
	minRatio  = 20 // a mean over a deviation, or a slope
	minTail   = 60 // what rests on a part of the days
)

// Comparison holds an account against another one, or against the benchmark, over the days on which both have a value.
type Comparison struct {
	Account string       `json:"account"`
	Against string       `json:"against"` // an account, the benchmark, or "" for cash that earns nothing
	Returns int          `json:"returns"` // of each
	From    market.Stamp `json:"from"`    // what they cover; "" if there are none
	To      market.Stamp `json:"to"`

	Ahead          Number   `json:"ahead"`           // the account's growth over that of the other, less 1: 0.03 if it came 3 % further
	AheadInterval  Interval `json:"ahead_interval"`  // of that figure, over as many days
	P              Number   `json:"p"`               // two-sided, that both grow equally
	Adjusted       Number   `json:"p_adjusted"`      // by Holm, for all comparisons of its kind in the report
	Needed         Number   `json:"returns_needed"`  // to tell a growth this far apart in four of five samples
	Correlation    Number   `json:"correlation"`     // Pearson's, of the returns, of several runs of their means by day, from 20 of each; null against cash, and if all returns of either are the same
	Sharpe         Number   `json:"sharpe"`          // the account's annual Sharpe ratio less that of the other; null against cash
	SharpeInterval Interval `json:"sharpe_interval"` //

	Undefined string `json:"undefined,omitempty"` // why there is no interval of the growth
}

// growthInterval is the interval of the total return.
func (c *computation) growthInterval() (interval.Estimate, error) {
	n := len(c.returns)
	logs, err := logarithms(c.returns)
	if err == nil && n < minGrowth {
		err = fewReturns(minGrowth, n)
	}
	if err != nil {
		return interval.Estimate{}, err
	}
	e, err := interval.Mean(logs)
	return e.Map(func(growth float64) float64 { return math.Expm1(growth * float64(n)) }), err
}

func (c *computation) sharpeInterval() (interval.Estimate, error) {
	e, err := interval.Sharpe(interval.One(c.excess(c.returns)), interval.Runs{})
	return e.Map(func(ratio float64) float64 { return ratio * c.rootOfYear }), err
}

func (c *computation) alphaInterval() (interval.Estimate, error) {
	return c.alphaEstimate.Map(func(a float64) float64 { return a * c.periodsPerYear }), c.regressionErr
}

func (c *computation) betaInterval() (interval.Estimate, error) {
	return c.betaEstimate.Estimate, c.regressionErr
}

var (
	errNoBenchmark = errors.New("no benchmark was given")
	errWipedOut    = errors.New("the account was wiped out")
)

func fewReturns(least, n int) error { return fmt.Errorf("it takes %d returns, not %d", least, n) }

// withhold takes away the figures that so few returns or days cannot tell, and their intervals.
func (a *Account) withhold() {
	m, points, days := &a.Metrics, a.points(), 0
	if n := len(points); n > 0 {
		days = points[n-1].Date.DaysSince(points[0].Date)
	}
	for _, x := range metricTable {
		n := m.Returns
		if x.Group == Relative {
			n = a.Certainty.Returns
		}
		why := reasonIf(x.Annual && days < 365, "it takes a year, not %d days", days)
		if n < x.Least {
			why = fewReturns(x.Least, n).Error()
		}
		f := m.Figure(x.Key)
		if why == "" || !f.Value.known {
			continue
		}
		m.Undefined[string(x.Key)] = why
		if x.HasInterval() {
			m.Undefined[x.IntervalKey()] = why
		}
		m.figures[x.Key] = Figure{Date: f.Date}
	}
}

func intervalOf(e interval.Estimate) Interval {
	return Interval{Low: Known(e.Low), High: Known(e.High)}
}

// excess returns the returns less the risk-free rate of a period.
func (s sample) excess(returns []float64) []float64 {
	less := make([]float64, len(returns))
	for i, r := range returns {
		less[i] = r - s.riskFree
	}
	return less
}

// excessOf returns the same of runs.
func (s sample) excessOf(runs interval.Runs) interval.Runs {
	less := interval.Runs{Seeds: runs.Seeds}
	for _, returns := range runs.Daily {
		less.Daily = append(less.Daily, s.excess(returns))
	}
	return less
}

// logarithmsOf returns ln(1+r) of each return of runs.
func logarithmsOf(runs interval.Runs) (interval.Runs, error) {
	all := interval.Runs{Seeds: runs.Seeds}
	for _, returns := range runs.Daily {
		logs, err := logarithms(returns)
		if err != nil {
			return all, err
		}
		all.Daily = append(all.Daily, logs)
	}
	return all, nil
}

// logarithms returns ln(1+r) of each return.
func logarithms(returns []float64) ([]float64, error) {
	logs := make([]float64, len(returns))
	for i, r := range returns {
		if r <= -1 {
			return nil, errWipedOut
		}
		logs[i] = math.Log1p(r)
	}
	return logs, nil
}

// certain returns what an account tells against the benchmark, whose returns are beside its own, or against cash without one.
func (b builder) certain(a *Account, s sample, p alignedReturns) Comparison {
	c := Comparison{}
	if b.Benchmark == nil {
		c = alone(s)
	} else {
		c = paired(p, s)
		c.Against = b.Benchmark.Name
	}
	c.Account = a.Signature
	return c
}

// compare fills in what holds of the accounts together: each pair of them, and p-values that are adjusted for looking at all. The family of
// Holm's p-values is all accounts of the report, and for pairs all pairs.
func (b builder) compare(r *Report) {
	samples, accounts := make([]sample, len(r.Accounts)), make([]*Comparison, len(r.Accounts))
	for i := range r.Accounts {
		samples[i], accounts[i] = b.sample(&r.Accounts[i]), &r.Accounts[i].Certainty
	}
	adjust(accounts)
	for i := range r.Accounts {
		a := &r.Accounts[i]
		a.Verdict = a.Certainty.sentence(len(r.Accounts), "account")
		a.withhold()
	}
	r.Pairs = []Comparison{}
	if b.Variants != nil {
		b.variants(r) // in place of pairs of accounts
		return
	}
	rows := make([][]Comparison, len(samples))
	var wait sync.WaitGroup
	for i, s := range samples {
		wait.Go(func() {
			for j := i + 1; j < len(samples); j++ {
				other := Series{Points: samples[j].points}
				c := paired(other.align(s.points), s)
				c.Account, c.Against = r.Accounts[i].Signature, r.Accounts[j].Signature
				rows[i] = append(rows[i], c)
			}
		})
	}
	wait.Wait()
	r.Pairs = append(r.Pairs, slices.Concat(rows...)...)
	pairs := make([]*Comparison, len(r.Pairs))
	for i := range r.Pairs {
		pairs[i] = &r.Pairs[i]
	}
	adjust(pairs)
}

// alone compares an account with cash that earns nothing.
func alone(s sample) Comparison {
	c := Comparison{}
	if n := len(s.points); len(s.returns) > 0 {
		c.From, c.To = s.points[0].Date, s.points[n-1].Date
	}
	c.grow(interval.One(s.returns), interval.Runs{})
	return c
}

// paired compares the returns of an account and of another series.
func paired(p alignedReturns, s sample) Comparison {
	c := Comparison{From: p.from, To: p.to}
	a, b := interval.One(p.account), interval.One(p.benchmark)
	c.grow(a, b)
	c.ratios(a, b, s)
	return c
}

// ratios fills in the difference of the Sharpe ratios of returns, and the correlation of their returns, of several runs in the mean.
func (c *Comparison) ratios(a, b interval.Runs, s sample) {
	if c.Returns < minRatio {
		return
	}
	if len(b.Daily) > 0 {
		if x, y := interval.Less(a, interval.Runs{}), interval.Less(b, interval.Runs{}); min(stat.StdDev(x, nil), stat.StdDev(y, nil)) >= epsilon {
			c.Correlation = Known(stat.Correlation(x, y, nil))
		}
	}
	if e, err := interval.Sharpe(s.excessOf(a), s.excessOf(b)); err == nil {
		annual := e.Map(func(ratio float64) float64 { return ratio * math.Sqrt(s.periodsPerYear) })
		c.Sharpe, c.SharpeInterval = Known(annual.Value), intervalOf(annual)
	}
}

// grow fills in how much further accounts came than other series, both by their returns; without others, than cash. Each may have been wiped out.
// What it returns is the estimate of the difference of their mean daily growth, unless Undefined tells why there is none.
func (c *Comparison) grow(accounts, others interval.Runs) interval.Repeated {
	c.Returns = len(accounts.Daily[0])
	logs, err := logarithmsOf(accounts)
	otherLogs, err2 := logarithmsOf(others)
	if err != nil || err2 != nil {
		c.Undefined = errWipedOut.Error()
		return interval.Repeated{}
	}
	n, sum := float64(c.Returns), floats.Sum(interval.Less(logs, otherLogs))
	if c.Returns > 0 {
		c.Ahead = Known(math.Expm1(sum))
	}
	if c.Returns < minGrowth {
		c.Undefined = fewReturns(minGrowth, c.Returns).Error()
		return interval.Repeated{}
	}
	e, err := interval.Difference(logs, otherLogs)
	switch {
	case errors.Is(err, interval.ErrConstant) && math.Abs(sum) < 1e-9:
		c.Undefined = "both are equal"
		return e
	case err != nil:
		c.Undefined = err.Error()
		return e
	}
	c.AheadInterval = intervalOf(e.Map(func(growth float64) float64 { return math.Expm1(growth * n) }))
	c.P, c.Needed = Known(e.P), Known(e.Needed())
	return e
}

// adjust fills in Holm's p-values of comparisons that are looked at together. One without a p-value counts as one that tells nothing.
func adjust(family []*Comparison) {
	p := make([]float64, len(family))
	for i, c := range family {
		if p[i] = 1; c.P.known {
			p[i] = c.P.value
		}
	}
	for i, adjusted := range interval.Holm(p) {
		if family[i].P.known {
			family[i].Adjusted = Known(adjusted)
		}
	}
}

// sentence tells what the comparison says, beside so many accounts or what else is compared.
func (c Comparison) sentence(many int, what string) string {
	over, other := "Over "+count(c.Returns, "daily return"), "a return of 0"
	if c.Against != "" {
		over, other = fmt.Sprintf("Against %s over %s", c.Against, count(c.Returns, "daily return")), c.Against
	}
	if !c.P.known {
		return fmt.Sprintf("%s: no interval, since %s.", over, c.Undefined)
	}
	percent := func(n Number) string { return fmt.Sprintf("%+.1f %%", 100*n.value) }
	text := fmt.Sprintf("%s: %s, 95 %% interval %s to %s (p %s", over, percent(c.Ahead), percent(c.AheadInterval.Low), percent(c.AheadInterval.High), c.P.Text(2))
	if many > 1 {
		text += fmt.Sprintf(", %s among %s", c.Adjusted.Text(2), count(many, what))
	}
	switch text += "): "; {
	case c.Adjusted.value < 0.05 && c.Ahead.value > 0:
		return text + "better than chance explains."
	case c.Adjusted.value < 0.05:
		return text + "worse than chance explains."
	case c.P.value < 0.05:
		return fmt.Sprintf("%snot distinguishable from %s, since one of %s may come that far by chance.", text, other, count(many, what))
	case !c.Needed.known:
		return fmt.Sprintf("%snot distinguishable from %s.", text, other)
	}
	return fmt.Sprintf("%snot distinguishable from %s; a difference of this size takes about %s returns.", text, other, format.Count(int(c.Needed.value)))
}
