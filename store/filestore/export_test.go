package filestore

import (
	"os"
	"time"

	"mcp-trade/internal/lru"
)

// WithDisk has lines written and synced by other functions. A nil one stays as it is.
func WithDisk(write func(*os.File, []byte) (int, error), sync func(*os.File) error) Option {
	return func(s *Store) {
		if write != nil {
			s.disk.write = write
		}
		if sync != nil {
			s.disk.sync = sync
		}
	}
}

// WithGroupTime has a line wait so long for the next one.
func WithGroupTime(d time.Duration) Option {
	return func(s *Store) { s.groupTime = d }
}

// WithPatience has a lock waited for so long, and so long by those who come after one that waited in vain.
func WithPatience(first, late time.Duration) Option {
	return func(s *Store) { s.lockTimeouts = lockTimeouts{first, late} }
}

// WithIndexEvery gives every so many bytes of a ledger a block of its index.
func WithIndexEvery(bytes int64) Option {
	return func(s *Store) { s.indexEvery = bytes }
}

// WithKept keeps at most so many ledgers, sessions and queues that are not in use.
func WithKept(n int) Option {
	return func(s *Store) {
		s.ledgers, s.sessionCache, s.queues = lru.New(n, s.dropLedger), lru.New[cachedSession](n, nil), lru.New[*queue](n, nil)
	}
}

// Kept returns how many ledgers, sessions and queues the store keeps, and how many of each it may.
func (s *Store) Kept() (kept, bounds [3]int) {
	return [3]int{s.ledgers.Len(), s.sessionCache.Len(), s.queues.Len()}, [3]int{keptLedgers, keptSessions, keptQueues}
}
