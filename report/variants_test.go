package report

import (
	"fmt"
	"strings"
	"testing"

	"mcp-trade/market"
)

// experimented reports on accounts with such values, by name, and on variants of them.
func experimented(o Options, accounts map[string][]float64, variants ...Variant) Variants {
	o.Variants = variants
	r := Report{}
	for name, values := range accounts {
		a := seriesOf(values)
		a.Signature = name
		r.Accounts = append(r.Accounts, measured(a, o))
	}
	builder{o}.compare(&r)
	return *r.Variants
}

// runsOf are three runs of one variant, whose growth a day differs by the lasting part of each.
func runsOf(name string, days int, growth, lasting float64) (v Variant, values map[string][]float64) {
	v, values = Variant{Name: name}, map[string][]float64{}
	for i := range 3 {
		account := fmt.Sprintf("%s_r%d", name, i+1)
		run := grown(1, days, growth+float64(i-1)*lasting, 0.01) // the same noise: a day does the same to all of them
		for t, noise := range grown(uint64(10*int(name[0])+i), days, 0, 0.001) {
			run[t] *= noise / 100
		}
		v.Accounts, values[account] = append(v.Accounts, account), run
	}
	return v, values
}

// A variant of a single account tells what that account tells, to the digit.
func TestVariants_OneRun(t *testing.T) {
	values, levels := grown(1, 400, 0.001, 0.01), grown(2, 400, 0, 0.01)
	o := alongside(seriesOf(values), levels)
	a := compared(o, values).Accounts[0]
	v := experimented(o, map[string][]float64{"a": values}, Variant{Name: "v", Accounts: []string{"a"}}).Each[0]
	c := v.Certainty.Comparison
	c.Account = "a"
	if c != a.Certainty {
		t.Errorf("the variant: %+v\nits account: %+v", c, a.Certainty)
	}
	for _, x := range metricTable {
		if !x.HasInterval() {
			continue
		}
		f := a.Metrics.Figure(x.Key)
		near(t, x.Name, v.Estimates[x.Key].Value, f.Value.value)
		near(t, x.Name+" low", v.Estimates[x.Key].Interval.Low, f.Interval.Low.value)
		near(t, x.Name+" high", v.Estimates[x.Key].Interval.High, f.Interval.High.value)
	}
	if !strings.Contains(v.Verdict, "One run: another run of the same may differ") || v.Certainty.ByRuns.known {
		t.Errorf("%q, %+v", v.Verdict, v.Certainty)
	}
}

func TestVariants(t *testing.T) {
	good, values := runsOf("good", 60, 0.004, 0)
	poor, more := runsOf("poor", 60, 0, 0)
	wild, most := runsOf("wild", 60, 0.002, 0.004)
	for _, m := range []map[string][]float64{more, most} {
		for name, run := range m {
			values[name] = run
		}
	}
	v := experimented(Options{}, values, good, poor, wild)
	if len(v.Each) != 3 || len(v.Pairs) != 3 || len(v.Spread) != 1 {
		t.Fatalf("%d variants, %d pairs, %d periods", len(v.Each), len(v.Pairs), len(v.Spread))
	}
	pair := func(i int) VariantComparison { return v.Pairs[i] }
	if c := pair(0); c.Account != "good" || c.Against != "poor" || !(c.Adjusted.value < 0.05) || !(c.AheadInterval.Low.value > 0) || c.Runs != 3 || c.AgainstRuns != 3 || !c.Sharpe.known || !c.Correlation.known {
		t.Errorf("good is not told from poor: %+v", c)
	}
	if c := pair(1); c.Against != "wild" || !(c.Adjusted.value > 0.05) || !(c.ByRuns.value > c.ByDays.value) {
		t.Errorf("good against wild: %+v", c)
	}
	// Runs that lie so far apart hide the difference on any number of days.
	if c := v.Each[2].Certainty; c.Needed.known || !strings.Contains(v.Each[2].Verdict, "So few runs hide a difference of this size on any number of days. Of the uncertainty the runs explain") {
		t.Errorf("%+v: %s", c, v.Each[2].Verdict)
	}
	e := v.Each[0].Estimates
	if !e["sharpe"].Interval.Low.known || e["total_return"].Value.value < 0.1 || len(e) != 2 {
		t.Errorf("estimates without a benchmark: %+v", e)
	}
	if q := v.Each[0].Figures["total_return"]; !(q.Lowest < q.Median && q.Median < q.Highest) {
		t.Errorf("the total returns are %+v", q)
	}
	if _, there := v.Each[0].Figures["cost"]; there {
		t.Error("a cost is told that no run recorded")
	}
	if s := v.Spread[0]; s.Undefined != "" || !(s.Within.value > 0) || !(s.Share.value < 1) || s.ShareInterval.Low.value < 0 {
		t.Errorf("the spread: %+v", s)
	}
	if !strings.Contains(v.Each[0].Verdict, "among 3 variants") || !strings.Contains(v.Each[0].Verdict, "A comparison takes 5 runs.") {
		t.Error(v.Each[0].Verdict)
	}
}

