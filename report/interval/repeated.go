// Runs that were repeated on the same days: how far their figure lies from what other days, and other runs, would show.

package interval

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Runs are runs of the same thing on the same days.
type Runs struct {
	Daily [][]float64 // a row of daily values for each run, all of the same length
	Seeds []int       // of each run; nil: each has its own. Runs of one seed may be the same to the letter, so together they count as one
}

// One is a single run.
func One(daily []float64) Runs { return Runs{Daily: [][]float64{daily}} }

// Repeated is a figure of runs, its mean over them, with a standard error that counts the days and the runs.
//
// A value of a run on a day is taken as a mean, a part of the day, a lasting part of the run and a rest. The variance of the figure is
// Days + Runs - Rest, and at least Days and at least Runs (two-way clustering: Cameron, Gelbach and Miller 2011; degrees of freedom by
// Satterthwaite 1946). Of a single run nothing is known about other runs: Runs and Rest are 0, and so the interval is of the days alone.
type Repeated struct {
	Estimate
	Days float64 // variance of the figure that the days explain, Rest included
	Runs float64 // variance of the figure that the runs explain, Rest included
	Rest float64 // variance of the figure that is neither of a day nor of a run, and stands in both
}

// Count is how many of the runs count: one for each seed.
func (a Runs) Count() int { return len(a.means().ofRuns) }

// Aligned tells whether all runs of both have as many days.
func (a Runs) Aligned(b Runs) bool {
	for _, run := range slices.Concat(a.Daily, b.Daily) {
		if len(run) != len(a.Daily[0]) {
			return false
		}
	}
	return true
}

// Less returns the mean over the runs a of each day, less that over the runs b, of each seed once. Without b it is the mean alone.
func Less(a, b Runs) []float64 {
	d := mean(a.means().moved.Daily)
	for t, v := range mean(b.means().moved.Daily) {
		d[t] -= v
	}
	return d
}

// Difference estimates the mean of a less that of b. Without b it is the mean of a.
func Difference(a, b Runs) (Repeated, error) {
	if err := check(Less(a, b)); err != nil {
		return Repeated{}, err
	}
	return serial(a.means(), b.means()), nil
}

// Mean estimates the mean of a series. Of logarithmic returns ln(1+r) it is the mean growth g of a day: exp(g*n)-1 is the total return of n
// days, so that [Estimate.Map] has the interval of the total and of the annualized return.
func Mean(x []float64) (Estimate, error) {
	e, err := Difference(One(x), Runs{})
	return e.Estimate, err
}

// Needed returns how many days a test at 5 % would take to tell the figure from 0 in four of five samples of as many runs, see
// [Estimate.Needed]. It is +Inf if the lasting parts of so few runs hide the figure on any number of days.
func (r Repeated) Needed() float64 {
	ofRuns := max(0, r.Runs-r.Rest)
	if ofRuns == 0 {
		return r.Estimate.Needed()
	}
	left := r.Value*r.Value/(power*power) - ofRuns
	if left <= 0 {
		return math.Inf(1)
	}
	return math.Ceil(float64(r.N) * max(r.SE*r.SE-ofRuns, 0) / left)
}

// figure is a figure of each run, and by how much each day moves it: values whose mean over the days counts for nothing.
type figure struct {
	ofRuns []float64
	moved  Runs
}

// add adds a run.
func (f *figure) add(value float64, moved []float64) {
	f.ofRuns, f.moved.Daily = append(f.ofRuns, value), append(f.moved.Daily, moved)
}

// means are the means of runs.
func (a Runs) means() figure {
	f := figure{moved: Runs{Seeds: a.Seeds}}
	for _, run := range a.Daily {
		f.add(stat.Mean(run, nil), run)
	}
	return f.bySeed()
}

// bySeed returns the means over the runs of each seed.
func (f figure) bySeed() figure {
	if f.moved.Seeds == nil {
		return f
	}
	var merged figure
	for i, seed := range f.moved.Seeds {
		if slices.Index(f.moved.Seeds, seed) < i {
			continue
		}
		var values []float64
		var moved [][]float64
		for j, other := range f.moved.Seeds {
			if other == seed {
				values, moved = append(values, f.ofRuns[j]), append(moved, f.moved.Daily[j])
			}
		}
		merged.add(stat.Mean(values, nil), mean(moved))
	}
	return merged
}

// serial makes the estimate of a less b whose variance by days counts that days depend on each other.
func serial(a, b figure) Repeated {
	d := Less(a.moved, b.moved)
	return repeated(a, b, longRunVariance(d)/float64(len(d)), float64(cosines(len(d))))
}

// repeated makes the estimate of a less b whose variance by days is known, with its degrees of freedom. b may have no runs.
func repeated(a, b figure, days, freedom float64) Repeated {
	r := Repeated{Days: days}
	value, unsure := 0.0, days*days/freedom // unsure: the squared variances over their degrees of freedom, by Satterthwaite
	for _, side := range []struct {
		sign float64
		figure
	}{{1, a}, {-1, b}} {
		count := float64(len(side.ofRuns))
		if count > 0 {
			value += side.sign * stat.Mean(side.ofRuns, nil)
		}
		if count > 1 {
			ofRuns := stat.Variance(side.ofRuns, nil) / count
			r.Runs += ofRuns
			r.Rest += rest(side.moved.Daily)
			unsure += ofRuns * ofRuns / (count - 1)
		}
	}
	variance := max(r.Days, r.Runs, r.Days+r.Runs-r.Rest)
	r.Estimate = estimate(value, math.Sqrt(variance), (r.Days+r.Runs)*(r.Days+r.Runs)/unsure, len(a.moved.Daily[0]))
	return r
}

// mean returns the mean of rows; nil without rows.
func mean(rows [][]float64) []float64 {
	if len(rows) == 0 {
		return nil
	}
	means := make([]float64, len(rows[0]))
	for t := range means {
		for _, row := range rows {
			means[t] += row[t]
		}
		means[t] /= float64(len(rows))
	}
	return means
}

// rest returns the variance of the mean of all values that neither columns, which are days, nor rows, which are runs, explain. It takes two rows.
func rest(rows [][]float64) float64 {
	daily := mean(rows)
	all, squares := stat.Mean(daily, nil), 0.0
	for _, row := range rows {
		own := stat.Mean(row, nil)
		for t, v := range row {
			d := v - own - daily[t] + all
			squares += d * d
		}
	}
	r, n := float64(len(rows)), float64(len(daily))
	return squares / ((r - 1) * (n - 1)) / (n * r)
}
