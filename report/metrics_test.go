package report

// Tests of the figures by hand, for short series.

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"mcp-trade/market"
)

// holder is an account opened with 100 on the day before the week, all of it in one share from the first open on.
func holder(t testing.TB, bars string) Account {
	t.Helper()
	p := marketOf(t, week, map[string]string{"A": bars})
	a := opened("2025-10-01", 100).trade(week[0], "A", 1, 100, 0)
	return one(t, Options{View: p.AsOf(always)}, a.idle(week[1:len(strings.Fields(bars))]...).ledger("a"))
}

func near(t testing.TB, what string, got Number, want float64) {
	t.Helper()
	if !got.known || math.Abs(got.value-want) > 1e-9*math.Abs(want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// 100, then 110, 99, 108.9: returns of +10 %, -10 %, +10 %.
//
//	mean       0.1/3
//	sd         sqrt((2*(0.2/3)^2 + (0.4/3)^2) / 2) = 0.2/sqrt(3)
//	Sharpe     (0.1/3) / (0.2/sqrt(3)) * sqrt(252) = sqrt(21)
//	downside   sqrt(0.01/3), so Sortino = (0.1/3) / (0.1/sqrt(3)) * sqrt(252) = sqrt(84)
//	drawdown   1 - 99/110, from 2025-10-02 to 2025-10-03, to the end 2 periods and 4 days
//	year       1.089 in 5 days from 2025-10-01 to 2025-10-06
//	turnover   bought 100, half of it over a mean of (110 + 99 + 108.9)/3 in 3 of 252 days
func TestMetrics_ByHand(t *testing.T) {
	a := holder(t, "100/110 110/99 99/108.9")
	m, year := a.Metrics, math.Pow(1.089, 73)-1
	all := measured(a, Options{}).Metrics // with those that three returns do not tell
	for _, c := range []struct {
		what string
		got  Number
		want float64
	}{
		{"start", m.Value(Start), 100}, {"end", m.Value(End), 108.9},
		{"total return", m.Value(TotalReturn), 0.089}, {"annual return", all.Value("annual_return"), year},
		{"volatility", all.Value("volatility"), 0.2 / math.Sqrt(3) * math.Sqrt(252)},
		{"Sharpe", all.Value(Sharpe), math.Sqrt(21)}, {"Sortino", all.Value("sortino"), math.Sqrt(84)},
		{"max drawdown", m.Value(MaxDrawdown), 0.1}, {"Calmar", all.Value("calmar"), year / 0.1},
		{"best day", m.Value("best_day"), 0.1}, {"worst day", m.Value("worst_day"), -0.1}, {"winning days", m.Value(WinningDays), 2.0 / 3},
		{"exposure", m.Value(Exposure), 1}, {"turnover", m.Value("turnover"), 50 / ((110 + 99 + 108.9) / 3) * 252 / 3},
	} {
		near(t, c.what, c.got, c.want)
	}
	if m.Returns != 3 || m.Figure("worst_day").Date != "2025-10-03" || m.Trades != 1 || m.ClosedTrades != 0 {
		t.Errorf("%+v", m)
	}
	if want := (Drawdown{a.Drawdown.Depth, "2025-10-02", "2025-10-03", "", 2, 4}); *a.Drawdown != want {
		t.Errorf("drawdown %+v, want %+v", *a.Drawdown, want)
	}
}

// The first value counts as a highest value: 100, 50, 60, 100 is half lost and made up for.
func TestMaxDrawdown(t *testing.T) {
	a := holder(t, "100/50 50/60 60/100")
	if want := (Drawdown{0.5, "2025-10-01", "2025-10-02", "2025-10-06", 3, 5}); *a.Drawdown != want {
		t.Errorf("drawdown %+v, want %+v", *a.Drawdown, want)
	}
	for i, want := range []float64{0.5, 0.4, 0} {
		near(t, "drawdown of the period", a.Periods[i].Drawdown, want)
	}
}

// A risk-free return of 25.2 % a year is 0.1 % a day: returns of 1.1 %, -0.9 %, 1.1 % beat it as 1 %, -1 %, 1 % do none.
func TestMetrics_RiskFreeReturn(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/101.1 100/100.1901 100/101.2921911"})
	l := opened("2025-10-01", 100).trade(week[0], "A", 1, 100, 0).idle(week[1], week[2])
	o := Options{View: p.AsOf(always), RiskFree: 0.252}
	m := measured(one(t, o, l.ledger("a")), o).Metrics // three returns do not tell it
	near(t, "Sharpe", m.Value(Sharpe), math.Sqrt(21))
	near(t, "Sortino", m.Value("sortino"), 0.01/3/(0.009/math.Sqrt(3))*math.Sqrt(252))
}

// The account earns 2 %, -1 %, 3 %, -3 % and the benchmark 1 %, -1 %, 2 %, -2 %.
//
//	means     0.0025 and 0
//	cov, var  ((2 + 1 + 6 + 6)e-4)/3 = 5e-4, and ((1 + 1 + 4 + 4)e-4)/3 = 1e-3/3
//	beta      1.5; alpha 252 * 0.0025
//	apart     1 %, 0, 1 %, -1 %: mean 0.0025, sd sqrt((2*0.75^2 + 0.25^2 + 1.25^2)/3) % = sqrt(2.75/3) %
//	captures  (2 + 3)/(1 + 2) and (1 + 3)/(1 + 2)
func TestMetrics_Benchmark_ByHand(t *testing.T) {
	values, levels := []float64{100}, []float64{50}
	for i, r := range []float64{0.02, -0.01, 0.03, -0.03} {
		values, levels = append(values, values[i]*(1+r)), append(levels, levels[i]*(1+[]float64{0.01, -0.01, 0.02, -0.02}[i]))
	}
	a, bench := seriesOf(values), Series{Name: "B"}
	for i, date := range append([]market.Stamp{a.Opening.Date}, dates(a)...) {
		bench.Points = append(bench.Points, Point{date, Known(levels[i])})
	}
	a = measured(a, Options{Benchmark: &bench})
	m := a.Metrics
	near(t, "beta", m.Value(Beta), 1.5)
	near(t, "alpha", m.Value("alpha"), 252*0.0025)
	near(t, "tracking error", m.Value("tracking_error"), 0.01*math.Sqrt(2.75/3)*math.Sqrt(252))
	near(t, "information ratio", m.Value("information_ratio"), 0.25/math.Sqrt(2.75/3)*math.Sqrt(252))
	near(t, "up capture", m.Value("up_capture"), 5.0/3)
	near(t, "down capture", m.Value("down_capture"), 4.0/3)
	near(t, "benchmark return", m.Value("benchmark_return"), 1.01*0.99*1.02*0.98-1)
	near(t, "excess return", m.Value(ExcessReturn), 1.02*0.99*1.03*0.97-1.01*0.99*1.02*0.98)
	if text := a.BenchmarkDays(); text != "" {
		t.Errorf("of a benchmark with all days: %q", text)
	}
	bench.Points = bench.Points[:len(bench.Points)-1]
	if text := measured(a, Options{Benchmark: &bench}).BenchmarkDays(); text != "3 of 4 days" {
		t.Errorf("of a benchmark that ends a day before: %q", text)
	}
}

// seriesOf is an account of US shares with these values on days that follow each other, the first one at its opening.
func seriesOf(values []float64) Account {
	a := Account{Market: market.US, Opening: Point{"2020-01-01", Known(values[0])}}
	for i, v := range values[1:] {
		a.Periods = append(a.Periods, Period{Date: a.Opening.Date.AddDays(i + 1), Value: Known(v), Cash: Known(v / 4)})
	}
	drawdowns(&a)
	return a
}

func dates(a Account) []market.Stamp {
	var list []market.Stamp
	for _, p := range a.Periods {
		list = append(list, p.Date)
	}
	return list
}

func measured(a Account, o Options) Account {
	builder{o}.measure(&a, history{}, RunStats{})
	return a
}

func TestMetrics_FewPeriods(t *testing.T) {
	for _, c := range []struct {
		values    []float64
		undefined string // names of figures that must not be there
		defined   string // and of those that must
	}{
		{[]float64{100}, "total_return annual_return volatility sharpe sortino calmar max_drawdown best_day winning_days", "start end"},
		{[]float64{100, 110}, "volatility sharpe sortino calmar", "total_return annual_return max_drawdown best_day worst_day winning_days"},
		{[]float64{100, 110, 121}, "sharpe sortino calmar", "total_return volatility max_drawdown"}, // no deviation, no fall
		{[]float64{100, 110, 99}, "", "total_return volatility sharpe sortino calmar max_drawdown"},
		{[]float64{0, 0, 0}, "total_return annual_return sharpe best_day", "start end max_drawdown"},
		{[]float64{100, 0, 0}, "", "total_return annual_return max_drawdown best_day"},
		{[]float64{100, 1e300, 1e-300}, "", "total_return sharpe"},
	} {
		m := measured(seriesOf(c.values), Options{}).Metrics
		for _, name := range strings.Fields(c.undefined) {
			if m.Undefined[name] == "" {
				t.Errorf("%v: %s is defined", c.values, name)
			}
		}
		for _, name := range strings.Fields(c.defined) {
			if why := m.Undefined[name]; why != "" {
				t.Errorf("%v: %s is not defined: %s", c.values, name, why)
			}
		}
	}
}

// A report withholds what so few returns or days do not tell, and its interval.
func TestAccount_withhold(t *testing.T) {
	always := "total_return max_drawdown best_day winning_days excess_return"
	for _, c := range []struct {
		returns        int
		told, withheld string
	}{
		{9, always, "volatility tracking_error sharpe total_return_interval sharpe_interval beta up_capture annual_return"},
		{10, always + " volatility tracking_error total_return_interval", "sharpe sharpe_interval sortino information_ratio beta beta_interval up_capture annual_return alpha"},
		{20, always + " volatility sharpe sharpe_interval sortino information_ratio beta beta_interval", "up_capture down_capture annual_return calmar alpha alpha_interval"},
		{60, always + " up_capture down_capture", "annual_return calmar alpha alpha_interval"},
		{364, always + " up_capture", "annual_return calmar alpha alpha_interval"},
		{365, always + " annual_return calmar alpha alpha_interval", ""},
	} {
		values, levels := grown(1, c.returns, 0, 0.01), grown(2, c.returns, 0, 0.01)
		a := compared(alongside(seriesOf(values), levels), values).Accounts[0]
		shown, err := json.Marshal(a.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		var figures map[string]json.RawMessage
		if err := json.Unmarshal(shown, &figures); err != nil {
			t.Fatal(err)
		}
		for _, key := range strings.Fields(c.told) {
			if why := a.Metrics.Undefined[key]; why != "" || string(figures[key]) == "null" {
				t.Errorf("%d returns: %s is %s: %s", c.returns, key, figures[key], why)
			}
		}
		for _, key := range strings.Fields(c.withheld) {
			if got := string(figures[key]); a.Metrics.Undefined[key] == "" || got != "null" && got != `{"low":null,"high":null}` {
				t.Errorf("%d returns: %s is %s, and why not is %q", c.returns, key, got, a.Metrics.Undefined[key])
			}
		}
	}
}
