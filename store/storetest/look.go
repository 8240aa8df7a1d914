// The cases about looking at runs.

package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"mcp-trade/store"
)

// look looks at an account, and at the journal of a day from a place on.
func look(t *testing.T, s store.Runs, account, day string, from int64) store.Seen {
	t.Helper()
	seen, err := s.Look(t.Context(), store.Look{Account: account, Day: day, From: from})
	if err != nil || len(seen) != 1 {
		t.Fatalf("a look at %s: %v, %v", account, seen, err)
	}
	return seen[0]
}

func looks(t *testing.T, s store.Store) {
	const day = "2025-10-01 10:00:00"
	if seen := look(t, s, "a", day, 0); seen.Held() || seen.Checkpoint != nil || len(seen.Lines) != 0 || seen.Next != 0 {
		t.Errorf("of an account that was never run: %+v", seen)
	}
	l := take(t, s, "a", 1)
	j, err := s.OpenJournal(t.Context(), "a", day, l.Fence())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	if err := s.SaveCheckpoint(t.Context(), "a", l.Fence(), []byte(`{"date":"x"}`)); err != nil {
		t.Fatal(err)
	}
	read, at := 0, int64(0)
	for n := range 100 {
		if err := j.Append(t.Context(), fmt.Appendf(nil, `{"line":%d}`, n)); err != nil {
			t.Fatal(err)
		}
		if n%40 != 39 {
			continue
		}
		for { // what came since the last look
			seen := look(t, s, "a", day, at)
			if seen.Holder != owner(1) || string(seen.Checkpoint) != `{"date":"x"}` {
				t.Errorf("a look finds %+v", seen)
			}
			if at = seen.Next; len(seen.Lines) == 0 {
				break
			}
			for _, line := range seen.Lines {
				if string(line) != fmt.Sprintf(`{"line":%d}`, read) {
					t.Fatalf("line %d is %s", read, line)
				}
				read++
			}
		}
		if read != n+1 {
			t.Errorf("%d lines are read of %d", read, n+1)
		}
	}
	both, err := s.Look(t.Context(), store.Look{Account: "b"}, store.Look{Account: "a"})
	if err != nil || len(both) != 2 || both[0].Held() || !both[1].Held() {
		t.Errorf("a look at two: %+v, %v", both, err)
	}
	if _, err := s.Look(t.Context(), store.Look{Account: ".."}); err == nil {
		t.Error("a name that could leave its place is looked at")
	}
	giveBack(t, l)
	if seen := look(t, s, "a", "", 0); seen.Held() || seen.Lines != nil {
		t.Errorf("after the run: %+v", seen)
	}
}

// Runs begin and end while others look at them all the time, 1,000 times together and more.
func looksBeside(t *testing.T, s store.Store) {
	giveBack(t, take(t, s, "a", 1)) // so that there is something to look at
	done := make(chan struct{})
	var lookers sync.WaitGroup
	for range 2 {
		lookers.Go(func() {
			for n := 0; ; n++ {
				if _, err := s.Look(t.Context(), store.Look{Account: "a"}); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					if n >= 500 {
						return
					}
				default:
				}
			}
		})
	}
	for n := range 20 {
		l, err := s.Lease(t.Context(), "a", owner(n))
		if err == nil {
			err = errors.Join(l.Renew(t.Context()), l.Release(t.Context()))
		}
		if err != nil {
			t.Errorf("run %d, beside those who look: %v", n, err)
		}
	}
	close(done)
	lookers.Wait()
}
