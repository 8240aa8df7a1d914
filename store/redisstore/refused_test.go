package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
	"mcp-trade/store/storetest"
)

// held is a commit of an order under a session, which it prolongs and announces itself in.
func held(t *testing.T, s store.Store, id int64, orderID string) store.Commit {
	t.Helper()
	c := storetest.Commit("a", id, orderID)
	c.Guards = []store.Guard{{Backend: s, TTL: time.Hour, Expect: values{signature: `"a"`, today: `"d"`}, Update: values{ifTrade: `true`}}}
	return storetest.Follow(t, s, c)
}

// Whatever Redis refuses of a commit, the line is not there, nothing announces it, the answer says so, and the same order is
// carried out once it is allowed.
func TestStore_Append_RefusedInPart(t *testing.T) {
	testenv.Slow(t)
	type try struct {
		name    string
		forbid  func(t *testing.T) (s *redisstore.Store, full *redis.Client)
		orderID bool
	}
	var tries []try
	shared := testenv.StartRedis(t)
	for _, command := range []string{"set", "hset", "pexpire", "xadd", "mget", "hget", "xrevrange"} {
		forbid := func(t *testing.T) (*redisstore.Store, *redis.Client) {
			c := bare(t, shared)
			do(t, c, "FLUSHALL")
			do(t, c, "ACL", "SETUSER", "trader", "reset", "on", ">secret", "~*", "+@all", "-"+command)
			return open(t, "redis://trader:secret@"+shared), c
		}
		tries = append(tries, try{"ACL -" + command, forbid, true})
		if command != "hset" && command != "hget" { // which a line without an order id does without
			tries = append(tries, try{"ACL -" + command + ", no order id", forbid, false})
		}
	}
	for _, key := range []string{"ledger:{a}", "orders:{a}", "config:26:IF_TRADE", "config:26:TODAY_DATE"} {
		tries = append(tries, try{"ACL read only on " + key, func(t *testing.T) (*redisstore.Store, *redis.Client) {
			c := bare(t, shared)
			do(t, c, "FLUSHALL")
			do(t, c, "ACL", "SETUSER", "trader", "reset", "on", ">secret", "+@all")
			for _, k := range []string{"ledger:{a}", "orders:{a}", "config:26:IF_TRADE", "config:26:TODAY_DATE", "config:26:SIGNATURE"} {
				if k == key {
					k = "%R~" + k
				} else {
					k = "~" + k
				}
				do(t, c, "ACL", "SETUSER", "trader", k)
			}
			return open(t, "redis://trader:secret@"+shared), c
		}, true})
	}
	for _, command := range []string{"SET", "HSET", "PEXPIRE", "XADD"} {
		tries = append(tries, try{"rename-command " + command, func(t *testing.T) (*redisstore.Store, *redis.Client) {
			addr := testenv.StartRedis(t, "--rename-command", command, "other-"+command)
			return open(t, "redis://"+addr), bare(t, addr)
		}, true})
	}
	for _, c := range tries {
		t.Run(c.name, func(t *testing.T) {
			s, full := c.forbid(t)
			word := func(w string) string { // what the command is called on this server
				if name, ok := strings.CutPrefix(c.name, "rename-command "); ok && name == w {
					return "other-" + w
				}
				return w
			}
			do(t, full, word("XADD"), "ledger:{a}", "0-1", "line", string(storetest.Line(0, "")), "mark", "m")
			do(t, full, word("SET"), "config:26:SIGNATURE", `"a"`)
			do(t, full, word("SET"), "config:26:TODAY_DATE", `"d"`)
			orderID := ""
			if c.orderID {
				orderID = "o-1"
			}
			for _, before := range []string{"", "false"} {
				if before != "" {
					do(t, full, word("SET"), "config:26:IF_TRADE", before)
				}
				commit := storetest.Commit("a", 1, orderID)
				commit.Guards = []store.Guard{{Backend: s, TTL: time.Hour, Expect: values{signature: `"a"`, today: `"d"`}, Update: values{ifTrade: `true`}}}
				for range 3 {
					wantUnreachable(t, s.Append(t.Context(), commit), false)
				}
				if n := full.XLen(t.Context(), "ledger:{a}").Val(); n != 1 {
					t.Fatalf("refused, and %d lines in the ledger", n)
				}
				if got := announced(full); got != before {
					t.Errorf("refused, and IF_TRADE is %q, not %q", got, before)
				}
			}
			if strings.HasPrefix(c.name, "rename") {
				return
			}
			all := open(t, "redis://"+shared)
			if err := all.Append(t.Context(), held(t, all, 1, orderID)); err != nil {
				t.Fatalf("allowed again: %v", err)
			}
			if got := storetest.Whole(t, all, "a"); len(got) != 2 || announced(full) != "true" {
				t.Errorf("allowed again, and there are %d lines, IF_TRADE %q", len(got), announced(full))
			}
		})
	}
}

