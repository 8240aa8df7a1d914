// Alpha and beta against a benchmark.

package interval

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Regression estimates the alpha of a period and the beta of returns r on the returns b of a benchmark of the same days, by least squares; both
// less the risk-free rate of a period. The interval of beta is the usual one, with n-2 degrees of freedom; that of alpha counts that the residuals
// depend on each other.
func Regression(r, b []float64) (alpha, beta Estimate, err error) {
	if err := check(b); err != nil {
		return Estimate{}, Estimate{}, err
	}
	n := float64(len(r))
	intercept, slope := stat.LinearRegression(b, r, nil, false)
	residuals, squares := make([]float64, len(r)), 0.0
	for i := range r {
		residuals[i] = r[i] - intercept - slope*b[i]
		squares += residuals[i] * residuals[i]
	}
	if math.Sqrt(squares/n) < constant {
		return Estimate{}, Estimate{}, ErrConstant
	}
	mean, variance := stat.MeanVariance(b, nil)
	spread := variance * (n - 1) // the sum of squares of b around its mean
	beta = estimate(slope, math.Sqrt(squares/(n-2)/spread), n-2, len(r))
	se := math.Sqrt(longRunVariance(residuals) * (n - 1) / (n - 2) * (1/n + mean*mean/spread))
	return estimate(intercept, se, float64(cosines(len(r))), len(r)), beta, nil
}
