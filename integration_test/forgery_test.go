// Forgeries: ledgers are changed at random, in the ways in which somebody would who wants another result, and held against
// what 'ledger verify' goes by. MCP_TRADE_FORGERIES says how many (100), MCP_TRADE_FORGERIES_SEED which ones:
//
//	MCP_TRADE_FORGERIES=10000 MCP_TRADE_FORGERIES_SEED=1 go test ./integration_test -run Forgeries -v
//
// What must hold of each:
//
//   - A ledger of this program with the manifest and the transcripts of its runs beside it: verify finds the forgery, or tells
//     of rows outside of the recorded runs, or it is the same account, each value of each row.
//   - A ledger of AI-Trader, of which no hash is kept anywhere: the same, or each row of the forgery follows by AI-Trader's
//     rules at the opens of the prices, as a history that happened would. Such a one cannot be told from the truth.
//   - With --head, and the head that the ledger had: whatever changes a byte of the rows up to it is found.

package integration_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// victim is a ledger that is forged.
type victim struct {
	name     string
	rows     []string
	prices   *market.Prices
	opens    opens
	symbols  []string
	stamps   []market.Stamp  // of the prices
	own      bool            // it is of this program
	recorded []ledger.Anchor // what its manifest and its transcripts noted; none of AI-Trader's
	truth    ledger.Report   // what verify says of it as it is
}

// newVictim reads a ledger, which must verify.
func newVictim(t *testing.T, name, text, prices string, recorded []ledger.Anchor) victim {
	t.Helper()
	v := victim{name: name, rows: strings.Split(strings.TrimSpace(text), "\n"), recorded: recorded, own: len(recorded) > 0}
	var err error
	if v.prices, err = market.Open(prices); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.prices.Close() })
	v.opens = readOpens(t, prices)
	if v.symbols, err = v.prices.AsOf("9999-12-31").Symbols(); err != nil {
		t.Fatal(err)
	}
	first, last := parseLedger(t, v.rows[0])[0].Date, parseLedger(t, v.rows[len(v.rows)-1])[0].Date
	if v.stamps, err = v.prices.Stamps(first, last.AddDays(10)); err != nil {
		t.Fatal(err)
	}
	if v.truth, _ = v.verify(v.rows); v.truth.Failed() {
		t.Fatalf("%s: %v", name, v.truth.Findings)
	}
	if !v.own { // the judges agree on the truth
		if wrong := (victim{name: name, opens: v.opens}).unlawful(v.rows); wrong != "" || strings.Contains(text, `"order_id"`) {
			t.Fatalf("%s: %s", name, wrong)
		}
	}
	return v
}

// verify is what 'ledger verify' does with a ledger, with and without --head and the head that the truth has.
func (v victim) verify(rows []string) (plain, headed ledger.Report) {
	anchors := append(slices.Clip(v.recorded), ledger.Anchor{Hash: v.truth.Head, Source: "--head"})
	headed, _ = ledger.Verify(func(yield func([]byte, error) bool) { // whose error is that of the rows
		for _, row := range rows {
			if !yield([]byte(row), nil) {
				return
			}
		}
	}, v.prices, anchors...)
	plain, plain.Counts = headed, maps.Clone(headed.Counts)
	if headed.Anchored[len(v.recorded)].Row < 0 { // which is a finding of its own
		if plain.Counts[ledger.Missing]--; plain.Counts[ledger.Missing] == 0 {
			delete(plain.Counts, ledger.Missing)
		}
	}
	return plain, headed
}

// tells says whether verify makes less of a forgery than of the truth: it has a reason more not to vouch for it.
func (v victim) tells(report ledger.Report) bool {
	_, was := v.truth.Verdict()
	_, is := report.Verdict()
	return slices.ContainsFunc(is, func(reason string) bool { return !slices.Contains(was, reason) })
}

// recordedVictims are ledgers of this program's own runs: of a decider, of a model, and of two runs of a model with trades by hand
// between them.
func recordedVictims(t *testing.T) []victim {
	const half, whole = "2025-01-08", "2025-01-17"
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		switch {
		case r.Turn == 0:
			return modeltest.Do(modeltest.Order("buy", "SYN01", 3), modeltest.Order("buy", "SYN02", 2))
		case r.Turn == 1 && r.Date > half:
			return modeltest.Do(modeltest.Order("sell", "SYN01", 2))
		}
		return modeltest.Say("Done. %s", llm.StopSignal)
	})
	var victims []victim
	for name, run := range map[string]func(p *place){
		"a decider's": func(p *place) { p.do(t, runArgs(whole, "alice=random:7")...) },
		"a model's": func(p *place) {
			p.do(t, p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: whole, cash: "100000", accounts: []string{"alice"}})...)
		},
		"a model's, with trades by hand between two runs": func(p *place) {
			p.do(t, p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: half, cash: "100000", accounts: []string{"alice"}})...)
			p.intrude(t, "alice", half)
			p.do(t, p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: whole, cash: "100000", accounts: []string{"alice"}})...)
		},
	} {
		p := onFiles(t)
		p.prices = synthetic
		run(p)
		text, err := os.ReadFile(p.ledgerFile("alice"))
		if err != nil {
			t.Fatal(err)
		}
		recorded, err := manifest.Anchors(p.logPath(), "alice", "file")
		if err != nil || len(recorded) == 0 {
			t.Fatal(recorded, err)
		}
		victims = append(victims, newVictim(t, name, string(text), synthetic, recorded))
	}
	slices.SortFunc(victims, func(a, b victim) int { return strings.Compare(a.name, b.name) })
	return victims
}

