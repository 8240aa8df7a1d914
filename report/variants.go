// Variants of an experiment: what the runs of each tell together, and how variants compare.

package report

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/internal/format"
	"mcp-trade/market"
	"mcp-trade/report/interval"
)

// The runs that it takes to tell how far they lie apart, and to compare variants. With three the deviation of the runs is known within a
// factor of six.
const (
	minRuns     = 3
	minCompared = 5
)

// Variant is what an experiment compares: accounts that differ by chance alone, as runs of one model with one prompt over one period do.
type Variant struct {
	Name     string
	Period   string   // variants of different periods are not compared
	Accounts []string // its runs
	Seeds    []int    // of each; nil: each is a run of its own, see [interval.Runs]
}

// Variants is what the variants of an experiment tell.
type Variants struct {
	Each   []VariantReport     `json:"each"`
	Pairs  []VariantComparison `json:"pairs"`  // each against each one listed after it, within a period
	Spread []RunSpread         `json:"spread"` // for each period
}

// VariantReport is what the runs of a variant tell together.
type VariantReport struct {
	Name      string            `json:"name"`
	Period    string            `json:"period,omitempty"`
	Accounts  []string          `json:"accounts"`
	Figures   map[Key]Quantiles `json:"figures"`   // of its accounts, by the key of the metric, where each of them has it
	Estimates map[Key]Estimated `json:"estimates"` // total_return, sharpe, alpha and beta: what other days and other runs would show

	TokensPerExcess Number `json:"tokens_per_excess"` // all tokens, for each percent of excess return of all accounts
	CostPerExcess   Number `json:"cost_per_excess"`   // likewise

	Certainty VariantComparison `json:"certainty"` // against the benchmark, or against cash if none was given
	Verdict   string            `json:"verdict"`   // the same in sentences
}

// Quantiles are a figure of several accounts.
type Quantiles struct {
	Lowest  float64 `json:"lowest"`
	Median  float64 `json:"median"`
	Highest float64 `json:"highest"`
}

// Estimated is a figure of a variant, its mean over the runs, with the 95 % interval that counts days and runs.
type Estimated struct {
	Value     Number   `json:"value"`
	Interval  Interval `json:"interval"`
	Undefined string   `json:"undefined,omitempty"` // why both are null
}

// VariantComparison holds the mean of a variant's runs against that of another one's, or against the benchmark.
type VariantComparison struct {
	Comparison
	Runs        int    `json:"runs"`         // that count: the accounts, or their seeds
	AgainstRuns int    `json:"against_runs"` // 1 of a benchmark
	ByDays      Number `json:"by_days"`      // variance of the mean daily difference in growth that the days explain
	ByRuns      Number `json:"by_runs"`      // that the runs explain; null from single runs, which tell nothing of others
	ByRest      Number `json:"by_rest"`      // that is in both of these: what neither a day nor a run explains
}

// RunSpread tells what differs between the runs of a variant from what differs between the variants, on these days only: analysis of
// variance of ln(1 + total return), with random effects.
type RunSpread struct {
	Period        string   `json:"period,omitempty"`
	Within        Number   `json:"within"`  // standard deviation of the runs of a variant
	Between       Number   `json:"between"` // standard deviation of the variants
	Share         Number   `json:"share"`   // of the variance of a run, what its variant explains
	ShareInterval Interval `json:"share_interval"`
	P             Number   `json:"p"`                   // that all variants are the same
	Undefined     string   `json:"undefined,omitempty"` // why all of these are null
}

// dated are the values of accounts on the dates that all of them have.
type dated struct {
	points [][]Point // of each account
	seeds  []int
}

// variants fills in what the variants tell. All comparisons of a kind are one family of Holm's p-values.
func (b builder) variants(r *Report) {
	accounts := map[string]*Account{}
	for i := range r.Accounts {
		accounts[r.Accounts[i].Signature] = &r.Accounts[i]
	}
	v := Variants{Each: make([]VariantReport, len(b.Variants)), Pairs: []VariantComparison{}, Spread: []RunSpread{}}
	var each, pairs []*Comparison
	for i, variant := range b.Variants {
		v.Each[i] = b.variant(variant, accounts)
		each = append(each, &v.Each[i].Certainty.Comparison)
		for _, other := range b.Variants[i+1:] {
			if other.Period == variant.Period {
				v.Pairs = append(v.Pairs, b.versus(variant, other, accounts))
			}
		}
	}
	for i := range v.Pairs {
		pairs = append(pairs, &v.Pairs[i].Comparison)
	}
	adjust(each)
	adjust(pairs)
	for i := range v.Each {
		v.Each[i].conclude(len(each))
	}
	for i, variant := range b.Variants {
		if !slices.ContainsFunc(b.Variants[:i], func(earlier Variant) bool { return earlier.Period == variant.Period }) {
			v.Spread = append(v.Spread, b.spread(variant.Period, accounts))
		}
	}
	r.Variants = &v
}