// announced is IF_TRADE once what is to go within a millisecond is gone.
func announced(c *redis.Client) string {
	time.Sleep(5 * time.Millisecond)
	return c.Get(context.Background(), "config:26:IF_TRADE").Val()
}

// An error reply proves that its try wrote nothing. All tries were answered so: the order was not executed.
func TestStore_Append_ErrorReply(t *testing.T) {
	for _, reply := range []string{
		"READONLY You can't write against a read only replica.", "NOREPLICAS Not enough good replicas to write.",
		"TRYAGAIN Multiple keys request during rehashing of slot", "ASK 3999 127.0.0.1:1", "MOVED 3999 127.0.0.1:1",
		"CLUSTERDOWN The cluster is down", "OOM command not allowed when used memory > 'maxmemory'.", "NOPERM no",
		"MISCONF Redis is configured to save RDB snapshots", "LOADING Redis is loading the dataset in memory",
		"BUSY Redis is busy running a script", "MASTERDOWN Link with MASTER is down", "ERR unknown command 'evalsha'",
	} {
		t.Run(reply, func(t *testing.T) {
			t.Parallel()
			s := open(t, "redis://"+answering(t, "-"+reply+"\r\n"))
			wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 0, "")), false, strings.Fields(reply)[0])
		})
	}
}

// answering starts a server that greets and answers every script with a reply.
func answering(t *testing.T, reply string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 64<<10)
				for {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					answer := reply
					if !strings.Contains(strings.ToLower(string(buf[:n])), "eval") {
						answer = "-ERR unknown command\r\n"
					}
					_, _ = conn.Write([]byte(answer))
				}
			}()
		}
	}()
	return l.Addr().String()
}

// A replica, and a master that wants replicas, say no in words; nothing is unknown.
func TestStore_Append_ReadOnlyReplica(t *testing.T) {
	master := testenv.StartRedis(t)
	host, port, _ := net.SplitHostPort(master)
	replica := testenv.StartRedis(t, "--replicaof", host+" "+port)
	wantUnreachable(t, open(t, "redis://"+replica).Append(t.Context(), storetest.Commit("a", 0, "o-1")), false, "READONLY")
	do(t, bare(t, master), "CONFIG", "SET", "min-replicas-to-write", 2)
	wantUnreachable(t, open(t, "redis://"+master).Append(t.Context(), storetest.Commit("a", 0, "o-1")), false, "NOREPLICAS")
}

func TestStore_Append_LedgerBecameAnother(t *testing.T) {
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	storetest.Anew(t, open(t, "redis://"+addr), func(t *testing.T, account string, lines ...[]byte) {
		do(t, c, "DEL", "ledger:{"+account+"}", "orders:{"+account+"}")
		for id, line := range lines {
			do(t, c, "XADD", "ledger:{"+account+"}", fmt.Sprintf("%d-1", id), "line", line, "mark", "m")
		}
	})
}

