// Alpha and beta against a benchmark.

package interval

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Regression estimates the alpha of a period and the beta of runs on the returns b of a benchmark of the same days, by least squares, as the mean
// over the runs; all less the risk-free rate of a period. The interval of beta by days is the usual one, with n-2 degrees of freedom; that
// of alpha counts that the residuals depend on each other.
func Regression(runs Runs, b []float64) (alpha, beta Repeated, err error) {
	if err := check(b); err != nil {
		return Repeated{}, Repeated{}, err
	}
	n := float64(len(b))
	center, variance := stat.MeanVariance(b, nil)
	spread := variance * (n - 1)                                             // the sum of squares of b around its mean
	scale := math.Sqrt((n - 1) / (n - 2) * n * (1/n + center*center/spread)) // by which a residual moves alpha, times n
	var alphas, betas figure
	alphas.moved.Seeds, betas.moved.Seeds = runs.Seeds, runs.Seeds
	for _, r := range runs.Daily {
		intercept, slope := stat.LinearRegression(b, r, nil, false)
		left, ofAlpha, ofBeta := make([]float64, len(r)), make([]float64, len(r)), make([]float64, len(r))
		for i := range r {
			left[i] = r[i] - intercept - slope*b[i]
			ofAlpha[i], ofBeta[i] = scale*left[i], n*(b[i]-center)/spread*left[i]
		}
		alphas.add(intercept, ofAlpha)
		betas.add(slope, ofBeta)
	}
	alphas, betas = alphas.bySeed(), betas.bySeed()
	squares := 0.0
	for _, moved := range mean(alphas.moved.Daily) {
		squares += moved * moved / (scale * scale)
	}
	if math.Sqrt(squares/n) < constant {
		return Repeated{}, Repeated{}, ErrConstant
	}
	return serial(alphas, figure{}), repeated(betas, figure{}, squares/(n-2)/spread, n-2), nil
}