// variant reports on one.
func (b builder) variant(v Variant, accounts map[string]*Account) VariantReport {
	r := VariantReport{Name: plain(v.Name), Period: plain(v.Period), Accounts: v.Accounts, Figures: map[Key]Quantiles{}, Estimates: map[Key]Estimated{}}
	all := make([]*Account, len(v.Accounts))
	for i, name := range v.Accounts {
		all[i] = accounts[name]
	}
	for _, x := range metricTable {
		if values, ok := figures(all, x.Key); ok {
			slices.Sort(values)
			n := len(values)
			r.Figures[x.Key] = Quantiles{values[0], (values[(n-1)/2] + values[n/2]) / 2, values[n-1]}
		}
	}
	r.TokensPerExcess = perExcess(all, Tokens)
	r.CostPerExcess = perExcess(all, Cost)

	s, d := b.sample(all[0]), common(v, accounts)
	runs, benchmark := d.returns(), interval.Runs{}
	c := VariantComparison{Comparison: d.comparison(v.Name), AgainstRuns: 1}
	if b.Benchmark != nil {
		var p alignedReturns
		runs, p = d.beside(b.Benchmark)
		benchmark, c.From, c.To, c.Against = interval.One(p.benchmark), p.from, p.to, b.Benchmark.Name
	}
	c.fill(runs, benchmark, s)
	r.Certainty = c
	r.estimate(d.returns(), runs, benchmark, s)
	return r
}

// figures returns a figure of accounts, if each of them has it.
func figures(accounts []*Account, metric Key) (values []float64, ok bool) {
	for _, a := range accounts {
		n := a.Metrics.Value(metric)
		if !n.known {
			return nil, false
		}
		values = append(values, n.value)
	}
	return values, true
}

// perExcess returns what accounts spent in all, for each percent of their excess return in all.
func perExcess(accounts []*Account, spent Key) Number {
	amounts, ok := figures(accounts, spent)
	gains, known := figures(accounts, ExcessReturn)
	if gain := stat.Mean(gains, nil); ok && known && gain > 0 {
		return Known(stat.Mean(amounts, nil) / (100 * gain))
	}
	return Number{}
}

// estimate fills in the estimates. Alpha and beta are of the returns that stand beside those of the benchmark.
func (r *VariantReport) estimate(all, beside, benchmark interval.Runs, s sample) {
	n, days := float64(len(all.Daily[0])), r.Certainty.To.DaysSince(r.Certainty.From)
	note := func(metric Key, n int, scale func(float64) float64, e interval.Repeated, err error) {
		x, least := MetricOf(metric), 0
		if least = x.Least; metric == TotalReturn {
			least = minGrowth
		}
		switch {
		case n < least:
			err = fewReturns(least, n)
		case x.Annual && days < 365:
			err = fmt.Errorf("it takes a year, not %d days", days)
		}
		if err != nil {
			r.Estimates[metric] = Estimated{Undefined: err.Error()}
			return
		}
		mapped := e.Map(scale)
		r.Estimates[metric] = Estimated{Value: Known(mapped.Value), Interval: intervalOf(mapped)}
	}
	logs, wiped := logarithmsOf(all)
	if wiped != nil {
		for _, metric := range []Key{TotalReturn, Sharpe, Alpha, Beta} {
			r.Estimates[metric] = Estimated{Undefined: wiped.Error()}
		}
		return
	}
	growth, err := interval.Difference(logs, interval.Runs{})
	note(TotalReturn, int(n), func(g float64) float64 { return math.Expm1(g * n) }, growth, err)
	ratio, err := interval.Sharpe(s.excessOf(all), interval.Runs{})
	note(Sharpe, int(n), func(ratio float64) float64 { return ratio * math.Sqrt(s.periodsPerYear) }, ratio, err)
	if len(benchmark.Daily) > 0 {
		alpha, beta, err := interval.Regression(s.excessOf(beside), s.excess(benchmark.Daily[0]))
		note(Alpha, len(benchmark.Daily[0]), func(alpha float64) float64 { return alpha * s.periodsPerYear }, alpha, err)
		note(Beta, len(benchmark.Daily[0]), func(beta float64) float64 { return beta }, beta, err)
	}
}

// versus compares two variants.
func (b builder) versus(v, other Variant, accounts map[string]*Account) VariantComparison {
	both := common(Variant{Accounts: slices.Concat(v.Accounts, other.Accounts)}, accounts)
	n := len(v.Accounts)
	a := dated{both.points[:n], v.Seeds}.returns()
	c := VariantComparison{Comparison: both.comparison(v.Name)}
	c.Against = plain(other.Name)
	others := dated{both.points[n:], other.Seeds}.returns()
	c.AgainstRuns = others.Count()
	c.fill(a, others, b.sample(accounts[v.Accounts[0]]))
	return c
}

