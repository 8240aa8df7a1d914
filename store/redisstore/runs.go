// The state of runs in Redis, so that any machine goes on where another one stopped.
//
// Its keys begin with that of the order ids, so that a user may be allowed all of them by the pattern for that one, and lie in
// the same slot. A signature holds no brace, so no account's order ids have such a name.
//
//	orders:{signature}{lease}        lives as long as a run has the account; who that is stands in the order ids, see lease.lua
//	orders:{signature}{checkpoint}   the checkpoint
//	orders:{signature}{manifest}     what the account was run with
//	orders:{signature}{days}         a stream of the days that have a journal
//	orders:{signature}{2025-10-01}   the journal of a day: a stream whose entry <n>-1 holds line number n;
//	                                 with " log.jsonl" behind the day, the day in AI-Trader's form

package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/internal/pause"
	"mcp-trade/store"
)

//go:embed lease.lua
var leaseSource string

//go:embed runs.lua
var runsSource string

// script is a script that is safe to send again.
type script struct{ source, hash string }

var (
	leaseScript = script{leaseSource, redis.NewScript(leaseSource).Hash()}
	runsScript  = script{runsSource, redis.NewScript(runsSource).Hash()}
)

const (
	leaseLife = 4 * time.Second // of a lease that is not renewed
	runPage   = 32              // lines that one trip reads
)

// run names a key of the state of a run.
func (k keys) run(name string) string { return k.orders + "{" + name + "}" }

// runKeys is the way to the state of an account's run.
func (s *Store) runKeys(ctx context.Context, account string) (*link, keys, error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, keys{}, err
	}
	to, err := s.reach(ctx)
	if err != nil {
		return nil, keys{}, s.unreachable("reach the state of the run", err)
	}
	return to, s.keysOf(account), nil
}

// stateOfRun is what the scripts of this file write, in the words of an error.
const stateOfRun = "write the state of the run"

// do runs a script on keys of one slot, until it is answered. doing is what it does, in the words of an error.
func (s *Store) do(ctx context.Context, to *link, doing string, of script, names []string, args ...any) ([]string, error) {
	words := []any{"evalsha", of.hash, len(names)}
	for _, name := range names {
		words = append(words, name)
	}
	words = append(words, args...)
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for try := 1; ; try++ {
		reply, err := s.send(ctx, to, names[0], words)
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			words[0], words[1] = "eval", of.source
			reply, err = s.send(ctx, to, names[0], words)
		}
		if err == nil {
			return reply, nil
		}
		if try == tries || !retryable(err) || pause.For(ctx, retryPause) != nil {
			return nil, s.unreachable(doing, err)
		}
	}
}

// lease is an account in the hands of a run.
type lease struct {
	s     *Store
	to    *link
	k     keys
	nonce string
	fence store.Fence
}

// Lease implements [store.Runs].
func (s *Store) Lease(ctx context.Context, account string, o store.Owner) (store.Lease, error) {
	to, k, err := s.runKeys(ctx, account)
	if err != nil {
		return nil, err
	}
	number, rest, _ := strings.Cut(store.Held{Fence: store.Fence(0).Next(o), Owner: o}.String(), " ")
	l := &lease{s: s, to: to, k: k, nonce: o.Nonce}
	reply, err := l.ask(ctx, "take", number, " "+rest)
	if err != nil {
		return nil, err
	}
	if reply[0] == "leased" {
		return nil, &store.LeasedError{Account: account, By: store.ParseHeld(reply[1]).Owner, Life: leaseLife}
	}
	l.fence = store.ParseHeld(reply[1]).Fence
	return l, nil
}

func (l *lease) ask(ctx context.Context, what string, more ...any) ([]string, error) {
	args := append([]any{what, l.nonce, leaseLife.Milliseconds()}, more...)
	return l.s.do(ctx, l.to, stateOfRun, leaseScript, []string{l.k.orders, l.k.run("lease")}, args...)
}

func (l *lease) Fence() store.Fence { return l.fence }

// Renew implements [store.Lease].
func (l *lease) Renew(ctx context.Context) error {
	reply, err := l.ask(ctx, "renew")
	if err == nil && reply[0] == "lost" {
		return store.ErrLeaseLost
	}
	return err
}

// Release implements [store.Lease].
func (l *lease) Release(ctx context.Context) error {
	_, err := l.ask(ctx, "release")
	return err
}

// judge judges a commit by the leases, as its script does.
func (s *Store) judge(ctx context.Context, to *link, k keys, c store.Commit) error {
	text, err := s.field(ctx, to, k, leaseField)
	if err != nil {
		return s.unreachable("read who has the account", err)
	}
	held := store.ParseHeld(text)
	switch {
	case c.Fence != 0 && held.Fence != c.Fence:
		return store.ErrLeaseLost
	case c.Fence != 0 || held.Nonce == "":
		return nil
	}
	if life, err := s.text(ctx, c.Account, "lease"); err != nil || life != nil {
		return &store.LeasedError{Account: c.Account, By: held.Owner, Life: leaseLife}
	}
	return nil
}

