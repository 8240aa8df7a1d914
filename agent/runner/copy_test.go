package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// sideIn is a store in a folder of its own.
func sideIn(t *testing.T) (Side, *filestore.Store) {
	s := filestore.New(t.TempDir(), t.TempDir())
	t.Cleanup(func() { s.Close() })
	return Side{ledger.NewAccounts(s), s}, s
}

var copier = store.Owner{Name: "the test", Nonce: "1", Since: time.Unix(1, 0)}

// fillSide opens an account with three rows, and what runs leave of two days.
func fillSide(t *testing.T, s Side) {
	t.Helper()
	lease, err := s.Runs.Lease(t.Context(), "alice", copier)
	if err != nil {
		t.Fatal(err)
	}
	accounts := s.Accounts.Under(lease.Fence())
	_, err = accounts.Register(t.Context(), "alice", decimal.NewFromInt(1000), "2025-01-01")
	for _, day := range []string{"2025-01-02", "2025-01-03"} {
		j, failed := s.Runs.OpenJournal(t.Context(), "alice", day, lease.Fence())
		if failed != nil {
			t.Fatal(failed)
		}
		for n := range 2 {
			err = errors.Join(err, j.Append(t.Context(), fmt.Appendf(nil, `{"said":"%s, %d"}`, day, n)))
		}
		err = errors.Join(err, j.SaveLog(t.Context(), store.DayLog, []byte("log of "+day)), j.Close())
	}
	err = errors.Join(err, s.Runs.SaveCheckpoint(t.Context(), "alice", lease.Fence(), []byte(`{"date":"2025-01-03"}`)),
		s.Runs.UpdateManifest(t.Context(), "alice", lease.Fence(), func([]byte) ([]byte, error) { return []byte(`[{"store":"here"}]`), nil }),
		lease.Release(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
}

// all is everything that a side has of the account.
func (s Side) all(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for line, err := range s.Accounts.Lines(t.Context(), "alice") {
		fmt.Fprintf(&all, "%s %v\n", line, err)
	}
	days, err := s.Runs.JournalDays(t.Context(), "alice")
	fmt.Fprintln(&all, days, err)
	for _, day := range days {
		j, err := s.Runs.OpenJournal(t.Context(), "alice", day, 0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := j.Log(t.Context(), store.DayLog)
		fmt.Fprintf(&all, "%s %s %v %v\n", j.Lines(), text, err, j.Close())
	}
	checkpoint, err := s.Runs.Checkpoint(t.Context(), "alice")
	fmt.Fprintf(&all, "%s %v\n", checkpoint, err)
	manifest, err := s.Runs.Manifest(t.Context(), "alice")
	fmt.Fprintf(&all, "%s %v\n", strings.ReplaceAll(string(manifest), `"there"`, `"here"`), err)
	return all.String()
}

func copyTo(t *testing.T, from, to Side) (Copied, error) {
	return Copy(t.Context(), from, to, "alice", copier, zerolog.Nop(), func(text []byte) ([]byte, error) {
		return []byte(strings.ReplaceAll(string(text), `"here"`, `"there"`)), nil
	})
}

// stopping fails from a write on.
type stopping struct {
	store.Runs
	left *int
}

var errStopped = errors.New("stopped")

func (s stopping) may() error {
	if *s.left--; *s.left < 0 {
		return errStopped
	}
	return nil
}

func (s stopping) OpenJournal(ctx context.Context, account, day string, f store.Fence) (store.Journal, error) {
	if err := s.may(); err != nil {
		return nil, err
	}
	j, err := s.Runs.OpenJournal(ctx, account, day, f)
	return stoppingJournal{j, s}, err
}

func (s stopping) UpdateManifest(ctx context.Context, account string, f store.Fence, change func([]byte) ([]byte, error)) error {
	return errors.Join(s.may(), s.Runs.UpdateManifest(ctx, account, f, change))
}

func (s stopping) SaveCheckpoint(ctx context.Context, account string, f store.Fence, text []byte) error {
	if err := s.may(); err != nil {
		return err
	}
	return s.Runs.SaveCheckpoint(ctx, account, f, text)
}

type stoppingJournal struct {
	store.Journal
	s stopping
}

func (j stoppingJournal) Append(ctx context.Context, line []byte) error {
	if err := j.s.may(); err != nil {
		return err
	}
	return j.Journal.Append(ctx, line)
}

func TestCopy(t *testing.T) {
	from, _ := sideIn(t)
	fillSide(t, from)
	want := from.all(t)
	done := false
	for stop := 0; !done; stop++ {
		to, _ := sideIn(t)
		left := stop
		_, err := copyTo(t, from, Side{to.Accounts, stopping{to.Runs, &left}})
		if done = err == nil; !done && !errors.Is(err, errStopped) {
			t.Fatalf("stopped at write %d: %v", stop, err)
		}
		c, err := copyTo(t, from, to)
		if err != nil || c.Rows != 1 || c.Days != 2 || c.Added != 0 || len(c.Head) != 64 {
			t.Errorf("stopped at write %d and begun again: %+v, %v", stop, c, err)
		}
		if got := to.all(t); got != want {
			t.Errorf("stopped at write %d: the copy is\n%s\nand the account\n%s", stop, got, want)
		}
	}
}

func TestCopy_Refused(t *testing.T) {
	from, in := sideIn(t)
	if _, err := copyTo(t, from, from); !isNew(err) {
		t.Errorf("an account that is not there: %v", err)
	}
	fillSide(t, from)
	to, _ := sideIn(t)
	lease, err := in.Lease(t.Context(), "alice", store.Owner{Name: "a run", Nonce: "2", Since: time.Unix(2, 0)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Copy(ctx, from, to, "alice", copier, zerolog.Nop(), nil); err == nil {
		t.Error("an account is copied while a run has it")
	}
	if names, err := to.Accounts.Names(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("the other store has %v, %v", names, err)
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}

	if _, err := to.Accounts.Register(t.Context(), "alice", decimal.NewFromInt(5), "2025-01-01"); err != nil {
		t.Fatal(err)
	}
	before := to.all(t)
	if _, err := copyTo(t, from, to); err == nil || !strings.Contains(err.Error(), "has another ledger") {
		t.Errorf("onto another ledger: %v", err)
	}
	if after := to.all(t); after != before {
		t.Errorf("onto another ledger: it is\n%s\nand was\n%s", after, before)
	}
}
