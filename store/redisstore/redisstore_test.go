package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
	"mcp-trade/store/storetest"
)

var (
	signature = store.Key{Model: "26", Name: "SIGNATURE"}
	today     = store.Key{Model: "26", Name: "TODAY_DATE"}
	ifTrade   = store.Key{Model: "26", Name: "IF_TRADE"}
)

// TestMain silences go-redis, which tells of every connection that these tests break on purpose.
func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	os.Exit(m.Run())
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

type values = map[store.Key]string

var marks atomic.Int64

// open returns a store on the Redis at that address.
func open(t testing.TB, address string) *redisstore.Store {
	t.Helper()
	o, err := redisstore.Options(address)
	if err != nil {
		t.Fatal(err)
	}
	nonce := func() string { return fmt.Sprintf("%s-%d", t.Name(), marks.Add(1)) }
	s := redisstore.New(redisstore.Config{Options: o, NewToken: nonce, Warn: func(w string) { t.Log("warned:", w) }})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// bare returns a plain client, as another program would use it.
func bare(t testing.TB, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, DisableIdentity: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func do(t testing.TB, c *redis.Client, args ...any) any {
	t.Helper()
	reply, err := c.Do(context.Background(), args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("%v: %v", args, err)
	}
	return reply
}

func appendLine(t testing.TB, s store.Store, id int64) {
	t.Helper()
	if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", id, ""))); err != nil {
		t.Fatalf("append of line %d: %v", id, err)
	}
}

func wantValues(t *testing.T, s store.Store, want values) {
	t.Helper()
	got, err := s.Values(t.Context(), signature, today, ifTrade)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("the session is %v, %v, want %v", got, err, want)
	}
}

func wantUnreachable(t *testing.T, err error, unknown bool, words ...string) {
	t.Helper()
	unreachable := new(store.UnreachableError)
	if !errors.As(err, &unreachable) || unreachable.Engine != "redis" {
		t.Errorf("answered %v", err)
		return
	}
	if unreachable.Unknown != unknown {
		t.Errorf("%v: unknown is %t, want %t", err, unreachable.Unknown, unknown)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error %q does not say %q", err, w)
		}
	}
}

func TestStore_Contract_Miniredis(t *testing.T) {
	if testenv.Missing("redis-server") == "" {
		testenv.Slow(t) // a real Redis is quicker
	}
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, "redis://"+miniredis.RunT(t).Addr()) })
	storetest.Halt(t, open(t, "redis://"+miniredis.RunT(t).Addr()))
}

func TestStore_Contract_Redis(t *testing.T) {
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	storetest.Run(t, func(t *testing.T) store.Store {
		do(t, c, "FLUSHALL")
		return open(t, "redis://"+addr)
	})
	do(t, c, "FLUSHALL")
	storetest.Halt(t, open(t, "redis://"+addr))
}

// One node serves all the slots. Two addresses tell the store that it is a cluster.
func TestStore_Contract_Cluster(t *testing.T) {
	testenv.Slow(t)
	t.Parallel() // it spends its time waiting for the node to trust itself
	addr := testenv.StartRedis(t, "--cluster-enabled", "yes", "--cluster-port", testenv.FreePort(t))
	c := bare(t, addr)
	do(t, c, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if info, _ := do(t, c, "CLUSTER", "INFO").(string); strings.Contains(info, "cluster_state:ok") {
			break
		} else if time.Now().After(end) {
			t.Fatal(info)
		}
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		do(t, c, "FLUSHALL")
		return open(t, "redis://"+addr+","+addr)
	})
	t.Run("a commit prolongs the session that it was judged under", func(t *testing.T) {
		do(t, c, "FLUSHALL")
		prolongs(t, open(t, "redis://"+addr+","+addr), c)
	})
	t.Run("a session that is set after it was checked has the commit refused", func(t *testing.T) {
		do(t, c, "FLUSHALL")
		movedAfterCheck(t, open(t, "redis://"+addr+","+addr))
	})
	t.Run("values are set if others are what they were", func(t *testing.T) {
		do(t, c, "FLUSHALL")
		setsIf(t, open(t, "redis://"+addr+","+addr))
	})
}

// lateMover is a backend of a guard that does something when the guard is checked, once.
type lateMover struct {
	store.Sessions
	do func()
}

