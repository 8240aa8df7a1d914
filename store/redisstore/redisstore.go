// Package redisstore keeps sessions, ledgers and the state of runs in a Redis, the shared engine for agents on several machines.
//
//	config:{model id}:{name}     a session value: JSON text, which expires        (no braces in the key)
//	ledger:{signature}           an account: a stream whose entry <id>-1 holds the record of that id as JSON text
//	orders:{signature}           a hash from order id to record id                (the braces are in these two keys)
//	orders:{signature}{...}      the state of the account's run, see runs.go
//	tokens                       a hash from a token's hash to what is known of the token
//
// Each key may have a prefix, so that several teams share one Redis. The literal braces put an account's keys in one slot of a Redis Cluster. A commit is one script, which writes wholly or not at
// all, and is safe to send again when its answer was lost. The hash is an index of the lines, made again if it disagrees with
// them; index.go lists what it holds beside the order ids.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

// Store keeps state in one Redis server, a Redis Cluster, or a server found through sentinels. It is safe for
// concurrent use.
type Store struct {
	options  *redis.UniversalOptions
	prefix   string
	link     atomic.Pointer[link] // nil before the server was asked what it is
	single   *redis.Client        // asks the server what it is
	place    store.Place
	replicas int
	warn     func(string)
	newToken func() string
}

var _ store.Store = (*Store)(nil)

// Limits on waiting: a call gives up after callTime however often it was tried.
const (
	dialTime   = 1 * time.Second
	answerTime = 1500 * time.Millisecond
	waitTime   = 1 * time.Second // for replicas, within the time of an answer
	callTime   = 4 * time.Second
	tries      = 2 // on a broken connection; a commit is safe to repeat, by its token
	retryPause = 20 * time.Millisecond
)

// bufferBytes is the size of each of a connection's two buffers. It is small, since each model has a server; a commit fits.
const bufferBytes = 8 << 10

// Config says which Redis to use, and how.
type Config struct {
	Options  *redis.UniversalOptions // from [Options] or [UpstashOptions]
	Prefix   string                  // of every key; see [CheckPrefix]
	Replicas int                     // how many replicas must have a line before it counts as committed
	NewToken func() string           // returns a token that no other commit has, in this process or any other
	Warn     func(string)            // is called with what could not be done after a commit
}

// New returns a store on a Redis. It does not connect: the first call does.
func New(c Config) *Store {
	o := c.Options
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTime, answerTime, answerTime
	o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = tries-1, 10*time.Millisecond, 100*time.Millisecond
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.ReadBufferSize, o.WriteBufferSize = bufferBytes, bufferBytes
	o.PipelinePoolSize = -1 // pipelines are short, and need no connections of their own
	s := &Store{
		options: o, prefix: c.Prefix, replicas: c.Replicas, warn: c.Warn, newToken: c.NewToken,
		place: store.Place(fmt.Sprintf("redis:%s %s/%d %s", strings.Join(o.Addrs, ","), o.MasterName, o.DB, c.Prefix)),
	}
	switch {
	case o.MasterName != "":
		s.link.Store(&link{redis.NewFailoverClient(o.Failover()), false})
	case len(o.Addrs) > 1:
		s.link.Store(&link{redis.NewClusterClient(o.Cluster()), true})
	default:
		s.single = redis.NewClient(o.Simple())
	}
	return s
}

// link is the way to the data: to one server, or to a cluster.
type link struct {
	redis.UniversalClient
	cluster bool
}

// reach returns the link. The first call asks a single address by HELLO, which every user may send, whether it is a node of a
// cluster. A server too old to know HELLO counts as a single one.
func (s *Store) reach(ctx context.Context) (*link, error) {
	if l := s.link.Load(); l != nil {
		return l, nil
	}
	hello := redis.NewMapStringInterfaceCmd(ctx, "hello")
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var reply redis.Error
	if err := s.single.Process(ctx, hello); err != nil && (!errors.As(err, &reply) || redis.IsMaxClientsError(err)) {
		return nil, err
	}
	l := &link{s.single, false}
	if hello.Val()["mode"] == "cluster" {
		l = &link{redis.NewClusterClient(s.options.Cluster()), true}
	}
	if !s.link.CompareAndSwap(nil, l) && l.cluster {
		_ = l.Close() // somebody was quicker
	}
	return s.link.Load(), nil
}

// master returns the server that a key is written to.
func (l *link) master(ctx context.Context, key string) (*redis.Client, error) {
	if c, ok := l.UniversalClient.(*redis.ClusterClient); ok {
		return c.MasterForKey(ctx, key)
	}
	return l.UniversalClient.(*redis.Client), nil
}

// LogTo calls warn with what go-redis logs of its connections. go-redis has one log per process.
func LogTo(warn func(string)) { redis.SetLogger(connectionLog(warn)) }

type connectionLog func(string)

// Printf implements the log of go-redis.
func (l connectionLog) Printf(_ context.Context, format string, args ...any) {
	l("redis: " + fmt.Sprintf(format, args...))
}

// Name implements [store.Store].
func (s *Store) Name() string { return "redis" }

// Place implements [store.Sessions].
func (s *Store) Place() store.Place { return s.place }

// CommitsWith implements [store.Ledgers]. In a cluster the session is not in the ledger's slot.
func (s *Store) CommitsWith(p store.Place) bool {
	if p != s.place {
		return false
	}
	to, err := s.reach(context.Background())
	return err == nil && !to.cluster
}

// Close implements [store.Store].
func (s *Store) Close() error {
	var closed error
	if s.single != nil {
		closed = s.single.Close()
	}
	if l := s.link.Load(); l != nil && l.UniversalClient != redis.UniversalClient(s.single) {
		closed = errors.Join(closed, l.Close())
	}
	return closed
}

// Addrs returns the addresses that the store was given, without user or password.
func (s *Store) Addrs() []string { return s.options.Addrs }

// unreachable says what could not be done, and why. A node of a cluster that gives no answer may be dead, so go-redis is made to
// ask at once which node has taken its place; by itself it asks once a minute.
func (s *Store) unreachable(doing string, err error) *store.UnreachableError {
	var reply redis.Error
	if to := s.link.Load(); to != nil && !errors.As(err, &reply) {
		if c, ok := to.UniversalClient.(*redis.ClusterClient); ok {
			c.ReloadState(context.Background())
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.New("no answer in time")
		if s.options.TLSConfig != nil {
			err = errors.New("no answer in time; it may be a port without TLS")
		}
	}
	return &store.UnreachableError{Engine: s.Name(), Doing: doing, Err: fmt.Errorf("%s: %w", strings.Join(s.Addrs(), ","), err)}
}
