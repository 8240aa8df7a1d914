// Configured runs of a model whose orders wait, over two weeks of made-up prices: what fills, expires and is cancelled was worked out by
// hand; a run that is killed comes to the same bytes, and so does its recording.

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

// bar is a day of a symbol, in dollars.
type bar struct{ open, high, low float64 }

// twoWeeks are the prices of the runs: on each day AAA is at 100 and BBB at 50, but for these bars.
func twoWeeks(t *testing.T, moves map[string]bar) string {
	t.Helper()
	var text strings.Builder
	for symbol, price := range map[string]float64{"AAA": 100, "BBB": 50} {
		bars := map[string]map[string]string{}
		for _, day := range tenDays {
			b, moved := moves[symbol+" "+day]
			if !moved {
				b = bar{price, price + 1, price - 1}
			}
			bars[day] = map[string]string{"1. open": fmt.Sprint(b.open), "2. high": fmt.Sprint(b.high), "3. low": fmt.Sprint(b.low), "4. close": fmt.Sprint(price), "5. volume": "1000"}
		}
		line, err := json.Marshal(object{"Meta Data": object{"2. Symbol": symbol}, "Time Series (Daily)": bars})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	return text.String()
}

// orderRun is a run of a model whose orders wait.
type orderRun struct {
	name   string
	config object // what the configuration says of orders
	moves  map[string]bar
	calls  map[string][]modeltest.Call // by day
	want   []string                    // what the records do, without those of days on which nothing was traded
	cash   string
	held   map[string]string
	open   int
	report string // of the orders, as report.json has it
}

// placeCall is a call of place_order.
func placeCall(side, symbol string, amount int, kind string, price float64, until string) modeltest.Call {
	return modeltest.To("place_order", map[string]any{"side": side, "symbol": symbol, "amount": amount, "type": kind, kind + "_price": price, "until": until})
}

var orderRuns = []orderRun{
	{
		name: "fill: next-open", config: object{"fill": "next-open"},
		moves: map[string]bar{"AAA 2025-10-03": {102, 103, 99}, "BBB 2025-10-06": {51.5, 52, 49}, "AAA 2025-10-07": {97, 101, 96}, "AAA 2025-10-10": {9000, 9001, 99}},
		calls: map[string][]modeltest.Call{
			"2025-10-02": {modeltest.Order("buy", "AAA", 10)},
			"2025-10-03": {modeltest.Order("buy", "BBB", 20)},
			"2025-10-06": {modeltest.Order("sell", "AAA", 4), modeltest.Order("sell", "AAA", 7)}, // the 4 are reserved: 7 more are not there
			"2025-10-09": {modeltest.Order("buy", "AAA", 50)},                                    // which its next open makes too dear
			"2025-10-14": {modeltest.Order("buy", "BBB", 1)},                                     // which no open follows
		},
		want: []string{
			"2025-10-02 order buy 10 AAA",
			"2025-10-03 buy 10 AAA at 102 of 1", "2025-10-03 order buy 20 BBB",
			"2025-10-06 buy 20 BBB at 51.5 of 3", "2025-10-06 order sell 4 AAA",
			"2025-10-07 sell 4 AAA at 97 of 5",
			"2025-10-09 order buy 50 AAA", "2025-10-10 expire 50 AAA of 8 in 2025-10-10: Insufficient cash! This action will not be allowed. It takes 450000, and 8338 is free.",
			"2025-10-14 order buy 1 BBB",
		},
		// 10000 - 10*102 - 20*51.5 + 4*97
		cash: "8338", held: map[string]string{"AAA": "6", "BBB": "20"}, open: 1,
		report: `{"placed":5,"filled":3,"cancelled":0,"expired":1,"reasons":{"Insufficient cash! This action will not be allowed. It takes 450000, and 8338 is free.":1},"open":1}`,
	},
	{
		name: "limit and stop orders", config: object{"toolsets": []string{"trade", "market", "orders"}},
		moves: map[string]bar{"BBB 2025-10-06": {47, 51, 46}, "AAA 2025-10-06": {100, 101, 94}, "AAA 2025-10-09": {100, 106, 99}, "BBB 2025-10-14": {50, 51, 39}},
		calls: map[string][]modeltest.Call{
			"2025-10-02": {modeltest.Order("buy", "BBB", 10), placeCall("buy", "AAA", 10, "limit", 95, "gtc"), placeCall("buy", "BBB", 5, "limit", 45, "day")},
			"2025-10-03": {placeCall("sell", "BBB", 10, "stop", 48, "gtc")},
			"2025-10-07": {placeCall("sell", "AAA", 10, "limit", 110, "gtc")},
			"2025-10-08": {modeltest.To("cancel_order", map[string]any{"id": 8})},
			"2025-10-09": {placeCall("buy", "AAA", 2, "stop", 105, "day")},
			"2025-10-13": {placeCall("sell", "AAA", 4, "limit", 120, "gtc")},
			"2025-10-14": {placeCall("buy", "BBB", 1, "limit", 40, "day")},
		},
		want: []string{
			"2025-10-02 buy 10 BBB at 50", "2025-10-02 order buy 10 AAA", "2025-10-02 order buy 5 BBB",
			"2025-10-03 expire 5 BBB of 3: The day is over.", "2025-10-03 order sell 10 BBB",
			"2025-10-06 sell 10 BBB at 47 of 5", // the open, which gapped over the stop
			"2025-10-07 buy 10 AAA at 95 of 2 in 2025-10-06", "2025-10-07 order sell 10 AAA",
			"2025-10-08 cancel 10 AAA of 8",
			"2025-10-09 order buy 2 AAA", "2025-10-10 buy 2 AAA at 105 of 10 in 2025-10-09",
			"2025-10-13 order sell 4 AAA",
			"2025-10-14 order buy 1 BBB", "2025-10-15 buy 1 BBB at 40 of 13 in 2025-10-14", // after the last day
		},
		// 10000 - 10*50 + 10*47 - 10*95 - 2*105 - 1*40
		cash: "8770", held: map[string]string{"AAA": "12", "BBB": "1"}, open: 1,
		report: `{"placed":7,"filled":4,"cancelled":1,"expired":1,"reasons":{"The day is over.":1},"open":1}`,
	},
}

func (w orderRun) script(r modeltest.Request) modeltest.Reply {
	if calls := w.calls[r.Date]; r.Turn == 0 && len(calls) > 0 {
		return modeltest.Do(calls...)
	}
	return modeltest.Say("Done. <FINISH_SIGNAL>")
}

// done tells what the records do.
func done(records []ledger.Record) []string {
	var all []string
	for _, r := range records[1:] {
		if r.Action == ledger.NoTrade {
			continue
		}
		text := fmt.Sprintf("%s %s", r.Date, r.Action)
		if r.Action == ledger.Place {
			text += " " + string(r.Side)
		}
		text += fmt.Sprintf(" %s %s", r.Amount, r.Symbol)
		if r.Price.Valid {
			text += " at " + r.Price.Decimal.String()
		}
		if r.Of != 0 {
			text += fmt.Sprintf(" of %d", r.Of)
		}
		if r.At != "" {
			text += " in " + string(r.At)
		}
		if r.Why != "" {
			text += ": " + r.Why
		}
		all = append(all, text)
	}
	return all
}

func TestConfiguredRunsWhoseOrdersWait(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, w := range orderRuns {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			onBothStores(t, func(t *testing.T, p *place) {
				p.do(t, p.waiting(t, w, modeltest.Start(t, w.script))...)
				w.check(t, p)
				want := p.books(t, "alice")

				elsewhere := onFiles(t)
				elsewhere.prices = p.prices
				out := filepath.Join(t.TempDir(), "again")
				said := elsewhere.do(t, "run", "--replay", filepath.Join(p.dir, "agent_data"), "--log-path", out)
				if got := elsewhere.do(t, "ledger", "export", "alice", "--log-path", out); got != want || !strings.Contains(said, "all as recorded") {
					t.Errorf("the replay differs: %s\n%s", firstDifference(got, want), said)
				}

				data := p.dir
				for _, moment := range []turnOf{{"2025-10-07", 0}, {"2025-10-09", 1}, {lastDay, 1}} {
					p.afresh(t, filepath.Join(data, fmt.Sprint(moment)))
					p.killedIn(t, w, moment)
					if got := p.books(t, "alice"); got != want {
						t.Errorf("killed in the turn %v: the ledger differs from the undisturbed one:\n%s", moment, firstDifference(got, want))
					}
				}
			})
		})
	}
}