func (m *lateMover) Place() store.Place { return "elsewhere" }

func (m *lateMover) Prolong(context.Context, time.Duration, ...store.Key) error { return nil }

func (m *lateMover) Values(context.Context, ...store.Key) (map[store.Key]string, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return map[store.Key]string{today: "x"}, nil
}

// movedAfterCheck sets the session of an account's own model between its check and the commit: to another value, to the same one, and that
// of another model.
func movedAfterCheck(t *testing.T, s *redisstore.Store) {
	own := store.Key{Model: "a", Name: "TODAY_DATE"}
	for id, move := range []struct {
		set  values
		want error
	}{{values{own: `"d"`}, nil}, {values{today: `"d2"`}, nil}, {values{own: `"d2"`}, store.ErrSessionChanged}} {
		if err := s.SetValues(t.Context(), values{own: `"d"`}, time.Hour); err != nil {
			t.Fatal(err)
		}
		commit := storetest.Follow(t, s, storetest.Commit("a", int64(id), ""))
		late := &lateMover{do: func() {
			if err := s.SetValues(t.Context(), move.set, time.Hour); err != nil {
				t.Error(err)
			}
		}}
		commit.Guards = []store.Guard{{Backend: s, Expect: values{own: `"d"`}}, {Backend: late, Expect: values{today: "x"}}}
		if err := s.Append(t.Context(), commit); !errors.Is(err, move.want) {
			t.Errorf("set to %v meanwhile: %v", move.set, err)
		}
	}
}

// The master is found through a sentinel.
func TestStore_Sentinel(t *testing.T) {
	t.Parallel()
	master := testenv.StartRedis(t)
	sentinel := testenv.NewSentinel(t, "main", master)
	s := open(t, "redis://"+sentinel.Addr+"?master_name=main")
	storetest.Fill(t, s, "a", 3)
	if err := s.SetValues(t.Context(), values{signature: `"gpt-5"`}, time.Hour); err != nil {
		t.Fatal(err)
	}
	direct := open(t, "redis://"+master)
	if got := len(storetest.Whole(t, direct, "a")); got != 3 {
		t.Errorf("the master has %d lines", got)
	}
	wantValues(t, direct, values{signature: `"gpt-5"`})
	// A sentinel's "no such master" must not be taken for a session without values.
	unanswered(t, open(t, "redis://"+sentinel.Addr+"?master_name=other"))
}

// The keys are those of the design.
func TestStore_Keys(t *testing.T) {
	m := miniredis.RunT(t)
	s, c := open(t, "redis://"+m.Addr()), bare(t, m.Addr())
	appendLine(t, s, 0)
	commit := storetest.Commit("a", 1, "o-1")
	commit.Guards = []store.Guard{{Backend: s, Update: values{ifTrade: `true`}, TTL: time.Hour}}
	if err := s.Append(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	if keys := m.Keys(); !slices.Equal(keys, []string{"config:26:IF_TRADE", "ledger:{a}", "orders:{a}"}) {
		t.Errorf("the keys are %q", keys)
	}
	entries, err := c.XRange(t.Context(), "ledger:{a}", "-", "+").Result()
	if err != nil || len(entries) != 2 || entries[0].ID != "0-1" || entries[1].ID != "1-1" || entries[1].Values["line"] != string(commit.Line) {
		t.Errorf("the stream is %v, %v", entries, err)
	}
	if record := m.HGet("orders:{a}", "o-1"); record != "1" {
		t.Errorf("order o-1 leads to %q", record)
	}
}

// Python's writer stores strings as they are and everything else as JSON, for an hour.
func TestStore_Values_OfPython(t *testing.T) {
	m := miniredis.RunT(t)
	s, c := open(t, "redis://"+m.Addr()), bare(t, m.Addr())
	do(t, c, "SET", "config:26:SIGNATURE", "gpt-5", "EX", 3600)
	do(t, c, "SET", "config:26:TODAY_DATE", `"2025-10-02"`, "EX", 3600)
	do(t, c, "SET", "config:26:IF_TRADE", "false", "EX", 3600)
	want := values{signature: `gpt-5`, today: `"2025-10-02"`, ifTrade: `false`}
	wantValues(t, s, want)
	commit := storetest.Commit("a", 0, "")
	commit.Guards = []store.Guard{{Backend: s, Expect: want, Update: values{ifTrade: `true`}, TTL: time.Hour}}
	if err := s.Append(t.Context(), commit); err != nil {
		t.Error(err)
	}
	wantValues(t, s, values{signature: `gpt-5`, today: `"2025-10-02"`, ifTrade: `true`})
}

// A key that another program set to nothing counts as one that is not set, here as in Guard.Matches.
func TestStore_Values_Empty(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, "redis://"+m.Addr())
	do(t, bare(t, m.Addr()), "SET", "config:26:IF_TRADE", "")
	commit := storetest.Commit("a", 0, "")
	commit.Guards = []store.Guard{{Backend: s, Expect: values{ifTrade: ""}}}
	if err := s.Append(t.Context(), commit); err != nil {
		t.Error(err)
	}
	commit = storetest.Commit("a", 1, "")
	commit.Guards = []store.Guard{{Backend: s, Expect: values{ifTrade: "true"}}}
	if err := s.Append(t.Context(), commit); !errors.Is(err, store.ErrSessionChanged) {
		t.Error(err)
	}
}

