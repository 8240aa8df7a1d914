package market

// Tests against real price files, and ledgers that were written from them.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
)

func TestOpen_RealFiles(t *testing.T) {
	for _, c := range []struct {
		file        string
		symbols     int
		first, last Stamp
		interval    string
		id          ID
	}{
		{"us_daily/merged.jsonl", 101, "2025-06-10", "2025-10-30", "daily", US},
		{"us_daily/QQQ.json", 1, "2025-06-06", "2025-10-28", "daily", US},
		{"us_hourly_test/merged.jsonl", 101, "2025-10-16 07:00:00", "2025-10-27 19:00:00", "60min", US},
		{"cn_daily/merged.jsonl", 50, "2025-10-09", "2025-11-19", "daily", CN},
		{"cn_hourly/merged.jsonl", 50, "2025-10-09 09:30:00", "2025-11-19 14:00:00", "60min", CN},
		{"crypto/merged.jsonl", 10, "2024-11-26", "2025-11-16", "daily", Crypto},
	} {
		t.Run(c.file, func(t *testing.T) {
			p, err := Open(filepath.Join(testenv.TestData(t), c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			info, err := p.Info()
			if err != nil || info.Symbols != c.symbols || info.First != c.first || info.Last != c.last || info.Interval != c.interval {
				t.Error(info.Symbols, info.First, info.Last, info.Interval, err)
			}
			if w := p.Warnings(); len(w) > 0 {
				t.Error(w)
			}
			for _, s := range info.Series {
				if Of(s.Symbol).ID != c.id || s.Bars < 2 {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// Every trade in a real ledger was filled at the open as of its date.
func TestView_OpenPrice_RealFills(t *testing.T) {
	ledgers, err := filepath.Glob(filepath.Join(testenv.TestData(t), "*", "*", "rows.tsv"))
	if err != nil || len(ledgers) == 0 {
		t.Fatal(ledgers, err)
	}
	trades := 0
	for _, ledger := range ledgers {
		p, err := Open(filepath.Join(filepath.Dir(filepath.Dir(ledger)), "merged.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := os.ReadFile(ledger)
		if err != nil {
			t.Fatal(err)
		}
		for row := range strings.Lines(string(rows)) {
			cells := strings.Split(row, "\t")
			date, symbol, open := Stamp(cells[1]), cells[4], cells[6]
			if symbol == "" || open == "" || symbol == "symbol" {
				continue
			}
			want := decimal.RequireFromString(open)
			if got, err := p.AsOf(date).AsStamped(true).OpenPrice(symbol); err != nil || !got.Equal(want) {
				t.Errorf("%s: %s at %s is %s, %v; want %s", ledger, symbol, date, got, err, want)
			}
			trades++
		}
		p.Close()
	}
	if trades < 1000 {
		t.Errorf("only %d trades were checked", trades)
	}
}
