package redisstore_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
	"mcp-trade/store/storetest"
)

// within runs do and fails the test if it hangs; the limit is far beyond what a store may take.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s hangs", what)
	}
}

// The server commits and its answer is lost. Whether the store can ask again decides what it answers; in no case is
// the line there twice.
func TestStore_Append_LostAnswer(t *testing.T) {
	server := testenv.StartRedis(t)
	for _, c := range []struct {
		name, orderID string
		then          testenv.Mode
		unknown       bool // the store cannot find out
	}{
		{"and the server answers again", "", testenv.Pass, false},
		{"of an order and the server answers again", "o-1", testenv.Pass, false},
		{"and the server refuses from then on", "", testenv.Refuse, true},
		{"and the server hangs from then on", "o-1", testenv.Hang, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			do(t, bare(t, server), "FLUSHALL")
			proxy := testenv.StartProxy(t, server)
			s := open(t, "redis://"+proxy.Addr())
			first := storetest.Commit("a", 0, "o-0")
			if err := s.Append(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			proxy.DropReply("evalsha", func() { proxy.Set(c.then) })
			commit := storetest.Commit("a", 1, c.orderID)
			commit.After = first.Line
			commit.Guards = []store.Guard{{Backend: s, Expect: values{ifTrade: ""}, Update: values{ifTrade: `true`}, TTL: time.Hour}}
			within(t, "the append", func() {
				err := s.Append(t.Context(), commit)
				if c.unknown {
					wantUnreachable(t, err, true, "commit to the ledger")
				} else if err != nil {
					t.Error(err)
				}
			})
			if proxy.Drops() != 1 {
				t.Errorf("%d answers were lost", proxy.Drops())
			}
			proxy.Set(testenv.Pass)
			want := []string{string(first.Line), string(storetest.Line(1, c.orderID))}
			if got := storetest.Whole(t, s, "a"); !slices.Equal(got, want) {
				t.Errorf("the ledger is %q", got)
			}
			wantValues(t, s, values{ifTrade: `true`})
			// Who tries again as a new commit learns that the first one is in.
			again := storetest.Commit("a", 1, c.orderID)
			err := s.Append(t.Context(), again)
			used := new(store.UsedError)
			if c.orderID != "" && (!errors.As(err, &used) || string(used.Line) != want[1]) || c.orderID == "" && !errors.Is(err, store.ErrConflict) {
				t.Errorf("tried again: %v", err)
			}
			appendLine(t, s, 2)
		})
	}
}

// The answer is lost, and before the store asks again another writer appends and the session changes. What happened
// is what counts.
func TestStore_Append_LostAnswerBehindOtherLines(t *testing.T) {
	server := testenv.StartRedis(t)
	c, other := bare(t, server), open(t, "redis://"+server)
	for _, orderID := range []string{"", "o-1"} {
		do(t, c, "FLUSHALL")
		proxy := testenv.StartProxy(t, server)
		s := open(t, "redis://"+proxy.Addr())
		if err := s.SetValues(t.Context(), values{today: `"d"`}, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := s.Append(t.Context(), storetest.Commit("a", 0, "o-0")); err != nil {
			t.Fatal(err)
		}
		proxy.DropReply("evalsha", func() {
			for id := range int64(2) {
				if err := other.Append(t.Context(), storetest.Follow(t, other, storetest.Commit("a", id+2, ""))); err != nil {
					t.Error(err)
				}
			}
			if err := other.SetValues(t.Context(), values{today: `"e"`}, time.Hour); err != nil {
				t.Error(err)
			}
		})
		commit := storetest.Follow(t, other, storetest.Commit("a", 1, orderID))
		commit.Guards = []store.Guard{{Backend: s, Expect: values{today: `"d"`}}}
		if err := s.Append(t.Context(), commit); err != nil {
			t.Errorf("order id %q: %v", orderID, err)
		}
		if got := storetest.Whole(t, s, "a"); len(got) != 4 || got[1] != string(commit.Line) {
			t.Errorf("order id %q: the ledger is %q", orderID, got)
		}
	}
}

func TestStore_ServerRefuses(t *testing.T) {
	proxy := testenv.StartProxy(t, "127.0.0.1:1")
	proxy.Set(testenv.Refuse)
	for name, address := range map[string]string{
		"server":   "redis://" + proxy.Addr(),
		"cluster":  "redis://" + proxy.Addr() + "," + proxy.Addr(),
		"sentinel": "redis://" + proxy.Addr() + "?master_name=main",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unanswered(t, open(t, address))
		})
	}
}

