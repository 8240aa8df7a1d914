package ledger

// Tests against real ledgers: the same trades on the same prices must lead to the same accounts.

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mcp-trade/code"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// realLedger is a ledger with what is known of each of its rows.
type realLedger struct {
	name    string // folder/agent
	prices  *market.Prices
	rows    []string
	classes []string
	idFits  []bool // the id is the one before it + 1
}

func realLedgers(t *testing.T, folder string) []realLedger {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.TestData(t), folder, "*", "rows.tsv"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	prices, err := market.Open(filepath.Join(testenv.TestData(t), folder, "merged.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = prices.Close() })
	var all []realLedger
	for _, file := range files {
		l := realLedger{name: folder + "/" + filepath.Base(filepath.Dir(file)), prices: prices}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "position.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			l.rows = append(l.rows, strings.TrimSpace(string(line)))
		}
		table, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for row := range strings.Lines(string(table)) {
			cells := strings.Split(row, "\t")
			if n, err := strconv.Atoi(cells[0]); err == nil && n == len(l.classes) {
				l.classes, l.idFits = append(l.classes, cells[8]), append(l.idFits, cells[10] == "Y")
			}
		}
		if len(l.rows) != len(l.classes) {
			t.Fatalf("%s: %d rows of which %d are known", l.name, len(l.rows), len(l.classes))
		}
		all = append(all, l)
	}
	return all
}

// What is found in a real ledger is what whoever looked at each of its rows found, neither more nor less.
func TestVerify_RealLedgers(t *testing.T) {
	known := map[string]Class{"exact_zero_amount": NoChange, "exact_stale_base": StaleBase}
	for _, c := range []struct {
		market   string
		trades   int
		findings int
	}{
		{"us_daily", 138, 2}, {"us_hourly_test", 34, 0}, {"cn_daily", 390, 0}, {"cn_hourly", 706, 0}, {"crypto", 126, 11},
	} {
		trades, findings := 0, 0
		for _, l := range realLedgers(t, c.market) {
			r, err := Verify(linesIn(l.rows), l.prices)
			if err != nil || r.Rows != len(l.rows) || r.Unpriced != 0 || r.Chained != 0 {
				t.Errorf("%s: %d rows, %d unpriced, %d chained, %v", l.name, r.Rows, r.Unpriced, r.Chained, err)
			}
			trades, findings = trades+r.Trades, findings+len(r.Findings)
			found := map[int][]Finding{}
			for _, f := range r.Findings {
				found[f.Row] = append(found[f.Row], f)
			}
			for row, class := range l.classes {
				var want []Class
				if !l.idFits[row] {
					want = append(want, BrokenID)
				}
				if class, ok := known[class]; ok {
					want = append(want, class)
				}
				var got []Class
				for _, f := range found[row] {
					got = append(got, f.Class)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s row %d is known as %q and has the findings %v", l.name, row, class, found[row])
				}
			}
		}
		if trades != c.trades || findings != c.findings {
			t.Errorf("%s: %d trades and %d findings, want %d and %d", c.market, trades, findings, c.trades, c.findings)
		}
	}
}

// Golden ledgers: the orders of real agents, given to a fresh account, lead to the holdings and the cash they led to then.
func TestApply_RealOrders(t *testing.T) {
	for folder, of := range map[string]market.ID{"us_daily": market.US, "us_hourly_test": market.US, "cn_daily": market.CN, "cn_hourly": market.CN} {
		for _, l := range realLedgers(t, folder) {
			t.Run(l.name, func(t *testing.T) {
				s := fileStore(t)
				a := NewAccounts(s)
				for row, text := range l.rows {
					want, err := ParseLine([]byte(text))
					if err != nil {
						t.Fatal(err)
					}
					switch l.classes[row] {
					case "init":
						_, err = a.RegisterUnder(t.Context(), "a", want.Cash(), want.Date, asAITrader(of.Get()))
					case "no_trade":
						err = a.CloseDay(t.Context(), "a", l.prices.AsOf(want.Date))
					case "exact_zero_amount":
						_, err := a.Submit(t.Context(), "a", realOrder(row, want), l.prices.AsOf(want.Date))
						if refusal, ok := errors.AsType[*Refusal](err); !ok || refusal.code != code.InvalidArgument {
							t.Errorf("row %d: a trade of nothing: %v", row, err)
						}
						continue // it changed nothing then either
					default:
						_, err = a.Submit(t.Context(), "a", realOrder(row, want), l.prices.AsOf(want.Date))
					}
					if err != nil {
						t.Fatalf("row %d: %v in %.200s", row, err, text)
					}
					got, err := a.Head(t.Context(), "a")
					if err != nil {
						t.Fatal(err)
					}
					if g, w := spell(got.Positions.Holdings()), spell(want.Positions.Holdings()); g != w || got.Date != want.Date {
						t.Fatalf("row %d: holdings on %s are\n%s\nwant on %s\n%s", row, got.Date, g, want.Date, w)
					}
					if got.Cash().Sub(want.Cash()).Abs().GreaterThan(dec("0.000001")) {
						t.Fatalf("row %d: the cash is %s, want %s", row, got.Cash(), want.Cash())
					}
				}
				// What was written is a ledger without a flaw.
				r, err := Verify(s.Lines(t.Context(), "a"), l.prices)
				if err != nil || len(r.Findings) > 0 || r.Chained != r.Rows-1 {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
	}
}

func realOrder(row int, r Record) Order {
	return Order{ID: fmt.Sprintf("row-%d", row), Action: r.Action, Symbol: r.Symbol, Amount: r.Amount}
}
