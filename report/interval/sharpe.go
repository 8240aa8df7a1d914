// The Sharpe ratio, and the difference of two.

package interval

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Sharpe estimates the Sharpe ratio of a period from returns less the risk-free rate of a period; times the root of the periods a
// year it is the annual one. Its variance is the larger of two: that of the ratio's influence (Lo 2002, Mertens 2002, Opdyke 2007), which
// fails at fat tails, and that for normal returns, which fails at skewed ones.
func Sharpe(excess []float64) (Estimate, error) {
	if err := check(excess); err != nil {
		return Estimate{}, err
	}
	n := len(excess)
	ratio, z, influence := standardized(excess)
	v := max(longRunVariance(influence), longRunVariance(z)+ratio*ratio/2)
	return estimate(ratio, math.Sqrt(v/float64(n)), float64(cosines(n)), n), nil
}

// SharpeDifference estimates the Sharpe ratio of a less that of b, of the same days (Memmel 2003; Ledoit and Wolf 2008).
func SharpeDifference(a, b []float64) (Estimate, error) {
	for _, x := range [][]float64{a, b} {
		if err := check(x); err != nil {
			return Estimate{}, err
		}
	}
	difference := less(a, b)
	if err := check(difference); err != nil {
		return Estimate{}, err
	}
	n := len(a)
	ratioA, zA, influenceA := standardized(a)
	ratioB, zB, influenceB := standardized(b)
	rho := stat.Correlation(a, b, nil)
	v := max(longRunVariance(less(influenceA, influenceB)),
		longRunVariance(less(zA, zB))+(ratioA*ratioA+ratioB*ratioB-2*ratioA*ratioB*rho*rho)/2)
	return estimate(ratioA-ratioB, math.Sqrt(v/float64(n)), float64(cosines(n)), n), nil
}

// standardized returns the Sharpe ratio of a period, the returns in standard deviations from their mean, and the influence of each
// on the ratio.
func standardized(excess []float64) (ratio float64, z, influence []float64) {
	mean, sd := stat.MeanStdDev(excess, nil)
	ratio = mean / sd
	z, influence = make([]float64, len(excess)), make([]float64, len(excess))
	for i, r := range excess {
		z[i] = (r - mean) / sd
		influence[i] = z[i] - ratio/2*(z[i]*z[i]-1)
	}
	return ratio, z, influence
}

// less returns the values of a less those of b.
func less(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}