func TestStore_SetValues_Expire(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, "redis://"+m.Addr())
	if err := s.SetValues(t.Context(), values{signature: `"gpt-5"`}, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.SetValues(t.Context(), values{today: `"2025-10-02"`}, 0); err != nil {
		t.Fatal(err)
	}
	m.FastForward(59 * time.Minute)
	wantValues(t, s, values{signature: `"gpt-5"`, today: `"2025-10-02"`})
	m.FastForward(2 * time.Minute)
	wantValues(t, s, values{today: `"2025-10-02"`})
}

// A commit prolongs the session.
func TestStore_Append_ProlongsTheSession(t *testing.T) {
	m := miniredis.RunT(t)
	prolongs(t, open(t, "redis://"+m.Addr()), bare(t, m.Addr()))
}

// prolongs checks on an empty Redis that a commit gives the values that it wants and sets a new life, and no others.
func prolongs(t *testing.T, s store.Store, c *redis.Client) {
	ttl := func(want map[store.Key]time.Duration) {
		t.Helper()
		for k, atMost := range want {
			got, err := c.PTTL(t.Context(), "config:"+k.Model+":"+k.Name).Result()
			if err != nil || got > atMost || got < atMost-time.Minute {
				t.Errorf("%s lives %v more (%v), want %v", k.Name, got, err, atMost)
			}
		}
	}
	const forEver, gone = -1, -2 // PTTL says so, in nanoseconds here
	if err := s.SetValues(t.Context(), values{signature: `"a"`, today: `"d"`}, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	commit := storetest.Commit("a", 0, "")
	commit.Guards = []store.Guard{{Backend: s, TTL: time.Hour,
		Expect: values{signature: `"a"`, {Model: "26", Name: "ABSENT"}: ""}, Update: values{ifTrade: `true`}}}
	if err := s.Append(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	ttl(map[store.Key]time.Duration{
		signature: time.Hour, ifTrade: time.Hour, today: 10 * time.Minute, {Model: "26", Name: "ABSENT"}: gone,
	})
	for _, refused := range []store.Commit{storetest.Commit("a", 0, ""), storetest.Commit("a", 1, "")} {
		refused.Guards = []store.Guard{{Backend: s, TTL: 2 * time.Hour, Expect: values{signature: `"a"`}, Update: values{ifTrade: `true`}}}
		if refused.ID == 1 {
			refused.Guards[0].Expect[today] = `"other"`
		}
		if err := s.Append(t.Context(), refused); err == nil {
			t.Fatal("it was not refused")
		}
		ttl(map[store.Key]time.Duration{signature: time.Hour, ifTrade: time.Hour, today: 10 * time.Minute})
	}
	commit = storetest.Commit("a", 1, "")
	commit.Guards = []store.Guard{{Backend: s, Expect: values{signature: `"a"`}, Update: values{ifTrade: `true`}}} // for ever
	if err := s.Append(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	ttl(map[store.Key]time.Duration{signature: forEver, ifTrade: forEver, today: 10 * time.Minute})
}

// A key that holds something else is no answer.
func TestStore_KeyOfAnotherType(t *testing.T) {
	m := miniredis.RunT(t)
	s, c := open(t, "redis://"+m.Addr()), bare(t, m.Addr())
	do(t, c, "HSET", "config:26:SIGNATURE", "a", "b")
	do(t, c, "SET", "ledger:{a}", "text")
	do(t, c, "SET", "orders:{b}", "text")
	_, err := s.Values(t.Context(), today, signature)
	wantUnreachable(t, err, false, "read the session")
	_, _, err = s.Head(t.Context(), "a", "")
	wantUnreachable(t, err, false, "read the ledger")
	_, _, err = s.Head(t.Context(), "b", "o-1")
	wantUnreachable(t, err, false, "read the ledger")
	wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 0, "")), false, "commit")
	wantUnreachable(t, s.Append(t.Context(), storetest.Commit("b", 0, "o-1")), false, "commit")
	if keys := m.Keys(); !slices.Equal(keys, []string{"config:26:SIGNATURE", "ledger:{a}", "orders:{b}"}) {
		t.Errorf("the keys are %q", keys)
	}
}

