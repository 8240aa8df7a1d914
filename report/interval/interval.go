// What an estimate is, and what the days of a series let it vary.

// Package interval computes 95 % confidence intervals and p-values of figures of returns: mean growth, Sharpe ratio, alpha, beta, and the
// differences between two series of the same days.
//
// Daily returns depend on each other and are not normal, so the usual t interval covers too seldom. All intervals but that of
// beta rest on the long-run variance, which is estimated from the first cosine sums of the series and has Student's t as its
// law (Müller 2004; Lazarus, Lewis, Stock and Watson 2018). A figure of several runs on the same days also counts how far the runs lie apart
// (repeated.go). In simulations of seven kinds of daily returns (normal, fat tails, skewed,
// crashes, autocorrelated by 0.2 either way, clustered volatility) they cover between 92.8 and 96.2 % at 10 returns, and
// between 93.5 and 96 % from 20 returns on. They draw nothing at random, so the same series always has the same interval.
//
// Limits: autocorrelation of 0.4 lets the coverage fall to 91 %, of 0.6 to 84 %. The interval of a Sharpe ratio covers 89 to 91 %
// where the true annual ratio is 3 and volatility clusters. A strategy whose crash is not in the sample looks like a gain to
// every method. There is no honest interval of a max drawdown from one series, so there is none here.
package interval

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// The reasons for which a series has no estimate.
var (
	ErrTooFew   = errors.New("it takes three values")
	ErrConstant = errors.New("all values are the same")
)

// constant bounds the standard deviation that binary floats compute of equal values; below it counts as 0.
const constant = 1e-12

// Estimate is a figure that was computed from a sample.
type Estimate struct {
	Value     float64
	Low, High float64 // the 95 % interval
	SE        float64 // the standard error of Value
	P         float64 // two-sided: how likely a value as far from 0, or farther, is if the true one is 0
	N         int     // how many values it rests on
}

// estimate makes the estimate with a standard error of so many degrees of freedom.
func estimate(value, se, freedom float64, n int) Estimate {
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}
	half := t.Quantile(0.975) * se
	return Estimate{Value: value, Low: value - half, High: value + half, SE: se, P: 2 * t.CDF(-math.Abs(value)/se), N: n}
}

// Map returns the estimate of an increasing function of the figure. P stays: it is of the figure being 0. The standard error is
// of the figure before, so the result has none.
func (e Estimate) Map(increasing func(float64) float64) Estimate {
	e.Value, e.Low, e.High, e.SE = increasing(e.Value), increasing(e.Low), increasing(e.High), math.NaN()
	return e
}

// Told tells whether the interval leaves out 0: the sample tells the figure from 0.
func (e Estimate) Told() bool { return e.Low > 0 || e.High < 0 }

// Needed returns how many values a test at 5 % would take to tell the figure from 0 in four of five samples, if the figure and the
// variance were truly those of this sample: (z(0.975) + z(0.8))^2 times the squared ratio of deviation and figure. It is +Inf for a figure of 0.
func (e Estimate) Needed() float64 {
	ratio := power * e.SE / e.Value
	return math.Ceil(float64(e.N) * ratio * ratio)
}

// power is z(0.975) + z(0.8), of the standard normal law.
const power = 1.959963984540054 + 0.8416212335729143

// check returns why a series has no estimate.
func check(x []float64) error {
	if len(x) < 3 {
		return ErrTooFew
	}
	if stat.StdDev(x, nil) < constant {
		return ErrConstant
	}
	return nil
}

// cosines is how many cosine sums the long-run variance of n values takes: the largest whole number whose cube is at most n^2,
// at least 2. It is the number of degrees of freedom.
func cosines(n int) int {
	nu := 2
	for (nu+1)*(nu+1)*(nu+1) <= n*n {
		nu++
	}
	return nu
}

// longRunVariance is n times the variance of the mean of n values that follow each other: the mean square of the cosine sums
// sqrt(2/n) * sum of (x(t) - mean) * cos(pi*j*(t-1/2)/n), t from 1 to n, for j from 1 to cosines(n). It is at least a quarter of the
// sample's variance, or a series that turns each day would have hardly any.
func longRunVariance(x []float64) float64 {
	n := len(x)
	mean, sd := stat.MeanStdDev(x, nil)
	table := make([]float64, 4*n) // cos(pi*k/2n) for each k: the angles j*(2t-1) come back after 4n
	for k := range n + 1 {        // a quarter, which the others repeat
		cosine := math.Cos(math.Pi * float64(k) / float64(2*n))
		table[k], table[2*n-k], table[(2*n+k)%(4*n)], table[(4*n-k)%(4*n)] = cosine, -cosine, -cosine, cosine
	}
	squares, nu := 0.0, cosines(n)
	for j := 1; j <= nu; j++ {
		sum, k := 0.0, j
		for _, v := range x {
			sum += (v - mean) * table[k]
			if k += 2 * j; k >= 4*n {
				k -= 4 * n
			}
		}
		squares += sum * sum
	}
	return max(2*squares/float64(n)/float64(nu), sd*sd/4)
}
