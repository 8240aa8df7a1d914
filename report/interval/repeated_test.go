package interval

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"mcp-trade/internal/testenv"
)

// What another program computed of two models of three runs on six days.
func TestDifference(t *testing.T) {
	a := Runs{Daily: [][]float64{{.004, -.002, .007, .001, -.003, .005}, {.002, -.001, .009, 0, -.004, .003}, {.006, -.004, .005, .002, -.001, .004}}}
	b := Runs{Daily: [][]float64{{.001, -.003, .004, .002, -.005, .002}, {.003, -.005, .002, .001, -.002, .001}, {-.001, -.002, .003, .003, -.006, .004}}}
	e, err := Difference(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name                 string
		got, want, tolerance float64
	}{
		{"variance by days", e.Days, 2.044061316064e-07, 1e-18},
		{"variance by runs", e.Runs, 3.086419753086e-08, 1e-18},
		{"variance of the rest", e.Rest, 3.234567901235e-07, 1e-18},
		{"variance", e.SE * e.SE, 2.044061316064e-07, 1e-18},
		{"difference", e.Value, 0.001722222222, 1e-9},
		{"low", e.Low, 0.000449602123, 1e-9},
		{"high", e.High, 0.002994842322, 1e-9},
	} {
		if !(math.Abs(c.got-c.want) < c.tolerance) {
			t.Errorf("%s is %.13g, want %.13g", c.name, c.got, c.want)
		}
	}
	if e.N != 6 {
		t.Errorf("it rests on %d days", e.N)
	}
}

// A run that is repeated to the letter says no more than it said alone, and no less.
func TestRepeated_Same(t *testing.T) {
	twice := func(x []float64) Runs { return Runs{Daily: [][]float64{x, x, x}} }
	alphas, betas, err := Regression(twice(seriesX), seriesY)
	if err != nil {
		t.Fatal(err)
	}
	alpha, beta, _ := Regression(One(seriesX), seriesY)
	for _, c := range []struct {
		name     string
		one      func() (Repeated, error)
		repeated func() (Repeated, error)
	}{
		{"mean", func() (Repeated, error) { return Difference(One(seriesX), Runs{}) }, func() (Repeated, error) { return Difference(twice(seriesX), Runs{}) }},
		{"difference", func() (Repeated, error) { return Difference(One(seriesX), One(seriesY)) }, func() (Repeated, error) { return Difference(twice(seriesX), twice(seriesY)) }},
		{"Sharpe ratio", func() (Repeated, error) { return Sharpe(One(seriesX), Runs{}) }, func() (Repeated, error) { return Sharpe(twice(seriesX), Runs{}) }},
		{"difference of Sharpe ratios", func() (Repeated, error) { return Sharpe(One(seriesX), One(seriesY)) }, func() (Repeated, error) { return Sharpe(twice(seriesX), twice(seriesY)) }},
		{"alpha", func() (Repeated, error) { return alpha, nil }, func() (Repeated, error) { return alphas, nil }},
		{"beta", func() (Repeated, error) { return beta, nil }, func() (Repeated, error) { return betas, nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, err := c.one()
			if err != nil {
				t.Fatal(err)
			}
			many, err := c.repeated()
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(one.Low-many.Low) > 1e-12 || math.Abs(one.High-many.High) > 1e-12 || math.Abs(one.P-many.P) > 1e-9 || math.Abs(many.Runs)+math.Abs(many.Rest) > 1e-12 {
				t.Errorf("alone %+v\nrepeated %+v", one, many)
			}
		})
	}
}

// Repetitions of a seed count as one run, however many there are.
func TestRepeated_Seeds(t *testing.T) {
	pairs := Runs{Daily: [][]float64{seriesX, seriesX, seriesZ, seriesZ, seriesZ}, Seeds: []int{7, 7, 8, 8, 8}}
	two := Runs{Daily: [][]float64{seriesX, seriesZ}}
	for name, of := range map[string]func(Runs) (Repeated, error){
		"mean":         func(a Runs) (Repeated, error) { return Difference(a, Runs{}) },
		"Sharpe ratio": func(a Runs) (Repeated, error) { return Sharpe(a, Runs{}) },
		"beta":         func(a Runs) (Repeated, error) { _, beta, err := Regression(a, seriesY); return beta, err },
	} {
		got, err := of(pairs)
		want, err2 := of(two)
		if err = errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Value-want.Value) > 1e-12 || math.Abs(got.Runs-want.Runs) > 1e-12 || math.Abs(got.Rest-want.Rest) > 1e-12 {
			t.Errorf("%s: %+v\nof each seed once: %+v", name, got, want)
		}
	}
}

