package ledger

// Tests of copying a ledger: byte for byte, or not at all.

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
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

func copied(t *testing.T, lines iter.Seq2[[]byte, error]) Copy {
	t.Helper()
	c, err := ReadCopy(lines)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// history is a ledger of another program: other spaces, other keys, floats.
const history = `{"date":"2025-10-01","id":0,"positions":{"CASH":10000.0,"NVDA":0}}
{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 10}, "positions": {"CASH": 8104.000000000001, "NVDA": 10}, "order_id": "o-1"}
{"date": "2025-10-03", "id": 2, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 8104.000000000001, "NVDA": 10}, "x": [1, 2]}
`

// A ledger is copied byte for byte.
func TestAccounts_Export(t *testing.T) {
	from, to := NewAccounts(fileStore(t)), NewAccounts(fileStore(t))
	var first, second bytes.Buffer
	if n, err := from.Import(t.Context(), "a", copied(t, linesOf(history))); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := from.Export(t.Context(), "a", &first); n != 3 || err != nil || first.String() != history {
		t.Fatalf("%d rows, %v:\n%s", n, err, &first)
	}
	if n, err := to.Import(t.Context(), "b", copied(t, from.Lines(t.Context(), "a"))); n != 3 || err != nil {
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

// Real ledgers are copied byte for byte.
func TestAccounts_Import_RealLedgers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.TestData(t), "us_daily", "*", "position.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a := NewAccounts(fileStore(t))
		if _, err := a.Import(t.Context(), "a", copied(t, linesOf(string(text)))); err != nil {
			t.Fatal(file, err)
		}
		var got bytes.Buffer
		if _, err := a.Export(t.Context(), "a", &got); err != nil || !bytes.Equal(got.Bytes(), text) {
			t.Errorf("%s: %d bytes became %d, %v", file, len(text), got.Len(), err)
		}
	}
}

// An interrupted import goes on.
func TestAccounts_Import_Interrupted(t *testing.T) {
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
		if n, err := a.Import(t.Context(), "a", copied(t, linesOf(history))); n != rows || !errors.Is(err, gone) {
			t.Fatalf("%d rows, %v", n, err)
		}
		s.append = nil
		if n, err := a.Import(t.Context(), "a", copied(t, linesOf(history))); n != 3-rows || err != nil {
			t.Fatalf("%d rows more, %v", n, err)
		}
		if n, err := a.Import(t.Context(), "a", copied(t, linesOf(history))); n != 0 || err != nil {
			t.Fatalf("%d rows when all were there, %v", n, err)
		}
		if got := strings.Join(lines(t, s), "\n") + "\n"; got != history {
			t.Errorf("the ledger is\n%s", got)
		}
	}
}

// An import that cannot be whole changes nothing.
func TestAccounts_Import_Refused(t *testing.T) {
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
			if _, err := a.Import(t.Context(), "a", copied(t, linesOf(c.there))); err != nil {
				t.Fatal(err)
			}
			n, err := a.Import(t.Context(), "a", copied(t, linesOf(c.imported)))
			if n != 0 || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d rows, %v; want %q", n, err, c.want)
			}
			if got := strings.Join(lines(t, s), "\n"); got != strings.TrimSuffix(c.there, "\n") {
				t.Errorf("the ledger is\n%s", got)
			}
		})
	}
}

