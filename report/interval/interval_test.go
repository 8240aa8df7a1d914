// The formulas against figures that another program computed, and the coverage of the intervals by simulation.

package interval

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"mcp-trade/internal/testenv"
)

var (
	seriesX = []float64{.0123, -.0045, .0078, -.0156, .0034, .0091, -.0023, .0145, -.0067, .0052, -.0011, .0038}
	seriesY = []float64{.0101, -.0062, .0055, -.0121, .0012, .0105, -.0048, .0099, -.0081, .0027, .0006, .0019}
	seriesZ = []float64{0, .0081, -.0093, .0049, .0017, -.0028, .0061, -.0104, .0032, 0, .0070, -.0015}
)

func TestEstimates(t *testing.T) {
	year := math.Sqrt(252)
	annual := func(e Estimate, err error) (Estimate, error) {
		e = Estimate{e.Value * year, e.Low * year, e.High * year, e.SE * year, e.P, e.N}
		return e, err
	}
	total := func(e Estimate, err error) (Estimate, error) {
		return e.Map(func(g float64) float64 { return math.Expm1(12 * g) }), err
	}
	logs := make([]float64, len(seriesX))
	for i, r := range seriesX {
		logs[i] = math.Log1p(r)
	}
	regression := func(which int) func() (Estimate, error) {
		return func() (Estimate, error) {
			alpha, beta, err := Regression(One(seriesX), seriesY)
			return []Estimate{alpha.Estimate, beta.Estimate}[which], err
		}
	}
	const any = -1 // a p-value or standard error that the other program did not tell
	for _, c := range []struct {
		name                    string
		of                      func() (Estimate, error)
		value, low, high, se, p float64
	}{
		{"mean", func() (Estimate, error) { return Mean(seriesX) }, 0.002158333333, -0.002492722135, 0.006809388802, any, 0.286429351171},
		{"mean of Y", func() (Estimate, error) { return Mean(seriesY) }, 0.000933333333, any, any, any, 0.564764737246},
		{"mean of Z", func() (Estimate, error) { return Mean(seriesZ) }, 0.000583333333, any, any, any, 0.564935845190},
		{"growth", func() (Estimate, error) { return Mean(logs) }, 0.002122006120, -0.002533114093, 0.006777126333, any, 0.294076181963},
		{"total return", func() (Estimate, error) { return total(Mean(logs)) }, 0.025791052467, -0.029940014925, 0.084723934098, any, 0.294076181963},
		{"difference of means", func() (Estimate, error) { return Mean(Less(One(seriesX), One(seriesY))) }, 0.001225, -0.000301955062, 0.002751955062, any, 0.094163288851},
		{"Sharpe ratio", func() (Estimate, error) { return annual(sharpe(seriesX, nil)) }, 3.974812367409, -5.388958444221, 13.338583179038, 3.642665906146, any},
		{"Sharpe ratio of Y", func() (Estimate, error) { return annual(sharpe(seriesY, nil)) }, 1.979470576847, -6.395894403442, 10.354835557137, any, any},
		{"difference of Sharpe ratios", func() (Estimate, error) { return annual(sharpe(seriesX, seriesY)) }, 1.995341790561, -0.887497420516, 4.878181001638, any, 0.135331765271},
		{"alpha", regression(0), 0.001115289918, -0.000400778876, 0.002631358712, any, any},
		{"beta", regression(1), 1.117546516659, 0.921585906582, 1.313507126737, any, any},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.of()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []struct {
				name      string
				got, want float64
			}{{"value", got.Value, c.value}, {"low", got.Low, c.low}, {"high", got.High, c.high}, {"standard error", got.SE, c.se}, {"p", got.P, c.p}} {
				if f.want != any && !(math.Abs(f.got-f.want) < 1e-9) {
					t.Errorf("%s is %.12f, want %.12f", f.name, f.got, f.want)
				}
			}
			if got.N != len(seriesX) {
				t.Errorf("it rests on %d values", got.N)
			}
		})
	}
}

func TestEstimate_Needed(t *testing.T) {
	// A mean of 10 basis points a day with a deviation of 1 % takes 785 days, whatever the length of the sample.
	for _, n := range []int{20, 252} {
		e := estimate(0.001, 0.01/math.Sqrt(float64(n)), 1e6, n)
		if got := e.Needed(); got != 785 {
			t.Errorf("%d values: it takes %v days, want 785", n, got)
		}
	}
	if got := (Estimate{SE: 1, N: 10}).Needed(); !math.IsInf(got, 1) {
		t.Errorf("a difference of 0 takes %v days", got)
	}
}

