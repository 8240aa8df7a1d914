package report

// Tests of the figures on random series: against the same figures computed in other ways, with 200 binary digits and by
// other formulas, and of what must hold however they are computed.

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// exact is a number with 200 binary digits.
func exact(f float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(f) }

func add(a, b *big.Float) *big.Float { return exact(0).Add(a, b) }
func sub(a, b *big.Float) *big.Float { return exact(0).Sub(a, b) }
func mul(a, b *big.Float) *big.Float { return exact(0).Mul(a, b) }
func quo(a, b *big.Float) *big.Float { return exact(0).Quo(a, b) }

// covariance is half the mean product of the differences between all pairs, which needs no mean of the series.
func covariance(x, y []*big.Float) *big.Float {
	sum, n := exact(0), float64(len(x))
	for i := range x {
		for j := range i {
			sum = add(sum, mul(sub(x[i], x[j]), sub(y[i], y[j])))
		}
	}
	return quo(sum, exact(n*(n-1)))
}

func mean(x []*big.Float) *big.Float {
	sum := exact(0)
	for _, v := range x {
		sum = add(sum, v)
	}
	return quo(sum, exact(float64(len(x))))
}

func returnsOf(values []float64) []*big.Float {
	var returns []*big.Float
	for i := range values[1:] {
		returns = append(returns, quo(sub(exact(values[i+1]), exact(values[i])), exact(values[i])))
	}
	return returns
}

func float(x *big.Float) float64 {
	f, _ := x.Float64()
	return f
}

func root(x *big.Float) *big.Float { return exact(0).Sqrt(x) }

// independent computes the metrics that rest on values, levels of a benchmark and a risk-free return, by their names in JSON.
func independent(values, levels []float64, riskFree float64) map[string]float64 {
	r, b, a := returnsOf(values), returnsOf(levels), exact(252)
	n, free := exact(float64(len(r))), quo(exact(riskFree), exact(252))
	over, apart := []*big.Float{}, []*big.Float{}
	squares, growth, market, won := exact(0), exact(1), exact(1), 0
	var up, itsUp, down, itsDown = exact(0), exact(0), exact(0), exact(0)
	for i := range r {
		over, apart = append(over, sub(r[i], free)), append(apart, sub(r[i], b[i]))
		growth, market = mul(growth, add(exact(1), r[i])), mul(market, add(exact(1), b[i]))
		switch r[i].Sign() {
		case -1:
			squares = add(squares, mul(r[i], r[i]))
		case 1:
			won++
		}
		switch b[i].Sign() {
		case -1:
			down, itsDown = add(down, r[i]), add(itsDown, b[i])
		case 1:
			up, itsUp = add(up, r[i]), add(itsUp, b[i])
		}
	}
	annual := math.Exp(math.Log(float(growth))*365/float64(len(r))) - 1
	depth := 0.0
	for i := range values { // every pair of days
		for j := i; j < len(values); j++ {
			depth = max(depth, (values[i]-values[j])/values[i])
		}
	}
	beta := quo(covariance(r, b), covariance(b, b))
	// Moments about the mean, over all n returns, made unbiased by Fisher's k-statistics.
	moment := func(order int) *big.Float {
		sum, m := exact(0), mean(r)
		for _, v := range r {
			power := exact(1)
			for range order {
				power = mul(power, sub(v, m))
			}
			sum = add(sum, power)
		}
		return quo(sum, n)
	}
	m2, m3, m4, count := float(moment(2)), float(moment(3)), float(moment(4)), float64(len(r))
	skew := math.Sqrt(count*(count-1)) / (count - 2) * m3 / math.Pow(m2, 1.5)
	kurtosis := (count - 1) / ((count - 2) * (count - 3)) * ((count+1)*(m4/(m2*m2)-3) + 6)
	// A quantile is the return that as large a part of the others is below, those in between on a line.
	ranked := slices.SortedFunc(slices.Values(r), (*big.Float).Cmp)
	quantile := func(part float64) float64 {
		whole, rest := math.Modf(part * (count - 1))
		below, above := float(ranked[int(whole)]), float(ranked[min(int(whole)+1, len(r)-1)])
		return (1-rest)*below + rest*above
	}
	worst := mean(ranked[:int(math.Ceil((count-1)/20+1e-9))])
	return map[string]float64{
		"skew": skew, "excess_kurtosis": kurtosis, "var_95": quantile(0.05), "cvar_95": float(worst), "tail_ratio": math.Abs(quantile(0.95) / quantile(0.05)),
		"total_return": float(sub(growth, exact(1))), "annual_return": annual,
		"volatility":   float(root(mul(covariance(r, r), a))),
		"sharpe":       float(quo(mul(mean(over), a), root(mul(covariance(r, r), a)))),
		"sortino":      float(quo(mul(mean(over), a), root(quo(mul(squares, a), n)))),
		"max_drawdown": depth, "calmar": annual / depth, "winning_days": float64(won) / float64(len(r)),
		"best_day": float(slices.MaxFunc(r, (*big.Float).Cmp)), "worst_day": float(slices.MinFunc(r, (*big.Float).Cmp)),
		"beta": float(beta), "alpha": float(mul(a, sub(mean(over), mul(beta, sub(mean(b), free))))),
		"tracking_error":    float(root(mul(covariance(apart, apart), a))),
		"information_ratio": float(quo(mul(mean(apart), a), root(mul(covariance(apart, apart), a)))),
		"up_capture":        float(quo(up, itsUp)), "down_capture": float(quo(down, itsDown)),
		"benchmark_return": float(sub(market, exact(1))), "excess_return": float(sub(growth, market)),
	}
}