// Lines that cannot be read are not imported.
func TestReadCopy_Unreadable(t *testing.T) {
	gone := errors.New("gone")
	broken := func(yield func([]byte, error) bool) {
		_ = yield([]byte(strings.SplitAfter(history, "\n")[0]), nil) && yield(nil, gone)
	}
	if c, err := ReadCopy(broken); len(c.rows) != 0 || !errors.Is(err, gone) {
		t.Error(c, err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// An export that cannot be written is an error.
func TestAccounts_Export_WriteError(t *testing.T) {
	if n, err := NewAccounts(opened(t, "1")).Export(t.Context(), "a", full{}); n != 0 || err == nil {
		t.Error(n, err)
	}
}

// imported imports a ledger as one that does not verify, and returns its accounts and its store.
func imported(t *testing.T, lines iter.Seq2[[]byte, error]) (*Accounts, store.Store) {
	t.Helper()
	c, err := copied(t, lines).Marked()
	if err != nil {
		t.Fatal(err)
	}
	s := fileStore(t)
	a := NewAccounts(s)
	if n, err := a.Import(t.Context(), "a", c); n != len(c.rows) || err != nil {
		t.Fatal(n, err)
	}
	return a, s
}

// An unverified import stays marked.
func TestCopy_Marked(t *testing.T) {
	p := testPrices(t)
	forged := slices.Clone(plain)
	forged[4] = strings.Replace(forged[4], `"CASH": 448`, `"CASH": 480`, 1)
	for _, c := range []struct {
		name     string
		rows     []string
		verdict  Verdict
		findings int
		reason   string
	}{
		{"rows that do not follow", forged, NotVerified, 1, `5 rows were imported unverified, of which some do not follow: 1 "price differs"`},
		{"rows in which nothing is found any more", plain, Partly, 0, "5 rows were imported unverified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, s := imported(t, linesIn(c.rows))
			mustSubmit(t, a, p, "2025-10-06", order("buy 2 NVDA"))
			for _, l := range []struct {
				where string
				in    *Accounts
				store store.Store
				rows  int64
			}{{"where it was imported", a, s, 5}, {"in a copy of it", nil, nil, 5}, {"in a copy that was imported unverified once more", nil, nil, 7}} {
				if l.in == nil && l.rows == 5 {
					l.store = fileStore(t)
					l.in = NewAccounts(l.store)
					if _, err := l.in.Import(t.Context(), "a", copied(t, a.Lines(t.Context(), "a"))); err != nil {
						t.Fatal(err)
					}
				} else if l.in == nil {
					l.in, l.store = imported(t, a.Lines(t.Context(), "a"))
				}
				r, err := Verify(linesIn(lines(t, l.store)), p)
				if err != nil || r.Imported == nil || int64(r.Imported.Rows) != l.rows || len(r.Findings) != c.findings || r.FailedUnmarked() || r.Failed() != (c.findings > 0) {
					t.Fatalf("%s: %+v, %v", l.where, r, err)
				}
				for _, f := range r.Findings {
					if !f.Imported || !strings.Contains(f.String(), "imported unverified: price differs: expected 12, found 20") {
						t.Errorf("%s: %+v", l.where, f)
					}
				}
				want := strings.Replace(c.reason, "5 rows", fmt.Sprintf("%d rows", l.rows), 1)
				if verdict, reasons := r.Verdict(); verdict != c.verdict || !slices.Equal(reasons, []string{want}) {
					t.Errorf("%s: %s, %q", l.where, verdict, reasons)
				}
				if n, err := l.in.Imported(t.Context(), "a"); err != nil || *n != l.rows {
					t.Errorf("%s: %v rows, %v", l.where, n, err)
				}
			}
			spoiled := lines(t, s)
			spoiled[6] = strings.Replace(spoiled[6], `"amount": 2`, `"amount": 1`, 1)
			if r, err := Verify(linesIn(spoiled), p); err != nil || !r.FailedUnmarked() || r.Findings[c.findings].Imported {
				t.Errorf("a row after the mark does not follow: %+v, %v", r, err)
			}
		})
	}
}

// Whoever forges a ledger can write a mark too, but none that hides the forgery, or that it was imported.
func TestCopy_Marked_HidesNothing(t *testing.T) {
	p := testPrices(t)
	forged := slices.Clone(plain)
	forged[4] = strings.Replace(forged[4], `"CASH": 448`, `"CASH": 480`, 1)
	_, s := imported(t, linesIn(forged))
	rows := lines(t, s)
	for name, mark := range map[string]string{
		"as it is":      rows[5],
		"of fewer rows": strings.Replace(rows[5], `"unverified_import": 5`, `"unverified_import": 1`, 1),
		"of more rows":  strings.Replace(rows[5], `"unverified_import": 5`, `"unverified_import": 999`, 1),
		"unchained":     rows[5][:strings.Index(rows[5], `, "prev"`)] + "}",
		"with money":    strings.Replace(rows[5], `"CASH": 480`, `"CASH": 4800`, 1),
	} {
		r, err := Verify(linesIn(append(slices.Clone(rows[:5]), mark)), p)
		verdict, _ := r.Verdict()
		if err != nil || verdict != NotVerified || !r.Failed() || r.Imported == nil || r.Imported.Rows != 5 || !r.Findings[0].Imported || r.FailedUnmarked() != (name != "as it is") {
			t.Errorf("a mark %s: %s, %+v, %v", name, verdict, r, err)
		}
	}
	if n, err := NewAccounts(opened(t, "1")).Imported(t.Context(), "a"); err != nil || *n != 0 {
		t.Error(n, err)
	}
}

// A mark finds an order id that is free.
func TestMarkID(t *testing.T) {
	a, _ := imported(t, linesOf(strings.Replace(history, "o-1", "unverified-import-1", 1)))
	if n, err := a.Imported(t.Context(), "a"); err != nil || *n != 3 {
		t.Error(n, err)
	}
}

func TestHeadOf(t *testing.T) {
	for _, text := range []string{"first\nlast\n", "first\nlast", "last\n", "last"} {
		if got := HeadOf([]byte(text)); got != Hash([]byte("last")) {
			t.Errorf("%q: %s", text, got)
		}
	}
}