func TestEstimates_Unknown(t *testing.T) {
	flat := []float64{.001, .001, .001, .001}
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"two values", second(Mean(seriesX[:2])), ErrTooFew},
		{"the same value", second(Mean(flat)), ErrConstant},
		{"the Sharpe ratio of the same value", second(sharpe(flat, nil)), ErrConstant},
		{"two series that are equal", second(sharpe(seriesX, seriesX)), ErrConstant},
		{"a benchmark that stands still", third(Regression(One(seriesX[:4]), flat)), ErrConstant},
		{"an account that is its benchmark", third(Regression(One(seriesX), seriesX)), ErrConstant},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
}

func second(_ Estimate, err error) error   { return err }
func third(_, _ Repeated, err error) error { return err }

// sharpe estimates the Sharpe ratio of one run, less that of another unless it is nil.
func sharpe(a, b []float64) (Estimate, error) {
	var other Runs
	if b != nil {
		other = One(b)
	}
	e, err := Sharpe(One(a), other)
	return e.Estimate, err
}

func TestLongRunVariance(t *testing.T) {
	if got := longRunVariance(seriesX); math.Abs(got-3.928451675381759e-05) > 1e-15 {
		t.Errorf("%v", got)
	}
	// A series that turns each day has cosine sums near 0; a quarter of its variance is the least.
	turning := make([]float64, 12)
	for i := range turning {
		turning[i] = .01 - .02*float64(i%2)
	}
	if got, want := longRunVariance(turning), stat.Variance(turning, nil)/4; math.Abs(got-want) > 1e-15 {
		t.Errorf("a turning series has %v, want %v", got, want)
	}
	for n, want := range map[int]int{3: 2, 8: 4, 10: 4, 20: 7, 27: 9, 60: 15, 64: 16, 120: 24, 252: 39, 500: 62} {
		if got := cosines(n); got != want {
			t.Errorf("%d values take %d cosine sums, want %d", n, got, want)
		}
	}
}

func TestHolm(t *testing.T) {
	for _, c := range []struct{ p, want []float64 }{
		{[]float64{0.286429351171, 0.564764737246, 0.564935845190}, []float64{0.859288053512, 1, 1}},
		{[]float64{0.04, 0.01, 0.03}, []float64{0.06, 0.03, 0.06}},
		{nil, []float64{}},
	} {
		got := Holm(c.p)
		for i := range c.want {
			if math.Abs(got[i]-c.want[i]) > 1e-9 {
				t.Errorf("%v becomes %v, want %v", c.p, got, c.want)
				break
			}
		}
	}
}

// partOf returns so many in percent of all as MCP_TRADE_STORM says, and at least the least.
func partOf(t *testing.T, all, least int) int {
	t.Helper()
	percent, err := strconv.Atoi(cmp.Or(os.Getenv("MCP_TRADE_STORM"), "1"))
	if err != nil {
		t.Fatal(err)
	}
	return max(least, all*percent/100)
}

// kinds are daily returns as they may come, each with a mean of 5 basis points and a standard deviation of 1 %.
var kinds = []struct {
	name string
	draw func(*rand.Rand, []float64)
}{
	{"normal", func(r *rand.Rand, x []float64) {
		for i := range x {
			x[i] = r.NormFloat64()
		}
	}},
	{"fat tails", func(r *rand.Rand, x []float64) { // Student's t with 3 degrees of freedom, whose variance is 3
		t := distuv.StudentsT{Sigma: 1, Nu: 3, Src: r}
		for i := range x {
			x[i] = t.Rand() / math.Sqrt(3)
		}
	}},
	{"skewed", func(r *rand.Rand, x []float64) { // lognormal, skewed to losses by 1.75
		const sigma = 0.5
		mean, sd := math.Exp(sigma*sigma/2), math.Sqrt(math.Expm1(sigma*sigma)*math.Exp(sigma*sigma))
		for i := range x {
			x[i] = (mean - math.Exp(sigma*r.NormFloat64())) / sd
		}
	}},
	{"crashes", func(r *rand.Rand, x []float64) { // 2 % of the days are six deviations down
		mean, sd := -0.02*6.0, math.Sqrt(0.98*1+0.02*(4+36)-0.12*0.12)
		for i := range x {
			v := r.NormFloat64()
			if r.Float64() < 0.02 {
				v = -6 + 2*v
			}
			x[i] = (v - mean) / sd
		}
	}},
	{"trending", autocorrelated(0.2)},
	{"turning", autocorrelated(-0.2)},
	{"clustered", func(r *rand.Rand, x []float64) { // GARCH(0.1, 0.88)
		variance := 1.0
		for i := -100; i < len(x); i++ {
			v := math.Sqrt(variance) * r.NormFloat64()
			variance = 0.02 + 0.1*v*v + 0.88*variance
			if i >= 0 {
				x[i] = v
			}
		}
	}},
}

func autocorrelated(rho float64) func(*rand.Rand, []float64) {
	return func(r *rand.Rand, x []float64) {
		v := r.NormFloat64()
		for i := range x {
			x[i] = v
			v = rho*v + math.Sqrt(1-rho*rho)*r.NormFloat64()
		}
	}
}