// text reads a key; nil stands for one that is not there.
func (s *Store) text(ctx context.Context, account, name string) ([]byte, error) {
	to, k, err := s.runKeys(ctx, account)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	text, err := to.Get(ctx, k.run(name)).Bytes()
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.unreachable("read the state of the run", err)
	}
	return text, nil
}

// write has the script write a key.
func (s *Store) write(ctx context.Context, account string, f store.Fence, name string, args ...any) (changed bool, err error) {
	to, k, err := s.runKeys(ctx, account)
	if err != nil {
		return false, err
	}
	reply, err := s.do(ctx, to, stateOfRun, runsScript, []string{k.orders, k.run(name), k.run("days")}, append([]any{int64(f)}, args...)...)
	switch {
	case err != nil:
		return false, err
	case reply[0] == "lost":
		return false, store.ErrLeaseLost
	}
	return reply[0] == "changed", nil
}

// Checkpoint implements [store.Runs].
func (s *Store) Checkpoint(ctx context.Context, account string) ([]byte, error) {
	return s.text(ctx, account, "checkpoint")
}

// SaveCheckpoint implements [store.Runs].
func (s *Store) SaveCheckpoint(ctx context.Context, account string, f store.Fence, text []byte) error {
	_, err := s.write(ctx, account, f, "checkpoint", "set", text)
	return err
}

// Manifest implements [store.Runs].
func (s *Store) Manifest(ctx context.Context, account string) ([]byte, error) {
	return s.text(ctx, account, "manifest")
}

// UpdateManifest implements [store.Runs].
func (s *Store) UpdateManifest(ctx context.Context, account string, f store.Fence, change func([]byte) ([]byte, error)) error {
	old, err := s.Manifest(ctx, account)
	if err != nil {
		return err
	}
	text, err := change(old)
	if err == nil {
		_, err = s.write(ctx, account, f, "manifest", "set", text)
	}
	return err
}

// JournalDays implements [store.Runs].
func (s *Store) JournalDays(ctx context.Context, account string) (days []string, err error) {
	lines, err := s.lines(ctx, account, "days")
	for _, day := range lines {
		days = append(days, string(day))
	}
	slices.Sort(days)
	return slices.Compact(days), err
}

// lines reads a stream of the state of a run.
func (s *Store) lines(ctx context.Context, account, name string) (lines [][]byte, err error) {
	to, k, err := s.runKeys(ctx, account)
	if err != nil {
		return nil, err
	}
	for from := "-"; ; {
		entries, err := within(ctx, func(ctx context.Context) ([]redis.XMessage, error) {
			return to.XRangeN(ctx, k.run(name), from, "+", runPage).Result()
		})
		if err != nil {
			return nil, s.unreachable("read the state of the run", err)
		}
		for _, e := range entries {
			lines = append(lines, lineOf(e))
		}
		if len(entries) < runPage {
			return lines, nil
		}
		from = "(" + entries[len(entries)-1].ID
	}
}

// journal is a journal that is being written.
type journal struct {
	s            *Store
	account, day string
	fence        store.Fence
	lines        [][]byte
	next         int // the number of the next line
}

// OpenJournal implements [store.Runs].
func (s *Store) OpenJournal(ctx context.Context, account, day string, f store.Fence) (store.Journal, error) {
	lines, err := s.lines(ctx, account, day)
	if err != nil {
		return nil, err
	}
	return &journal{s: s, account: account, day: day, fence: f, lines: lines, next: len(lines)}, nil
}

func (j *journal) Lines() [][]byte { return j.lines }

// Append implements [store.Journal].
func (j *journal) Append(ctx context.Context, line []byte) error {
	changed, err := j.s.write(ctx, j.account, j.fence, j.day, "line", strconv.Itoa(j.next), line, j.day)
	if err == nil && changed {
		err = j.s.unreachable("write the journal", fmt.Errorf("the journal of %s on %s has another line number %d", j.account, j.day, j.next))
	}
	if err == nil {
		j.next++
	}
	return err
}

// Sync implements [store.Journal]: a line that Redis took is as durable as any commit there.
func (j *journal) Sync(context.Context) error { return nil }

// SaveLog implements [store.Journal].
func (j *journal) SaveLog(ctx context.Context, name string, text []byte) error {
	_, err := j.s.write(ctx, j.account, j.fence, j.day+" "+name, "set", text)
	return err
}

// Log implements [store.Journal].
func (j *journal) Log(ctx context.Context, name string) ([]byte, error) {
	return j.s.text(ctx, j.account, j.day+" "+name)
}

func (j *journal) Close() error { return nil }
