// Storms over Redis: it dies, hangs, is full, forgets and is cut off, with the ledgers in it and with the session alone.

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
)

// redisStorm is a fault of a Redis, behind a proxy, on which servers trade.
type redisStorm struct {
	t      *testing.T
	server *testenv.Redis
	proxy  *testenv.Proxy
}

func (w *redisStorm) do(words ...any) any { return redisDo(w.t, "redis://"+w.server.Addr, words...) }

func (w *redisStorm) restart(_ *storm, r *rand.Rand) {
	pause(r, 300)
	w.server.Kill()
	pause(r, 200)
	w.server.Start(w.t)
}

func (w *redisStorm) hang(_ *storm, r *rand.Rand) {
	w.server.Hang(w.t)
	time.Sleep(500 * time.Millisecond)
	pause(r, 55*scaled(w.t, 100, 10))
	w.server.Wake(w.t)
}

func (w *redisStorm) full(_ *storm, r *rand.Rand) {
	w.do("CONFIG", "SET", "maxmemory", "1")
	pause(r, 100)
	w.do("CONFIG", "SET", "maxmemory", "0")
}

func (w *redisStorm) replica(_ *storm, r *rand.Rand) {
	w.do("REPLICAOF", "127.0.0.1", "1")
	pause(r, 100)
	w.do("REPLICAOF", "NO", "ONE")
}

// loseAnswer loses the answer to the next request that holds the text.
func (w *redisStorm) loseAnswer(text string) func(*storm, *rand.Rand) {
	return func(*storm, *rand.Rand) {
		before := w.proxy.Drops()
		w.proxy.DropReply(text, nil)
		for end := time.Now().Add(patience); w.proxy.Drops() == before && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}
}

// network sets a mode of the proxy for a while.
func (w *redisStorm) network(mode testenv.Mode, below int) func(*storm, *rand.Rand) {
	return func(_ *storm, r *rand.Rand) {
		w.proxy.Set(mode)
		pause(r, below)
		w.proxy.Set(testenv.Pass)
	}
}

// slow has every request arrive late, by one of the times that a far Redis takes.
func (w *redisStorm) slow(_ *storm, r *rand.Rand) {
	delay := []time.Duration{50, 300, 600, 1400}[r.IntN(4)] * time.Millisecond
	w.proxy.Delay(delay)
	time.Sleep(max(time.Second, 4*delay))
	w.proxy.Delay(0)
}

// late has the requests of a moment arrive when nobody waits for them any more.
func (w *redisStorm) late(_ *storm, r *rand.Rand) {
	delay := 1500*time.Millisecond + time.Duration(r.IntN(4500))*time.Millisecond
	w.proxy.Delay(delay)
	pause(r, 40)
	w.proxy.Delay(0)
	time.Sleep(delay)
}

