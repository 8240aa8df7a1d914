// Facts about a Redis that decide what survives a failure, and a commit on trial.

package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

// Facts decide which trades survive a failure of the server. "" and -1 stand for facts that the server does not tell.
type Facts struct {
	Addr        string
	Version     string
	Role        string        // "master" or "slave"
	Replicas    int           // connected and in sync
	MinReplicas int           // below this number the server refuses writes (min-replicas-to-write)
	MaxLag      time.Duration // how far such a replica may lag (min-replicas-max-lag)
	MaxMemory   int64         // bytes, 0 for no limit
	Eviction    string        // what is evicted when memory is full: "noeviction", "allkeys-lru" and so on (maxmemory-policy)
	AppendOnly  string        // "yes" or "no"
	Fsync       string        // how often the append-only file is synced: "always", "everysec" or "no"
	Refused     []string      // commands that the user may not send, or that the server does not know, such as "INFO"
}

// Facts asks the server, or each master of a cluster. It is an *[store.UnreachableError] if one does not answer.
func (s *Store) Facts(ctx context.Context) ([]Facts, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	to, err := s.reach(ctx)
	if err != nil {
		return nil, s.unreachable("ask the server", err)
	}
	var all []Facts
	var mu sync.Mutex // the nodes of a cluster are asked side by side
	ask := func(ctx context.Context, c *redis.Client) error {
		f, err := factsOf(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, f)
		return err
	}
	if c, ok := to.UniversalClient.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, ask)
	} else {
		err = ask(ctx, to.UniversalClient.(*redis.Client))
	}
	if err != nil {
		return nil, s.unreachable("ask the server", err)
	}
	return all, nil
}

func factsOf(ctx context.Context, c *redis.Client) (Facts, error) {
	f := Facts{Addr: c.Options().Addr, Replicas: -1, MinReplicas: -1, MaxLag: -1, MaxMemory: -1}
	hello := redis.NewMapStringInterfaceCmd(ctx, "hello") // which every user may send
	if err := c.Process(ctx, hello); err == nil {
		f.Version, _ = hello.Val()["version"].(string)
		if role, _ := hello.Val()["role"].(string); role == "master" {
			f.Role = role
		} else if role != "" {
			f.Role = "slave"
		}
	}
	info, err := c.Info(ctx).Result()
	if f.refused("INFO", err); err != nil && len(f.Refused) == 0 {
		return f, err
	}
	f.readInfo(info)
	for _, pattern := range []string{"append*", "*replicas-*", "maxmemory*"} { // of several, only Redis 7 takes more than one
		config, err := c.ConfigGet(ctx, pattern).Result()
		if f.refused("CONFIG", err); err != nil {
			break // a managed server refuses it; INFO has told some of it
		}
		f.readConfig(config)
	}
	return f, nil
}

// refused notes a command that a server refuses to a user who is logged in.
func (f *Facts) refused(command string, err error) {
	var reply redis.Error // a sentinel's "no such master" is one too
	if errors.As(err, &reply) && !errors.Is(err, redis.Nil) && !redis.IsAuthError(err) && !redis.IsLoadingError(err) && !redis.IsMaxClientsError(err) {
		f.Refused = append(f.Refused, command)
	}
}

// readInfo reads what INFO tells. It does not tell how often the append-only file is synced.
func (f *Facts) readInfo(info string) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case name == "redis_version":
			f.Version = value
		case name == "role":
			f.Role = value
			f.Replicas = 0
		case strings.HasPrefix(name, "slave") && strings.Contains(value, "state=online"):
			f.Replicas++
		case name == "aof_enabled":
			f.AppendOnly = map[string]string{"0": "no", "1": "yes"}[value]
		case name == "maxmemory":
			f.MaxMemory = number(value)
		case name == "maxmemory_policy":
			f.Eviction = value
		}
	}
}

func (f *Facts) readConfig(config map[string]string) {
	for name, value := range config {
		switch name {
		case "appendonly":
			f.AppendOnly = value
		case "appendfsync":
			f.Fsync = value
		case "min-replicas-to-write":
			f.MinReplicas = int(number(value))
		case "min-replicas-max-lag":
			f.MaxLag = time.Duration(number(value)) * time.Second
		case "maxmemory":
			f.MaxMemory = number(value)
		case "maxmemory-policy":
			f.Eviction = value
		}
	}
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// Try commits lines as the orders of an account are committed, but on keys and a session value of its own, and removes them. The
// keys begin with the account's keys, so that one pattern allows a user both, and lie in the same slot.
func (s *Store) Try(ctx context.Context, account, model string) error {
	if err := store.CheckName("signature", account); err != nil {
		return err
	}
	k := s.keysOf(account)
	k.ledger, k.orders = k.ledger+":doctor", k.orders+":doctor"
	value, halt := store.Key{Model: model, Name: "DOCTOR"}, store.Key{Model: store.AllModels, Name: "HALT"}
	halts, err := s.Values(ctx, halt)
	if err != nil {
		return err
	}
	guard := store.Guard{Backend: s, TTL: time.Second, Update: map[store.Key]string{value: "true"}}
	to, err := s.reach(ctx)
	if err != nil {
		return s.unreachable("try a commit", err)
	}
	defer s.untry(ctx, to, k)
	l, err := s.state(ctx, to, k, "doctor")
	if err != nil {
		return s.unreachable("try a commit", err)
	}
	c := store.Commit{Account: account}
	if l.newest.ID != "" { // left by a try that was interrupted
		c.After, c.ID = lineOf(l.newest), idOf(l.newest)+1
	}
	for range 2 { // the second finds the values that the first set
		c.OrderID = fmt.Sprintf("doctor-%d", c.ID)
		c.Line = fmt.Appendf(nil, `{"id":%d,"order_id":%q}`, c.ID, c.OrderID)
		c.Guards = []store.Guard{guard}
		if err := s.append(ctx, to, c, k); err != nil {
			return err
		}
		c.After, c.ID = c.Line, c.ID+1
		guard.Expect = map[store.Key]string{value: "true", halt: halts[halt]}
	}
	return nil
}

// untry removes the keys of a try.
func (s *Store) untry(ctx context.Context, to *link, k keys) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := to.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.PExpire(ctx, k.ledger, 0) // which removes it at once
		p.PExpire(ctx, k.orders, 0)
		return nil
	})
	if err != nil && !absent(err) {
		s.warn(fmt.Sprintf("%s and %s, on which a commit was tried, could not be removed: %v", k.ledger, k.orders, err))
	}
}