func TestRepeated_Needed(t *testing.T) {
	for _, c := range []struct {
		name string
		of   Repeated
		want float64
	}{
		{"one run needs as many days as a mean does", Repeated{Estimate: estimate(.001, .01/math.Sqrt(20), 1e6, 20)}, 785},
		{"the lasting part of a run shrinks on no day", Repeated{Estimate: estimate(.001, math.Sqrt(5e-6+6e-8), 1e6, 20), Days: 5e-6, Runs: 6e-8}, 1484},
		{"so few runs hide it on any number of days", Repeated{Estimate: estimate(.001, math.Sqrt(5e-6+2e-7), 1e6, 20), Days: 5e-6, Runs: 2e-7}, math.Inf(1)},
	} {
		if got := c.of.Needed(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// What another program computed.
func TestAnalyze(t *testing.T) {
	g, err := Analyze([][]float64{{.031, .045, .028, .052}, {.012, .020, -.004, .024}, {.9}, {.027, .019, .035, .023}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"F", g.F, 6.145454545455}, {"p", g.P, 0.020759522859}, {"within", g.Within, 0.010488088482}, {"between", g.Between, 0.011895377253},
		{"share", g.Share, 0.562624254473}, {"low", g.Low, 0.018495367069}, {"high", g.High, 0.983676820696},
	} {
		if !(math.Abs(c.got-c.want) < 1e-9) {
			t.Errorf("%s is %.12f, want %.12f", c.name, c.got, c.want)
		}
	}
	if _, err := Analyze([][]float64{{1, 2}, {3}}); !errors.Is(err, ErrTooFew) {
		t.Errorf("one group: %v", err)
	}
	if _, err := Analyze([][]float64{{1, 1}, {3, 3}}); !errors.Is(err, ErrConstant) {
		t.Errorf("runs that are the same: %v", err)
	}
}

// Two models of which neither is better differ by their days, by lasting parts of their runs and by a rest. The interval covers 0 nearly as
// often as it says, for each figure; all 10,000 pairs: MCP_TRADE_STORM=100 go test ./report/interval
func TestRepeated_Coverage(t *testing.T) {
	testenv.Slow(t)
	pairs := partOf(t, 10_000, 400)
	chance := 300 * math.Sqrt(0.05*0.95/float64(pairs))
	for _, c := range []struct {
		runs, days int
		lasting    float64 // standard deviation of the lasting part of a run, a day
	}{{2, 20, .0005}, {3, 20, 0}, {3, 20, .0005}, {3, 60, .002}, {5, 20, .002}, {5, 60, .0005}, {10, 20, 0}, {10, 60, .002}} {
		random := rand.New(rand.NewPCG(uint64(c.runs), uint64(c.days)))
		covered := map[string]int{}
		for range pairs {
			benchmark := make([]float64, c.days)
			for t := range benchmark {
				benchmark[t] = .01 * random.NormFloat64()
			}
			model := func() Runs {
				days, runs := make([]float64, c.days), Runs{}
				for t := range days {
					days[t] = .006*random.NormFloat64() + benchmark[t]
				}
				for range c.runs {
					lasting, run := c.lasting*random.NormFloat64(), make([]float64, c.days)
					for t := range run {
						run[t] = days[t] + lasting + .004*random.NormFloat64()
					}
					runs.Daily = append(runs.Daily, run)
				}
				return runs
			}
			a, b := model(), model()
			growth, _ := Difference(a, b)
			sharpe, _ := Sharpe(a, b)
			alpha, beta, _ := Regression(a, benchmark)
			for name, e := range map[string]Estimate{"growth": growth.Estimate, "Sharpe ratio": sharpe.Estimate, "alpha": alpha.Estimate, "beta less 1": beta.Map(func(b float64) float64 { return b - 1 })} {
				if !e.Told() {
					covered[name]++
				}
			}
		}
		for name, n := range covered {
			got := 100 * float64(n) / float64(pairs)
			t.Logf("%d runs of %d days, lasting %v: %s %.1f %%", c.runs, c.days, c.lasting, name, got)
			if got < 93-chance {
				t.Errorf("%d runs of %d days, lasting %v: the interval of the %s covers %.1f %%", c.runs, c.days, c.lasting, name, got)
			}
		}
	}
}