// Of the series of each kind and length, the intervals cover the true mean and the true Sharpe ratio nearly as often as they say. All
// 10,000 series of each: MCP_TRADE_STORM=100 go test ./report/interval
func TestEstimates_Coverage(t *testing.T) {
	testenv.Slow(t)
	const mean, sd = 0.0005, 0.01
	want := map[string]map[int][2]float64{ // percent, of another program without the least long-run variance, which adds up to 1.2
		"normal":    {10: {95.4, 98.3}, 20: {95.1, 96.9}, 60: {94.7, 95.5}, 252: {95.1, 95.4}},
		"fat tails": {10: {95.3, 98.0}, 20: {95.6, 97.0}, 60: {95.6, 96.1}, 252: {95.4, 95.5}},
		"skewed":    {10: {92.8, 96.5}, 20: {93.5, 96.1}, 60: {94.5, 96.0}, 252: {94.5, 95.3}},
		"trending":  {10: {93.5, 97.2}, 20: {93.9, 96.1}, 60: {94.2, 95.2}, 252: {94.9, 95.1}},
		"turning":   {10: {96.2, 98.6}, 20: {95.9, 97.4}, 60: {95.3, 96.1}, 252: {95.5, 95.7}},
		"clustered": {10: {95.2, 98.2}, 20: {95.2, 96.8}, 60: {95.1, 95.9}, 252: {95.1, 95.4}},
	}
	series := partOf(t, 10_000, 1_000)
	chance := 300 * math.Sqrt(0.05*0.95/float64(series)) // three standard errors, in percent
	for k, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{10, 20, 60, 252, 500} {
				random := rand.New(rand.NewPCG(uint64(k), uint64(n)))
				x, means, sharpes := make([]float64, n), 0, 0
				for range series {
					kind.draw(random, x)
					for i := range x {
						x[i] = mean + sd*x[i]
					}
					m, _ := Mean(x)
					s, _ := sharpe(x, nil)
					if m.Low <= mean && mean <= m.High {
						means++
					}
					if s.Low <= mean/sd && mean/sd <= s.High {
						sharpes++
					}
				}
				got := [2]float64{100 * float64(means) / float64(series), 100 * float64(sharpes) / float64(series)}
				t.Logf("%d returns: %.1f %% of the means, %.1f %% of the Sharpe ratios", n, got[0], got[1])
				for i, figure := range []string{"mean", "Sharpe ratio"} {
					low, high := 92.8, 98.6+1.2
					if table, known := want[kind.name][n]; known {
						low, high = table[i], table[i]+0.3
						if n < 20 {
							high = table[i] + 1.2
						}
					}
					if got[i] < low-0.4-chance || got[i] > high+0.4+chance {
						t.Errorf("%d returns: the interval of the %s covers %.1f %%, want %.1f to %.1f %%", n, figure, got[i], low, high)
					}
				}
			}
		})
	}
}

// Of families of accounts that are as good as the benchmark, at most 7 % have one that Holm's p-values tell from it.
func TestHolm_Families(t *testing.T) {
	testenv.Slow(t)
	families := partOf(t, 2_000, 200)
	for _, accounts := range []int{2, 20} {
		for k, kind := range kinds {
			for _, rho := range []float64{0.3, 0.8} { // what the accounts have in common
				random := rand.New(rand.NewPCG(uint64(100*accounts+k), uint64(10*rho)))
				const n = 20
				common, own, p, wrong := make([]float64, n), make([]float64, n), make([]float64, accounts), 0
				for range families {
					kind.draw(random, common)
					for a := range p {
						kind.draw(random, own)
						for i := range own {
							own[i] = math.Sqrt(rho)*common[i] + math.Sqrt(1-rho)*own[i]
						}
						e, _ := Mean(own)
						p[a] = e.P
					}
					for _, adjusted := range Holm(p) {
						if adjusted < 0.05 {
							wrong++
							break
						}
					}
				}
				got := 100 * float64(wrong) / float64(families)
				t.Logf("%d accounts, %s, correlation %v: %.1f %%", accounts, kind.name, rho, got)
				if tolerance := 300 * math.Sqrt(0.07*0.93/float64(families)); got > 7+tolerance {
					t.Errorf("%d accounts, %s, correlation %v: %.1f %% of the families are wrong", accounts, kind.name, rho, got)
				}
			}
		}
	}
}

func BenchmarkMean(b *testing.B) {
	for _, n := range []int{20, 252, 1250} {
		x := make([]float64, n)
		kinds[0].draw(rand.New(rand.NewPCG(1, 1)), x)
		b.Run(map[int]string{20: "month", 252: "year", 1250: "5years"}[n], func(b *testing.B) {
			for b.Loop() {
				if _, err := Mean(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
