package redisstore_test

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
	"mcp-trade/store/storetest"
)

// openWaiting opens a store that acknowledges a line once so many replicas have it.
func openWaiting(t *testing.T, address string, replicas int) *redisstore.Store {
	t.Helper()
	o, err := redisstore.Options(address)
	if err != nil {
		t.Fatal(err)
	}
	nonce := func() string { return fmt.Sprintf("%s-%d", t.Name(), marks.Add(1)) }
	s := redisstore.New(redisstore.Config{Options: o, Replicas: replicas, NewToken: nonce, Warn: func(string) {}})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A line is acknowledged when so many replicas have it as were asked for; so is what is answered again.
func TestStore_Append_WaitsForReplicas(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	master := testenv.StartRedis(t, "--repl-diskless-sync-delay", "0")
	host, port, _ := net.SplitHostPort(master)
	replica := testenv.NewRedis(t, "--replicaof", host+" "+port)
	testenv.Eventually(t, "the replica is in step", func() error {
		if got := bare(t, master).Info(t.Context(), "replication").Val(); !strings.Contains(got, "state=online") {
			return errors.New(got)
		}
		return nil
	})
	used := new(store.UsedError)
	acknowledged := func(s *redisstore.Store, commit store.Commit) {
		t.Helper()
		testenv.Eventually(t, "an acknowledgement", func() error { // of a later try, if the replica was slow
			if err := s.Append(t.Context(), commit); !errors.As(err, &used) {
				return err
			}
			return nil
		})
	}
	// waits checks that a call is not acknowledged with the replicas that are there, of which a slow one may come late.
	waits := func(there int, call func() error) {
		t.Helper()
		testenv.Eventually(t, "a line that waits for replicas", func() error {
			err, unreachable := call(), new(store.UnreachableError)
			if !errors.As(err, &unreachable) || !unreachable.Unknown {
				t.Fatalf("answered %v", err)
			}
			if want := fmt.Sprintf("only %d of the %d replicas", there, there+1); !strings.Contains(err.Error(), want) {
				return err
			}
			return nil
		})
	}
	one, two, none := openWaiting(t, "redis://"+master, 1), openWaiting(t, "redis://"+master, 2), open(t, "redis://"+master)
	for id := range int64(4) {
		acknowledged(one, storetest.Follow(t, one, storetest.Commit("a", id, fmt.Sprint("o-", id))))
		if n := bare(t, replica.Addr).XLen(t.Context(), "ledger:{a}").Val(); n != id+1 {
			t.Errorf("acknowledged, and the replica has %d lines, not %d", n, id+1)
		}
	}
	commit := storetest.Follow(t, two, storetest.Commit("a", 4, "o-4"))
	again := func() error { return two.Append(t.Context(), commit) }
	waits(1, again)
	if got := storetest.Whole(t, none, "a"); len(got) != 5 {
		t.Errorf("%d lines", len(got))
	}
	waits(1, again)
	waits(1, func() error { _, _, err := two.Head(t.Context(), "a", "o-4"); return err }) // an order that one replica has
	acknowledged(one, commit)
	if _, line, err := one.Head(t.Context(), "a", "o-4"); err != nil || line == nil {
		t.Errorf("one replica is enough: %q, %v", line, err)
	}

	replica.Hang(t)
	defer replica.Wake(t)
	commit = storetest.Follow(t, one, storetest.Commit("a", 5, "o-5"))
	again = func() error { return one.Append(t.Context(), commit) }
	waits(0, again)
	waits(0, again)
	if err := none.Append(t.Context(), storetest.Follow(t, none, storetest.Commit("a", 6, ""))); err != nil {
		t.Errorf("nobody asked for replicas: %v", err)
	}
	replica.Wake(t)
	acknowledged(one, commit)
	if got := storetest.Whole(t, none, "a"); len(got) != 7 {
		t.Errorf("%d lines", len(got))
	}
}

// One address of a cluster is enough, and a server that runs goes on within seconds of a new master.
func TestStore_Cluster(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	cluster := testenv.StartCluster(t)
	address := "redis://" + cluster.Masters[1].Addr
	s := open(t, address)
	accounts := cluster.Accounts(t) // one on each master
	for _, account := range accounts {
		storetest.Fill(t, s, account, 3)
	}
	if got, err := s.Accounts(t.Context()); err != nil || !slices.Equal(got, slices.Sorted(slices.Values(accounts))) {
		t.Errorf("the accounts are %q, %v", got, err)
	}
	if err := s.SetValues(t.Context(), values{signature: `"a"`, today: `"d"`}, time.Hour); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{signature: `"a"`, today: `"d"`})
	if s.CommitsWith(s.Place()) {
		t.Error("a session and a ledger lie in one slot")
	}
	waiting := openWaiting(t, address, 1)
	acknowledged := 0
	for _, account := range accounts { // of the masters, the first alone has a replica
		c := storetest.Follow(t, waiting, storetest.Commit(account, 3, ""))
		if err := waiting.Append(t.Context(), c); err == nil {
			acknowledged++
		} else {
			wantUnreachable(t, err, true, "0 of the 1 replicas")
		}
	}
	if acknowledged != 1 {
		t.Errorf("%d of %d are acknowledged", acknowledged, len(accounts))
	}

	cluster.Masters[0].Kill()
	testenv.Eventually(t, "the replica takes its slots", func() error {
		nodes, err := testenv.Ask(cluster.Replica.Addr, "CLUSTER", "NODES")
		if err == nil && !strings.Contains(nodes, "myself,master") {
			err = errors.New(nodes)
		}
		return err
	})
	since := time.Now()
	for _, account := range accounts {
		testenv.Eventually(t, account+" is traded again", func() error {
			head, _, err := s.Head(t.Context(), account, "")
			if err == nil {
				err = s.Append(t.Context(), store.Commit{Account: account, After: head, Entry: store.Entry{ID: 4, OrderID: "o-4"}, Line: storetest.Line(4, "o-4")})
			}
			if used := new(store.UsedError); errors.As(err, &used) {
				return nil
			}
			return err
		})
	}
	if took := time.Since(since); took > 5*time.Second {
		t.Errorf("all are traded again after %v", took)
	}
}

