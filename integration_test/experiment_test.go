// An experiment from outside: models that a script plays, with two prompts and two repetitions each, killed, gone on with and compared.

package integration_test

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

// trialOf is the account that a system prompt names.
var trialOf = regexp.MustCompile(`autumn_[a-z]+_[a-z]+_r[0-9]+`)

// trialDay plays models whose decisions depend on the model, the prompt and the repetition: two orders a day, and one sale of what was bought.
func trialDay(r modeltest.Request) modeltest.Reply {
	account, day := trialOf.FindString(r.System()), 0
	for _, c := range account + r.Date {
		day = (day*31 + int(c)) % 1009
	}
	amount := 5
	if strings.Contains(r.System(), "Hold half of it in cash.") {
		amount = 2
	}
	reply := modeltest.Say("That is all. <FINISH_SIGNAL>")
	if r.Turn == 0 {
		reply = modeltest.Do(modeltest.Order("buy", fmt.Sprintf("SYN%02d", 1+day%20), amount), modeltest.Order("buy", fmt.Sprintf("SYN%02d", 1+day*7%20), 10*amount))
	}
	reply.Usage = &modeltest.Usage{In: 1000, Out: 100}
	return reply
}

const twelveDays = "2025-01-17" // the twelfth trading day after the first

// experiment writes the configuration of the experiment, and a variable for its key.
func (p *place) experiment(t *testing.T, url string, experiment object) string {
	t.Helper()
	p.prices = synthetic
	config := p.llm(t, llmRun{
		url: url, from: "2025-01-01", to: twelveDays, cash: "10000", accounts: []string{"alice", "bob"},
		tuning: object{"price_per_million": object{"input": 10, "output": 100}, "budget": object{"day": 20}},
	})[1]
	p.amend(t, config, "experiment", experiment)
	return config
}

func crossed() object {
	return object{
		"name": "autumn", "repetitions": 2,
		"prompts": []object{{"name": "plain"}, {"name": "careful", "custom_rules": "Hold half of it in cash."}},
	}
}

func TestAnExperimentIsKilledGoneOnWithAndCompared(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p, undisturbed := onFiles(t), onFiles(t)
	quiet := modeltest.Start(t, trialDay)
	undisturbed.do(t, "run", undisturbed.experiment(t, quiet.URL, crossed()))

	var asked atomic.Int32
	enough := make(chan struct{})
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if asked.Add(1) == 40 {
			close(enough)
		}
		return trialDay(r)
	})
	config := p.experiment(t, model.URL, crossed())
	plan := p.do(t, "run", config, "--dry-run")
	if !strings.Contains(plan, "8 accounts, 96 trading days of language models, which cost at most 1920.0000. Nothing was opened, asked or spent") || model.Asked() != 0 || exists(p.dir+"/agent_data") {
		t.Fatalf("%d requests; the plan:\n%s", model.Asked(), plan)
	}
	cmd := p.command("run", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	select {
	case <-enough:
		_ = cmd.Process.Kill()
		<-over
	case err := <-over:
		t.Fatalf("the run was over before it was killed: %v", err)
	}
	p.childless(t)
	p.do(t, "run", config)

	var accounts []string
	for _, m := range []string{"alice", "bob"} {
		for _, prompt := range []string{"plain", "careful"} {
			accounts = append(accounts, fmt.Sprintf("autumn_%s_%s_r1", m, prompt), fmt.Sprintf("autumn_%s_%s_r2", m, prompt))
		}
	}
	for _, a := range accounts {
		if got, want := p.books(t, a), undisturbed.books(t, a); got != want {
			t.Errorf("the ledger of %s differs from that of an undisturbed run:\n%s\n%s", a, got, want)
		}
	}
	p.compares(t, config, accounts)
}

// comparedReport is what the test reads of a report.
type comparedReport struct {
	Benchmark struct{ Points []comparedPoint }
	Accounts  []struct {
		Signature string
		Opening   comparedPoint
		Periods   []comparedPoint
		Metrics   map[string]any
	}
	Variants struct {
		Each []struct {
			Name      string
			Accounts  []string
			Certainty comparedPair
			Estimates map[string]struct {
				Value    *float64
				Interval comparedInterval
			}
			CostPerExcess *float64                      `json:"cost_per_excess"`
			Figures       map[string]map[string]float64 `json:"figures"`
		}
		Pairs []comparedPair
	}
}

type (
	comparedPoint struct {
		Date  string
		Value float64
	}
	comparedInterval struct{ Low, High *float64 }
	comparedPair     struct {
		Account, Against  string
		Returns           int
		Runs, AgainstRuns int
		Ahead             *float64
		AheadInterval     comparedInterval `json:"ahead_interval"`
		P                 *float64
		PAdjusted         *float64 `json:"p_adjusted"`
		ByDays            *float64 `json:"by_days"`
		ByRuns            *float64 `json:"by_runs"`
		ByRest            *float64 `json:"by_rest"`
		Sharpe            *float64
	}
)

