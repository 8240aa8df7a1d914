// Package redisstore keeps sessions and ledgers in a Redis, the shared engine for agents on several machines.
//
//	config:{model id}:{name}     a session value: JSON text, which expires        (no braces in the key)
//	ledger:{signature}           an account: a stream whose entry <id>-1 holds the record of that id as JSON text
//	orders:{signature}           a hash from order id to record id                (the braces are in these two keys)
//
// The literal braces put an account's two keys in one slot of a Redis Cluster. A commit is one script, so it happens
// wholly or not at all, and is safe to send again when its answer was lost.
package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

// Store keeps state in one Redis server, a Redis Cluster, or a server found through sentinels. It is safe for
// concurrent use.
type Store struct {
	client  redis.UniversalClient
	cluster bool
	place   store.Place
	addrs   []string
	warn    func(string)
	nonce   func() string
}

var _ store.Store = (*Store)(nil)

// Limits on waiting: a call gives up after callTime however often it was tried.
const (
	dialTime   = 1 * time.Second
	answerTime = 1500 * time.Millisecond
	callTime   = 4 * time.Second
	tries      = 2 // on a broken connection; each commit carries a mark that makes repeating it safe
)

// bufferBytes is the size of the two buffers of a connection: a commit fits into one, and there is a server for each model.
const bufferBytes = 8 << 10

// Options reads the address of a Redis:
//
//	redis://[user[:password]@]host[:port][/db]           plain TCP
//	rediss://...                                         TLS
//	redis://host1:6379,host2:6379                        a cluster, by some of its nodes
//	redis://host1:26379,host2:26379?master_name=NAME     the master of that name, by its sentinels
//
// Of the password only a "%" that is meant as one need be escaped. No error repeats the address, since it may hold one.
func Options(address string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || (scheme != "redis" && scheme != "rediss") {
		return nil, errors.New("a Redis address starts with redis:// or, for TLS, rediss://")
	}
	user, password := "", ""
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, password, _ = strings.Cut(rest[:at], ":")
		rest = rest[at+1:]
	}
	hosts, path := cutBefore(rest, "/?")
	path, master, err := cutMaster(path)
	if err != nil {
		return nil, err
	}
	addrs := strings.Split(hosts, ",")
	for i, a := range addrs {
		if addrs[i], err = withPort(a); err != nil {
			return nil, err
		}
	}
	one, err := redis.ParseURL(scheme + "://" + addrs[0] + path)
	if err != nil {
		return nil, errors.New("what follows the host of the Redis address is not a database number, or an option that is not known")
	}
	if one.TLSConfig != nil {
		one.TLSConfig.ServerName = "" // each certificate is held against the host that is dialled
	}
	return &redis.UniversalOptions{
		Addrs: addrs, MasterName: master, DB: one.DB,
		Username: unescaped(user), Password: unescaped(password), TLSConfig: one.TLSConfig,
	}, nil
}

// UpstashOptions reads the pair of settings that Upstash gives for its HTTP interface. The same database speaks native
// Redis over TLS on port 6379, with the token as the password of the user "default".
func UpstashOptions(restURL, token string) (*redis.UniversalOptions, error) {
	u, err := url.Parse(restURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("UPSTASH_REDIS_REST_URL is not an address such as https://name.upstash.io")
	}
	if token == "" {
		return nil, errors.New("UPSTASH_REDIS_REST_URL is set but UPSTASH_REDIS_REST_TOKEN is not")
	}
	return &redis.UniversalOptions{
		Addrs: []string{net.JoinHostPort(u.Hostname(), "6379")}, Username: "default", Password: token,
		TLSConfig: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12},
	}, nil
}