func TestStore_SentinelsWithAPassword(t *testing.T) {
	t.Parallel()
	master := testenv.StartRedis(t, "--requirepass", "data-word")
	sentinel := testenv.NewSentinel(t, "main", master, "sentinel auth-pass main data-word", "user default off", "user watcher on >watch-word +@all")
	base := "redis://:data-word@" + sentinel.Addr + "?master_name=main"
	appendLine(t, open(t, base+"&sentinel_username=watcher&sentinel_password=watch-word"), 0)
	unanswered(t, open(t, base))
	_, err := open(t, base+"&sentinel_username=watcher&sentinel_password=wrong-word").Values(t.Context(), signature)
	wantUnreachable(t, err, false)
	if err != nil && strings.Contains(err.Error(), "-word") {
		t.Errorf("the error tells a password: %v", err)
	}
}

// A server is trusted whose CA was named, and no other.
func TestStore_TLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := testenv.Certificate(t, dir)
	addr := testenv.StartTLSRedis(t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	connect := func(address string, trust []byte) error {
		o, err := redisstore.Options(address)
		if err == nil && trust != nil {
			err = redisstore.TrustCA(o, trust)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := redisstore.New(redisstore.Config{Options: o, NewToken: func() string { return "n" }, Warn: func(string) {}})
		defer s.Close()
		_, err = s.Values(t.Context(), signature)
		return err
	}
	if err := connect("rediss://"+addr, ca); err != nil {
		t.Error(err)
	}
	wantUnreachable(t, connect("rediss://"+addr, nil), false, "certificate")
	if err := connect("rediss://"+addr+"?skip_verify=true", nil); err != nil {
		t.Error(err)
	}
	wantUnreachable(t, connect("rediss://"+testenv.StartRedis(t), ca), false, "TLS")
}