// A line follows the content of the newest one in Redis too, whoever wrote that.
func TestStore_Append_SameNumberAgain(t *testing.T) {
	addr := testenv.StartRedis(t)
	c := bare(t, addr)
	other := func(id int64) string { // another line of that id
		return strings.Replace(string(storetest.Line(id, "")), "9744.85", "1.85", 1)
	}
	for name, exchange := range map[string]func(s store.Store){
		"flushed and opened anew": func(s store.Store) {
			do(t, c, "FLUSHALL")
			for id := range int64(3) {
				if err := s.Append(t.Context(), storetest.Follow(t, s, store.Commit{Account: "a", Entry: store.Entry{ID: id, OrderID: fmt.Sprint("p-", id)}, Line: []byte(other(id))})); err != nil {
					t.Fatal(err)
				}
			}
		},
		"its stream alone deleted and opened anew": func(s store.Store) {
			do(t, c, "DEL", "ledger:{a}")
			for id := range int64(3) {
				if err := s.Append(t.Context(), storetest.Follow(t, s, store.Commit{Account: "a", Entry: store.Entry{ID: id}, Line: []byte(other(id))})); err != nil {
					t.Fatal(err)
				}
			}
		},
		"its newest line corrected by hand": func(s store.Store) {
			entries := c.XRange(t.Context(), "ledger:{a}", "-", "+").Val()
			do(t, c, "DEL", "ledger:{a}")
			for i, e := range entries {
				if i == 2 {
					e.Values["line"] = other(2)
				}
				do(t, c, "XADD", "ledger:{a}", e.ID, "line", e.Values["line"], "mark", e.Values["mark"])
			}
		},
		"restored from a backup and traded on": func(s store.Store) {
			dump := c.Dump(t.Context(), "ledger:{b}").Val()
			do(t, c, "DEL", "ledger:{a}")
			do(t, c, "RESTORE", "ledger:{a}", 0, dump)
			if err := s.Append(t.Context(), storetest.Follow(t, s, store.Commit{Account: "a", Entry: store.Entry{ID: 2}, Line: []byte(other(2))})); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, orderID := range []string{"", "o-3"} {
			t.Run(fmt.Sprintf("%s, order id %q", name, orderID), func(t *testing.T) {
				do(t, c, "FLUSHALL")
				s, second := open(t, "redis://"+addr), open(t, "redis://"+addr)
				storetest.Fill(t, s, "b", 2)
				for id := range int64(3) {
					if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", id, fmt.Sprint("o-", id)))); err != nil {
						t.Fatal(err)
					}
				}
				stale := storetest.Follow(t, s, storetest.Commit("a", 3, orderID))
				exchange(second)
				if err := s.Append(t.Context(), stale); !errors.Is(err, store.ErrConflict) {
					t.Errorf("onto another book: %v", err)
				}
				if got := storetest.Whole(t, s, "a"); len(got) != 3 || got[2] != other(2) {
					t.Errorf("the ledger is %q", got)
				}
				if err := s.Append(t.Context(), storetest.Follow(t, s, stale)); err != nil {
					t.Errorf("judged again: %v", err)
				}
			})
		}
	}
}

// Orders that were not replicated are lost in a failover, and others come to their numbers: who has the lost book learns it.
func TestStore_Append_AfterAFailover(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	group := testenv.StartSentinels(t, 1)
	s, second := open(t, group.Address()), open(t, group.Address())
	storetest.Fill(t, s, "a", 2)
	testenv.Eventually(t, "the replica has both lines", func() error {
		if n := bare(t, group.Replica.Addr).XLen(t.Context(), "ledger:{a}").Val(); n != 2 {
			return fmt.Errorf("it has %d", n)
		}
		return nil
	})
	group.CutReplication(t)
	var stale store.Commit
	for id := range int64(2) {
		if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", id+2, fmt.Sprint("lost-", id)))); err != nil {
			t.Fatal(err)
		}
	}
	stale = storetest.Follow(t, s, storetest.Commit("a", 4, "late"))
	group.FailOver(t)
	mine := func(id int64) []byte { return storetest.Line(id, fmt.Sprint("kept-", id)) }
	for id := range int64(2) {
		testenv.Eventually(t, "the new master takes an order", func() error {
			head, _, err := second.Head(t.Context(), "a", "")
			if err != nil {
				return err
			}
			err = second.Append(t.Context(), store.Commit{Account: "a", After: head, Entry: store.Entry{ID: id + 2, OrderID: fmt.Sprint("kept-", id+2)}, Line: mine(id + 2)})
			if used := new(store.UsedError); errors.As(err, &used) { // an earlier try got in
				return nil
			}
			return err
		})
	}
	testenv.Eventually(t, "the other server reaches the new master", func() error {
		if err := s.Append(t.Context(), stale); !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("answered %v", err)
		}
		return nil
	})
	want := []string{string(storetest.Line(0, "")), string(storetest.Line(1, "")), string(mine(2)), string(mine(3))}
	if got := storetest.Whole(t, s, "a"); !slices.Equal(got, want) {
		t.Errorf("the ledger is %q", got)
	}
}
