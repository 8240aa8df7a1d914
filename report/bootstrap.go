// Bootstrap: 95 % intervals by resampling the returns.

package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

const (
	resamples  = 2000
	minReturns = 10 // below this, intervals mean nothing
)

// resample fills in the intervals of the total return and the Sharpe ratio, and the verdict.
func (b builder) resample(a *Account, s sample) {
	m, n := &a.Metrics, len(s.returns)
	if n < minReturns {
		why := fmt.Sprintf("it takes %d returns, not %d", minReturns, n)
		m.Undefined["total_return_interval"], m.Undefined["sharpe_interval"] = why, why
		a.Verdict = fmt.Sprintf("%s: too few to tell anything.", count(n, "daily return"))
		return
	}
	totals, sharpes := bootstrap(s, rand.New(rand.NewPCG(b.Seed, uint64(n))))
	m.TotalReturnInterval, m.SharpeInterval = interval(totals), interval(sharpes)
	if len(sharpes) < resamples/2 {
		m.SharpeInterval = Interval{}
		m.Undefined["sharpe_interval"] = "most resamples have a standard deviation of 0"
	}
	i := m.TotalReturnInterval
	a.Verdict = fmt.Sprintf("With %d daily returns, the total return lies between %.1f %% and %.1f %% (95 %%)", n, 100*i.Low.value, 100*i.High.value)
	switch {
	case i.Low.value > 0:
		a.Verdict += ": a gain that chance alone makes unlikely."
	case i.High.value < 0:
		a.Verdict += ": a loss that chance alone makes unlikely."
	default:
		a.Verdict += ": too short a sample to tell it from chance."
	}
}

// bootstrap draws series as long as the sample from it, in runs of days that follow each other (the stationary bootstrap of
// Politis and Romano), and returns the total return and the Sharpe ratio of each. A series whose standard deviation is 0
// has no Sharpe ratio.
func bootstrap(s sample, random *rand.Rand) (totals, sharpes []float64) {
	n := len(s.returns)
	block := math.Max(1, math.Round(math.Cbrt(float64(n)))) // the mean length of a run
	drawn := make([]float64, n)
	for range resamples {
		at := random.IntN(n)
		growth := 1.0
		for i := range drawn {
			if random.Float64()*block < 1 {
				at = random.IntN(n)
			}
			drawn[i] = s.returns[at]
			growth *= 1 + drawn[i]
			at = (at + 1) % n
		}
		totals = append(totals, growth-1)
		if mean, sd := stat.MeanStdDev(drawn, nil); sd >= epsilon {
			sharpes = append(sharpes, sharpe(mean, sd, s))
		}
	}
	return totals, sharpes
}

// interval holds the middle 95 % of the values.
func interval(values []float64) Interval {
	if len(values) == 0 {
		return Interval{}
	}
	slices.Sort(values)
	return Interval{
		Low:  Known(stat.Quantile(0.025, stat.Empirical, values, nil)),
		High: Known(stat.Quantile(0.975, stat.Empirical, values, nil)),
	}
}

// count writes a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
