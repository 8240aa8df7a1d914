package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/storetest"
)

// ordered fills an account of a fresh Redis with orders, of which each second has an order id.
func ordered(t *testing.T, s store.Store, n int64) {
	t.Helper()
	for id := range n {
		orderID := ""
		if id%2 == 1 {
			orderID = fmt.Sprint("o-", id)
		}
		if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", id, orderID))); err != nil {
			t.Fatal(err)
		}
	}
}

// The index of order ids is lost, lags, is of another ledger or lies: each order that is in the ledger is found all the
// same, by the look at the head and by the commit itself, and a new one trades.
func TestStore_Append_OrderIDsWithoutTheirIndex(t *testing.T) {
	testenv.Slow(t)
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	for name, spoil := range map[string]func(){
		"as it is":               func() {},
		"lost":                   func() { do(t, c, "DEL", "orders:{a}") },
		"of the earlier version": func() { do(t, c, "HDEL", "orders:{a}", "") },
		"lost, then added to by the earlier version": func() {
			do(t, c, "DEL", "orders:{a}")
			do(t, c, "XADD", "ledger:{a}", "1200-1", "line", string(storetest.Line(1200, "o-old")), "mark", "old")
			do(t, c, "HSET", "orders:{a}", "o-old", 1200)
		},
		"restored from an earlier backup": func() {
			do(t, c, "DEL", "orders:{a}")
			do(t, c, "HSET", "orders:{a}", "o-1", 1, "", "1-1 "+markAt(c, "1-1"))
		},
		"of a ledger that was longer": func() { do(t, c, "HSET", "orders:{a}", "", "5000-1 m", "o-9999", 4999) },
		"of another ledger":           func() { do(t, c, "HSET", "orders:{a}", "", "3-1 m") },
		"lying":                       func() { do(t, c, "HSET", "orders:{a}", "o-1", 2, "o-1199", 1) },
		"garbage":                     func() { do(t, c, "HSET", "orders:{a}", "o-1", "one", "", "garbage") },
	} {
		t.Run(name, func(t *testing.T) {
			for _, way := range []string{"head", "append"} {
				do(t, c, "FLUSHALL")
				s := open(t, "redis://"+addr)
				ordered(t, s, 1200)
				spoil()
				rows := len(storetest.Texts(t, s.Lines(t.Context(), "a")))
				for _, id := range []int64{1, 601, 1199} {
					orderID := fmt.Sprint("o-", id)
					if way == "head" {
						if _, line, err := s.Head(t.Context(), "a", orderID); err != nil || string(line) != string(storetest.Line(id, orderID)) {
							t.Errorf("order %s: %q, %v", orderID, line, err)
						}
						continue
					}
					used := new(store.UsedError)
					err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", int64(rows), orderID)))
					if !errors.As(err, &used) || string(used.Line) != string(storetest.Line(id, orderID)) {
						t.Errorf("order %s again: %v", orderID, err)
					}
				}
				for _, orderID := range []string{"o-9999", "new"} {
					if _, line, err := s.Head(t.Context(), "a", orderID); err != nil || line != nil {
						t.Errorf("order %s: %q, %v", orderID, line, err)
					}
					if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", nextID(t, s), orderID))); err != nil {
						t.Errorf("order %s: %v", orderID, err)
					}
				}
				if got := len(storetest.Texts(t, s.Lines(t.Context(), "a"))); got != rows+2 {
					t.Errorf("%d lines, want %d", got, rows+2)
				}
			}
		})
	}
}

func markAt(c *redis.Client, id string) string {
	entries := c.XRange(context.Background(), "ledger:{a}", id, id).Val()
	return entries[0].Values["mark"].(string)
}

