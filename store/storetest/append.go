// What must hold of a commit.

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcp-trade/store"
)

// appendOutcomes goes through every mixture of an id, an order id and a session. The ledger has the lines 0 and 1,
// and line 1 carries the order id "used".
func appendOutcomes(t *testing.T, s store.Store) {
	first, second := Line(0, ""), Line(1, "used")
	for _, order := range []string{"", "new", "used"} {
		for _, session := range []string{`"held"`, `"changed"`} {
			for _, id := range []int64{0, 1, 2, 3, 1000} {
				name := fmt.Sprintf("id %d, order id %q, session %s", id, order, session)
				account := strings.NewReplacer(`"`, "", " ", "").Replace(fmt.Sprintf("a%d-%s-%s", id, order, session))
				set(t, s, values{today: session})
				for i, line := range [][]byte{first, second} {
					c := commitOf(t, account, line)
					c.After = [][]byte{nil, first}[i]
					if err := s.Append(t.Context(), c); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
				c := Commit(account, id, order)
				c.After = second
				c.Guards = []store.Guard{{Backend: s, Expect: values{today: `"held"`}, Update: values{ifTrade: strconv.Quote(name)}, TTL: time.Hour}}
				err := s.Append(t.Context(), c)

				var used *store.UsedError
				ok, lines := false, [][]byte{first, second}
				switch {
				case order == "used":
					ok = errors.As(err, &used) && bytes.Equal(used.Line, second)
				case session != `"held"`:
					ok = errors.Is(err, store.ErrSessionChanged)
				case id != 2:
					ok = errors.Is(err, store.ErrConflict)
				default:
					ok, lines = err == nil, append(lines, c.Line)
				}
				if !ok {
					t.Errorf("%s: %v", name, err)
				}
				wantLines(t, s, account, lines...)
				got, errRead := s.Values(t.Context(), ifTrade)
				if announced := got[ifTrade] == strconv.Quote(name); errRead != nil || announced != (err == nil) {
					t.Errorf("%s: answered %v, and the session holds %v (%v)", name, err, got, errRead)
				}
			}
		}
	}
}

func appendFollows(t *testing.T, s store.Store) {
	other := []byte(strings.Replace(string(Line(1, "")), "9744.85", "9744.86", 1))
	for name, after := range map[string][]byte{"none": nil, "another": other, "an older one": Line(0, ""), "a part": Line(1, "")[:20], "more": append(Line(1, ""), ' ')} {
		t.Run(name, func(t *testing.T) {
			account := strings.ReplaceAll(name, " ", "-")
			Fill(t, s, account, 2)
			c := Commit(account, 2, "o-1")
			c.After = after
			if err := s.Append(t.Context(), c); !errors.Is(err, store.ErrConflict) {
				t.Errorf("answered %v", err)
			}
			wantLines(t, s, account, Line(0, ""), Line(1, ""))
			if err := s.Append(t.Context(), Commit(account, 2, "o-1")); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("one of a ledger that is empty", func(t *testing.T) {
		c := Commit("empty", 0, "")
		c.After = Line(1, "")
		if err := s.Append(t.Context(), c); !errors.Is(err, store.ErrConflict) {
			t.Errorf("answered %v", err)
		}
		wantLines(t, s, "empty")
	})
}

// decorator is a session behind another, as a room for metrics or a prefix would put it. It counts what passes through.
type decorator struct {
	store.Sessions
	calls int
}

func (d *decorator) Values(ctx context.Context, keys ...store.Key) (map[store.Key]string, error) {
	d.calls++
	return d.Sessions.Values(ctx, keys...)
}

func (d *decorator) SetValues(ctx context.Context, v map[store.Key]string, ttl time.Duration) error {
	d.calls++
	return d.Sessions.SetValues(ctx, v, ttl)
}

func decorated(t *testing.T, s store.Store) {
	set(t, s, values{today: `"d"`})
	behind := &decorator{Sessions: s}
	c := Commit("gpt-5", 0, "")
	c.Guards = []store.Guard{{Backend: behind, Expect: values{today: `"d"`}, Update: values{ifTrade: `true`}, TTL: time.Hour}}
	if err := s.Append(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{today: `"d"`, ifTrade: `true`})
	if within := s.CommitsWith(behind.Place()); within != (behind.calls == 0) {
		t.Errorf("the engine commits with it: %v, and the decorator was called %d times", within, behind.calls)
	}
}

func guards(t *testing.T, s store.Store) {
	homes := []struct {
		name string
		home store.Sessions
	}{
		{"in the same engine", s},
		{"in another engine", &elsewhere{}},
	}
	want := values{signature: `"gpt-5"`, today: `"2025-10-02"`, halt: ""}
	cases := []struct {
		name   string
		set    values
		clear  []store.Key
		refuse bool
	}{
		{name: "what it was"},
		{name: "one value changed", set: values{today: `"2025-10-03"`}, refuse: true},
		{name: "a value appeared", set: values{halt: `true`}, refuse: true},
		{name: "a value vanished", clear: []store.Key{signature}, refuse: true},
		{name: "a value vanished and came back", clear: []store.Key{signature}, set: values{signature: `"gpt-5"`}},
		{name: "values changed that nobody asked for", set: values{ifTrade: `false`, {Model: "27", Name: "SIGNATURE"}: `"x"`}},
	}
	for h, home := range homes {
		for i, c := range cases {
			t.Run("session "+home.name+", "+c.name, func(t *testing.T) {
				account := fmt.Sprintf("a-%d-%d", h, i)
				if err := home.home.ClearValues(t.Context(), signature, today, ifTrade, halt); err != nil {
					t.Fatal(err)
				}
				set(t, home.home, values{signature: `"gpt-5"`, today: `"2025-10-02"`})
				Fill(t, s, account, 1)
				if err := home.home.ClearValues(t.Context(), c.clear...); err != nil {
					t.Fatal(err)
				}
				set(t, home.home, c.set)
				commit := Commit(account, 1, "o-1")
				commit.Guards = []store.Guard{{Backend: home.home, Expect: want, Update: values{ifTrade: `true`}, TTL: time.Hour}}
				err := s.Append(t.Context(), commit)
				got, errRead := home.home.Values(t.Context(), ifTrade)
				if errRead != nil {
					t.Fatal(errRead)
				}
				if c.refuse {
					if !errors.Is(err, store.ErrSessionChanged) {
						t.Errorf("answered %v", err)
					}
					wantLines(t, s, account, Line(0, ""))
					wantHead(t, s, account, "o-1", Line(0, ""), nil)
					if got[ifTrade] == `true` {
						t.Error("the refused commit was announced")
					}
					return
				}
				if err != nil {
					t.Errorf("answered %v", err)
				}
				wantLines(t, s, account, Line(0, ""), Line(1, "o-1"))
				if got[ifTrade] != `true` {
					t.Errorf("the commit was not announced: %v", got)
				}
			})
		}
	}
	brokenGuards(t, s, want)
}

// brokenGuards has a session in an engine that fails.
func brokenGuards(t *testing.T, s store.Store, want values) {
	t.Run("session in another engine that cannot be read", func(t *testing.T) {
		broken := &elsewhere{err: &store.UnreachableError{Engine: "other", Doing: "read the session", Err: errors.New("gone")}}
		c := Commit("unread", 0, "")
		c.Guards = []store.Guard{{Backend: broken, Expect: want}}
		var unreachable *store.UnreachableError
		if err := s.Append(t.Context(), c); !errors.As(err, &unreachable) || unreachable.Unknown {
			t.Errorf("answered %v", err)
		}
		wantLines(t, s, "unread")
	})
	t.Run("session in another engine that cannot be told", func(t *testing.T) {
		c := Commit("untold", 0, "")
		c.Guards = []store.Guard{{Backend: &elsewhere{err: errors.New("gone")}, Update: values{ifTrade: `true`}}}
		if err := s.Append(t.Context(), c); err != nil { // the ledger is the truth, the flag announces it
			t.Errorf("answered %v", err)
		}
		wantLines(t, s, "untold", Line(0, ""))
	})
}

func commitSets(t *testing.T, s store.Store) {
	for id := range int64(3) {
		c := Commit("gpt-5", id, "")
		c.Guards = []store.Guard{{Backend: s, Update: values{ifTrade: strconv.FormatInt(id, 10), today: `"d"`}, TTL: time.Hour}}
		if err := s.Append(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantValues(t, s, values{ifTrade: strconv.FormatInt(id, 10), today: `"d"`})
	}
	// Values that a commit only asks for stay as they are.
	c := Commit("gpt-5", 3, "")
	c.Guards = []store.Guard{{Backend: s, Expect: values{ifTrade: `2`, signature: ""}}}
	if err := s.Append(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{ifTrade: `2`, today: `"d"`})
}

// placed goes through the outcomes of commits that want to know when their line has its place. An engine that makes each
// line durable at once tells nobody.
func placed(t *testing.T, s store.Store) {
	Fill(t, s, "a", 2)
	set(t, s, values{today: `"d"`})
	for _, c := range []struct {
		name    string
		change  func(*store.Commit)
		waiting int
		refused bool
	}{
		{"follows, and nobody waits", func(*store.Commit) {}, 0, false},
		{"follows, and one waits that never comes", func(*store.Commit) {}, 1, false},
		{"follows another line", func(c *store.Commit) { c.After = Line(0, "") }, 1, true},
		{"in another session", func(c *store.Commit) { c.Guards = []store.Guard{{Backend: s, Expect: values{today: `"e"`}}} }, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			commit := Follow(t, s, Commit("a", int64(len(Whole(t, s, "a"))), ""))
			c.change(&commit)
			told, answered := 0, false
			commit.Placed = func() int {
				told++
				if answered {
					t.Error("it is told after the answer")
				}
				wantHead(t, s, "a", "", commit.Line, nil)
				return c.waiting
			}
			err := s.Append(t.Context(), commit)
			answered = true
			if (err != nil) != c.refused || told > 1 || c.refused && told > 0 {
				t.Errorf("answered %v, and told %d times", err, told)
			}
		})
	}
}

// Halt checks that no line follows a halt: a trader goes on until a commit is refused, and once the value that stops it
// is set, the ledger has come to its end. It stands apart from [Run] because it holds only for an engine that checks the
// session within the commit, which in a cluster is impossible.
func Halt(t *testing.T, s store.Store) {
	t.Helper()
	for round := range 20 {
		account := fmt.Sprintf("a%d", round)
		started, refused := make(chan struct{}), make(chan error)
		go func() {
			for id := int64(0); ; id++ {
				if id == 3 {
					close(started)
				}
				c := Commit(account, id, "")
				c.Guards = []store.Guard{{Backend: s, Expect: values{halt: "", today: ""}, Update: values{ifTrade: `true`}, TTL: time.Hour}}
				if err := s.Append(t.Context(), c); err != nil {
					refused <- err
					return
				}
			}
		}()
		<-started
		set(t, s, values{halt: `true`})
		before := Whole(t, s, account)
		if err := <-refused; !errors.Is(err, store.ErrSessionChanged) {
			t.Fatal(err)
		}
		if after := Whole(t, s, account); len(after) != len(before) {
			t.Fatalf("round %d: %d lines at the halt, %d in the end", round, len(before), len(after))
		}
		if err := s.ClearValues(t.Context(), halt); err != nil {
			t.Fatal(err)
		}
	}
}

// elsewhere is a session in an engine other than the ledger's. With err set it answers nothing else.
type elsewhere struct {
	values    values
	prolonged []store.Key
	err       error
}

func (e *elsewhere) Place() store.Place { return "elsewhere" }

func (e *elsewhere) Prolong(_ context.Context, _ time.Duration, keys ...store.Key) error {
	e.prolonged = append(e.prolonged, keys...)
	return e.err
}

func (e *elsewhere) Values(_ context.Context, keys ...store.Key) (map[store.Key]string, error) {
	got := values{}
	for _, k := range keys {
		if v, ok := e.values[k]; ok {
			got[k] = v
		}
	}
	return got, e.err
}

func (e *elsewhere) SetValues(_ context.Context, v map[store.Key]string, _ time.Duration) error {
	if e.values == nil {
		e.values = values{}
	}
	maps.Copy(e.values, v)
	return e.err
}

func (e *elsewhere) ClearValues(_ context.Context, keys ...store.Key) error {
	for _, k := range keys {
		delete(e.values, k)
	}
	return e.err
}