// Others keep their keys in the same Redis.
func TestStore_Accounts_ForeignKey(t *testing.T) {
	m := miniredis.RunT(t)
	s, c := open(t, "redis://"+m.Addr()), bare(t, m.Addr())
	appendLine(t, s, 0)
	for _, key := range []string{"ledger:{../../etc}", "ledger:{}", "ledger:{a b}", "ledger:b", "ledger", "x:ledger:{b}"} {
		do(t, c, "XADD", key, "0-1", "line", "{}")
	}
	if got, err := s.Accounts(t.Context()); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("the accounts are %q, %v", got, err)
	}
}

// A server that forgot the script is told again.
func TestStore_Append_ForgottenScript(t *testing.T) {
	addr := testenv.StartRedis(t)
	s, c := open(t, "redis://"+addr), bare(t, addr)
	for id := range int64(3) {
		appendLine(t, s, id)
		do(t, c, "SCRIPT", "FLUSH")
	}
	storetest.Whole(t, s, "a")
}

// Nobody should take a record out of a ledger, but somebody with a Redis client can.
func TestStore_Append_AfterAGap(t *testing.T) {
	addr := testenv.StartRedis(t)
	s, c := open(t, "redis://"+addr), bare(t, addr)
	for id := range int64(3) {
		appendLine(t, s, id)
	}
	do(t, c, "XDEL", "ledger:{a}", "1-1")
	for _, id := range []int64{1, 2, 4} { // as whoever missed a record, or made one up, would have it
		if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", id, ""))); !errors.Is(err, store.ErrConflict) {
			t.Errorf("id %d: %v", id, err)
		}
	}
	appendLine(t, s, 3)
	do(t, c, "XDEL", "ledger:{a}", "0-1", "2-1")
	appendLine(t, s, 4)
	if head, _, err := s.Head(t.Context(), "a", ""); err != nil || !strings.Contains(string(head), `"id": 4`) {
		t.Errorf("the newest is %s, %v", head, err)
	}
}

// The user may do no more than the store needs: these commands, on these keys. A cluster's client needs the commands that describe the cluster.
func TestStore_FewestRights(t *testing.T) {
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	rights := []any{"ACL", "SETUSER", "trader", "on", ">secret-word", "resetchannels", "~config:*", "~ledger:{*}", "~orders:{*}"}
	for _, command := range strings.Fields("evalsha eval xadd xlen xrange xrevrange hget hset get mget set del pexpire persist multi exec scan") {
		rights = append(rights, "+"+command)
	}
	do(t, c, rights...)
	s := open(t, "redis://trader:secret-word@"+addr)
	if err := s.SetValues(t.Context(), values{signature: `"gpt-5"`, today: `"d"`}, time.Hour); err != nil {
		t.Fatal(err)
	}
	for id := range int64(2) {
		commit := storetest.Follow(t, s, storetest.Commit("a", id, fmt.Sprintf("o-%d", id)))
		commit.Guards = []store.Guard{{Backend: s, TTL: time.Hour * time.Duration(id), Expect: values{signature: `"gpt-5"`}, Update: values{ifTrade: `true`}}}
		if err := s.Append(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	if _, ordered, err := s.Head(t.Context(), "a", "o-0"); err != nil || ordered == nil {
		t.Errorf("order o-0: %q, %v", ordered, err)
	}
	storetest.Whole(t, s, "a")
	storetest.Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: 1}))
	if got, err := s.Accounts(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("the accounts are %q, %v", got, err)
	}
	if err := s.ClearValues(t.Context(), signature, today, ifTrade); err != nil {
		t.Error(err)
	}
	wantValues(t, s, values{})
	// What the user may not do, the store may not do, and it did not happen.
	do(t, c, "ACL", "SETUSER", "trader", "-evalsha", "-eval", "-get")
	wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 2, "")), false, "NOPERM")
	_, err := s.Values(t.Context(), signature)
	wantUnreachable(t, err, false)
}

