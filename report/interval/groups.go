// How far runs lie apart that are of the same thing, and of different ones.

package interval

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Groups tells the spread of results among runs of the same group from that between the groups, on these days only: one-way analysis of
// variance with random effects.
type Groups struct {
	F, P    float64 // of the groups having the same mean
	Within  float64 // standard deviation of the results of a group
	Between float64 // standard deviation of the means of groups
	// Share is the part of the variance of a result that its group explains, the intraclass correlation. Low is below 0 where the interval
	// reaches over groups that explain nothing.
	Share, Low, High float64
}

// Analyze analyzes results by group. Groups of fewer than two results are left out; it takes two groups that are left.
func Analyze(groups [][]float64) (Groups, error) {
	k, n, squares, within, sum := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, g := range groups {
		if size := float64(len(g)); size > 1 {
			k, n, squares, sum = k+1, n+size, squares+size*size, sum+size*stat.Mean(g, nil)
			within += stat.Variance(g, nil) * (size - 1)
		}
	}
	if k < 2 {
		return Groups{}, ErrTooFew
	}
	between := 0.0
	for _, g := range groups {
		if size := float64(len(g)); size > 1 {
			d := stat.Mean(g, nil) - sum/n
			between += size * d * d
		}
	}
	between, within = between/(k-1), within/(n-k)
	if math.Sqrt(within) < constant {
		return Groups{}, ErrConstant
	}
	size := (n - squares/n) / (k - 1) // of a group, where they differ
	ratio := between / within
	share := func(ratio float64) float64 { return (ratio - 1) / (ratio + size - 1) }
	return Groups{
		F: ratio, P: 1 - distuv.F{D1: k - 1, D2: n - k}.CDF(ratio), Within: math.Sqrt(within), Between: math.Sqrt(max(0, (between-within)/size)),
		Share: max(0, share(ratio)), Low: share(ratio / distuv.F{D1: k - 1, D2: n - k}.Quantile(0.975)), High: share(ratio * distuv.F{D1: n - k, D2: k - 1}.Quantile(0.975)),
	}, nil
}
