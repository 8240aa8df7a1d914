package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/store"
)

// counted is a ledger that counts what is read of it.
type counted struct {
	io.ReaderAt
	bytes int64
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.bytes += int64(n)
	return n, err
}

func ledgerLine(id int, date, orderID string, trade bool) string {
	action := "no_trade"
	if trade {
		action = "buy"
	}
	order := ""
	if orderID != "" {
		order = fmt.Sprintf(`, "order_id": %q`, orderID)
	}
	return fmt.Sprintf(`{"date": %q, "id": %d, "this_action": {"action": %q, "symbol": "A", "amount": 1}, "positions": {"CASH": 1}%s}`, date, id, action, order)
}

// indexOf returns an index of a ledger that is kept in a folder, with a block for so many bytes.
func indexOf(dir string, every int64) *index {
	return &index{path: filepath.Join(dir, ".position.index"), every: every}
}

func texts(t *testing.T, x *index, ledger string, f store.Filter) (got []string) {
	t.Helper()
	for line, err := range x.before(t.Context(), strings.NewReader(ledger), int64(len(ledger)), f) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(line.text))
	}
	return got
}

// TestIndex_AgainstTheLines holds what an index answers against the lines themselves, while the ledger grows, is cut back and
// becomes another one, and its index is lost and damaged.
func TestIndex_AgainstTheLines(t *testing.T) {
	dir := t.TempDir()
	levels := map[int]bool{}
	rapid.Check(t, func(r *rapid.T) {
		x := indexOf(dir, rapid.SampledFrom([]int64{64, 128, 1000, 100_000}).Draw(r, "every"))
		if err := os.Remove(x.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			r.Fatal(err)
		}
		var lines []string
		day := 1
		grow := func(n int) {
			for range n {
				id := len(lines) + rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 0, -1, 3}).Draw(r, "gap") // other programs leave gaps
				day += rapid.IntRange(0, 20).Draw(r, "days") / 20
				date := fmt.Sprintf("2025-%02d-%02d", day/28%12+1, day%28+1)
				order := rapid.SampledFrom([]string{"", "", fmt.Sprint("o-", len(lines)), "again"}).Draw(r, "order")
				line := ledgerLine(id, date, order, rapid.Bool().Draw(r, "trade"))
				if rapid.IntRange(0, 40).Draw(r, "odd") == 0 {
					line = rapid.SampledFrom([]string{"", "  ", `{"id": 7}`}).Draw(r, "line") // blank, or without a date
				}
				lines = append(lines, line)
			}
		}
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"grow", "grow", "grow a lot", "cut", "another", "lost", "damaged", "new process"}).Draw(r, "step") {
			case "grow":
				grow(rapid.IntRange(1, 10).Draw(r, "lines"))
			case "grow a lot":
				grow(rapid.IntRange(50, 400).Draw(r, "lines"))
			case "cut": // a file that got shorter is noticed by whoever knows it
				lines = lines[:len(lines)-min(len(lines), rapid.IntRange(1, 100).Draw(r, "lines"))]
				x = x.fresh()
			case "another":
				lines = nil
				grow(rapid.IntRange(1, 400).Draw(r, "lines"))
				x = x.fresh()
				_ = os.Remove(x.path)
			case "lost":
				_ = os.Remove(x.path)
				x = x.fresh()
			case "damaged":
				damage(r, x.path)
				x = x.fresh()
			case "new process":
				x = x.fresh()
			}
			holds(r, x, lines)
			for _, b := range x.blocks {
				levels[b.level] = true
			}
		}
	})
	// The random ledgers are seldom long enough for blocks of every level; this one is.
	var lines []string
	for id := range 5000 {
		lines = append(lines, ledgerLine(id, "2025-01-02", "", true))
	}
	x := indexOf(t.TempDir(), 64)
	got := texts(t, x, strings.Join(lines, "\n")+"\n", store.Filter{Before: store.MaxID})
	if slices.Reverse(got); !slices.Equal(got, lines) {
		t.Errorf("%d lines, want %d", len(got), len(lines))
	}
	for _, b := range x.blocks {
		levels[b.level] = true
	}
	if len(levels) != topLevel+1 {
		t.Errorf("only blocks of the levels %v were made", levels)
	}
}

