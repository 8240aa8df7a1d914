// Package filestore keeps sessions and ledgers in plain files, the embedded default that needs no server.
//
//	{data dir}/.runtime_env_{model id}.json              the session values of a model: one JSON object
//	{log path}/{signature}/position/position.jsonl       the ledger of an account: one JSON object per line
//	{log path}/{signature}/position/.position.lock       held by whoever appends
//
// The files are those that AI-Trader's Python programs read and write, so both can work on them at the same time.
// Processes exclude each other with advisory locks (flock); a commit is one write followed by one fsync.
package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"mcp-trade/store"
)

// Store keeps state in a data directory and a log directory. It is safe for concurrent use, and any number of
// processes may use the same directories.
type Store struct {
	dataDir, logPath         string
	runtimeModel, runtimeEnv string
	place                    store.Place
	warn                     func(string)

	mu      sync.Mutex
	ledgers map[string]*ledgerFile
	glances map[string]glance        // session files as last read, by path
	turns   map[string]chan struct{} // by the path of a lock: full while a goroutine of this process has its turn
}

// Option changes a [Store] as [New] makes it.
type Option func(*Store)

// WithSessionFile keeps the session of one model in a file of another name (AI-Trader's RUNTIME_ENV_PATH).
func WithSessionFile(model, path string) Option {
	return func(s *Store) { s.runtimeModel, s.runtimeEnv = model, path }
}

// WithWarnings has what the store repaired, such as the torn end of a ledger, told to warn.
func WithWarnings(warn func(string)) Option {
	return func(s *Store) { s.warn = warn }
}

// New returns a store that keeps sessions in dataDir and ledgers below logPath. Folders are made when first written.
func New(dataDir, logPath string, options ...Option) *Store {
	s := &Store{
		dataDir: dataDir, logPath: logPath, warn: func(string) {},
		ledgers: map[string]*ledgerFile{}, glances: map[string]glance{}, turns: map[string]chan struct{}{},
	}
	for _, o := range options {
		o(s)
	}
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		dir = dataDir
	}
	s.place = store.Place(engine + ":" + dir + "|" + s.runtimeModel + "=" + s.runtimeEnv)
	return s
}

var _ store.Store = (*Store)(nil)

// engine is how this one is called in answers and logs.
const engine = "file"

// Name implements [store.Store].
func (s *Store) Name() string { return engine }

// Place implements [store.Sessions].
func (s *Store) Place() store.Place { return s.place }

// CommitsWith implements [store.Ledgers]: its own sessions are locked while a line is committed.
func (s *Store) CommitsWith(p store.Place) bool { return p == s.place }

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for name, l := range s.ledgers {
		errs = append(errs, l.close())
		delete(s.ledgers, name)
	}
	return errors.Join(errs...)
}

// LedgerFile returns the path of an account's ledger.
func (s *Store) LedgerFile(account string) string {
	return filepath.Join(s.logPath, account, "position", "position.jsonl")
}

func (s *Store) ledgerLock(account string) string {
	return filepath.Join(s.logPath, account, "position", ".position.lock")
}

// lockPatience is how long a process waits for another one's lock before it gives up.
const lockPatience = 10 * time.Second

// lockPause is how long it waits between two tries.
const lockPause = 500 * time.Microsecond

// withLock runs do while it holds the advisory lock of that name against other processes and goroutines. Goroutines
// take turns in the order in which they came: a file lock alone would let a busy one starve the rest.
func (s *Store) withLock(ctx context.Context, path string, do func() error) error {
	turn, lock := s.turn(path), flock.New(path)
	mine, held := false, false
	if ctx.Err() == nil { // mostly both are free, and there is nothing to set up for waiting
		select {
		case turn <- struct{}{}:
			mine = true
			held, _ = lock.TryLock()
		default:
		}
	}
	if !held {
		if err := awaitLock(ctx, turn, mine, lock); err != nil {
			return err
		}
	}
	defer func() { <-turn }()
	defer func() { _ = lock.Unlock() }() // what was done under the lock is done
	return do()
}

// awaitLock waits for a turn, unless the caller has it already, and for the lock, as long as there is patience. The turn is
// given back where it fails.
func awaitLock(ctx context.Context, turn chan struct{}, mine bool, lock *flock.Flock) error {
	patience, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	var err error
	if !mine {
		select {
		case turn <- struct{}{}:
			mine = true
		case <-patience.Done():
			err = patience.Err()
		}
	}
	if mine {
		if _, err = lock.TryLockContext(patience, lockPause); errors.Is(err, fs.ErrNotExist) {
			if err = os.MkdirAll(filepath.Dir(lock.Path()), 0o755); err == nil {
				_, err = lock.TryLockContext(patience, lockPause)
			}
		}
		if err != nil {
			<-turn
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("somebody else holds %s: %w", lock.Path(), ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("another process has held %s for %v; end it and try again", lock.Path(), lockPatience)
	}
	return err
}

func (s *Store) turn(path string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turns[path] == nil {
		s.turns[path] = make(chan struct{}, 1)
	}
	return s.turns[path]
}