func TestStorm_Redis(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	everysec, always := []string{"--appendonly", "yes", "--appendfsync", "everysec"}, []string{"--appendonly", "yes", "--appendfsync", "always"}
	type kind struct {
		fault
		args []string // of the server
	}
	commit := map[string]string{"redis": "evalsha", "file": ""} // a request that belongs to one
	kinds := func(w *redisStorm, ledgers string) []kind {
		return []kind{
			{fault{"Redis killed, synced every second", 15, before, w.restart}, everysec}, // Redis puts off its writes while a slow disk syncs
			{fault{"Redis killed, synced always", 15, nothing, w.restart}, always},
			{fault{"Redis hangs", 6, nothing, w.hang}, nil},
			{fault{"scripts flushed", 200, nothing, func(*storm, *rand.Rand) { w.do("SCRIPT", "FLUSH") }}, nil},
			{fault{"clients killed", 150, nothing, func(*storm, *rand.Rand) { w.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") }}, nil},
			{fault{"memory full", 30, nothing, w.full}, []string{"--maxmemory-policy", "noeviction"}},
			{fault{"sessions evicted", 30, nothing, w.full}, []string{"--maxmemory-policy", "volatile-random"}},
			{fault{"a replica for a while", 30, nothing, w.replica}, nil},
			{fault{"answers lost", 1400, nothing, w.loseAnswer(commit[ledgers])}, nil},
			{fault{"connections cut", 880, nothing, w.network(testenv.Refuse, 30)}, nil},
			{fault{"the network hangs", 60, nothing, w.network(testenv.Hang, 30*scaled(t, 100, 20))}, nil},
			{fault{"the network is slow", 30, nothing, w.slow}, nil},
			{fault{"requests come late", 100, nothing, w.late}, nil},
		}
	}
	for _, ledgers := range []string{"redis", "file"} {
		for i, c := range kinds(nil, ledgers) {
			t.Run(fmt.Sprintf("ledger in %s/%s", ledgers, c.name), func(t *testing.T) {
				t.Parallel()
				w := &redisStorm{t: t, server: testenv.NewRedis(t, c.args...)}
				w.proxy = testenv.StartProxy(t, w.server.Addr)
				p := onFiles(t)
				p.redisURL, p.env = "redis://"+w.proxy.Addr(), []string{"MCP_TRADE_LEDGER=" + ledgers}
				weather(t, p, kinds(w, ledgers)[i].fault)
			})
		}
	}
}

// A Redis that forgets.
func TestStorm_Flushed(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	t.Run("with the ledgers", func(t *testing.T) {
		weather(t, onRedis(t), fault{"Redis flushed", 60, before, func(s *storm, r *rand.Rand) {
			redisDo(s.t, s.redisURL, "FLUSHALL")
			pause(r, 100)
			if keys, _ := redisDo(s.t, s.redisURL, "KEYS", "*{*").([]any); len(keys) > 0 {
				s.t.Errorf("nobody opened an account, and there are %v", keys)
			}
			s.open(s.t, "alice", "100000000", "2025-10-02")
		}})
	})
	t.Run("with the session", func(t *testing.T) {
		weather(t, onSession(t), fault{"session flushed", 200, nothing, func(s *storm, _ *rand.Rand) {
			redisDo(s.t, s.redisURL, "FLUSHALL")
		}})
	})
	// AI-Trader, on another machine, has another account trade; then Redis forgets, and this machine's file is old.
	t.Run("with another account's session", func(t *testing.T) {
		p := onSession(t)
		p.open(t, "bob", "100000000", "2025-10-02")
		weather(t, p, fault{"another account's session flushed", 60, nothing, func(s *storm, r *rand.Rand) {
			redisDo(s.t, s.redisURL, "SET", "config:alice:SIGNATURE", `"bob"`, "EX", 3600)
			s.turn(false)
			s.answered(acknowledged)
			redisDo(s.t, s.redisURL, "FLUSHALL")
			s.turn(false)
			s.answered(notExecuted)
			pause(r, 50)
			s.untraded("Redis has forgotten that bob traded")
			s.setDate(s.t, "alice", "2025-10-02")
		}}, "bob")
	})
}

// What holds while Redis is gone, with the ledgers in files.
func TestStorm_RedisGone(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	t.Run("halted", func(t *testing.T) {
		server := testenv.NewRedis(t)
		p, elsewhere := onFiles(t), onFiles(t)
		p.redisURL, p.env = "redis://"+server.Addr, []string{"MCP_TRADE_LEDGER=file"}
		elsewhere.redisURL = p.redisURL
		weather(t, p, fault{"halted elsewhere, then Redis killed", 60, nothing, func(s *storm, r *rand.Rand) {
			elsewhere.do(s.t, "session", "set", "HALT=true", "--model-id", "*")
			s.turn(false)
			s.answered(notExecuted) // a server that missed Redis a moment ago may take a second to find it again
			s.turn(false)
			server.Kill()
			s.answered(notExecuted)
			pause(r, 200)
			s.untraded("it was halted, and Redis went away")
			server.Start(s.t)
			pause(r, 200)
			s.untraded("it was halted, and Redis has forgotten it")
			s.do(s.t, "session", "clear", "HALT", "--model-id", "*")
		}})
	})
	t.Run("refused", func(t *testing.T) {
		server := testenv.NewRedis(t)
		p := onFiles(t)
		p.redisURL, p.env = "redis://"+server.Addr, []string{"MCP_TRADE_LEDGER=file", "MCP_TRADE_ON_REDIS_LOSS=refuse"}
		weather(t, p, fault{"Redis killed, and trades refused without it", 60, nothing, func(s *storm, r *rand.Rand) {
			server.Kill()
			s.turn(false)
			s.answered(notExecuted)
			pause(r, 100)
			s.untraded("Redis is gone")
			server.Start(s.t)
			s.setDate(s.t, "alice", "2025-10-02")
		}})
	})
}