// Variants are compared over the days that all their accounts have, within a period, and by seeds.
func TestVariants_Days(t *testing.T) {
	v, values := runsOf("a", 30, 0, 0)
	other, more := runsOf("b", 30, 0, 0)
	for name, run := range more {
		values[name] = run
	}
	values["b_r2"] = values["b_r2"][:16]
	v.Seeds, other.Period = []int{7, 7, 8}, "autumn"
	third := Variant{Name: "c", Period: "autumn", Accounts: []string{"a_r1"}}
	got := experimented(Options{}, values, v, other, third)
	if c := got.Each[0].Certainty; c.Returns != 30 || c.Runs != 2 {
		t.Errorf("%+v, want 30 returns of 2 seeds", c)
	}
	if c := got.Each[1].Certainty; c.Returns != 15 || c.Runs != 3 || c.To != market.Stamp("2020-01-16") || c.Sharpe.known || got.Each[1].Estimates["sharpe"].Undefined != "it takes 20 returns, not 15" {
		t.Errorf("%+v, %+v: want the 15 returns that all have", c, got.Each[1].Estimates)
	}
	if len(got.Pairs) != 1 || got.Pairs[0].Account != "b" || got.Pairs[0].Against != "c" || got.Pairs[0].Returns != 15 {
		t.Errorf("pairs %+v", got.Pairs)
	}
	if len(got.Spread) != 2 || got.Spread[1].Period != "autumn" || got.Spread[1].Undefined != "it takes two variants of 3 runs each" {
		t.Errorf("%+v", got.Spread)
	}
}

func TestVariants_Nothing(t *testing.T) {
	v, values := runsOf("a", 30, 0, 0)
	values["a_r2"][20] = 0
	values["a_r2"] = values["a_r2"][:21]
	o := alongside(seriesOf(grown(5, 30, 0, 0.01)), grown(5, 30, 0, 0.01))
	got := experimented(o, values, v).Each[0]
	if got.Certainty.Undefined != "the account was wiped out" || got.Estimates["sharpe"].Undefined != "the account was wiped out" || got.Certainty.P.known {
		t.Errorf("an account that was wiped out: %+v", got)
	}
	none := experimented(o, map[string][]float64{"a": {100}, "b": {100}}, Variant{Name: "v", Accounts: []string{"a", "b"}}).Each[0]
	if none.Certainty.Returns != 0 || none.Certainty.Undefined != "it takes 10 returns, not 0" || none.Estimates["beta"].Undefined != "it takes 20 returns, not 0" {
		t.Errorf("accounts of no day: %+v", none)
	}
	same := experimented(Options{}, map[string][]float64{"a": grown(1, 30, 0, 0.01), "b": grown(1, 30, 0, 0.01)}, Variant{Name: "v", Accounts: []string{"a"}}, Variant{Name: "w", Accounts: []string{"b"}})
	if c := same.Pairs[0]; c.Undefined != "both are equal" || c.P.known {
		t.Errorf("equal variants: %+v", c)
	}
}
