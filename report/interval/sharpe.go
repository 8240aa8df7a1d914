// The Sharpe ratio, and the difference of two.

package interval

import (
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Sharpe estimates the Sharpe ratio of a period from returns less the risk-free rate of a period, as the mean over runs a; times the root of
// the periods a year it is the annual one. With b it is that of a less that of b (Memmel 2003; Ledoit and Wolf 2008). Its variance is the larger
// of two: that of the ratio's influence (Lo 2002, Mertens 2002, Opdyke 2007), which fails at fat tails, and that for normal returns, which
// fails at skewed ones.
func Sharpe(a, b Runs) (Repeated, error) {
	for _, x := range slices.Concat(a.Daily, b.Daily, [][]float64{Less(a, b)}) {
		if err := check(x); err != nil {
			return Repeated{}, err
		}
	}
	ratioA, zA, influenceA := a.standardized()
	ratioB, zB, influenceB := b.standardized()
	squares := ratioA * ratioA
	if len(b.Daily) > 0 {
		rho := stat.Correlation(mean(a.Daily), mean(b.Daily), nil)
		squares += ratioB*ratioB - 2*ratioA*ratioB*rho*rho
	}
	n, freedom := float64(len(a.Daily[0])), float64(cosines(len(a.Daily[0])))
	ofInfluence := serial(influenceA, influenceB)
	ifNormal := repeated(zA, zB, (longRunVariance(Less(zA.moved, zB.moved))+squares/2)/n, freedom)
	if ifNormal.SE > ofInfluence.SE {
		return ifNormal, nil
	}
	return ofInfluence, nil
}

// standardized returns the mean Sharpe ratio of a period, and that of each run with what moves it: the returns in standard deviations
// from their mean, or the influence of each return on the ratio.
func (a Runs) standardized() (ratio float64, z, influence figure) {
	z.moved.Seeds, influence.moved.Seeds = a.Seeds, a.Seeds
	for _, excess := range a.Daily {
		mean, sd := stat.MeanStdDev(excess, nil)
		own := mean / sd
		ratio += own / float64(len(a.Daily))
		deviations, influences := make([]float64, len(excess)), make([]float64, len(excess))
		for i, r := range excess {
			deviations[i] = (r - mean) / sd
			influences[i] = deviations[i] - own/2*(deviations[i]*deviations[i]-1)
		}
		z.add(own, deviations)
		influence.add(own, influences)
	}
	return ratio, z.bySeed(), influence.bySeed()
}
