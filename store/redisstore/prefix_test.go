package redisstore_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
)

// fill writes something of each kind.
func fill(t *testing.T, s *redisstore.Store, mark string) {
	t.Helper()
	lease, err := s.Lease(t.Context(), "alice", store.Owner{Name: mark, Nonce: mark, Since: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.CommitOf("alice", nil, []byte(`{"id":0,"date":"2025-10-01","order_id":"o","mark":"`+mark+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	c.Fence = lease.Fence()
	c.Guards = []store.Guard{{Backend: s, Update: values{{Model: "m", Name: "IF_TRADE"}: mark}}}
	j, err := s.OpenJournal(t.Context(), "alice", "2025-10-01", lease.Fence())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		s.Append(t.Context(), c), j.Append(t.Context(), []byte(`{"mark":"`+mark+`"}`)), j.SaveLog(t.Context(), store.DayLog, []byte(mark)), j.Close(),
		s.SaveCheckpoint(t.Context(), "alice", lease.Fence(), []byte(mark)), s.SetValues(t.Context(), values{{Model: "m", Name: "SIGNATURE"}: mark}, 0),
		s.UpdateManifest(t.Context(), "alice", lease.Fence(), func([]byte) ([]byte, error) { return []byte(mark), nil }),
		s.SaveToken(t.Context(), "hash", []byte(mark)), lease.Release(t.Context()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// read is all that fill wrote.
func read(t *testing.T, s *redisstore.Store) string {
	t.Helper()
	head, _, err := s.Head(t.Context(), "alice", "o")
	if err != nil {
		t.Fatal(err)
	}
	held, err := s.Values(t.Context(), store.Key{Model: "m", Name: "SIGNATURE"}, store.Key{Model: "m", Name: "IF_TRADE"})
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := s.Checkpoint(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := s.Manifest(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Token(t.Context(), "hash")
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := s.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	parts := []string{string(head), held[store.Key{Model: "m", Name: "SIGNATURE"}], held[store.Key{Model: "m", Name: "IF_TRADE"}], string(checkpoint), string(manifest), string(token)}
	return strings.Join(append(parts, accounts...), "\n")
}

// Teams whose keys have different prefixes see nothing of each other, under the same names.
func TestStore_Prefix(t *testing.T) {
	server := testenv.StartRedis(t)
	prefixes := []string{"", "one:", "two:"}
	var stores []*redisstore.Store
	for i, prefix := range prefixes {
		o, err := redisstore.Options("redis://" + server)
		if err != nil {
			t.Fatal(err)
		}
		s := redisstore.New(redisstore.Config{Options: o, Prefix: prefix, NewToken: func() string { return "n" + prefix }, Warn: func(w string) { t.Error(w) }})
		defer s.Close()
		stores = append(stores, s)
		if got := read(t, s); strings.Trim(got, "\n") != "" {
			t.Fatalf("%q begins with\n%s", prefix, got)
		}
		fill(t, s, "mark"+string(rune('A'+i)))
		if i > 0 && s.Place() == stores[0].Place() {
			t.Errorf("%q is the place of %q", prefix, prefixes[0])
		}
	}
	for i, s := range stores {
		got := read(t, s)
		for j := range stores {
			if want := map[bool]int{true: 6, false: 0}[i == j]; strings.Count(got, "mark"+string(rune('A'+j))) != want {
				t.Errorf("under %q is\n%s", prefixes[i], got)
			}
		}
		if !strings.HasSuffix(got, "\nalice") {
			t.Errorf("under %q there are other accounts than one:\n%s", prefixes[i], got)
		}
	}
	if err := stores[1].Archive(t.Context(), "alice", "alice.archived-1", 0); err != nil {
		t.Fatal(err)
	}
	client := bare(t, server)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	counts := map[string]int{}
	for _, key := range keys {
		prefix, _, _ := strings.Cut(key, ":")
		counts[prefix]++
	}
	if counts["one"] < 7 || counts["two"] != counts["one"] || counts["one"]+counts["two"]+counts["one"] != len(keys) {
		t.Errorf("the keys are\n%s", strings.Join(keys, "\n"))
	}
	if got := read(t, stores[0]); strings.Count(got, "markA") != 6 {
		t.Errorf("once another team archived, without a prefix there is\n%s", got)
	}
}

func TestCheckPrefix(t *testing.T) {
	for prefix, ok := range map[string]bool{"": true, "team1:": true, "a.b_c-d:": true, "{a}:": false, "a*": false, "a b": false, "ä": false, strings.Repeat("a", 65): false} {
		if err := redisstore.CheckPrefix(prefix); (err == nil) != ok {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}
