package filestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"mcp-trade/store"
	"mcp-trade/store/storetest"
)

// Whatever a ledger file holds, no reader fails to return, and a line that was acknowledged is the last one, after
// all the whole lines that were there.
func FuzzLedgerFile(f *testing.F) {
	for _, seed := range []string{
		"", "\n", lines(1), lines(3), lines(2) + `{"id": 2, "x`, lines(2) + line(2), line(0), "\x00\x00", lines(1) + "\xc3",
		lines(1) + "\n\n", "{}\n", "null\n", `{"id": 9223372036854775807}` + "\n", `{"id": -1}`, `{"id": 0}` + "\r\n", "{\"id\":0}\v\n",
		`{"id": 1e3}`, `{"id": 0, "order_id": "o-1"}` + "\n{\n", "[]\n" + line(0), lines(1) + "   ", `{"id": 0, "order_id": 5}` + "\n",
		"\u0085" + line(0) + "\u00a0\n", `{"id": 0, "order_id": "new"}` + "\n" + line(1) + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s := open(t, t.TempDir())
		path := s.LedgerFile("a")
		write(t, path, string(file))
		ctx := context.Background()
		count := func() (forward, backward int) {
			for range s.Lines(ctx, "a") {
				forward++
			}
			for range s.LinesBefore(ctx, "a", store.Filter{Before: store.MaxID}) {
				backward++
			}
			for range s.LinesBefore(ctx, "a", store.Filter{Before: 1}) {
				_ = backward // it must end
			}
			return forward, backward
		}
		if forward, backward := count(); forward != backward {
			t.Errorf("%d lines forward, %d backward", forward, backward)
		}
		var next int64
		head, _, err := s.Head(ctx, "a", "")
		if err == nil && head != nil {
			last, _, err := storetest.LineID(head)
			if err != nil {
				t.Fatalf("the head %q has no id", head)
			}
			next = last + 1
		}
		c := storetest.Commit("a", next, "new")
		c.After = head
		errAppend := s.Append(ctx, c)
		used := new(store.UsedError)
		whole := string(file[:strings.LastIndexByte(string(file), '\n')+1])
		switch {
		case err != nil, errAppend != nil && isForeign(whole, string(file[len(whole):])):
			wantUnreachable(t, errAppend)
			wantFile(t, path, string(file))
			return
		case errors.As(errAppend, &used):
			wantFile(t, path, string(file))
			return
		case errAppend != nil:
			t.Fatal(errAppend)
		}
		got := read(t, path)
		kept, ours := strings.CutSuffix(got, string(c.Line)+"\n")
		if !ours {
			t.Fatalf("the file ends with %q", got[max(0, len(got)-200):])
		}
		if kept != whole && kept != string(file)+"\n" {
			t.Errorf("the file %q became %q", file, got)
		}
		wantHead(t, s, string(c.Line))
		wantHead(t, open(t, filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(path))))), string(c.Line))
	})
}

// isForeign tells whether a file of whole lines and a tail is no ledger.
func isForeign(whole, tail string) bool {
	if first, _, _ := strings.Cut(strings.TrimSpace(whole), "\n"); first != "" {
		_, err := store.ReadEntry([]byte(first))
		return err != nil
	}
	return !strings.HasPrefix(`{"date": "`, strings.TrimRight(tail[:min(len(tail), 10)], "\x00"))
}

// BenchmarkAppend sets an append beside its floor: to lock, write and sync a line of the same size.
func BenchmarkAppend(b *testing.B) {
	note := strings.Repeat("x", 1140)
	text := func(id int64, orderID string) []byte {
		return fmt.Appendf(nil, `{"date": "2025-10-02", "id": %d, "order_id": "%s", "note": "%s"}`, id, orderID, note)
	}
	b.Run("floor", func(b *testing.B) {
		dir := b.TempDir()
		f, err := os.OpenFile(filepath.Join(dir, "ledger"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		row := append(text(100_000, "order-100000"), '\n')
		for b.Loop() {
			lock := flock.New(filepath.Join(dir, "lock"))
			err := lock.Lock()
			if err == nil {
				_, err = f.Write(row)
			}
			if err := errors.Join(err, f.Sync(), lock.Unlock()); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, rows := range []int64{10, 100_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			s := open(b, b.TempDir())
			path := s.LedgerFile("a")
			write(b, path, "")
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			w := bufio.NewWriter(f)
			for id := range rows {
				_, _ = w.Write(append(text(id, fmt.Sprintf("order-%d", id)), '\n')) // told by Flush
			}
			if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
				b.Fatal(err)
			}
			if _, _, err := s.Head(b.Context(), "a", "none"); err != nil { // the order ids are read once
				b.Fatal(err)
			}
			c := storetest.Follow(b, s, store.Commit{Account: "a"})
			for id := rows; b.Loop(); id++ {
				c.OrderID = fmt.Sprintf("order-%d", id)
				c.ID, c.Line = id, text(id, c.OrderID)
				if err := s.Append(b.Context(), c); err != nil {
					b.Fatal(err)
				}
				c.After = c.Line
			}
		})
	}
}