// compares holds the comparison of the experiment against a computation of its own.
func (p *place) compares(t *testing.T, config string, accounts []string) {
	t.Helper()
	args := []string{"report", "--experiment", config, "--benchmark", "equal-weight"}
	var r comparedReport
	text := p.do(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	p.valid(t, text)
	logs := map[string][]float64{} // daily log returns by account
	benchmark := map[string]float64{}
	for _, point := range r.Benchmark.Points {
		benchmark[point.Date] = point.Value
	}
	for _, a := range r.Accounts {
		last, level := a.Opening.Value, 0.0
		for date, value := range benchmark { // an account is opened on a day without trading
			if date <= a.Opening.Date && value > 0 && level == 0 {
				level = value
			}
		}
		for _, period := range a.Periods {
			logs[a.Signature] = append(logs[a.Signature], math.Log(period.Value/last)-math.Log(benchmark[period.Date]/level))
			last, level = period.Value, benchmark[period.Date]
		}
	}
	if len(r.Variants.Each) != 4 || len(r.Variants.Pairs) != 6 || len(r.Accounts) != len(accounts) {
		t.Fatalf("%d variants, %d pairs, %d accounts", len(r.Variants.Each), len(r.Variants.Pairs), len(r.Accounts))
	}
	runsOf := map[string][][]float64{}
	var ps, adjusted []float64
	for _, v := range r.Variants.Each {
		for _, a := range v.Accounts {
			if !slices.Contains(accounts, a) || len(logs[a]) != 12 {
				t.Fatalf("%s has the account %s of %d days", v.Name, a, len(logs[a]))
			}
			runsOf[v.Name] = append(runsOf[v.Name], logs[a])
		}
		v.Certainty.holds(t, twoWay(runsOf[v.Name], nil))
		ps, adjusted = append(ps, *v.Certainty.P), append(adjusted, *v.Certainty.PAdjusted)
		if e := v.Estimates["sharpe"]; e.Value != nil || v.Estimates["total_return"].Value == nil {
			t.Errorf("%s: %+v, want no Sharpe ratio of 12 returns, and a total return", v.Name, v.Estimates)
		}
		// A call that was under way when the run was killed counts as paid at its worst.
		if q := v.Figures["cost"]; q["lowest"] < 12*2*0.02-1e-9 || q["highest"] > 12*2*0.02+1 {
			t.Errorf("%s cost %v", v.Name, q)
		}
	}
	holdsHolm(t, ps, adjusted)
	ps, adjusted = nil, nil
	for _, pair := range r.Variants.Pairs {
		pair.holds(t, twoWay(runsOf[pair.Account], runsOf[pair.Against]))
		ps, adjusted = append(ps, *pair.P), append(adjusted, *pair.PAdjusted)
	}
	holdsHolm(t, ps, adjusted)

	table := p.do(t, args...)
	for _, want := range []string{"alice careful", "2 accounts on the same 12 daily returns: total return", "among 4 variants", "A comparison takes 5 runs.", "runs are not told from variants: it takes two variants of 3 runs each"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	if want := strconv.Itoa(len(accounts)) + " accounts"; !strings.Contains(table, "among "+want) {
		t.Errorf("accounts are not adjusted among %s:\n%s", want, table)
	}
}

// expected is what a comparison must say.
type expected struct{ mean, days, runs, rest, low, high, p float64 }

// twoWay computes the difference of a less b, written out from the formulas; b may have no runs.
func twoWay(a, b [][]float64) (e expected) {
	n := len(a[0])
	d := make([]float64, n)
	unsure := 0.0
	for k, side := range [][][]float64{a, b} {
		sign, count := 1-2*float64(k), float64(len(side))
		var all float64
		daily, own := make([]float64, n), make([]float64, len(side))
		for i, run := range side {
			for t, v := range run {
				daily[t] += v / count
				own[i] += v / float64(n)
				all += v / float64(n) / count
			}
		}
		for t := range daily {
			d[t] += sign * daily[t]
		}
		var ofRuns, squares float64
		for i, run := range side {
			ofRuns += (own[i] - all) * (own[i] - all) / (count - 1) / count
			for t, v := range run {
				squares += math.Pow(v-own[i]-daily[t]+all, 2)
			}
		}
		if count > 1 {
			e.runs += ofRuns
			e.rest += squares / ((count - 1) * float64(n-1)) / (float64(n) * count)
			unsure += ofRuns * ofRuns / (count - 1)
		}
		e.mean += sign * all
	}
	nu := 0
	for (nu+1)*(nu+1)*(nu+1) <= n*n {
		nu++
	}
	var long, variance float64
	for j := 1; j <= nu; j++ {
		var c float64
		for t, v := range d {
			c += math.Sqrt(2/float64(n)) * (v - e.mean) * math.Cos(math.Pi*float64(j)*(float64(t)+0.5)/float64(n))
		}
		long += c * c / float64(nu)
	}
	for _, v := range d {
		variance += (v - e.mean) * (v - e.mean) / float64(n-1)
	}
	e.days = math.Max(long, variance/4) / float64(n)
	unsure += e.days * e.days / float64(nu)
	se := math.Sqrt(math.Max(math.Max(e.days, e.runs), e.days+e.runs-e.rest))
	law := distuv.StudentsT{Sigma: 1, Nu: (e.days + e.runs) * (e.days + e.runs) / unsure}
	half := law.Quantile(0.975) * se
	growth := func(mean float64) float64 { return math.Exp(float64(n)*mean) - 1 }
	e.low, e.high, e.p = growth(e.mean-half), growth(e.mean+half), 2*law.CDF(-math.Abs(e.mean)/se)
	e.mean = growth(e.mean)
	return e
}

// holds fails the test unless a comparison says what is expected.
func (c comparedPair) holds(t *testing.T, want expected) {
	t.Helper()
	for _, f := range []struct {
		name string
		got  *float64
		want float64
	}{
		{"ahead", c.Ahead, want.mean}, {"low", c.AheadInterval.Low, want.low}, {"high", c.AheadInterval.High, want.high}, {"p", c.P, want.p},
		{"variance by days", c.ByDays, want.days}, {"variance by runs", c.ByRuns, want.runs}, {"variance of the rest", c.ByRest, want.rest},
	} {
		if f.got == nil || math.Abs(*f.got-f.want) > 1e-9*math.Max(1e-3, math.Abs(f.want)) {
			t.Errorf("%s against %s: %s is %v, want %v", c.Account, c.Against, f.name, f.got, f.want)
		}
	}
	if c.Returns != 12 || c.Sharpe != nil {
		t.Errorf("%s against %s: %d returns, Sharpe %v", c.Account, c.Against, c.Returns, c.Sharpe)
	}
}

// holdsHolm fails the test unless p-values are adjusted for being one family.
func holdsHolm(t *testing.T, ps, adjusted []float64) {
	t.Helper()
	for i, p := range ps {
		want := 0.0
		for _, smaller := range ps {
			left := 0
			for _, other := range ps {
				if other >= smaller {
					left++
				}
			}
			if smaller <= p {
				want = math.Max(want, math.Min(1, smaller*float64(left)))
			}
		}
		if math.Abs(adjusted[i]-want) > 1e-12 {
			t.Errorf("of %v, %v becomes %v, want %v", ps, p, adjusted[i], want)
		}
	}
}

func TestAnExperimentOverSeedsAndPeriodsGoesOnWithoutTheAccountThatFails(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onFiles(t)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Model == "scripted/bob" && fmt.Sprint(r.Fields["seed"]) == "8" && r.Date > "2025-01-02" {
			return modeltest.Fail(401, "")
		}
		return trialDay(r)
	})
	config := p.experiment(t, model.URL, object{
		"name": "autumn", "seeds": []int{7, 8},
		"periods": []object{{"name": "early", "init_date": "2025-01-01", "end_date": "2025-01-06"}, {"name": "late", "init_date": "2025-01-06", "end_date": "2025-01-08"}},
	})
	if out := p.try(t, "run", config); out.code != 2 || !strings.Contains(out.stderr, "date_range: is given") {
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
	p.amend(t, config, "date_range", object{})
	if out := p.try(t, "report", "--experiment", config); out.code != 1 || !strings.Contains(out.stderr, "no account of the experiment has begun") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	out := p.try(t, "run", config, "--lockstep")
	if out.code != 1 || strings.Count(out.stderr, "account autumn_bob_s8_early_r1 stopped: ") != 1 {
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
	for account, days := range map[string][2]string{"autumn_alice_s7_early_r1": {"2025-01-01", "2025-01-06"}, "autumn_alice_s8_late_r1": {"2025-01-06", "2025-01-08"}, "autumn_bob_s7_late_r1": {"2025-01-06", "2025-01-08"}} {
		records := p.records(t, account)
		if first, last := string(records[0].Date), string(records[len(records)-1].Date); first != days[0] || last != days[1] {
			t.Errorf("%s is from %s to %s, want %s to %s", account, first, last, days[0], days[1])
		}
		p.verified(t, account)
	}
	table := p.do(t, "report", "--experiment", config)
	for _, want := range []string{"alice early", "bob late", "it takes 10 returns, not 2", "it takes 10 returns, not 3"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	if out := p.try(t, "models", "check", config, "--json"); strings.Count(out.stdout, `"account"`) != 2 {
		t.Errorf("each of two models is asked once:\n%s", out.stdout)
	}
}
