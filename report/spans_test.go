package report

// Tests of months, years, rolling figures, drawdowns and correlations against independent computations.

import (
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/market"
)

// courseOf is an account with these values, and beside them a benchmark that lacks every seventh day.
func courseOf(values, levels []float64) (Account, Series) {
	a := seriesOf(values)
	s := alongside(a, levels).Benchmark
	kept := Series{Name: s.Name}
	for i, p := range s.Points {
		if i%7 != 3 {
			kept.Points = append(kept.Points, p)
		}
	}
	builder{Options{Benchmark: &kept, RiskFree: 0.03}}.course(&a)
	return a, kept
}

// The months and years are those between the last values of each, and of the benchmark between the last of its dates.
func TestCourse_Spans(t *testing.T) {
	values, levels := grown(3, 800, 0.0003, 0.01), grown(4, 800, 0, 0.01)
	a, b := courseOf(values, levels)
	for letters, got := range map[int][]Span{7: a.Months, 4: a.Years} {
		last, level, count := map[string]float64{}, map[string]float64{}, map[string]int{}
		for _, p := range a.Periods {
			name := string(p.Date[:letters])
			last[name] = p.Value.value
			count[name]++
		}
		for _, p := range b.Points[1:] {
			level[string(p.Date[:letters])] = p.Value.value
		}
		names := slices.Sorted(maps.Keys(last))
		if len(got) != len(names) || len(names) < 3 {
			t.Fatalf("%d spans, want %v", len(got), names)
		}
		before, beforeLevel := a.Opening.Value.value, levels[0]
		for i, name := range names {
			if got[i].Name != name || got[i].Returns != count[name] {
				t.Errorf("span %d is %+v, want %s with %d returns", i, got[i], name, count[name])
			}
			near(t, name, got[i].Return, last[name]/before-1)
			near(t, "benchmark of "+name, got[i].Benchmark, level[name]/beforeLevel-1)
			before, beforeLevel = last[name], level[name]
		}
	}
}

// A month in which only the benchmark has a return, as the account had nothing before, is none of the account's.
func TestCourse_Spans_Nothing(t *testing.T) {
	values, levels := slices.Repeat([]float64{100}, 32), slices.Repeat([]float64{50}, 32)
	values[30], values[31] = 0, 50
	a := seriesOf(values)
	b := alongside(a, levels).Benchmark
	b.Points = slices.Delete(b.Points, 30, 31)
	builder{Options{Benchmark: b}}.course(&a)
	if len(a.Months) != 1 || a.Months[0].Return != Known(-1) || a.Months[0].Benchmark != Known(0) {
		t.Errorf("%+v", a.Months)
	}
}

// A figure of a window is that of an account with no other days.
func TestCourse_Rolling(t *testing.T) {
	values, levels := grown(5, 200, 0.0003, 0.02), grown(6, 200, 0, 0.01)
	a, b := courseOf(values, levels)
	if len(a.Rolling) != 200-window+1 || a.Rolling[0].Date != a.Periods[window-1].Date {
		t.Fatalf("%d figures, the first %+v", len(a.Rolling), a.Rolling[0])
	}
	var paired, other []float64 // values on the dates of the benchmark
	at, betas := 0, 0
	for i, v := range append([]Point{a.Opening}, a.points()[1:]...) {
		if at < len(b.Points) && b.Points[at].Date == v.Date {
			paired, other = append(paired, v.Value.value), append(other, b.Points[at].Value.value)
			at++
		}
		if i < window {
			continue
		}
		x := a.Rolling[i-window]
		alone := independent(values[i-window:i+1], levels[i-window:i+1], 0.03)
		near(t, "volatility", x.Volatility, alone["volatility"])
		near(t, "Sharpe", x.Sharpe, alone["sharpe"])
		if n := len(paired); b.Points[at-1].Date == v.Date && n > window {
			near(t, "beta", x.Beta, independent(paired[n-window-1:], other[n-window-1:], 0)["beta"])
			betas++
		} else if x.Beta.known {
			t.Errorf("on %s there is a beta", x.Date)
		}
	}
	if betas < 50 {
		t.Errorf("only %d betas", betas)
	}
	still, _ := courseOf(slices.Repeat([]float64{100}, 80), slices.Repeat([]float64{50}, 80))
	if x := still.Rolling[10]; x.Sharpe.known || x.Beta.known || !x.Volatility.known {
		t.Errorf("of cash %+v", x)
	}
}

// The drawdowns are the days below an earlier value, parted where there are none.
func TestWorstDrawdowns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var points []Point
		for i, v := range rapid.SliceOfN(rapid.IntRange(90, 110), 1, 60).Draw(t, "values") {
			points = append(points, Point{market.Stamp("2020-01-01").AddDays(i), Known(float64(v))})
		}
		type fall struct {
			peak, end int
			depth     float64
			recovered bool
		}
		var falls []fall
		for i := range points {
			high := 0 // the latest of the highest so far
			for j := range i + 1 {
				if points[j].Value.value >= points[high].Value.value {
					high = j
				}
			}
			depth := (points[high].Value.value - points[i].Value.value) / points[high].Value.value
			if n := len(falls); depth > 0 && (n == 0 || falls[n-1].peak != high) {
				falls = append(falls, fall{high, i, depth, false})
			} else if depth > 0 {
				falls[n-1].end, falls[n-1].depth = i, max(falls[n-1].depth, depth)
			} else if n > 0 && falls[n-1].end == i-1 && !falls[n-1].recovered {
				falls[n-1].end, falls[n-1].recovered = i, true
			}
		}
		slices.SortStableFunc(falls, func(a, b fall) int {
			return map[bool]int{true: -1, false: 1}[a.depth > b.depth+1e-12] * map[bool]int{true: 0, false: 1}[math.Abs(a.depth-b.depth) < 1e-12]
		})
		got := worstDrawdowns(points)
		if len(got) != min(len(falls), maxDrawdowns) {
			t.Fatalf("%d drawdowns, want %d", len(got), len(falls))
		}
		for i, d := range got {
			f := falls[i]
			recovered := market.Stamp("")
			if f.recovered {
				recovered = points[f.end].Date
			}
			if math.Abs(d.Depth-f.depth) > 1e-12 || d.Peak != points[f.peak].Date || d.Recovered != recovered || d.TradingDays != f.end-f.peak || d.CalendarDays != f.end-f.peak {
				t.Errorf("drawdown %d is %+v, want %+v", i, d, f)
			}
			if low := points[d.Trough.DaysSince(points[0].Date)].Value.value; math.Abs(1-low/points[f.peak].Value.value-d.Depth) > 1e-12 {
				t.Errorf("the value at the trough %s is %v", d.Trough, low)
			}
		}
	})
}

// The correlation is that of the returns of both, from 20 on, and there is none with cash.
func TestComparison_Correlation(t *testing.T) {
	for n, known := range map[int]bool{19: false, 20: true, 250: true} {
		values, levels := grown(7, n, 0, 0.01), grown(8, n, 0, 0.02)
		r := compared(Options{}, values, levels, slices.Repeat([]float64{100}, n+1))
		for _, c := range r.Pairs {
			x, y := returnsOf(values), returnsOf(levels)
			want := float(quo(covariance(x, y), root(mul(covariance(x, x), covariance(y, y)))))
			if cash := c.Account == "c" || c.Against == "c"; c.Correlation.known != (known && !cash) {
				t.Errorf("%d returns, %s and %s: %v", n, c.Account, c.Against, c.Correlation)
			} else if c.Correlation.known {
				near(t, "correlation", c.Correlation, want)
			}
		}
	}
}
