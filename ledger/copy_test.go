package ledger

// Tests of copying a ledger: byte for byte, or not at all.

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/store"
	"mcp-trade/store/storetest"
)

func linesOf(text string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for line := range strings.Lines(text) {
			if !yield([]byte(strings.TrimSuffix(line, "\n")), nil) {
				return
			}
		}
	}
}

// history is a ledger of another program: other spaces, other keys, floats.
const history = `{"date":"2025-10-01","id":0,"positions":{"CASH":10000.0,"NVDA":0}}
{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 10}, "positions": {"CASH": 8104.000000000001, "NVDA": 10}, "order_id": "o-1"}
{"date": "2025-10-03", "id": 2, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 8104.000000000001, "NVDA": 10}, "x": [1, 2]}
`

func TestALedgerIsCopiedByteForByte(t *testing.T) {
	from, to := NewAccounts(fileStore(t)), NewAccounts(fileStore(t))
	var first, second bytes.Buffer
	if n, err := from.Import(t.Context(), "a", linesOf(history)); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := from.Export(t.Context(), "a", &first); n != 3 || err != nil || first.String() != history {
		t.Fatalf("%d rows, %v:\n%s", n, err, &first)
	}
	if n, err := to.Import(t.Context(), "b", from.Lines(t.Context(), "a")); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := to.Export(t.Context(), "b", &second); n != 3 || err != nil || second.String() != history {
		t.Fatalf("%d rows, %v:\n%s", n, err, &second)
	}
	// The copy is a ledger like any other: it knows its order ids, and goes on.
	o := with("o-1", order("buy 10 NVDA"))
	if fill, err := to.Submit(t.Context(), "b", o, testPrices(t).AsOf("2025-10-02")); err != nil || !fill.Replayed {
		t.Errorf("%+v, %v", fill, err)
	}
	if fill, err := to.Submit(t.Context(), "b", order("sell 10 NVDA"), testPrices(t).AsOf("2025-10-06")); err != nil || fill.ID != 3 {
		t.Errorf("%+v, %v", fill, err)
	}
}

func TestRealLedgersAreCopiedByteForByte(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(storetest.TestData(t), "us_daily", "*", "position.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a := NewAccounts(fileStore(t))
		if _, err := a.Import(t.Context(), "a", linesOf(string(text))); err != nil {
			t.Fatal(file, err)
		}
		var got bytes.Buffer
		if _, err := a.Export(t.Context(), "a", &got); err != nil || !bytes.Equal(got.Bytes(), text) {
			t.Errorf("%s: %d bytes became %d, %v", file, len(text), got.Len(), err)
		}
	}
}

func TestAnInterruptedImportGoesOn(t *testing.T) {
	gone := errors.New("gone")
	for rows := range 3 {
		s := &scripted{Ledgers: fileStore(t)}
		s.append = func(c store.Commit) error {
			if c.ID == int64(rows) {
				return gone
			}
			return nil
		}
		a := NewAccounts(s)
		if n, err := a.Import(t.Context(), "a", linesOf(history)); n != rows || !errors.Is(err, gone) {
			t.Fatalf("%d rows, %v", n, err)
		}
		s.append = nil
		if n, err := a.Import(t.Context(), "a", linesOf(history)); n != 3-rows || err != nil {
			t.Fatalf("%d rows more, %v", n, err)
		}
		if n, err := a.Import(t.Context(), "a", linesOf(history)); n != 0 || err != nil {
			t.Fatalf("%d rows when all were there, %v", n, err)
		}
		if got := strings.Join(lines(t, s), "\n") + "\n"; got != history {
			t.Errorf("the ledger is\n%s", got)
		}
	}
}

func TestAnImportThatCannotBeWholeChangesNothing(t *testing.T) {
	row := strings.SplitAfter(history, "\n")
	for _, c := range []struct{ name, there, imported, want string }{
		{"another ledger is there", strings.Replace(history, "10000.0", "10000", 1), history, "the account a has another ledger: its row 0"},
		{"a longer ledger is there", history, row[0] + row[1], "the account a has another ledger: its row 2"},
		{"a line is torn", "", row[0] + row[1][:50], "row 1: not a ledger line"},
		{"an id is left out", "", row[0] + row[2], "row 1 has the id 2"},
		{"an id is there twice", "", row[0] + row[1] + row[1], "row 2 has the id 1"},
		{"the first id is not 0", "", row[1], "row 0 has the id 1"},
		{"an order id is there twice", "", row[0] + row[1] + strings.Replace(row[1], `"id": 1`, `"id": 2`, 1), `row 2 has the order id "o-1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fileStore(t)
			a := NewAccounts(s)
			if _, err := a.Import(t.Context(), "a", linesOf(c.there)); err != nil {
				t.Fatal(err)
			}
			n, err := a.Import(t.Context(), "a", linesOf(c.imported))
			if n != 0 || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d rows, %v; want %q", n, err, c.want)
			}
			if got := strings.Join(lines(t, s), "\n"); got != strings.TrimSuffix(c.there, "\n") {
				t.Errorf("the ledger is\n%s", got)
			}
		})
	}
}

func TestLinesThatCannotBeReadAreNotImported(t *testing.T) {
	gone := errors.New("gone")
	broken := func(yield func([]byte, error) bool) {
		_ = yield([]byte(strings.SplitAfter(history, "\n")[0]), nil) && yield(nil, gone)
	}
	s := fileStore(t)
	if n, err := NewAccounts(s).Import(t.Context(), "a", broken); n != 0 || !errors.Is(err, gone) {
		t.Error(n, err)
	}
	if got := lines(t, s); len(got) != 0 {
		t.Errorf("the ledger is %s", got)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAnExportThatCannotBeWrittenIsAnError(t *testing.T) {
	if n, err := NewAccounts(opened(t, "1")).Export(t.Context(), "a", full{}); n != 0 || err == nil {
		t.Error(n, err)
	}
}