func nextID(t *testing.T, s store.Store) int64 {
	t.Helper()
	head, _, err := s.Head(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := store.ReadEntry(head)
	if err != nil {
		t.Fatal(err)
	}
	return e.ID + 1
}

func TestStore_Repair_OrderIDs(t *testing.T) {
	testenv.Slow(t)
	addr := testenv.StartRedis(t)
	s, c := open(t, "redis://"+addr), bare(t, addr)
	ordered(t, s, 1200)
	faults := func(write bool, want ...string) {
		t.Helper()
		got, err := s.Repair(t.Context(), "a", write)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%+v, %v, want %q", got, err, want)
		}
		for i, w := range want {
			if !strings.Contains(got[i].What, w) {
				t.Errorf("%+v, want %q", got[i], w)
			}
		}
	}
	faults(false)
	do(t, c, "HDEL", "orders:{a}", "o-7", "o-601")
	do(t, c, "HSET", "orders:{a}", "o-9", 8)
	faults(false, `3 order ids that the lines have, the first of them "o-7"`)
	faults(true, "3 order ids")
	faults(false)
	do(t, c, "DEL", "orders:{a}")
	faults(false, "600 order ids")
	faults(true, "600 order ids")
	faults(false)
	if _, line, err := s.Head(t.Context(), "a", "o-9"); err != nil || string(line) != string(storetest.Line(9, "o-9")) {
		t.Errorf("%s, %v", line, err)
	}
	if none, err := s.Repair(t.Context(), "nobody", true); err != nil || len(none) > 0 {
		t.Errorf("no ledger: %v, %v", none, err)
	}
}

// The newest entry was taken out: orders are refused in words, not as conflicts, until the ledger is repaired.
func TestStore_Repair_NewestEntryRemoved(t *testing.T) {
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	for name, remove := range map[string][]any{
		"one":   {"XDEL", "ledger:{a}", "4-1"},
		"three": {"XDEL", "ledger:{a}", "4-1", "3-1", "2-1"},
		"all":   {"XDEL", "ledger:{a}", "4-1", "3-1", "2-1", "1-1", "0-1"},
	} {
		for _, orderID := range []string{"", "new"} {
			t.Run(fmt.Sprintf("%s, order id %q", name, orderID), func(t *testing.T) {
				do(t, c, "FLUSHALL")
				s := open(t, "redis://"+addr)
				ordered(t, s, 5)
				do(t, c, remove...)
				left := int64(5 - (len(remove) - 2))
				next := storetest.Follow(t, s, storetest.Commit("a", left, orderID))
				err := s.Append(t.Context(), next)
				wantUnreachable(t, err, false, "taken out")
				if damaged := new(store.DamagedError); !errors.As(err, &damaged) || damaged.Account != "a" || !damaged.Repairable {
					t.Errorf("%v does not say that the ledger can be repaired", err)
				}
				for _, write := range []bool{false, true} {
					got, err := s.Repair(t.Context(), "a", write)
					if err != nil || len(got) != 1 || !strings.Contains(got[0].What, "taken out") {
						t.Fatalf("%+v, %v", got, err)
					}
				}
				if got, err := s.Repair(t.Context(), "a", false); err != nil || len(got) > 0 {
					t.Errorf("repaired: %+v, %v", got, err)
				}
				for range 3 {
					if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", left, ""))); err != nil {
						t.Fatal(err)
					}
					left++
				}
				storetest.Whole(t, s, "a")
			})
		}
	}
}

// traded is a line that bought something, or none.
func traded(id int64, date string, bought bool) []byte {
	action := "no_trade"
	if bought {
		action = "buy"
	}
	return fmt.Appendf(nil, `{"date": "%s", "id": %d, "this_action": {"action": "%s", "symbol": "AAPL", "amount": 1}, "positions": {"CASH": 1}}`, date, id, action)
}