// New returns a store on the Redis that the options name. It does not connect: that happens with the first call. What
// could not be done after a commit is told to warn. Each value of nonce must differ from all others, in this process
// and in any other.
func New(o *redis.UniversalOptions, nonce func() string, warn func(string)) *Store {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTime, answerTime, answerTime
	o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = tries-1, 10*time.Millisecond, 100*time.Millisecond
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.ReadBufferSize, o.WriteBufferSize = bufferBytes, bufferBytes
	o.PipelinePoolSize = -1 // a few commands at a time are no reason for connections of their own
	return &Store{
		client: redis.NewUniversalClient(o), cluster: len(o.Addrs) > 1 && o.MasterName == "",
		place: store.Place(fmt.Sprintf("redis:%s %s/%d", strings.Join(o.Addrs, ","), o.MasterName, o.DB)),
		addrs: o.Addrs, warn: warn, nonce: nonce,
	}
}

// LogTo has what go-redis says of its connections told to warn. go-redis has one log per process.
func LogTo(warn func(string)) { redis.SetLogger(connectionLog(warn)) }

type connectionLog func(string)

// Printf implements the interface that go-redis wants of a log.
func (l connectionLog) Printf(_ context.Context, format string, args ...any) {
	l("redis: " + fmt.Sprintf(format, args...))
}

// Name implements [store.Store].
func (s *Store) Name() string { return "redis" }

// Place implements [store.Sessions].
func (s *Store) Place() store.Place { return s.place }

// CommitsWith implements [store.Ledgers]. In a cluster the session is not in the ledger's slot.
func (s *Store) CommitsWith(p store.Place) bool { return p == s.place && !s.cluster }

// Close implements [store.Store].
func (s *Store) Close() error { return s.client.Close() }

// Addrs returns the addresses that the store was given, without user or password.
func (s *Store) Addrs() []string { return s.addrs }

// Persistence says whether the server keeps a ledger over its own crash.
type Persistence struct {
	Version    string // of the server
	AppendOnly string // "yes", "no", or "unknown" when the server does not tell
	Fsync      string // how often the append-only file is synced: "always", "everysec" or "no"
}

// Persistence asks the server how it keeps its data. It is an *[store.UnreachableError] if the server does not answer.
func (s *Store) Persistence(ctx context.Context) (Persistence, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	p := Persistence{AppendOnly: "unknown", Fsync: "unknown"}
	info, err := s.client.Info(ctx, "server").Result()
	if err != nil {
		return p, s.unreachable("ask the server", err)
	}
	for l := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(l), "redis_version:"); ok {
			p.Version = v
		}
	}
	if c, err := s.client.ConfigGet(ctx, "append*").Result(); err == nil { // managed servers refuse CONFIG
		if v := c["appendonly"]; v != "" {
			p.AppendOnly = v
		}
		if v := c["appendfsync"]; v != "" {
			p.Fsync = v
		}
	}
	return p, nil
}

func (s *Store) unreachable(doing string, err error) *store.UnreachableError {
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %v", callTime)
	}
	return &store.UnreachableError{Engine: s.Name(), Doing: doing, Err: fmt.Errorf("%s: %w", strings.Join(s.addrs, ","), err)}
}

func cutBefore(s, chars string) (before, rest string) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// cutMaster takes master_name, which go-redis does not read from an address, out of the query.
func cutMaster(path string) (without, master string, err error) {
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", errors.New("the part of the Redis address after the '?' cannot be read")
	}
	master = values.Get("master_name")
	values.Del("master_name")
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	return path, master, nil
}

// unescaped undoes URL escapes; text in which they make no sense is meant as it is.
func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func withPort(hostport string) (string, error) {
	if hostport == "" {
		return "", errors.New("the Redis address has no host")
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, "6379"
		if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
			host = strings.TrimSuffix(inner, "]")
		}
	}
	_, errPort := strconv.ParseUint(port, 10, 16)
	if errPort != nil || strings.ContainsAny(host, "[] ") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", errors.New("the Redis address has a host that is not a name or an IP address, with a port or without")
	}
	return net.JoinHostPort(host, port), nil
}