// named returns the metrics that are no money, by their names in JSON.
func named(m Metrics) map[string]Number {
	all := map[string]Number{}
	for _, x := range MetricTable() {
		if x.Unit != Money {
			all[string(x.Key)] = m.Value(x.Key)
		}
	}
	return all
}

// drawValues draws values with returns that are not too small to be told apart, the first one given
// and below 0, the second above: what there is to say of others is tested by hand.
func drawValues(t *rapid.T, name string, n int, first float64) []float64 {
	values := []float64{rapid.Float64Range(10, 1e6).Draw(t, name+" start")}
	for i := range n {
		r := rapid.Float64Range(0.001, 0.2).Draw(t, name)
		if i > 1 && rapid.Bool().Draw(t, name+" falls") {
			r = -r
		}
		if i == 0 {
			r = first
		}
		values = append(values, values[i]*(1+r))
	}
	return values
}

func alongside(a Account, levels []float64) Options {
	s := Series{Name: "B", Points: []Point{{a.Opening.Date, Known(levels[0])}}}
	for i, date := range dates(a) {
		s.Points = append(s.Points, Point{date, Known(levels[i+1])})
	}
	return Options{Benchmark: &s}
}

// same compares two figures. Those near 0 are differences of larger ones, whose digits they share.
func same(t *rapid.T, what string, got Number, want float64) {
	if !got.known || math.Abs(got.value-want) > 1e-9*math.Max(math.Abs(want), 0.01) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// Each metric agrees with an independent computation.
func TestBuild_IndependentComputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 60).Draw(t, "n")
		values, levels := drawValues(t, "value", n, -0.05), drawValues(t, "level", n, -0.3)
		a := seriesOf(values)
		o := alongside(a, levels)
		o.RiskFree = rapid.Float64Range(0, 0.1).Draw(t, "risk free")
		got := measured(a, o).Metrics
		all := independent(values, levels, o.RiskFree)
		for name, want := range all {
			if name == "annual_return" || name == "calmar" {
				continue // below
			}
			same(t, name, named(got)[name], want)
		}
		// A short series grown over a year may be beyond all numbers.
		if want := all["annual_return"]; math.Abs(want) < 1e100 {
			same(t, "annual_return", got.Value("annual_return"), want)
			same(t, "calmar", got.Value("calmar").Over(got.Value("annual_return")), 1/got.Value(MaxDrawdown).value)
		}
	})
}

