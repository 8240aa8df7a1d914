package redisstore_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store/redisstore"
	"mcp-trade/store/storetest"
)

func facts(t *testing.T, address string) redisstore.Facts {
	t.Helper()
	all, err := open(t, address).Facts(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

func TestFacts(t *testing.T) {
	master := testenv.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru",
		"--min-replicas-to-write", "1", "--min-replicas-max-lag", "7", "--repl-diskless-sync-delay", "0")
	host, port, _ := net.SplitHostPort(master)
	replica := testenv.StartRedis(t, "--replicaof", host+" "+port)
	want := redisstore.Facts{
		Addr: master, Role: "master", Replicas: 1, MinReplicas: 1, MaxLag: 7 * time.Second,
		MaxMemory: 100 << 20, Eviction: "allkeys-lru", AppendOnly: "yes", Fsync: "always",
	}
	same := func(got, want redisstore.Facts) error {
		if got.Version == "" {
			return fmt.Errorf("no version")
		}
		got.Version = ""
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%+v, want %+v", got, want)
		}
		return nil
	}
	testenv.Eventually(t, "the facts are those of the server", func() error { return same(facts(t, "redis://"+master), want) })
	if f := facts(t, "redis://"+replica); f.Role != "slave" || f.AppendOnly != "no" || f.MaxMemory != 0 || f.Eviction != "noeviction" || f.MinReplicas != 0 {
		t.Errorf("%+v", f)
	}
	c := bare(t, master)
	do(t, c, "ACL", "SETUSER", "few", "on", ">secret", "+info")
	want.MinReplicas, want.MaxLag, want.Fsync, want.Refused = -1, -1, "", []string{"CONFIG"}
	if err := same(facts(t, "redis://few:secret@"+master), want); err != nil {
		t.Error(err)
	}
	do(t, c, "ACL", "SETUSER", "none", "on", ">secret")
	want = redisstore.Facts{Addr: master, Role: "master", Replicas: -1, MinReplicas: -1, MaxLag: -1, MaxMemory: -1, Refused: []string{"INFO", "CONFIG"}}
	if err := same(facts(t, "redis://none:secret@"+master), want); err != nil {
		t.Error(err)
	}
}

// A try does what a commit does, leaves nothing behind, and names what is refused.
func TestTry(t *testing.T) {
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	keys := func() []string {
		time.Sleep(5 * time.Millisecond)
		return slices.DeleteFunc(c.Keys(t.Context(), "*").Val(), func(k string) bool { return k == "config:26:DOCTOR" }) // which goes in a second
	}
	s := open(t, "redis://"+addr)
	for range 3 {
		if err := s.Try(t.Context(), "a", "26"); err != nil {
			t.Error(err)
		}
		if got := keys(); len(got) > 0 {
			t.Errorf("it left %q", got)
		}
	}
	do(t, c, "XADD", "ledger:{a}:doctor", "7-1", "line", string(storetest.Line(7, "")), "mark", "m") // a try that was ended
	if err := s.Try(t.Context(), "a", "26"); err != nil {
		t.Error(err)
	}
	for _, command := range []string{"set", "hset", "pexpire", "xadd", "evalsha", "mget", "get"} {
		do(t, c, "ACL", "SETUSER", "trader", "reset", "on", ">secret", "~*", "+@all", "-"+command)
		err := open(t, "redis://trader:secret@"+addr).Try(t.Context(), "a", "26")
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), command) {
			t.Errorf("-%s: %v", command, err)
		}
	}
	renamed := testenv.StartRedis(t, "--rename-command", "PEXPIRE", "")
	if err := open(t, "redis://"+renamed).Try(t.Context(), "a", "26"); err == nil || !strings.Contains(err.Error(), "PEXPIRE") {
		t.Errorf("without PEXPIRE: %v", err)
	}
}