// A server that accepts and says nothing has not got a commit before it has greeted.
func TestStore_ServerHangs(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	server := testenv.StartRedis(t)
	cold, warm := testenv.StartProxy(t, server), testenv.StartProxy(t, server)
	cold.Set(testenv.Hang)
	t.Run("from the start", func(t *testing.T) {
		t.Parallel()
		unanswered(t, open(t, "redis://"+cold.Addr()))
	})
	t.Run("once it has the commit", func(t *testing.T) {
		t.Parallel()
		s := open(t, "redis://"+warm.Addr())
		appendLine(t, s, 0)
		warm.Set(testenv.Hang)
		within(t, "the append", func() { wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 1, "")), true) })
		warm.Set(testenv.Pass)
		appendLine(t, s, 1) // it never reached the server, and the store recovers
	})
}

// unanswered checks that every question to a server that gives no answer ends, and that none is answered "nothing".
func unanswered(t *testing.T, s *redisstore.Store) {
	ask := map[string]func() error{
		"values":   func() error { _, err := s.Values(t.Context(), signature); return err },
		"set":      func() error { return s.SetValues(t.Context(), values{signature: `"x"`}, time.Hour) },
		"clear":    func() error { return s.ClearValues(t.Context(), signature) },
		"head":     func() error { _, _, err := s.Head(t.Context(), "a", ""); return err },
		"accounts": func() error { _, err := s.Accounts(t.Context()); return err },
		"facts":    func() error { _, err := s.Facts(t.Context()); return err },
		"try":      func() error { return s.Try(t.Context(), "a", "26") },
		"append":   func() error { return s.Append(t.Context(), storetest.Commit("a", 0, "o-1")) },
		"guarded append": func() error {
			c := storetest.Commit("a", 0, "")
			c.Guards = []store.Guard{{Backend: s, Expect: values{signature: `"x"`}, Update: values{ifTrade: `true`}}}
			return s.Append(t.Context(), c)
		},
		"lines": func() error {
			for _, err := range s.Lines(t.Context(), "a") {
				return err
			}
			return nil
		},
		"lines before": func() error {
			for _, err := range s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID}) {
				return err
			}
			return nil
		},
	}
	answers := make(chan func(), len(ask))
	for what, do := range ask {
		go func() {
			err := do()
			answers <- func() { t.Log(what); wantUnreachable(t, err, false) }
		}()
	}
	within(t, "an answer", func() {
		for range ask {
			(<-answers)()
		}
	})
}

// A server out of memory answers, and has done nothing.
func TestStore_ServerIsFull(t *testing.T) {
	addr := testenv.StartRedis(t)
	s, c := open(t, "redis://"+addr), bare(t, addr)
	do(t, c, "CONFIG", "SET", "maxmemory", 1)
	wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 0, "")), false, "OOM")
	do(t, c, "CONFIG", "SET", "maxmemory", 0)
	appendLine(t, s, 0)
	storetest.Whole(t, s, "a")
}

// A server that keeps an append-only file, synced always, is killed between commits and started again.
func TestStore_ServerRestarted(t *testing.T) {
	server := testenv.NewRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, "redis://"+server.Addr)
	next := int64(0)
	for range 3 {
		for range 5 {
			appendLine(t, s, next)
			next++
		}
		server.Kill()
		err := s.Append(t.Context(), storetest.Commit("a", next, ""))
		if unreachable := new(store.UnreachableError); !errors.As(err, &unreachable) {
			t.Errorf("a dead server: %v", err)
		}
		server.Start(t)
		if got := int64(len(storetest.Whole(t, s, "a"))); got != next {
			t.Fatalf("%d lines, want %d", got, next)
		}
	}
}
