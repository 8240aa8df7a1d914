// The p-values of several figures that are looked at together.

package interval

import (
	"cmp"
	"slices"
)

// Holm adjusts p-values for being looked at together (Holm 1979): whoever calls those below 0.05 told is wrong about any of them in at most 5 % of
// all families. The result is in the order of p, at most 1, and never below p.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	adjusted, most := make([]float64, len(p)), 0.0
	for rank, i := range order {
		most = max(most, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = most
	}
	return adjusted
}