// A password reaches the server, and no error or log tells it.
func TestStore_Password(t *testing.T) {
	addr := testenv.StartRedis(t, "--requirepass", "secret-word")
	appendLine(t, open(t, "redis://:secret-word@"+addr), 0)
	for _, address := range []string{"redis://" + addr, "redis://:wrong-word@" + addr, "redis://nobody:wrong-word@" + addr} {
		s := open(t, address)
		_, errValues := s.Values(t.Context(), signature)
		_, _, errHead := s.Head(t.Context(), "a", "")
		_, errAccounts := s.Accounts(t.Context())
		_, errFacts := s.Facts(t.Context())
		for _, err := range []error{
			errValues, errHead, errAccounts, errFacts,
			s.SetValues(t.Context(), values{signature: `"x"`}, 0),
			s.ClearValues(t.Context(), signature),
			s.Append(t.Context(), storetest.Commit("a", 1, "")),
		} {
			wantUnreachable(t, err, false, addr)
			if err != nil && strings.Contains(err.Error(), "-word") {
				t.Errorf("the error tells the password: %v", err)
			}
		}
		if got := s.Addrs(); !slices.Equal(got, []string{addr}) {
			t.Errorf("the addresses are %q", got)
		}
	}
}

// BenchmarkAppend sets an append beside its floor: to add a line of the same size to a stream by a script that asks
// for nothing.
func BenchmarkAppend(b *testing.B) {
	addr := testenv.StartRedis(b)
	c := bare(b, addr)
	note := strings.Repeat("x", 1140)
	text := func(id int64, orderID string) []byte {
		return fmt.Appendf(nil, `{"date": "2025-10-02", "id": %d, "order_id": "%s", "note": "%s"}`, id, orderID, note)
	}
	b.Run("floor", func(b *testing.B) {
		do(b, c, "FLUSHALL")
		script := redis.NewScript(`redis.call('XADD', KEYS[1], ARGV[1] .. '-1', 'line', ARGV[2], 'mark', '')
			redis.call('HSET', KEYS[2], ARGV[3], ARGV[1]) return {'ok'}`)
		id := 0
		for b.Loop() {
			orderID := fmt.Sprintf("order-%d", id)
			if err := script.Run(b.Context(), c, []string{"ledger:{a}", "orders:{a}"}, id, text(int64(id), orderID), orderID).Err(); err != nil {
				b.Fatal(err)
			}
			id++
		}
	})
	for _, rows := range []int64{10, 100_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			do(b, c, "FLUSHALL")
			p := c.Pipeline()
			for id := range rows {
				orderID := fmt.Sprintf("order-%d", id)
				p.XAdd(b.Context(), &redis.XAddArgs{Stream: "ledger:{a}", ID: fmt.Sprintf("%d-1", id),
					Values: []any{"line", text(id, orderID), "mark", orderID}})
				p.HSet(b.Context(), "orders:{a}", orderID, id)
				if id%1000 == 999 || id == rows-1 {
					if _, err := p.Exec(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			s := open(b, "redis://"+addr)
			id := rows
			c := storetest.Follow(b, s, store.Commit{Account: "a"})
			for b.Loop() {
				c.OrderID = fmt.Sprintf("order-%d", id)
				c.ID, c.Line = id, text(id, c.OrderID)
				if err := s.Append(b.Context(), c); err != nil {
					b.Fatal(err)
				}
				c.After = c.Line
				id++
			}
		})
	}
}