// turnOf is a turn of the model on a day.
type turnOf struct {
	date string
	turn int
}

// killedIn kills a run while the model is in a turn, and has it go on to its end.
func (p *place) killedIn(t *testing.T, w orderRun, moment turnOf) {
	t.Helper()
	asked, free := make(chan struct{}, 10), make(chan struct{})
	command := p.waiting(t, w, modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if (turnOf{r.Date, r.Turn}) == moment {
			asked <- struct{}{}
			<-free
		}
		return w.script(r)
	}))
	cmd := p.command(command...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-asked:
		_ = cmd.Process.Kill()
		<-ended
	case err := <-ended:
		t.Errorf("the run ended before the turn %v: %v", moment, err)
	}
	close(free)
	p.childless(t)
	p.endLeases(t)
	p.do(t, command...)
}

// waiting writes prices and configuration and returns the command that runs them.
func (p *place) waiting(t *testing.T, w orderRun, model *modeltest.Server) []string {
	t.Helper()
	p.prices = filepath.Join(p.dir, "prices.jsonl")
	put(t, p.prices, twoWeeks(t, w.moves))
	command := p.llm(t, llmRun{url: model.URL, from: tenDays[0], to: lastDay, cash: "10000", accounts: []string{"alice"}})
	for key, value := range w.config {
		p.amend(t, command[1], key, value)
	}
	return command
}

// check holds the account against what was worked out by hand.
func (w orderRun) check(t *testing.T, p *place) {
	t.Helper()
	records := p.records(t, "alice")
	if got := done(records); !slices.Equal(got, w.want) {
		t.Errorf("the records:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(w.want, "\n"))
	}
	last := records[len(records)-1]
	if last.Cash().String() != w.cash || len(last.Orders) != w.open {
		t.Errorf("cash %s and %d orders, want %s and %d", last.Cash(), len(last.Orders), w.cash, w.open)
	}
	for symbol, amount := range w.held {
		if got := last.Positions.Amount(symbol).String(); got != amount {
			t.Errorf("%s %s, want %s", got, symbol, amount)
		}
	}
	p.verified(t, "alice")
	out := filepath.Join(p.dir, "report")
	p.do(t, "report", "alice", "--out", out)
	text, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Accounts []struct{ Orders json.RawMessage }
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, report.Accounts[0].Orders); err != nil {
		t.Fatal(err)
	}
	if got := compact.String(); got != w.report {
		t.Errorf("the report says %s, want %s", got, w.report)
	}
}
