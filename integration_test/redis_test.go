// Redis as its operators have it: users who may do little, replicas, sentinels, clusters.

package integration_test

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

// recipe is the Redis user that docs/redis.md gives for a model.
func recipe(t *testing.T, model, account string) []any {
	t.Helper()
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^redis-cli (ACL SETUSER m1 .*\n(?:  .*\n)+)`).FindSubmatch(text)
	if found == nil {
		t.Fatal("docs/redis.md has no recipe")
	}
	line := strings.NewReplacer("\\\n", "", "m1", model, "a1", account, "PASSWORD", "secret", "'", "").Replace(string(found[1]))
	var words []any
	for _, w := range strings.Fields(line) {
		words = append(words, w)
	}
	return words
}

// as is the place as a Redis user sees it.
func (p *place) as(user string) *place {
	other := *p
	other.redisURL = strings.Replace(p.redisURL, "redis://", "redis://"+user+":secret@", 1)
	return &other
}

// The user of the recipe in docs/redis.md trades its account and reads it, is halted by what it cannot clear, and reaches nobody else's.
func TestRedisUser_OfARecipe(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onRedis(t)
	p.prices = plain
	for _, account := range []string{"alice", "bob"} {
		p.open(t, account, "10000", "2025-10-02")
	}
	redisDo(t, p.redisURL, recipe(t, "alice", "alice")...)
	redisDo(t, p.redisURL, "SCRIPT", "FLUSH")
	tenant := p.as("alice")
	tr := tenant.trade(t, "alice")
	tr.filled(t, "buy", "AAPL", 2)
	if r := tr.call(t, "buy", args{"symbol": "AAPL", "amount": 1, "order_id": "one"}); r.failed {
		t.Fatal(r.text)
	}
	if r := tr.call(t, "buy", args{"symbol": "AAPL", "amount": 1, "order_id": "one"}); r.failed || r.fields["replayed"] != true {
		t.Error(r.text)
	}
	for _, tool := range []string{"get_trades", "get_portfolio", "get_session"} {
		if r := tr.call(t, tool, nil); r.failed {
			t.Errorf("%s: %s", tool, r.text)
		}
	}
	for _, command := range [][]string{
		{"ledger", "verify", "alice"}, {"ledger", "show", "alice"}, {"ledger", "export", "alice"},
		{"session", "set", "TODAY_DATE=2025-10-02", "--model-id", "alice"}, {"session", "set", "HALT=true", "--model-id", "alice"},
		{"session", "clear", "HALT", "--model-id", "alice"},
	} {
		tenant.do(t, command...)
	}
	doctor := tenant.try(t, "doctor", "--model-id", "alice")
	if doctor.code != 0 || !strings.Contains(doctor.stdout, "two lines were committed to ledger:{alice}:doctor") || !strings.Contains(doctor.stdout, "refuses CONFIG") {
		t.Errorf("doctor: exit %d\n%s%s", doctor.code, doctor.stdout, doctor.stderr)
	}

	p.do(t, "session", "set", "HALT=true", "--model-id", "*")
	tr.refused(t, "halted", "buy", args{"symbol": "AAPL", "amount": 1})
	for _, command := range [][]string{
		{"session", "clear", "HALT", "--model-id", "*"}, {"session", "set", "HALT=false", "--model-id", "*"},
		{"session", "set", "HALT=true", "--model-id", "bob"},
		{"ledger", "show", "bob"}, {"ledger", "register", "carol", "--date", "2025-10-01"},
	} {
		if r := tenant.try(t, command...); r.code == 0 {
			t.Errorf("it may %q: %s", command, r.stdout)
		}
	}
	tr.refused(t, "halted", "buy", args{"symbol": "AAPL", "amount": 1})
	if got := fmt.Sprint(redisDo(t, p.redisURL, "MGET", "config:*:HALT")); got != "[true]" {
		t.Errorf("HALT of all is %s", got)
	}
	p.do(t, "session", "set", "HALT=false", "--model-id", "*") // a value that a commit wants and must not prolong
	tr.filled(t, "buy", "AAPL", 1)
	p.do(t, "session", "clear", "HALT", "--model-id", "*")
	tr.filled(t, "buy", "AAPL", 1)
	p.verified(t, "alice")
}

// What doctor says of a Redis is what would be lost, no more is promised than is so, and what is refused is named.
func TestDoctor_OfARedis(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	type want map[string]string // what, and a part of its state and detail
	servers := func(t *testing.T, args ...string) *place {
		p := onFiles(t)
		p.prices = plain
		p.redisURL = "redis://" + testenv.StartRedis(t, args...)
		return p
	}
	replicated := func(t *testing.T, args ...string) (master, replica *place) {
		args = append(args, "--repl-diskless-sync-delay", "0")
		master = servers(t, args...)
		host, port, _ := net.SplitHostPort(strings.TrimPrefix(master.redisURL, "redis://"))
		replica = servers(t, "--replicaof", host+" "+port, "--appendonly", "yes", "--appendfsync", "always")
		testenv.Eventually(t, "the replica is in step", func() error {
			if info := fmt.Sprint(redisDo(t, master.redisURL, "INFO", "replication")); !strings.Contains(info, "state=online") {
				return fmt.Errorf("%s", info)
			}
			return nil
		})
		return master, replica
	}
	always := []string{"--appendonly", "yes", "--appendfsync", "always"}
	for _, c := range []struct {
		name  string
		place func(t *testing.T) *place
		flags []string
		want  want
		code  int
	}{
		{"nothing is kept", func(t *testing.T) *place { return servers(t) }, nil, want{
			"redis commit": "ok", "redis, kill of mcp-trade": "ok", "redis, kill of the server": "warning +loses every trade since",
			"redis, power failure": "warning +loses every trade since", "redis, failover": "ok +no replica is in step", "redis, short of memory": "ok +no limit",
		}, 0},
		{"synced always", func(t *testing.T) *place { return servers(t, always...) }, nil, want{
			"redis, kill of the server": "ok", "redis, power failure": "ok +each trade is synced", "redis, failover": "ok",
		}, 0},
		{"synced each second", func(t *testing.T) *place { return servers(t, "--appendonly", "yes") }, nil, want{
			"redis, kill of the server": "ok", "redis, power failure": "warning +loses up to two seconds",
		}, 0},
		{"evicting", func(t *testing.T) *place {
			return servers(t, append(always, "--maxmemory", "10mb", "--maxmemory-policy", "allkeys-random")...)
		}, nil, want{"redis, short of memory": "warning +whole ledgers can be evicted"}, 0},
		{"evicting sessions", func(t *testing.T) *place {
			return servers(t, "--maxmemory", "10mb", "--maxmemory-policy", "volatile-lru")
		}, nil, want{
			"redis, short of memory": "warning +sessions can be evicted",
		}, 0},
		{"a replica", func(t *testing.T) *place { _, replica := replicated(t); return replica }, nil, want{
			"redis": "failed .*it is a replica", "redis commit": "failed .*READONLY", "redis, failover": "failed",
		}, 1},
		{"a master", func(t *testing.T) *place { master, _ := replicated(t, always...); return master }, nil, want{
			"redis, failover": "warning +loses whatever acknowledged trades",
		}, 0},
		{"a master that wants replicas", func(t *testing.T) *place {
			master, _ := replicated(t, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "3")
			return master
		}, nil, want{"redis, failover": "warning +can lose up to 3s of acknowledged trades"}, 0},
		{"a master that wants replicas and has none", func(t *testing.T) *place { return servers(t, "--min-replicas-to-write", "1") }, nil, want{
			"redis commit": "failed .*NOREPLICAS", "redis, failover": "failed",
		}, 1},
		{"replicas are waited for", func(t *testing.T) *place { master, _ := replicated(t); return master }, []string{"--redis-wait", "1"}, want{
			"redis commit": "ok", "redis, failover": "ok +each acknowledged trade is in the memory of 1 replicas",
		}, 0},
		{"too many replicas are waited for", func(t *testing.T) *place { master, _ := replicated(t); return master }, []string{"--redis-wait", "2"}, want{
			"redis commit": "failed .*1 of the 2 replicas", "redis, failover": "failed",
		}, 1},
		{"INFO is forbidden", func(t *testing.T) *place {
			p := servers(t, always...)
			redisDo(t, p.redisURL, "ACL", "SETUSER", "few", "on", ">secret", "~*", "+@all", "-info")
			return p.as("few")
		}, nil, want{"redis": "warning .*refuses INFO", "redis commit": "ok", "redis, power failure": "ok", "redis, failover": "warning +unknown"}, 0},
		{"CONFIG is forbidden", func(t *testing.T) *place {
			p := servers(t, always...)
			redisDo(t, p.redisURL, "ACL", "SETUSER", "few", "on", ">secret", "~*", "+@all", "-config")
			return p.as("few")
		}, nil, want{"redis": "warning .*refuses CONFIG", "redis, kill of the server": "ok", "redis, power failure": "warning +unknown", "redis, short of memory": "ok"}, 0},
		{"HSET is forbidden", func(t *testing.T) *place {
			p := servers(t)
			redisDo(t, p.redisURL, "ACL", "SETUSER", "few", "on", ">secret", "~*", "+@all", "-hset")
			return p.as("few")
		}, nil, want{"redis commit": "failed .*HSET"}, 1},
		{"HSET is renamed", func(t *testing.T) *place { return servers(t, "--rename-command", "HSET", "") }, nil, want{"redis commit": "failed .*HSET"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.place(t)
			got := p.try(t, append([]string{"doctor"}, c.flags...)...)
			if got.code != c.code {
				t.Errorf("exit %d", got.code)
			}
			for what, detail := range c.want {
				if !regexp.MustCompile(`(?m)^ *` + regexp.QuoteMeta(what) + ` +` + detail).MatchString(got.stdout) {
					t.Errorf("%s is not %q", what, detail)
				}
			}
			if strings.Contains(got.stdout, "is kept\n") || t.Failed() {
				t.Errorf("%s%s", got.stdout, got.stderr)
			}
		})
	}
}

// The settings of Redis reach the store: a user and a password of sentinels, a CA, replicas to wait for, Upstash.
func TestSettings_OfRedis(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	t.Run("sentinels that want a password", func(t *testing.T) {
		p := onFiles(t)
		sentinel := testenv.NewSentinel(t, "main", testenv.StartRedis(t), "user default off", "user watcher on >watch-word +@all")
		p.redisURL = "redis://" + sentinel.Addr + "?master_name=main"
		p.env = append(p.env, "REDIS_SENTINEL_USERNAME=watcher", "REDIS_SENTINEL_PASSWORD=watch-word")
		p.do(t, "ledger", "register", "alice", "--date", "2025-10-01")
		p.env = append(p.env, "REDIS_SENTINEL_PASSWORD=wrong")
		if r := p.try(t, "ledger", "show", "alice"); r.code == 0 || strings.Contains(r.stderr, "wrong") {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		if r := p.try(t, "doctor", "--redis-url", p.redisURL+"&sentinel_password=x"); r.code != 2 {
			t.Errorf("a password in an argument: exit %d", r.code)
		}
	})
	t.Run("replicas to wait for", func(t *testing.T) {
		p := onRedis(t)
		if r := p.try(t, "ledger", "register", "alice", "--date", "2025-10-01", "--redis-wait", "1"); r.code == 0 || !strings.Contains(r.stderr, "0 of the 1 replicas") {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		p.open(t, "bob", "10000", "2025-10-02")
		p.prices, p.env = plain, append(p.env, "MCP_TRADE_REDIS_WAIT=1")
		if r := p.trade(t, "bob").call(t, "buy", args{"symbol": "AAPL", "amount": 1}); !r.failed || r.str("executed") != "unknown" {
			t.Error(r.text)
		}
		if r := p.try(t, "doctor", "--redis-wait", "-1"); r.code != 2 {
			t.Errorf("exit %d", r.code)
		}
	})
	t.Run("a CA that cannot be", func(t *testing.T) {
		p := onFiles(t)
		p.redisURL, p.env = "rediss://127.0.0.1:1", append(p.env, "MCP_TRADE_REDIS_CA="+plain)
		if r := p.try(t, "doctor"); r.code != 2 || !strings.Contains(r.stderr, "MCP_TRADE_REDIS_CA") {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
	})
	t.Run("Upstash", func(t *testing.T) {
		p := onFiles(t)
		p.env = append(p.env, "UPSTASH_REDIS_REST_URL=http://127.0.0.1:8079", "UPSTASH_REDIS_REST_TOKEN=token-word")
		if r := p.try(t, "doctor"); r.code != 2 || !strings.Contains(r.stderr, "REDIS_URL") || strings.Contains(r.stderr, "token-word") {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		p.env = append(p.env, "UPSTASH_REDIS_REST_URL=https://127.0.0.1") // nobody listens on its port 6379, or nobody with TLS
		if r := p.try(t, "doctor"); r.code != 1 || !strings.Contains(r.stdout, "port 6379 with TLS") || strings.Contains(r.stdout, "token-word") {
			t.Errorf("exit %d: %s", r.code, r.stdout)
		}
	})
}

// The index of order ids alone is lost: verify says so, the order trades once all the same, and repair mends it.
func TestRepair_OrderIDsThatWereLost(t *testing.T) {
	t.Parallel()
	p := onRedis(t)
	p.prices = plain
	p.open(t, "alice", "10000", "2025-10-02")
	tr := p.trade(t, "alice")
	order := args{"symbol": "AAPL", "amount": 1, "order_id": "one"}
	tr.call(t, "buy", order)
	tr.filled(t, "buy", "AAPL", 1)
	redisDo(t, p.redisURL, "DEL", "orders:{alice}")
	for _, command := range []string{"verify", "repair"} {
		if r := p.try(t, "ledger", command, "alice"); r.code != 1 || !strings.Contains(r.stdout, `lacks or misplaces 1 order ids`) {
			t.Errorf("%s: exit %d\n%s%s", command, r.code, r.stdout, r.stderr)
		}
	}
	for _, server := range []*trader{tr, p.trade(t, "alice")} {
		if r := server.call(t, "buy", order); r.failed || r.fields["replayed"] != true || r.number(t, "id").IntPart() != 1 {
			t.Errorf("the same order id again: %s", r.text)
		}
	}
	p.verified(t, "alice")
	redisDo(t, p.redisURL, "DEL", "orders:{alice}")
	p.do(t, "ledger", "repair", "--write")
	p.do(t, "ledger", "repair")
	p.verified(t, "alice")
	if got := len(p.records(t, "alice")); got != 3 {
		t.Errorf("%d records", got)
	}
}

// The newest entry was taken out of Redis: the order is refused with the way out, and the account goes on after it.
func TestRepair_ANewestEntryThatWasTakenOut(t *testing.T) {
	t.Parallel()
	p := onRedis(t)
	p.prices = plain
	p.open(t, "alice", "10000", "2025-10-02")
	tr := p.trade(t, "alice")
	tr.filled(t, "buy", "AAPL", 1)
	tr.filled(t, "buy", "AAPL", 1)
	redisDo(t, p.redisURL, "XDEL", "ledger:{alice}", "2-1")
	if r := tr.call(t, "buy", args{"symbol": "AAPL", "amount": 1}); !r.failed || r.str("executed") != "no" || !strings.Contains(r.text, "ledger repair alice --write") {
		t.Error(r.text)
	}
	if r := p.try(t, "ledger", "verify", "alice"); r.code != 1 || !strings.Contains(r.stdout, "taken out") {
		t.Errorf("verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	p.do(t, "ledger", "repair", "alice", "--write")
	tr.filled(t, "buy", "AAPL", 1)
	if got := p.records(t, "alice"); len(got) != 3 || got[2].ID != 2 {
		t.Errorf("%+v", got)
	}
	p.verified(t, "alice")
}
