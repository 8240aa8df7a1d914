// Package filestore keeps sessions, ledgers, the state of runs and tokens in plain files, the embedded default that needs no server.
//
//	{data dir}/.runtime_env_{model id}.json              the session values of a model: one JSON object
//	{data dir}/.tokens/{hash}.json                       what is known of a token
//	{log path}/{signature}/position/position.jsonl       the ledger of an account: one JSON object per line
//	{log path}/{signature}/position/.position.lock       held by the process that appends
//	{log path}/{signature}/position/.position.index      where in a long ledger orders, trades and dates are
//	{log path}/{signature}/run.json                      the checkpoint of its run
//	{log path}/{signature}/.run.lock                     held by the run that has the account
//	{log path}/{signature}/.run.lease                    who that is, and the number of its lease
//	{log path}/{signature}/log/{day}/transcript.jsonl    the journal of a day
//	{log path}/run-manifest.json                         what the accounts were run with
//
// The files are those that AI-Trader's Python programs read and write, so both can work on them at the same time.
// Processes exclude each other with advisory locks (flock); a commit is one write followed by one fsync.
package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/internal/lru"
	"mcp-trade/store"
)

// Store keeps state in a data directory and a log directory. It is safe for concurrent use, and any number of
// processes may use the same directories.
type Store struct {
	dataDir, logPath         string
	runtimeModel, runtimeEnv string
	place                    store.Place
	access                   files.Access
	warn                     func(string)
	disk                     disk
	groupTime                time.Duration
	lockTimeouts             lockTimeouts
	indexEvery               int64

	running    context.Context // done when the store is closed
	stop       context.CancelFunc
	background sync.WaitGroup // goroutines that end when running is done

	ledgers      *lru.Cache[*ledgerFile]   // by account
	sessionCache *lru.Cache[cachedSession] // session files as last read, by path
	queues       *lru.Cache[*queue]        // by the path of the lock
}

// What a store keeps of accounts and models that are not in use. A ledger has one or two files open.
const (
	keptLedgers  = 128
	keptSessions = 128
	keptQueues   = 512
)

// disk writes and syncs ledgers; tests replace it.
type disk struct {
	write func(*os.File, []byte) (int, error)
	sync  func(*os.File) error
}

// Option changes a [Store] as [New] makes it.
type Option func(*Store)

// WithSessionFile keeps the session of one model in a file of another name (AI-Trader's RUNTIME_ENV_PATH).
func WithSessionFile(model, path string) Option {
	return func(s *Store) { s.runtimeModel, s.runtimeEnv = model, path }
}

// WithWarnings calls warn with what the store repaired by itself, such as the torn end of a ledger.
func WithWarnings(warn func(string)) Option {
	return func(s *Store) { s.warn = warn }
}

// WithAccess says who may use the files that the store makes. The default is [files.Owner] alone.
func WithAccess(a files.Access) Option {
	return func(s *Store) { s.access = a }
}

// New returns a store that keeps sessions in dataDir and ledgers below logPath. Folders are made when first written.
func New(dataDir, logPath string, options ...Option) *Store {
	s := &Store{
		dataDir: dataDir, logPath: logPath, warn: func(string) {}, disk: disk{(*os.File).Write, (*os.File).Sync}, groupTime: groupTime,
		lockTimeouts: lockTimeouts{first: 10 * time.Second, late: 250 * time.Millisecond},
		indexEvery:   indexEvery,
		sessionCache: lru.New[cachedSession](keptSessions, nil), queues: lru.New[*queue](keptQueues, nil),
	}
	s.ledgers = lru.New(keptLedgers, s.dropLedger)
	s.running, s.stop = context.WithCancel(context.Background())
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

// engine names this engine in answers and logs.
const engine = "file"

// Name implements [store.Store].
func (s *Store) Name() string { return engine }

// Place implements [store.Sessions].
func (s *Store) Place() store.Place { return s.place }

// CommitsWith implements [store.Ledgers]: its own sessions are locked while a line is committed.
func (s *Store) CommitsWith(p store.Place) bool { return p == s.place }

// Close implements [store.Store].
func (s *Store) Close() error {
	s.stop()
	err := s.closeLedgers()
	s.background.Wait()
	return errors.Join(err, s.closeLedgers()) // what was opened meanwhile
}

func (s *Store) closeLedgers() error {
	var errs []error
	for _, l := range s.ledgers.Take() {
		errs = append(errs, s.settleNow(l), l.closeAll())
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