// upstreamVictims are the ledgers of AI-Trader that verify.
func upstreamVictims(t *testing.T) []victim {
	var victims []victim
	for _, folder := range []string{"us_daily", "us_hourly_test", "cn_daily", "cn_hourly"} {
		dir := filepath.Join(testenv.TestData(t), folder)
		files, err := filepath.Glob(filepath.Join(dir, "*", "position.jsonl"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := folder + "/" + filepath.Base(filepath.Dir(file))
			victims = append(victims, newVictim(t, name, string(text), filepath.Join(dir, "merged.jsonl"), nil))
		}
	}
	return victims
}

// tally counts forgeries of a kind, by what became of them.
type tally map[string]int

// What becomes of a forgery that is as it must be.
const (
	found  = "found"  // verify fails
	told   = "told"   // verify makes less of it than of the truth
	same   = "same"   // it is the same account
	lawful = "follow" // no hash is kept of the truth, and each row follows
)

func TestForgeriesOfRecordedRunsAreFound(t *testing.T) {
	testenv.Slow(t)
	forgeAll(t, recordedVictims(t))
}

func TestForgeriesOfLedgersWithoutHashesAreFoundOrFollow(t *testing.T) {
	testenv.Slow(t)
	forgeAll(t, upstreamVictims(t))
}

// forgeAll forges ledgers in turn, each in every way.
func forgeAll(t *testing.T, victims []victim) {
	many, seed := settingOf(t, "MCP_TRADE_FORGERIES", 100), settingOf(t, "MCP_TRADE_FORGERIES_SEED", 1)
	var mu sync.Mutex
	tallies := map[string]tally{"all": {}}
	one := func(n int) {
		v := victims[n%len(victims)]
		f := forger{victim: v, Rand: rand.New(rand.NewPCG(uint64(seed), uint64(n)))}
		kind, rows := f.forge()
		result, fault := v.judge(rows)
		if fault != "" {
			t.Errorf("%s: forgery %d of seed %d, %q, %s\n%s\nMCP_TRADE_FORGERIES=%d MCP_TRADE_FORGERIES_SEED=%d makes it again",
				v.name, n, seed, kind, fault, difference(v.rows, rows), many, seed)
		}
		mu.Lock()
		defer mu.Unlock()
		if tallies[kind] == nil {
			tallies[kind] = tally{}
		}
		for _, kind := range []string{kind, "all"} {
			tallies[kind]["made"]++
			tallies[kind][result]++
		}
	}
	var wait sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for n := int(next.Add(1)) - 1; n < many; n = int(next.Add(1)) - 1 {
				one(n)
			}
		})
	}
	wait.Wait()
	for _, kind := range slices.Sorted(maps.Keys(tallies)) {
		text := fmt.Sprintf("seed %d, %s:", seed, kind)
		for _, result := range []string{"made", found, told, same, lawful} {
			text += fmt.Sprintf(" %d %s,", tallies[kind][result], result)
		}
		t.Log(strings.TrimSuffix(text, ","))
	}
}

// judge says what becomes of a forgery, and what is wrong with that.
func (v victim) judge(rows []string) (result, fault string) {
	plain, headed := v.verify(rows)
	at := headed.Anchored[len(v.recorded)]
	covered := len(rows) >= len(v.rows) && slices.Equal(rows[:len(v.rows)], v.rows)
	switch {
	case !covered && !headed.Failed():
		return "", "is not found with --head"
	case covered && (at.Row != len(v.rows)-1 || at.From != 0):
		return "", fmt.Sprintf("leaves the rows as they are, and --head stands for rows %d to %d", at.From, at.Row)
	case plain.Failed():
		return found, ""
	case v.tells(plain):
		return told, ""
	case sameAccount(v.rows, rows):
		return same, ""
	case v.own:
		return "", "is not found"
	}
	if wrong := v.unlawful(rows); wrong != "" {
		return "", "is not found, and " + wrong
	}
	return lawful, ""
}

// difference shows the first row in which two ledgers differ.
func difference(rows, others []string) string {
	for i := range max(len(rows), len(others)) {
		row, other := "no row", "no row"
		if i < len(rows) {
			row = rows[i]
		}
		if i < len(others) {
			other = others[i]
		}
		if row != other {
			return fmt.Sprintf("row %d of %d was %s\nand, of %d, is %s", i, len(rows), row, len(others), other)
		}
	}
	return "no row differs"
}