// fill fills in the figures of a comparison.
func (c *VariantComparison) fill(runs, others interval.Runs, s sample) {
	c.Runs = runs.Count()
	if !runs.Aligned(others) {
		c.Undefined = errWipedOut.Error()
		return
	}
	e := c.grow(runs, others)
	c.ratios(runs, others, s)
	if !c.P.known {
		return
	}
	c.ByDays = Known(e.Days)
	if c.Runs > 1 || c.AgainstRuns > 1 {
		c.ByRuns, c.ByRest = Known(e.Runs), Known(e.Rest)
	}
}

// common returns the values of a variant's accounts on the dates on which each has one.
func common(v Variant, accounts map[string]*Account) dated {
	count := map[market.Stamp]int{}
	d := dated{seeds: v.Seeds}
	for _, name := range v.Accounts {
		for _, p := range accounts[name].points() {
			count[p.Date]++
		}
	}
	maps.DeleteFunc(count, func(_ market.Stamp, n int) bool { return n < len(v.Accounts) })
	for _, name := range v.Accounts {
		d.points = append(d.points, slices.DeleteFunc(slices.Clone(accounts[name].points()), func(p Point) bool { return count[p.Date] == 0 }))
	}
	return d
}

// comparison is an empty one of these dates.
func (d dated) comparison(name string) Comparison {
	c := Comparison{Account: plain(name)}
	if n := len(d.points[0]); n > 1 {
		c.From, c.To = d.points[0][0].Date, d.points[0][n-1].Date
	}
	return c
}

// returns are those between the dates.
func (d dated) returns() interval.Runs {
	runs := interval.Runs{Seeds: d.seeds}
	for _, points := range d.points {
		returns := []float64{}
		for i := 1; i < len(points); i++ {
			returns = append(returns, points[i].Value.value/points[i-1].Value.value-1)
		}
		runs.Daily = append(runs.Daily, returns)
	}
	return runs
}

// beside are the returns between those of the dates that a benchmark has, with its returns.
func (d dated) beside(benchmark *Series) (runs interval.Runs, p alignedReturns) {
	runs.Seeds = d.seeds
	for _, points := range d.points {
		p = benchmark.align(points)
		runs.Daily = append(runs.Daily, p.account)
	}
	return runs, p
}

// spread tells runs of a variant from variants in a period.
func (b builder) spread(period string, accounts map[string]*Account) RunSpread {
	r := RunSpread{Period: plain(period)}
	var every Variant
	var groups [][]float64
	for _, v := range b.Variants {
		if v.Period == period {
			every.Accounts = append(every.Accounts, v.Accounts...)
		}
	}
	d := common(every, accounts)
	for _, v := range b.Variants {
		if v.Period != period {
			continue
		}
		var growth []float64
		for _, points := range d.points[:len(v.Accounts)] {
			if n := len(points); n > 1 {
				growth = append(growth, math.Log(points[n-1].Value.value/points[0].Value.value))
			}
		}
		if d.points = d.points[len(v.Accounts):]; len(growth) >= minRuns {
			groups = append(groups, growth)
		}
	}
	g, err := interval.Analyze(groups)
	switch {
	case len(groups) < 2:
		r.Undefined = fmt.Sprintf("it takes two variants of %d runs each", minRuns)
	case err != nil:
		r.Undefined = err.Error()
	default:
		r.Within, r.Between, r.P = Known(g.Within), Known(g.Between), Known(g.P)
		r.Share, r.ShareInterval = Known(g.Share), Interval{Known(max(0, g.Low)), Known(g.High)}
	}
	return r
}

// conclude writes the verdict, beside so many variants.
func (r *VariantReport) conclude(variants int) {
	c := r.Certainty
	text := fmt.Sprintf("%s on the same %s", count(len(r.Accounts), "account"), count(c.Returns, "daily return"))
	if q, ok := r.Figures[TotalReturn]; ok {
		text += fmt.Sprintf(": total return %+.1f %% in the median, from %+.1f %% to %+.1f %%", 100*q.Median, 100*q.Lowest, 100*q.Highest)
	}
	text += ". " + c.sentence(variants, "variant")
	switch {
	case c.Runs == 1:
		text += " One run: another run of the same may differ, and how much is not known."
	case c.ByRuns.known && !c.Needed.known && c.Ahead.value != 0:
		text += " So few runs hide a difference of this size on any number of days."
	}
	if share := c.ByRuns.value / (c.ByRuns.value + c.ByDays.value); c.ByRuns.known {
		text += fmt.Sprintf(" Of the uncertainty the runs explain %.0f %%, the days %.0f %%.", 100*share, 100-100*share)
	}
	if c.Runs > 1 && c.Runs < minCompared {
		text += fmt.Sprintf(" A comparison takes %s runs.", format.Count(minCompared))
	}
	r.Verdict = text
}