// long puts a ledger of rows into Redis as another program would. bought says which of them traded.
func long(t testing.TB, c *redis.Client, rows int, date func(int) string, bought func(int) bool) {
	t.Helper()
	p := c.Pipeline()
	for id := range rows {
		p.XAdd(t.Context(), &redis.XAddArgs{Stream: "ledger:{a}", ID: fmt.Sprintf("%d-1", id), Values: []any{"line", traded(int64(id), date(id), bought(id)), "mark", "m"}})
		if id%1000 == 999 || id == rows-1 {
			if _, err := p.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func days(id int) string { return fmt.Sprintf("2025-%02d-%02d", 1+id/500%12, 1+id/20%25) }

// What LinesBefore yields is what the filter lets through of all lines, whatever became of the index of trades.
func TestStore_LinesBefore_Filter(t *testing.T) {
	testenv.Slow(t)
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	const rows = 5000
	for name, bought := range map[string]func(int) bool{
		"none":     func(int) bool { return false },
		"all":      func(int) bool { return true },
		"some":     func(id int) bool { return id%7 == 3 && id/600%2 == 0 },
		"long ago": func(id int) bool { return id < 40 },
	} {
		for spoiled, spoil := range map[string]func(){
			"no index yet": func() {},
			"indexed":      func() {},
			"lost":         func() { do(t, c, "DEL", "orders:{a}") },
			"a page lost":  func() { do(t, c, "HDEL", "orders:{a}", "\xfftrades:0") },
			"a page that lies": func() {
				if page := c.HGet(t.Context(), "orders:{a}", "\xfftrades:0").Val(); page != "" {
					do(t, c, "HSET", "orders:{a}", "\xfftrades:0", page[:strings.LastIndex(page, " ")]+" 4001") // which is too late, or no trade
				}
			},
			"of another ledger": func() { do(t, c, "HSET", "orders:{a}", "\xfftrades", "4-1 x 300") },
			"garbage":           func() { do(t, c, "HSET", "orders:{a}", "\xfftrades", "garbage") },
		} {
			t.Run(name+", "+spoiled, func(t *testing.T) {
				do(t, c, "FLUSHALL")
				long(t, c, rows, days, bought)
				s := open(t, "redis://"+addr)
				if spoiled != "no index yet" {
					storetest.Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID, Trades: true}))
				}
				for i, f := range []store.Filter{
					{Before: store.MaxID, Trades: true}, {Before: 3000, Trades: true}, {Before: 20, Trades: true},
					{Before: store.MaxID, Trades: true, AsOf: "2025-04-02"}, {Before: 1200, Trades: true, AsOf: "2025-04-02"},
					{Before: store.MaxID, AsOf: "2025-04-02"}, {Before: store.MaxID, AsOf: "2024-12-31"}, {Before: store.MaxID, AsOf: "2026-01-01"},
					{Before: 4001, AsOf: "2025-01-01"},
				} {
					if i == 0 {
						spoil()
					}
					var want []string
					for id := rows - 1; id >= 0; id-- {
						if f.Matches(store.Entry{ID: int64(id), Date: days(id), Traded: bought(id)}) {
							want = append(want, string(traded(int64(id), days(id), bought(id))))
						}
					}
					if got := storetest.Texts(t, s.LinesBefore(t.Context(), "a", f)); !slices.Equal(got, want) {
						t.Errorf("%+v: %d lines, want %d", f, len(got), len(want))
					}
				}
			})
		}
	}
}

// Whoever may not write the index reads the lines.
func TestStore_LinesBefore_ReadOnlyUser(t *testing.T) {
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	long(t, c, 2000, days, func(id int) bool { return id == 5 })
	do(t, c, "ACL", "SETUSER", "reader", "on", ">secret", "%R~*", "+@read")
	s := open(t, "redis://reader:secret@"+addr)
	if got := storetest.Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID, Trades: true})); len(got) != 1 {
		t.Errorf("%d trades", len(got))
	}
}

// Once the index is there, a look at the trades or at an earlier date reads a bounded number of entries.
func TestStore_LinesBefore_ReadsNoMore(t *testing.T) {
	testenv.Slow(t)
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	const rows = 100_000
	date := func(id int) string { return fmt.Sprintf("2025-01-01 %02d:%02d:%02d", id/3600, id/60%60, id%60) }
	long(t, c, rows, date, func(id int) bool { return id%1000 == 0 && id < rows/2 })
	s := open(t, "redis://"+addr)
	for i, f := range []store.Filter{
		{Before: store.MaxID, Trades: true}, {Before: store.MaxID, Trades: true},
		{Before: store.MaxID, AsOf: date(777)}, {Before: store.MaxID, AsOf: date(40_500), Trades: true},
	} {
		do(t, c, "CONFIG", "RESETSTAT")
		n := 0
		for _, err := range s.LinesBefore(t.Context(), "a", f) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 10 {
				break
			}
		}
		if n != 10 {
			t.Errorf("%+v: %d lines", f, n)
		}
		if sent := bytesOut(t, c); i > 0 && sent > 200_000 { // all of it is 12 MB
			t.Errorf("%+v: Redis sent %d bytes", f, sent)
		}
	}
}

func bytesOut(t *testing.T, c *redis.Client) (n int) {
	t.Helper()
	for line := range strings.Lines(c.Info(t.Context(), "stats").Val()) {
		if text, ok := strings.CutPrefix(line, "total_net_output_bytes:"); ok {
			if _, err := fmt.Sscan(text, &n); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}