// damage changes the file of an index as a machine does that fails: some of it is zero, or missing.
func damage(r *rapid.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return
	}
	at := rapid.IntRange(0, len(text)-1).Draw(r, "at")
	if rapid.Bool().Draw(r, "missing") {
		text = text[:at]
	} else {
		clear(text[at:min(len(text), at+rapid.IntRange(1, 4096).Draw(r, "zeros"))])
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		r.Fatal(err)
	}
}

// holds compares an index with the lines.
func holds(r *rapid.T, x *index, lines []string) {
	ledger := strings.Join(lines, "\n") + "\n"
	size := int64(len(ledger))
	filter := store.Filter{
		Before: rapid.SampledFrom([]int64{0, 3, int64(len(lines)) / 2, store.MaxID}).Draw(r, "before"),
		AsOf:   rapid.SampledFrom([]string{"", "2025-01-02", "2025-01-20", "2025-02-11", "2026"}).Draw(r, "as of"),
		Trades: rapid.Bool().Draw(r, "only trades"),
	}
	var want, got []string
	newest := map[string]string{}
	for _, text := range lines {
		if strings.TrimSpace(text) == "" {
			continue
		}
		e, err := store.ReadEntry([]byte(text))
		if err != nil {
			r.Fatal(err)
		}
		if filter.Matches(e) {
			want = append(want, text)
		}
		newest[e.OrderID] = text
	}
	for line, err := range x.before(context.Background(), strings.NewReader(ledger), size, filter) {
		if err != nil {
			r.Fatal(err)
		}
		got = append(got, string(line.text))
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		r.Fatalf("%+v: %d lines, want %d", filter, len(got), len(want))
	}
	for _, id := range []string{"again", "none", fmt.Sprint("o-", rapid.IntRange(0, len(lines)).Draw(r, "id"))} {
		line, err := x.find(context.Background(), strings.NewReader(ledger), size, id)
		if err != nil || string(line.text) != newest[id] {
			r.Fatalf("order %s: %q, %v, want %q", id, line.text, err, newest[id])
		}
	}
}

// A ledger of days without trades behind one with a trade, and orders: each answer costs what it has, not what lies between.
func TestIndex_ReadsWhatItAnswers(t *testing.T) {
	const rows = 20_000
	var text strings.Builder
	for id := range rows {
		text.WriteString(ledgerLine(id, fmt.Sprintf("2025-%02d-%02d", id/28/100+1, id/100%28+1), fmt.Sprint("o-", id), id == 5) + "\n")
	}
	ledger := &counted{ReaderAt: strings.NewReader(text.String())}
	size := int64(text.Len())
	dir := t.TempDir()
	made := indexOf(dir, 64<<10)
	if _, err := made.find(t.Context(), ledger, size, "none"); err != nil {
		t.Fatal(err)
	}
	if ledger.bytes > size*2 { // and once more the last line of each block
		t.Errorf("%d bytes were read to make the index of %d", ledger.bytes, size)
	}
	for name, ask := range map[string]func(x *index) (found int, err error){
		"the newest trade": func(x *index) (n int, err error) {
			for _, e := range x.before(t.Context(), ledger, size, store.Filter{Before: store.MaxID, AsOf: "2026", Trades: true}) {
				n, err = n+1, errors.Join(err, e)
			}
			return n, err
		},
		"the book as of an early date": func(x *index) (int, error) {
			for line, err := range x.before(t.Context(), ledger, size, store.Filter{Before: store.MaxID, AsOf: "2025-01-03"}) {
				if !bytes.Contains(line.text, []byte(`"2025-01-03"`)) {
					t.Errorf("found %s", line.text)
				}
				return 1, err
			}
			return 0, nil
		},
		"the line before another": func(x *index) (int, error) {
			for line, err := range x.before(t.Context(), ledger, size, store.Filter{Before: rows / 3}) {
				if !bytes.Contains(line.text, []byte(fmt.Sprintf(`"id": %d,`, rows/3-1))) {
					t.Errorf("found %s", line.text)
				}
				return 1, err
			}
			return 0, nil
		},
		"an old order": func(x *index) (int, error) {
			line, err := x.find(t.Context(), ledger, size, "o-77")
			return min(1, len(line.text)), err
		},
		"an order that is new": func(x *index) (int, error) {
			line, err := x.find(t.Context(), ledger, size, "o-new")
			return 1 - min(1, len(line.text)), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ledger.bytes = 0
			if n, err := ask(made.fresh()); n != 1 || err != nil {
				t.Fatalf("found %d, %v", n, err)
			}
			// The lines that have no block yet, a line for each block, a stretch, and what reading ahead takes.
			if most := int64(64<<10*5/4 + 300*40 + 8<<10 + 64<<10); ledger.bytes > most {
				t.Errorf("%d bytes of %d were read", ledger.bytes, size)
			}
		})
	}
}

