// Comparisons with the benchmark, with cash and between accounts.

package report

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// grown are the values of an account that starts at 100 and has the same growth and deviation each day.
func grown(seed uint64, days int, growth, deviation float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	values := []float64{100}
	for range days {
		values = append(values, values[len(values)-1]*math.Exp(growth+deviation*random.NormFloat64()))
	}
	return values
}

// compared are the comparisons of accounts with such values.
func compared(o Options, values ...[]float64) Report {
	r := Report{}
	for i, v := range values {
		a := seriesOf(v)
		a.Signature = string(rune('a' + i))
		a = measured(a, o)
		r.Accounts = append(r.Accounts, a)
	}
	builder{o}.compare(&r)
	return r
}

func TestComparison(t *testing.T) {
	steady := grown(1, 40, 0, 0.01)
	ahead := grown(1, 40, 0.004, 0.01) // the same noise, and more growth: all the difference is growth
	for i := range ahead {
		ahead[i] *= 1 + 0.0005*float64(i%2) // or every difference would be the same
	}
	for _, c := range []struct {
		name    string
		report  Report
		verdict string
		pair    string // why the first pair has no interval
	}{
		{"an account against cash", compared(Options{}, steady), "Over 40 daily returns: ", ""},
		{"nine returns", compared(Options{}, steady[:10]), "Over 9 daily returns: no interval, since it takes 10 returns, not 9.", ""},
		{"an account that holds cash", compared(Options{}, grown(1, 40, 0, 0)), "Over 40 daily returns: no interval, since both are equal.", ""},
		{"an account that is wiped out", compared(Options{}, append(append([]float64{}, steady...), 0)), "Over 41 daily returns: no interval, since the account was wiped out.", ""},
		{"an account that is another", compared(Options{}, steady, steady), "among 2 accounts", "both are equal"},
		{"the benchmark", compared(alongside(seriesOf(steady), steady), steady), "no interval, since both are equal.", ""},
		{"ahead of the benchmark", compared(alongside(seriesOf(ahead), steady), ahead), "better than chance explains.", ""},
		{"behind the benchmark", compared(alongside(seriesOf(steady), ahead), steady), "worse than chance explains.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.report.Accounts[0].Verdict; !strings.Contains(got, c.verdict) {
				t.Errorf("the verdict is %q, want %q", got, c.verdict)
			}
			if len(c.report.Pairs) > 0 && c.report.Pairs[0].Undefined != c.pair {
				t.Errorf("the pair has no interval since %q, want %q", c.report.Pairs[0].Undefined, c.pair)
			}
		})
	}
}

// A difference that a single account would tell is not told of the best of many.
func TestComparison_Adjusted(t *testing.T) {
	accounts := [][]float64{}
	for seed := uint64(1); len(accounts) < 40; seed++ {
		accounts = append(accounts, grown(seed, 60, 0.0005, 0.01))
	}
	r := compared(Options{}, accounts...)
	if len(r.Pairs) != 40*39/2 {
		t.Fatalf("40 accounts have %d pairs", len(r.Pairs))
	}
	alone := 0
	for _, a := range r.Accounts {
		c := a.Certainty
		if c.Adjusted.value < c.P.value || c.Adjusted.value > 1 {
			t.Errorf("%s: p %v is adjusted to %v", a.Signature, c.P, c.Adjusted)
		}
		if c.P.value < 0.05 {
			alone++
			if want := "since one of 40 accounts may come that far by chance."; !strings.HasSuffix(a.Verdict, want) {
				t.Errorf("the verdict is %q, want %q", a.Verdict, want)
			}
		}
	}
	if alone == 0 {
		t.Error("no account was ahead alone; another seed is needed")
	}
}