// Each metric of the groups that independent computes is computed by it, money aside.
func TestBuild_IndependentComputation_Complete(t *testing.T) {
	all := independent([]float64{100, 95, 110, 90, 95}, []float64{50, 40, 60, 50, 40}, 0)
	for _, x := range MetricTable() {
		if _, ok := all[string(x.Key)]; !ok && x.Unit != Money && (x.Group == Returns || x.Group == Relative) {
			t.Errorf("%s is computed in one way only", x.Key)
		}
	}
}

func TestMetrics_Properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 60).Draw(t, "n")
		values := drawValues(t, "value", n, -0.05)
		base := named(measured(seriesOf(values), Options{}).Metrics)

		// Money in another currency changes no ratio.
		scale := rapid.Float64Range(0.01, 100).Draw(t, "scale")
		scaled := make([]float64, len(values))
		for i, v := range values {
			scaled[i] = v * scale
		}
		for name, got := range named(measured(seriesOf(scaled), Options{}).Metrics) {
			switch {
			case got.known != base[name].known:
				t.Errorf("scaled, %s is %v, was %v", name, got, base[name])
			case got.known:
				same(t, "scaled, "+name, got, base[name].value)
			}
		}

		// In another order, the returns add up and spread as before.
		r := make([]float64, n)
		for i := range r {
			r[i] = values[i+1]/values[i] - 1
		}
		valuesOf := func(returns []float64) []float64 {
			v := []float64{values[0]}
			for i, r := range returns {
				v = append(v, v[i]*(1+r))
			}
			return v
		}
		slices.Reverse(r)
		reversed := named(measured(seriesOf(valuesOf(r)), Options{}).Metrics)
		for _, name := range []string{"total_return", "volatility", "sharpe", "winning_days", "best_day", "worst_day"} {
			same(t, "reversed, "+name, reversed[name], base[name].value)
		}

		// A little more each day shifts the mean and leaves the deviation.
		for i := range r {
			r[i] += 0.01
		}
		shifted := named(measured(seriesOf(valuesOf(r)), Options{}).Metrics)
		same(t, "shifted, volatility", shifted["volatility"], base["volatility"].value)
		same(t, "shifted, Sharpe", shifted["sharpe"], base["sharpe"].value+0.01*252/base["volatility"].value)

		// Against itself nothing is won and nothing lost.
		own := measured(seriesOf(values), alongside(seriesOf(values), scaled)).Metrics
		same(t, "own beta", own.Value(Beta), 1)
		same(t, "own alpha", Known(own.Value("alpha").value+1), 1)
		if own.Value("information_ratio").known || own.Value("tracking_error").value > 1e-12 {
			t.Errorf("against itself the information ratio is %v and the tracking error %v", own.Value("information_ratio"), own.Value("tracking_error"))
		}
	})
}

// The intervals of a long series of independent returns are about as wide as theory says: 2 * 1.96 standard errors.
func TestMetrics_Intervals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	values := []float64{100}
	for range 1000 {
		values = append(values, values[len(values)-1]*(1+0.0005+0.01*random.NormFloat64()))
	}
	m := measured(seriesOf(values), Options{}).Metrics
	width := m.Figure(Sharpe).Interval.High.value - m.Figure(Sharpe).Interval.Low.value
	if want := 2 * 1.96 * math.Sqrt(252.0/1000); math.Abs(width/want-1) > 0.2 {
		t.Errorf("the interval of the Sharpe ratio is %v wide, want about %v", width, want)
	}
	logs := math.Log1p(m.Figure(TotalReturn).Interval.High.value) - math.Log1p(m.Figure(TotalReturn).Interval.Low.value)
	if want := 2 * 1.96 * 0.01 * math.Sqrt(1000); math.Abs(logs/want-1) > 0.2 {
		t.Errorf("the interval of the total return is %v wide in logarithms, want about %v", logs, want)
	}
	if m.Value(Sharpe).value < m.Figure(Sharpe).Interval.Low.value || m.Value(Sharpe).value > m.Figure(Sharpe).Interval.High.value {
		t.Errorf("the Sharpe ratio %v is not in its interval %v", m.Value(Sharpe), m.Figure(Sharpe).Interval)
	}
}