func TestIndex_WithoutAFile(t *testing.T) {
	var text strings.Builder
	for id := range 300 {
		text.WriteString(ledgerLine(id, "2025-01-01", fmt.Sprint("o-", id), id%2 == 0) + "\n")
	}
	ledger := text.String()
	x := indexOf(filepath.Join(t.TempDir(), "missing"), 64)
	if got := texts(t, x, ledger, store.Filter{Before: 100, Trades: true}); len(got) != 50 {
		t.Errorf("%d lines", len(got))
	}
	if line, err := x.find(t.Context(), strings.NewReader(ledger), int64(len(ledger)), "o-3"); err != nil || !bytes.Contains(line.text, []byte(`"o-3"`)) {
		t.Errorf("%s, %v", line.text, err)
	}
}

func TestIndex_EndsWhenItIsCancelled(t *testing.T) {
	ledger := strings.Repeat(ledgerLine(1, "2025-01-01", "", false)+"\n", 1000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, every := range []int64{64, 1 << 30} {
		x := indexOf(t.TempDir(), every)
		if _, err := x.find(ctx, strings.NewReader(ledger), int64(len(ledger)), "none"); !errors.Is(err, context.Canceled) {
			t.Errorf("find: %v", err)
		}
		var failed error
		for _, err := range x.before(ctx, strings.NewReader(ledger), int64(len(ledger)), store.Filter{Before: 7, Trades: true}) {
			failed = err
		}
		if !errors.Is(failed, context.Canceled) {
			t.Errorf("before: %v", failed)
		}
	}
}

// Several processes keep one index up while the ledger grows.
func TestIndex_OfSeveralProcesses(t *testing.T) {
	var lines []string
	var text strings.Builder
	dir := t.TempDir()
	processes := []*index{indexOf(dir, 200), indexOf(dir, 200), indexOf(dir, 200)}
	for id := range 600 {
		line := ledgerLine(id, "2025-01-01", fmt.Sprint("o-", id), true)
		lines = append(lines, line)
		text.WriteString(line + "\n")
		ledger := text.String()
		asked := rand.IntN(id + 1)
		x := processes[rand.IntN(len(processes))]
		if found, err := x.find(t.Context(), strings.NewReader(ledger), int64(len(ledger)), fmt.Sprint("o-", asked)); err != nil || string(found.text) != lines[asked] {
			t.Fatalf("with %d lines, order %d: %q, %v", id+1, asked, found.text, err)
		}
	}
}

// BenchmarkIndex_Cold sets the first order with an id on a ledger without an index beside its floor: to read the file.
func BenchmarkIndex_Cold(b *testing.B) {
	const rows, symbols = 40_000, 100
	dir := b.TempDir()
	path := New(dir, dir).LedgerFile("a")
	var text bytes.Buffer
	for id := range rows {
		fmt.Fprintf(&text, `{"date": "2025-10-02", "id": %d, "this_action": {"action": "buy", "symbol": "SYM0", "amount": 1, "price": 307.91}, "positions": {`, id)
		for n := range symbols {
			fmt.Fprintf(&text, `"SYM%d": %d, `, n, (id+n)/symbols)
		}
		fmt.Fprintf(&text, `"CASH": %d.25}, "order_id": "order-%d", "prev": "%064x"}`+"\n", 1_000_000_000-id*300, id, id)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text.Bytes(), 0o600)); err != nil {
		b.Fatal(err)
	}
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			f, err := os.Open(path)
			if err == nil {
				_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 64<<10))
			}
			if err := errors.Join(err, f.Close()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("index", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			_ = os.Remove(filepath.Join(filepath.Dir(path), ".position.index"))
			s := New(dir, dir)
			_, _, err := s.Head(b.Context(), "a", "none")
			if err := errors.Join(err, s.Close()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
